"""Associations: ordered, message-preserving channels between endpoints on two stations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from rsim._native import StackCore, association_transitions, association_transitions_taken
from rsim.network.attachment import Attachment
from rsim.network.counters import SctpCounters, TlsCounters
from rsim.network.cpu import Cpu
from rsim.network.credentials import Credentials, Principal, Refusal
from rsim.network.fabric import Fabric
from rsim.network.records import Ticket
from rsim.states import RoleEvent, RoleState, StateTable


class AssociationState(RoleState):
    """States of an association (RFC 9260 4)."""

    COOKIE_WAIT = auto()
    COOKIE_ECHOED = auto()
    ESTABLISHED = auto()
    SHUTDOWN_PENDING = auto()
    SHUTDOWN_SENT = auto()
    SHUTDOWN_ACK_SENT = auto()
    CLOSED = auto()


class AssociationEvent(RoleEvent):
    """What changes the state of an association."""

    INIT_ACK = auto()
    """The peer has answered the INIT."""
    COOKIE_ACK = auto()
    """The peer has answered the COOKIE ECHO."""
    COOKIE_ECHO = auto()
    """The cookie of the peer is good: this is the listener's side."""
    JOIN = auto()
    """Both sides are set up at once, as nothing lies between them."""
    CLOSE = auto()
    """The endpoint ends the association in order."""
    DRAIN = auto()
    """All that was sent is acknowledged."""
    SHUTDOWN = auto()
    """The peer has sent SHUTDOWN."""
    END = auto()
    """Both sides have shut down, one has aborted, or the peer does not answer."""


ASSOCIATION_STATES = StateTable(
    "association",
    AssociationState.COOKIE_WAIT,
    [
        (AssociationState[state], AssociationEvent[event], AssociationState[following], section)
        for state, event, following, section in association_transitions()
    ],
)
"""The table that drives the native half of associations (association_states.hpp)."""


def changes_of_associations() -> tuple[int, ...]:
    """How often each row of the table was taken, by all associations of this process."""
    return association_transitions_taken()


class Event(Enum):
    """What the network tells about an association; all but UP end it."""

    UP = "set up, and protected where it is to be"
    SHUT_DOWN = "the peer has shut it down in order"
    ABORTED = "the peer does not know it or has aborted it"
    LOST = "the peer does not answer any more"
    REFUSED = "TLS has refused the peer, or the peer has refused"
    RESTARTED = "the peer has started anew and forgotten it"


class Receiver(Protocol):
    """Receives messages and events of an association."""

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message, with its payload protocol identifier.

        Parameters: `association` it came on; `ppid` its payload protocol identifier; `data` its
        octets.
        """

    def notify(self, association: Association, event: Event) -> None:
        """Takes what the network tells about the association.

        Parameters: `association` that has changed; `event` what has happened to it.
        """


class Station(Attachment):
    """What an association uses of the host that it ends on.

    Parameters: `network` that it is attached to; `name` of the host; `actor` the name of its random
    streams; `sites` where it is; `addresses` one for each of them, the primary one first.
    """

    __slots__ = ("counters", "credentials", "network", "tickets", "tls_counters")

    stack: StackCore
    """The native half, which packets go through."""

    def __init__(
        self,
        network: Fabric,
        name: str,
        *,
        actor: str,
        sites: tuple[str, ...],
        addresses: tuple[str, ...],
    ) -> None:
        super().__init__(name, actor=actor, sites=sites, addresses=addresses)
        self.network = network
        self.credentials = Credentials()
        self.counters = SctpCounters()
        self.tls_counters = TlsCounters()
        self.tickets: dict[tuple[str, str], Ticket] | None = None

    @abstractmethod
    def accept(self, association: Association) -> Receiver | None:
        """Who receives on an association that has just reached this host, None if nobody does.

        Parameters: `association` with the port that it is for.
        """

    @property
    @abstractmethod
    def cpu(self) -> Cpu | None:
        """What works on messages, None where that takes no time."""

    @abstractmethod
    def forget(self, association: Association) -> None:
        """Keeps no state for an association any more.

        Parameters: `association` that has ended.
        """

    def has_room(self, ppid: int = -1) -> bool:
        """Whether the CPU's buffer takes one message more; what it does not take is counted.

        Parameters: `ppid` payload protocol of the message, -1 for none that is urgent.
        """
        cpu = self.cpu
        return cpu is None or cpu.admit(ppid)


class Association(ABC):
    """One end of an association, as the endpoint on that side sees it.

    `local_address` and `remote_address` with their ports name the two sides. `principal` is who the
    peer has shown to be; `refusal` why TLS has failed.

    Parameters: `host` that it ends on; `local` and `remote` address and port of the two sides;
    `receiver` of what arrives, None until the listener has named one.
    """

    __slots__ = (
        "host",
        "local_address",
        "local_port",
        "network",
        "receiver",
        "remote_address",
        "remote_port",
    )

    def __init__(
        self,
        host: Station,
        local: tuple[str, int],
        remote: tuple[str, int],
        receiver: Receiver | None,
    ) -> None:
        self.network = host.network
        self.receiver = receiver
        self.local_address, self.local_port = local
        self.remote_address, self.remote_port = remote
        self.host = host

    tcp: bool = False
    """Whether it is a TCP connection."""

    @property
    def principal(self) -> Principal | None:
        """Who the peer has shown to be, if it had to show it."""
        return None

    @property
    def refusal(self) -> Refusal | None:
        """Why TLS has failed, if it has."""
        return None

    @property
    def protected(self) -> bool:
        """Whether TLS protects it."""
        return False

    @property
    def ready(self) -> bool:
        """True once established; no UP event follows."""
        return True

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """All addresses of the peer, the primary one first."""
        return (self.remote_address,)

    @property
    def undelivered(self) -> int:
        """Number of trailing messages the peer did not acknowledge, once it has ended."""
        return 0

    @property
    def backlog(self) -> int:
        """Messages that wait to be sent, or to be acknowledged where that is in doubt."""
        return 0

    @abstractmethod
    def send(self, ppid: int, data: bytes) -> None:
        """Sends one message; the network tells by `notify` if it can't deliver any more.

        Parameters: `ppid` payload protocol identifier; `data` the octets.
        """

    @abstractmethod
    def when_sent(self, sent: Callable[[], None]) -> None:
        """Calls `sent` when the message that was sent last leaves; never if it comes to nothing."""

    @abstractmethod
    def close(self) -> None:
        """Ends the association in order: what has been sent still arrives."""

    @abstractmethod
    def discard(self) -> None:
        """Drops the association silently, as when the process dies."""
