"""Whether an ENRP server grants what elements ask for (RFC 5352 3.1, 3.2; RFC 5355 2.1, 2.17)."""

from __future__ import annotations

from typing import Final

from rsim.endpoints.authorisation import Authorisation, OpenAuthorisation
from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.peers import Peers
from rsim.endpoints.enrp.store import ElementStore, OwnElement
from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import ServerSettings
from rsim.endpoints.statements import Penalties, StatementStore, worst_policy
from rsim.handlespace import Outcome
from rsim.wire import Cause, ErrorCause, PoolElement, Registration

# Read for each registration: compiled code finds what is Final at once.
_ADDED: Final = Outcome.ADDED
_RENEWED: Final = Outcome.RENEWED


class Admission:
    """Checks registrations and deregistrations.

    Parameters: `node` the server; `store` of its elements; `peers` of it; `authorisation` who may
    register; `statements` where elements have to state their policy; `penalties` where users can
    accuse them; `settings` of the server; `clock` of the run; `counters` of the server.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        peers: Peers,
        *,
        authorisation: Authorisation,
        statements: StatementStore | None,
        penalties: Penalties | None,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
    ) -> None:
        self._node = node
        self._store = store
        self._peers = peers
        self._authorisation = authorisation
        self._open = type(authorisation) is OpenAuthorisation
        self._statements = statements
        self._penalties = penalties
        self._clock = clock
        self._counters = counters
        self._max_elements = settings.max_elements
        self._check_addresses = settings.check_addresses
        self._check_identity = settings.check_identity
        self._serve_while_starting = settings.serve_while_starting
        self._mix_protection = settings.mix_protection
        self._protected = False

    @property
    def punishes(self) -> bool:
        """Whether elements can have to serve a penalty."""
        return self._penalties is not None

    @property
    def serving(self) -> bool:
        """Whether requests are granted, as the server serves or is set to serve while it starts."""
        return self._node.serving or self._serve_while_starting

    def objection(
        self,
        channel: Channel,
        own: OwnElement | None,
        message: Registration,
        element: PoolElement,
    ) -> ErrorCause | None:
        """Why a registration is refused before the handlespace sees it, None if it is not.

        Parameters: `channel` it came on; `own` what the server keeps of the element, None if it is
        not its home; `message` that asks; `element` in it.
        """
        handle = message.pool_handle
        identifier = element.identifier
        if not self.serving:
            return ErrorCause(Cause.LACK_OF_RESOURCES)
        if not self._permits(channel, handle, identifier) or self._mixes(channel):
            return ErrorCause(Cause.SECURITY)
        store = self._statements
        if store is not None and not store.take(handle, element, message.statement):
            self._counters.statements_refused += 1
            return ErrorCause(Cause.SECURITY)
        life = element.registration_life
        if identifier == 0 or life < -1 or life == 0:
            return ErrorCause(Cause.INVALID_VALUES, element.encode())
        if not self._same_sender(handle, identifier, own, channel):
            return ErrorCause(Cause.NON_UNIQUE_PE_IDENTIFIER)
        limit = self._max_elements
        if limit is not None and own is None and len(self._store.handlespace) >= limit:
            return ErrorCause(Cause.LACK_OF_RESOURCES)
        if self._check_addresses:
            hosts = element.user_transport.hosts
            if any(host not in channel.remote_addresses for host in hosts):
                return ErrorCause(Cause.INVALID_VALUES, element.user_transport.encode())
        return None

    def _mixes(self, channel: Channel) -> bool:
        """Whether an element would stand beside others of this server that TLS protects otherwise
        (RFC 5355 2.15: all of them use it, or none)."""
        if self._mix_protection:
            return False
        return channel.protected is not self._protected and self._store.has_own

    def note_protection(self, channel: Channel) -> None:
        """Remembers whether the elements of this server use TLS.

        Parameters: `channel` of one that is granted.
        """
        self._protected = channel.protected

    def may_leave(
        self, channel: Channel, handle: bytes, identifier: int, own: OwnElement | None
    ) -> bool:
        """Whether the sender may deregister an element.

        Parameters: `channel` that it asks on; `handle` of the pool; `identifier` of the element;
        `own` what the server keeps of it, None if it is not its home.
        """
        return self._permits(channel, handle, identifier) and self._same_sender(
            handle, identifier, own, channel
        )

    def sentence(
        self, channel: Channel, element: PoolElement
    ) -> tuple[PoolElement, ErrorCause | None]:
        """An element that serves a penalty is refused, or listed last (RFC 5355 2.17).

        Parameters: `channel` that it registers on; `element` as it registers.
        """
        penalties = self._penalties
        if penalties is None or not penalties.punished(channel.remote_address, self._clock.now):
            return element, None
        if penalties.penalty == "worst":
            return element.replace(policy=worst_policy(element.policy)), None
        return element, ErrorCause(Cause.SECURITY)

    def refusal(self, handle: bytes, element: PoolElement, outcome: Outcome) -> ErrorCause | None:
        """Why the handlespace has refused an element, None if it has not (RFC 5354 3.12).

        The cause shows what the pool has.

        Parameters: `handle` of the pool; `element` as it registers; `outcome` of adding it.
        """
        if outcome is _ADDED or outcome is _RENEWED:
            return None
        member = self._store.handlespace.any_element(handle)
        if member is not None and outcome is Outcome.INCONSISTENT_POLICY:
            return ErrorCause(Cause.INCONSISTENT_POLICY, member.policy.encode())
        if member is not None and outcome is Outcome.INCONSISTENT_TRANSPORT:
            return ErrorCause(Cause.INCONSISTENT_TRANSPORT_TYPE, member.user_transport.encode())
        if outcome is Outcome.INCONSISTENT_USE:
            return ErrorCause(Cause.INCONSISTENT_DATA_CONTROL)
        return ErrorCause(Cause.INVALID_VALUES, element.policy.encode())

    def _permits(self, channel: Channel, handle: bytes, identifier: int) -> bool:
        return self._open or self._authorisation.permits(channel.principal, handle, identifier)

    def _same_sender(
        self, handle: bytes, identifier: int, own: OwnElement | None, channel: Channel
    ) -> bool:
        """Whether who speaks now may speak for an element: it shares an address with who has
        registered it, here or at another server (RFC 5352 3.1, 3.2)."""
        if not self._check_identity:
            return True
        transport = None
        if own is not None:
            transport = own.asap_transport
        elif not self._peers.alone:
            known = self._store.find(handle, identifier)
            transport = known.asap_transport if known is not None else None
        if transport is None:
            return True
        return any(host in channel.remote_addresses for host in transport.hosts)
