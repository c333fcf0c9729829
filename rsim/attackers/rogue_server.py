"""Rogue ENRP servers: they join, and they answer in place of others (RFC 5355 2.5 to 2.7, 2.12)."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from rsim.attackers.base import Flooder, FlooderSettings, Surroundings, attacker
from rsim.attackers.false_element import FalseService, LureSettings, lure
from rsim.attackers.registration_flood import NOBODY
from rsim.endpoints import EnrpServer
from rsim.endpoints.ports import count_sent
from rsim.network import Association, Event
from rsim.units import Interval
from rsim.wire import (
    ADD_PE,
    ASAP_PORT,
    ASAP_TLS_PORT,
    DEL_PE,
    PPID_ASAP,
    PPID_ENRP,
    Cause,
    Deregistration,
    DeregistrationResponse,
    ErrorCause,
    HandleResolution,
    HandleResolutionResponse,
    HandleUpdate,
    InitTakeover,
    PoolElement,
    Presence,
    Registration,
    RegistrationResponse,
    SctpTransport,
    ServerAnnounce,
    TakeoverServer,
    receive,
)

_PORT = 9996
_ALL = 1 << 30


class RogueServerSettings(FlooderSettings, LureSettings):
    """A server that should not be there."""

    join: bool = Field(False, description="makes itself a peer of the real servers")
    action: Literal["none", "delete", "add", "takeover", "checksum", "silent"] = Field(
        "none",
        description="as a peer, every interval: removes one element of others, adds one of its "
        "own, takes over a living server, tells a wrong checksum; or never agrees to a takeover",
    )
    announce_takeovers: bool = Field(
        True, description="takeover: begins with ENRP_INIT_TAKEOVER, else the takeover alone"
    )
    tell_information: bool = Field(
        True, description="silent: tells who it is; else it stays an unknown sender of noise"
    )
    identifier: int | None = Field(
        None, ge=1, le=0xFFFFFFFF, description="server identifier; null: at random"
    )
    announce_interval: Interval | None = Field(
        None, description="time between announcements by multicast; null: none"
    )
    registrations: Literal["grant", "ignore", "refuse"] = Field(
        "grant", description="what becomes of registrations; it tells no other server"
    )
    answers: Literal["none", "nobody", "rogue", "silence"] = Field(
        "rogue",
        description="resolutions: an error, addresses where nobody is, its own address, no answer",
    )

    @model_validator(mode="after")
    def _settings_serve(self) -> Self:
        self._belongs("announce_takeovers", "action", "takeover")
        self._belongs("tell_information", "action", "silent")
        if self.action != "none" and not self.join:
            raise ValueError(f"action: {self.action} is done by a peer only, with join = true")
        return self


class _Peer(EnrpServer):
    """The ENRP side: it begins no takeover, and agrees to none if its settings say so."""

    silent = False

    def takes_over(self) -> bool:
        """Leaves the dead to others."""
        return False

    def receive(self, channel: object, ppid: int, data: bytes) -> None:
        """Takes one message, unless it is one to which it would have to agree."""
        if self.silent and ppid == PPID_ENRP and data[:1] == bytes([InitTakeover.type_code]):
            return
        super().receive(channel, ppid, data)  # type: ignore[arg-type]


@attacker
class RogueServer(Flooder[RogueServerSettings]):
    """Speaks ENRP as a peer and ASAP as a server.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "rogue-server"
    Settings: ClassVar[type[FlooderSettings]] = RogueServerSettings

    def __init__(self, settings: RogueServerSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._random = surroundings.stream("identifiers")
        self._identifier = settings.identifier or self._random.identifier()
        host = surroundings.host
        address = NOBODY if settings.answers == "nobody" else host.address
        self._transport = SctpTransport(port=_PORT, addresses=(address,), use=1)
        self._policy = lure(surroundings.policy, settings)
        self._announcement = surroundings.clock.timer(self._announce)
        self._captured: dict[tuple[bytes, int], Association] = {}
        self._peer: EnrpServer | None = None
        self._strangers: list[Association] = []
        self._turn = 0

    def start(self) -> None:
        """Listens, joins and announces itself, as far as it does."""
        surroundings, settings = self.surroundings, self.settings
        FalseService(
            surroundings.clock,
            surroundings.host,
            port=_PORT,
            settings=settings,
            counters=self.counters,
        )
        if settings.join and (settings.action != "silent" or settings.tell_information):
            server = surroundings.make_server(_Peer, surroundings.enrp_servers, self._identifier)
            if isinstance(server, _Peer):
                server.silent = settings.action == "silent"
            self._peer = server
        # After the ENRP side, which would listen there too.
        surroundings.host.listen(ASAP_PORT, lambda association: self)
        if surroundings.offers:
            surroundings.host.listen(ASAP_TLS_PORT, lambda association: self, surroundings.offers)
        if settings.announce_interval is not None:
            self._announcement.start(settings.announce_interval * self._random.uniform())
        super().start()

    def stop(self) -> None:
        """Falls silent."""
        super().stop()
        self._announcement.stop()
        if self._peer is not None:
            self._peer.vanish()
        for association in self._strangers:
            association.discard()
        self._strangers.clear()
        for port in (ASAP_PORT, ASAP_TLS_PORT):
            self.surroundings.host.close(port, silently=True)

    # As a peer (2.5) ------------------------------------------------------------------------------

    def act(self) -> None:
        """Does its worst as a peer, once."""
        action = self.settings.action
        if action == "silent" and not self.settings.tell_information:
            self._make_noise()
        peer = self._peer
        if peer is None or not peer.serving:
            return
        if action == "delete":
            self._delete_one(peer)
        elif action == "add":
            element = PoolElement(
                identifier=self._random.identifier(),
                home_server=peer.identifier,
                registration_life=300,
                user_transport=self._transport,
                policy=self._policy,
                asap_transport=self._transport,
            )
            handle = self.surroundings.pool_handle
            # It is its home in earnest, so that its own checksum vouches for it.
            peer.handlespace.add(handle, element)
            self._update(peer, ADD_PE, handle, element)
        elif action == "takeover":
            self._take_one_over(peer)
        elif action == "checksum":
            wrong = self._turn & 0xFFFF
            self._turn += 1
            presence = Presence(sender=peer.identifier, receiver=0, pe_checksum=wrong)
            self._tell(peer, presence.encode(self.surroundings.dialect))

    def _tell(self, peer: EnrpServer, data: bytes) -> None:
        for other in peer.peers.introduced():
            if other.channel is not None:
                other.channel.send(PPID_ENRP, data)
                count_sent(other.channel, partial(self._count, len(data)))

    def _update(self, peer: EnrpServer, action: int, handle: bytes, element: PoolElement) -> None:
        message = HandleUpdate(
            sender=peer.identifier,
            receiver=0,
            update_action=action,
            pool_handle=handle,
            pool_element=element,
        )
        self._tell(peer, message.encode(self.surroundings.dialect))

    def _delete_one(self, peer: EnrpServer) -> None:
        pools, _ = peer.handlespace.table(limit=_ALL, octets=_ALL)
        known = [(pool.pool_handle, element) for pool in pools for element in pool.pool_elements]
        if known:
            handle, element = known[self._turn % len(known)]
            self._turn += 1
            self._update(peer, DEL_PE, handle, element)

    def _take_one_over(self, peer: EnrpServer) -> None:
        others = [other.identifier for other in peer.peers.introduced()]
        if not others:
            return
        target = others[self._turn % len(others)]
        self._turn += 1
        if self.settings.announce_takeovers:
            init = InitTakeover(sender=peer.identifier, receiver=0, target=target)
            self._tell(peer, init.encode(self.surroundings.dialect))
        done = TakeoverServer(sender=peer.identifier, receiver=0, target=target)
        self._tell(peer, done.encode(self.surroundings.dialect))

    def _make_noise(self) -> None:
        """Sends each server the PRESENCE of an unknown peer, without information about it."""
        host = self.surroundings.host
        if not self._strangers:
            self._strangers = [
                host.connect(addresses[0], port, self)
                for addresses, port in self.surroundings.enrp_servers
            ]
        presence = Presence(sender=self._identifier, receiver=0)
        for association in self._strangers:
            self.send(association, presence, PPID_ENRP)

    # As a server (2.6, 2.7, 2.12) -----------------------------------------------------------------

    def _announce(self) -> None:
        assert self.settings.announce_interval is not None
        host = self.surroundings.host
        transport = SctpTransport(port=ASAP_PORT, addresses=host.addresses)
        message = ServerAnnounce(server_identifier=self._identifier, transports=(transport,))
        data = message.encode(self.surroundings.dialect)
        self.counters.attack_messages += 1
        self.counters.attack_octets += len(data)
        host.send_datagram(ASAP_PORT, (self.surroundings.group, ASAP_PORT), data)
        self._announcement.start(self.settings.announce_interval)

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes what pool elements and pool users say to their server."""
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if isinstance(message, Registration):
            self._registration(association, message)
        elif isinstance(message, Deregistration):
            response = DeregistrationResponse(
                pool_handle=message.pool_handle, pe_identifier=message.pe_identifier
            )
            association.send(PPID_ASAP, response.encode(self.surroundings.dialect))
        elif isinstance(message, HandleResolution):
            self._resolution(association, message)

    def _registration(self, association: Association, message: Registration) -> None:
        if self.settings.registrations == "ignore":
            return
        handle, identifier = message.pool_handle, message.pool_element.identifier
        refuse = self.settings.registrations == "refuse"
        if not refuse and (handle, identifier) not in self._captured:
            self._captured[handle, identifier] = association
            self.counters.elements_captured += 1
        response = RegistrationResponse(
            pool_handle=handle,
            pe_identifier=identifier,
            reject=refuse,
            error_causes=[ErrorCause(Cause.INVALID_VALUES)] if refuse else [],
        )
        association.send(PPID_ASAP, response.encode(self.surroundings.dialect))

    def _resolution(self, association: Association, message: HandleResolution) -> None:
        if self.settings.answers == "silence":
            return
        handle = message.pool_handle
        if self.settings.answers == "none":
            cause = ErrorCause(Cause.UNKNOWN_POOL_HANDLE)
            response = HandleResolutionResponse(pool_handle=handle, error_causes=[cause])
        else:
            element = PoolElement(
                identifier=self._random.identifier(),
                registration_life=300,
                user_transport=self._transport,
                policy=self._policy,
            )
            response = HandleResolutionResponse(
                pool_handle=handle, pool_elements=[element], policy=self._policy
            )
        self.counters.answers_received += 1
        association.send(PPID_ASAP, response.encode(self.surroundings.dialect))

    def notify(self, association: Association, event: Event) -> None:
        """Elements that go are not captured any more; strangers connect anew."""
        if event is Event.UP:
            return
        if association in self._strangers:
            self._strangers.remove(association)
        for key in [key for key, one in self._captured.items() if one is association]:
            del self._captured[key]
