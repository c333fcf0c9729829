"""Hosts: machines with addresses at sites, on which endpoints listen and connect."""

from __future__ import annotations

from collections.abc import Callable

from rsim.network.association import (
    Association,
    AssociationState,
    Event,
    Receiver,
    Station,
)
from rsim.network.fabric import Fabric
from rsim.network.frame import Chunk, Control, Cookie, Endpoint, Frame
from rsim.network.instant import InstantAssociation
from rsim.network.listeners import Acceptor, Listener, Listeners
from rsim.network.profiles import Profile
from rsim.network.sctp import SctpAssociation

DatagramReceiver = Callable[[Endpoint, bytes], None]
"""Takes the source, which may be forged, and the bytes of a datagram."""


_FIRST_PORT, _LAST_PORT = 49152, 65535
"""Ports that are given to clients (RFC 6335 6)."""


class Host(Station):
    """A machine at one site, or at several where it has an address at each.

    `cpu` is None where work takes no time; `tickets` of TLS sessions are kept by server and
    profile, None where sessions are not resumed.

    Parameters: `network` that it is attached to; `name` of the host; `actor` the name of its random
    streams; `sites` where it is; `addresses` one for each of them, the primary one first.
    """

    __slots__ = ("_associations", "_datagrams", "_listeners", "_next_port")

    def __init__(
        self,
        network: Fabric,
        name: str,
        *,
        actor: str,
        sites: tuple[str, ...],
        addresses: tuple[str, ...],
    ) -> None:
        super().__init__(network, name, actor=actor, sites=sites, addresses=addresses)
        self._listeners = Listeners()
        self._next_port = _FIRST_PORT
        self._datagrams: dict[tuple[str, int], DatagramReceiver] = {}
        self._associations: dict[tuple[int, str, int], SctpAssociation] = {}

    @property
    def associations(self) -> tuple[SctpAssociation, ...]:
        """Associations that the host keeps state for."""
        return tuple(dict.fromkeys(self._associations.values()))

    # Associations ---------------------------------------------------------------------------------

    def listen(
        self,
        port: int,
        acceptor: Acceptor,
        offers: tuple[Profile, ...] = (),
        tcp: bool = False,
        optional: bool = False,
    ) -> None:
        """Calls `acceptor` with each new association to `port`; it returns who receives.

        Parameters: `offers` TLS profiles; a client must use one of them, or may if TLS is
        `optional`; none: no TLS; `tcp` takes TCP connections as well as SCTP associations.
        """
        listener = Listener(port, acceptor, offers=offers, optional=optional, tcp=tcp)
        self._listeners.open(listener)

    def hears(self, port: int, tcp: bool) -> bool:
        """Whether somebody listens at a port, over TCP or over SCTP.

        Parameters: `port` from 1 to 65535; `tcp` whether over TCP.
        """
        return self._listeners.find(port, tcp) is not None

    def close(self, port: int, silently: bool = False) -> None:
        """Stops listening and ends the associations accepted there, cleanly or silently."""
        self._listeners.close(port)
        for association in [a for a in self.associations if a.local_port == port]:
            if silently:
                association.discard()
            else:
                association.close()

    def new_port(self) -> int:
        """A port that this host has not used before."""
        port = self._next_port
        self._next_port += 1
        if port > _LAST_PORT:
            # A host that outlives its ports starts over, as real ones do.
            self._next_port = _FIRST_PORT + 1
            port = _FIRST_PORT
        return port

    def connect(
        self,
        address: str,
        port: int,
        receiver: Receiver,
        *,
        further: tuple[str, ...] = (),
        local_port: int | None = None,
        profile: Profile | None = None,
        tcp: bool = False,
    ) -> Association:
        """An association to a port of the host with that address; messages wait until it is up.

        Parameters: `further` addresses of the same host; `local_port` a new one by default;
        `profile` of TLS, None without: the peer's certificate must show its host's name; `tcp` for
        a TCP connection, to the first address alone.
        """
        network = self.network
        local = (self.address, self.new_port() if local_port is None else local_port)
        if network.instant:
            return self._connect_instantly(local, (address, port), receiver)
        self.counters.associations_opened += 1
        tag, tsn = network.new_tag(), network.new_tag()
        addresses = (address,) if tcp else (address, *further)
        here = SctpAssociation(
            self,
            local,
            remote=(address, port),
            addresses=addresses,
            receiver=receiver,
            tags=(tag, 0),
            tsns=(tsn, 0),
            tcp=tcp,
        )
        self.remember(here)
        remote = network.attached(address)
        listener = remote._listeners.find(port, tcp) if isinstance(remote, Host) else None
        if (
            isinstance(remote, Host)
            and listener is not None
            and remote.up
            and self.up
            and profile is None
            and network.route(self.address, address).plain_delay == 0
            and not listener.offers
        ):
            there = remote._join(here)
            if there is not None:
                here.join(there)
                return here
        here.open(profile, network.name_of(address) if profile is not None else None)
        return here

    def _connect_instantly(
        self, local: Endpoint, remote: Endpoint, receiver: Receiver
    ) -> InstantAssociation:
        network = self.network
        other = network.attached(remote[0])
        delay = network.delay(self.site, other.site) if other else 0.0
        here = InstantAssociation(self, local, remote=remote, delay=delay, receiver=receiver)
        if isinstance(other, Host):
            here.join(InstantAssociation(other, remote, remote=local, delay=delay, receiver=None))
        return here

    def accept(self, association: Association) -> Receiver | None:
        """Who receives on an association that has just reached this host, or None."""
        listener = self._listeners.find(association.local_port)
        return listener.acceptor(association) if listener else None

    def _join(self, peer: SctpAssociation) -> SctpAssociation | None:
        """The other end of an association that is set up without packets."""
        there = SctpAssociation(
            self,
            (peer.remote_address, peer.remote_port),
            remote=(peer.local_address, peer.local_port),
            addresses=(peer.local_address,) if peer.tcp else peer.host.addresses,
            receiver=None,
            tags=(self.network.new_tag(), 0),
            tsns=(1, 0),
            tcp=peer.tcp,
        )
        there.receiver = self.accept(there)
        if there.receiver is None:
            return None
        self.remember(there)
        there.join(peer)
        return there

    def remember(self, association: Association) -> None:
        """Finds an association by each of the peer's addresses from now on."""
        assert isinstance(association, SctpAssociation), "an instant one has no packets"
        for address in association.remote_addresses:
            key = (association.local_port, address, association.remote_port)
            self._associations[key] = association

    def forget(self, association: Association) -> None:
        """Keeps no state for an association any more."""
        for address in association.remote_addresses:
            key = (association.local_port, address, association.remote_port)
            if self._associations.get(key) is association:
                del self._associations[key]

    def find(self, port: int, remote: Endpoint) -> SctpAssociation | None:
        """The association at a local port with that peer, if there is one.

        Parameters: `port` of this host; `remote` address and port of the peer.
        """
        return self._associations.get((port, *remote))

    def reroute(self) -> None:
        """Looks for the ways of all associations anew, as links have been added."""
        for association in self.associations:
            association.reroute()

    def watch_peers(self) -> None:
        """Has all associations watch their peers, as the network has changed."""
        for association in self.associations:
            association.watch_peer()

    def inject(self, port: int, source: Endpoint, ppid: int, data: bytes) -> None:
        """Takes a message that somebody on the path has put into an association."""
        association = self.find(port, source)
        if association is not None:
            association.inject(ppid, data)

    # Packets --------------------------------------------------------------------------------------

    def arrive(self, frame: Frame) -> None:
        """Takes a packet that has reached the host."""
        if not self.up:
            return
        if not frame.chunks:
            self._datagram(frame)
            return
        association = self.find(frame.destination[1], frame.source)
        first = frame.chunks[0]
        kind = first.kind if isinstance(first, Chunk) else None
        if kind is Control.INIT and isinstance(first, Chunk):
            self._init(frame, first)
        elif (
            kind is Control.COOKIE_ECHO
            and isinstance(first, Chunk)
            and first.cookie is not None
            and (association is None or first.cookie.own_tag != association.own_tag)
        ):
            self._cookie_echo(frame, first.cookie, association)
        elif association is None:
            self._out_of_the_blue(frame, kind)
        elif frame.tag == association.own_tag or (
            kind in (Control.ABORT, Control.SHUTDOWN_COMPLETE) and frame.tag == association.peer_tag
        ):
            association.take(frame)
        else:
            self.counters.packets_with_wrong_tag += 1

    def _reply(self, frame: Frame, tag: int, chunk: Chunk) -> None:
        reply = Frame(frame.destination, frame.source, tag, (chunk,), tcp=frame.tcp)
        network = self.network
        network.transmit(reply, network.route(frame.destination[0], frame.source[0]))

    def _init(self, frame: Frame, chunk: Chunk) -> None:
        """RFC 9260 5.1, 5.2.2: everything goes into the cookie, no state is kept."""
        if not self.hears(frame.destination[1], frame.tcp):
            self._reply(frame, chunk.tag, Chunk(Control.ABORT))
            return
        tag, tsn = self.network.new_tag(), self.network.new_tag()
        here, source = frame.destination[0], frame.source[0]
        remote = (source, *(address for address in chunk.addresses if address != source))
        cookie = Cookie(
            self.secret,
            tag,
            peer_tag=chunk.tag,
            own_tsn=tsn,
            peer_tsn=chunk.tsn,
            remote=remote,
            created=self.network.clock.now,
        )
        others: tuple[str, ...] = ()
        if not frame.tcp:
            others = tuple(address for address in self.addresses if address != here)
        self._reply(
            frame, chunk.tag, Chunk(Control.INIT_ACK, tag, tsn=tsn, addresses=others, cookie=cookie)
        )

    def _cookie_echo(self, frame: Frame, cookie: Cookie, present: SctpAssociation | None) -> None:
        """RFC 9260 5.1.5; for a peer that is known already: it has started anew (5.2.4.1)."""
        age = self.network.clock.now - cookie.created
        listener = self._listeners.find(frame.destination[1])
        if (
            cookie.secret != self.secret
            or frame.tag != cookie.own_tag
            or age > self.network.sctp.cookie_life
            or listener is None
        ):
            self._reply(frame, cookie.peer_tag, Chunk(Control.ABORT))
            return
        if present is not None:
            present.end(Event.RESTARTED)
        association = SctpAssociation(
            self,
            frame.destination,
            remote=frame.source,
            addresses=cookie.remote,
            receiver=None,
            tags=(cookie.own_tag, cookie.peer_tag),
            tsns=(cookie.own_tsn, cookie.peer_tsn),
            tcp=frame.tcp,
        )
        association.receiver = listener.acceptor(association)
        if association.receiver is None:
            self._reply(frame, cookie.peer_tag, Chunk(Control.ABORT))
            return
        self.remember(association)
        source = self.network.attached(frame.source[0])
        peer = source.find(frame.source[1], frame.destination) if isinstance(source, Host) else None
        if peer is not None:
            association.meet(peer)
        association.accepted(cookie, listener.offers, listener.optional)
        if len(frame.chunks) > 1 and association.state is AssociationState.ESTABLISHED:
            association.take(frame.with_chunks(frame.chunks[1:]))

    def _out_of_the_blue(self, frame: Frame, kind: Control | None) -> None:
        """RFC 9260 8.4: answered by ABORT, unless it ends something itself."""
        self.counters.packets_out_of_the_blue += 1
        if kind is Control.SHUTDOWN_ACK:
            self._reply(frame, frame.tag, Chunk(Control.SHUTDOWN_COMPLETE))
        elif kind not in (Control.ABORT, Control.SHUTDOWN_COMPLETE, Control.COOKIE_ACK):
            self._reply(frame, frame.tag, Chunk(Control.ABORT))

    # Datagrams ------------------------------------------------------------------------------------

    def listen_datagrams(
        self, port: int, receiver: DatagramReceiver, group: str | None = None
    ) -> None:
        """Calls `receiver` with datagrams to a port, or to a port of a multicast group.

        Parameters: `port` from 1 to 65535; `group` address of a multicast group, None for the host
        itself.
        """
        self._datagrams[group or "", port] = receiver
        if group is not None:
            self.network.join(group, self)

    def close_datagrams(self, port: int, group: str | None = None) -> None:
        """Stops receiving datagrams there.

        Parameters: `port` from 1 to 65535; `group` address of a multicast group, None for the host
        itself.
        """
        self._datagrams.pop((group or "", port), None)

    def send_datagram(
        self, port: int, destination: Endpoint, data: bytes, source: Endpoint | None = None
    ) -> None:
        """Sends a datagram to a host or a group; a `source` other than its own is a forgery.

        Parameters: `port` that it is sent from; `destination` address and port; `data` the octets.
        """
        if self.up:
            self.network.send_datagram(self, source or (self.address, port), destination, data)

    def _datagram(self, frame: Frame) -> None:
        address, port = frame.destination
        group = "" if address in self.addresses else address
        receiver = self._datagrams.get((group, port))
        if receiver is None or not self.has_room():
            return
        if self.cpu is None:
            receiver(frame.source, frame.data)
        else:
            time = self.cpu.service_time(self.network.datagram_protocol(port), frame.data)
            self.cpu.submit(time, receiver, frame.source, frame.data)

    # State ----------------------------------------------------------------------------------------

    def fail(self) -> None:
        """Goes down and loses all state of associations; it notifies nobody."""
        if self._up:
            self.network.hosts_down += 1
        self._up = False
        self.secret += 1
        for association in self.associations:
            association.discard()
        self._listeners.clear()
        self._datagrams.clear()
        if self.cpu is not None:
            self.cpu.clear()
        self.network.changed()

    def restore(self) -> None:
        """Comes back, with nothing running on it."""
        if not self._up:
            self.network.hosts_down -= 1
        self._up = True
        self.network.changed()
