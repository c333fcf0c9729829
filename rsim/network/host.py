"""Hosts: machines with addresses at sites, on which endpoints listen and connect."""

from __future__ import annotations

from collections.abc import Callable

from rsim._native import AssociationCore, StackCore
from rsim.network.association import Association, Receiver, Station
from rsim.network.cpu import Cpu
from rsim.network.fabric import Fabric
from rsim.network.frame import Endpoint, Frame
from rsim.network.instant import InstantAssociation
from rsim.network.listeners import Acceptor, Listener, Listeners
from rsim.network.profiles import Profile
from rsim.network.sctp import SctpAssociation
from rsim.network.settings import StackSettings

DatagramReceiver = Callable[[Endpoint, bytes], None]
"""Takes the source, which may be forged, and the octets of a datagram."""


_FIRST_PORT, _LAST_PORT = 49152, 65535
"""Ports that are given to clients (RFC 6335 6)."""


class Host(Station):
    """A machine at one site, or at several where it has an address at each.

    `cpu` is None where work takes no time; `tickets` of TLS sessions are kept by server and
    profile, None where sessions are not resumed; `watcher` is called when it goes down or comes
    back, and when somebody begins or ceases to listen, None: nobody watches.

    Parameters: `network` that it is attached to; `name` of the host; `actor` the name of its random
    streams; `sites` where it is; `addresses` one for each of them, the primary one first.
    """

    __slots__ = (
        "_associations",
        "_cpu",
        "_datagrams",
        "_listeners",
        "_next_port",
        "stack",
        "watcher",
    )

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
        self._cpu: Cpu | None = None
        self._listeners = Listeners()
        self.watcher: Callable[[Host], None] | None = None
        self._next_port = _FIRST_PORT
        self._datagrams: dict[tuple[str, int], DatagramReceiver] = {}
        # In the order in which they were set up.
        self._associations: dict[SctpAssociation, None] = {}
        self.stack = StackCore(network.core, self, addresses)

    @property
    def cpu(self) -> Cpu | None:
        """What works on messages, None where that takes no time."""
        return self._cpu

    @cpu.setter
    def cpu(self, cpu: Cpu | None) -> None:
        self._cpu = cpu
        self.stack.cpu = cpu.core if cpu is not None else None

    def limit(self, settings: StackSettings) -> None:
        """Says what state it may keep for its peers, before it keeps any.

        Parameters: `settings` of the stack.
        """
        cpu = self._cpu
        self.stack.limit(
            settings,
            init_time=cpu.control_time("INIT") if cpu is not None else 0.0,
            cookie_time=cpu.control_time("COOKIE_ECHO") if cpu is not None else 0.0,
        )

    @property
    def associations(self) -> tuple[SctpAssociation, ...]:
        """Associations of endpoints on this host."""
        return tuple(self._associations)

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
        self._note_change()

    def hears(self, port: int, tcp: bool) -> bool:
        """Whether somebody listens at a port, over TCP or over SCTP.

        Parameters: `port` from 1 to 65535; `tcp` whether over TCP.
        """
        return self._listeners.find(port, tcp) is not None

    def close(self, port: int, silently: bool = False) -> None:
        """Stops listening and ends the associations accepted there, cleanly or silently."""
        self._listeners.close(port)
        self._note_change()
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
        to = (address, port)
        core = self.stack.connect(local, to, further, tcp)
        here = SctpAssociation(self, core, local, remote=to, receiver=receiver, tcp=tcp)
        self._associations[here] = None
        remote = network.attached(address)
        listener = remote._listeners.find(port, tcp) if isinstance(remote, Host) else None
        if (
            isinstance(remote, Host)
            and listener is not None
            and remote.up
            and self.up
            and profile is None
            and network.plain_delay(self.address, address) == 0
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
        local = (peer.remote_address, peer.remote_port)
        remote = (peer.local_address, peer.local_port)
        core = self.stack.make_other_end(peer.core)
        there = SctpAssociation(self, core, local, remote=remote, receiver=None, tcp=peer.tcp)
        self._associations[there] = None
        there.receiver = self.accept(there)
        if there.receiver is None:
            there.discard()
            return None
        return there

    def take_peer(
        self, core: AssociationCore, local: Endpoint, remote: Endpoint, tcp: bool
    ) -> bool:
        """Takes an association that a peer has set up; false if nobody here wants it.

        Parameters: `core` its native half; `local` and `remote` address and port of the two sides;
        `tcp` for a TCP connection.
        """
        listener = self._listeners.find(local[1], tcp)
        if listener is None:
            return False
        association = SctpAssociation(self, core, local, remote=remote, receiver=None, tcp=tcp)
        self._associations[association] = None
        association.receiver = listener.acceptor(association)
        if association.receiver is None:
            association.discard()
            return False
        if listener.offers:
            association.expect(listener.offers, listener.optional)
        return True

    def forget(self, association: Association) -> None:
        """Keeps no association any more that has ended."""
        assert isinstance(association, SctpAssociation), "an instant one is not kept"
        self._associations.pop(association, None)

    def find(self, port: int, remote: Endpoint) -> SctpAssociation | None:
        """The association at a local port with that peer, if there is one.

        Parameters: `port` of this host; `remote` address and port of the peer.
        """
        found = self.stack.find(port, remote)
        return found if isinstance(found, SctpAssociation) else None

    def inject(self, port: int, source: Endpoint, ppid: int, data: bytes) -> None:
        """Takes a message that somebody on the path has put into an association."""
        association = self.find(port, source)
        if association is not None:
            association.inject(ppid, data)

    # Packets --------------------------------------------------------------------------------------

    def arrive(self, frame: Frame) -> None:
        """Takes a packet that has reached the host."""
        self.stack.arrive(frame)

    def send_packet(self, frame: Frame) -> None:
        """Sends a packet that belongs to no association of this host.

        Parameters: `frame` the packet; a source other than this host is a forgery.
        """
        if self.up:
            self.network.core.transmit(frame, self.address)

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

    def take_datagram(self, source: Endpoint, destination: Endpoint, data: bytes) -> None:
        """Takes a datagram that has reached the host.

        Parameters: `source` and `destination` address and port; `data` the octets.
        """
        address, port = destination
        group = "" if address in self.addresses else address
        receiver = self._datagrams.get((group, port))
        if receiver is None or not self.has_room():
            return
        if self.cpu is None:
            receiver(source, data)
        else:
            time = self.cpu.service_time(self.network.datagram_protocol(port), data)
            self.cpu.submit(time, receiver, source, data)

    # State ----------------------------------------------------------------------------------------

    def fail(self) -> None:
        """Goes down and loses all state of associations; it notifies nobody."""
        if self._up:
            self.network.hosts_down += 1
        self._up = False
        for association in self.associations:
            association.discard()
        self.stack.fail()
        self._listeners.clear()
        self._datagrams.clear()
        if self.cpu is not None:
            self.cpu.clear()
        self.network.changed()
        self._note_change()

    def restore(self) -> None:
        """Comes back, with nothing running on it."""
        if not self._up:
            self.network.hosts_down -= 1
        self._up = True
        self.stack.restore()
        self.network.changed()
        self._note_change()

    def _note_change(self) -> None:
        if self.watcher is not None:
            self.watcher(self)
