"""What crosses the wire between two hosts packet by packet, and what is dropped of it."""

from rsim.network import (
    Chunk,
    Cpu,
    CpuSettings,
    SctpSettings,
    Tap,
)
from rsim.randomness import Streams

QUIET = SctpSettings(heartbeat_interval=None)
DATA = 1452
"""Octets of a message in a full packet: 1,500 without headers of IPv4, SCTP and the chunk."""
PAYLOAD = 1468
"""Octets of a packet that chunks may take: 1,500 without headers of IPv4 and SCTP."""


def kinds(frame):
    """Names of the chunks of a packet, in their order."""
    return [
        chunk.kind.name if isinstance(chunk, Chunk) else type(chunk).__name__.upper()
        for chunk in frame.chunks
    ]


class Wire(Tap):
    """Notes all packets with their time, and drops those that `drop` names."""

    def __init__(self, two, drop=lambda frame: False):
        super().__init__()
        self.two = two
        self.drop = drop
        self.seen = []
        two.network.tap(two.links, self)

    def frame(self, frame):
        self.seen.append((self.network.clock.now, frame))
        return None if self.drop(frame) else frame

    def of(self, kind, host=None):
        """Times and packets with a kind of chunk, from one host or both."""
        address = host.address if host is not None else None
        return [
            (time, frame)
            for time, frame in self.seen
            if kind in kinds(frame) and address in (None, frame.source[0])
        ]

    def times(self, kind, host=None):
        """Times of packets with a kind of chunk."""
        return [time for time, _ in self.of(kind, host)]


def chunk_of(frame, kind):
    """The chunk of a kind."""
    return next(c for c, name in zip(frame.chunks, kinds(frame), strict=True) if name == kind)


def once(kind):
    """Drops the first packet with a kind of chunk."""
    done = []

    def drop(frame):
        if kind in kinds(frame) and not done:
            done.append(frame)
            return True
        return False

    return drop


def lost(*numbers):
    """Drops the DATA packets with these numbers, from 0."""

    def drop(frame):
        drop.seen += bool(frame.messages)
        return bool(frame.messages) and drop.seen - 1 in numbers

    drop.seen = 0
    return drop


def busy(two, service_time):
    """Lets the server's CPU work so long in s on each message."""
    stream = Streams(1).stream("server", "cpu")
    two.server_host.cpu = Cpu(two.clock, CpuSettings(service_time=service_time), stream)
