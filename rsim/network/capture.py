"""Packets as bytes, for captures (RFC 9260 3, RFC 9293 3.1)."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

from rsim.network.frame import AnyChunk, Chunk, Control, Cookie, Data, Frame, Sack
from rsim.network.records import Protection
from rsim.wire.capture import CaptureWriter, Endpoint

_DATA, _SACK = 0, 3
_WORD = 0xFFFFFFFF
"""Sequence numbers do not wrap in the model; captures show their lower 32 bits."""
_STREAMS = 16
"""Streams that captures show in INIT and INIT ACK."""
_COOKIE_PARAMETER, _HEARTBEAT_PARAMETER = 7, 1


_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_FLAGS = {
    Control.INIT: _SYN,
    Control.INIT_ACK: _SYN | _ACK,
    Control.ABORT: _RST,
    Control.SHUTDOWN: _FIN | _ACK,
    Control.SHUTDOWN_ACK: _FIN | _ACK,
}
_SEGMENT = 1460
"""Octets of data in a TCP segment over IPv4, where the link carries 1500."""


class _Stream:
    """One direction of a TCP connection: where in it each message begins; 1 is the first byte."""

    def __init__(self) -> None:
        self.end = 1
        self.acknowledged = 1
        self._places: dict[int, tuple[int, int]] = {}

    def place(self, tsn: int, length: int) -> int:
        """Where a message stands: at the end, if it is new."""
        if tsn not in self._places:
            self._places[tsn] = (self.end, self.end + length)
            self.end += length
        return self._places[tsn][0]

    def acknowledge(self, tsn: int) -> None:
        """All up to this message has arrived."""
        if tsn in self._places:
            self.acknowledged = max(self.acknowledged, self._places[tsn][1])


class PacketCapture:
    """Writes packets to a capture file.

    Parameters: `writer` of the file; `decrypted` shows what protected messages say instead of their
    opaque bytes.
    """

    def __init__(self, writer: CaptureWriter, decrypted: bool = False) -> None:
        self._writer = writer
        self._decrypted = decrypted
        self._streams: dict[tuple[Endpoint, Endpoint], _Stream] = {}

    def frame(self, departure: float, frame: Frame, arrival: float | None) -> None:
        """Adds a packet; `departure` and `arrival`, where it is known, in s.

        Parameters: `frame` as it leaves.
        """
        if frame.tcp:
            self._segment(departure, frame, arrival)
        elif frame.chunks:
            body = b"".join(map(self._chunk, frame.chunks))
            self._writer.packet(
                departure,
                frame.source,
                destination=frame.destination,
                tag=frame.tag,
                chunks=body,
                arrival=arrival,
            )
        else:
            self._writer.datagram(
                departure,
                frame.source,
                destination=frame.destination,
                data=frame.data,
                arrival=arrival,
            )

    def names(self, names: dict[str, str]) -> None:
        """Notes the names of addresses.

        Parameters: `names` of hosts by address.
        """
        self._writer.names(names)

    def message(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        ppid: int,
        data: bytes,
        arrival: float | None,
    ) -> None:
        """Adds a message of an association without packets, as if in one of its own."""
        self._writer.message(
            departure, source, destination=destination, ppid=ppid, data=data, arrival=arrival
        )

    def _segment(self, departure: float, frame: Frame, arrival: float | None) -> None:
        """A frame as TCP segments: TSNs become places in the stream of bytes."""
        source, destination = frame.source, frame.destination
        first = frame.chunks[0]
        if isinstance(first, Chunk) and first.kind is Control.INIT:
            self._streams[source, destination] = _Stream()
            self._streams[destination, source] = _Stream()
        here = self._streams.setdefault((source, destination), _Stream())
        there = self._streams.setdefault((destination, source), _Stream())
        flags, place, content = 0, here.end, b""
        for chunk in frame.chunks:
            if isinstance(chunk, Data):
                data = self._bytes_of(chunk)
                data += bytes(-len(data) % 4)
                start = here.place(chunk.tsn, len(data))
                place = start if not content else place
                content += data
                flags |= _PSH | _ACK
            elif isinstance(chunk, Sack):
                there.acknowledge(chunk.cumulative)
                flags |= _ACK
            else:
                flags |= _FLAGS.get(chunk.kind, _ACK)
                if chunk.kind in (Control.SHUTDOWN_ACK, Control.SHUTDOWN_COMPLETE):
                    there.acknowledged = there.end
        if flags & _SYN:
            place = 0
        acknowledged = there.acknowledged if flags & _ACK else 0
        room = _SEGMENT
        for offset in range(0, max(1, len(content)), room):
            header = (place + offset, acknowledged, flags)
            piece = content[offset : offset + room]
            self._writer.segment(
                departure,
                source,
                destination=destination,
                header=header,
                data=piece,
                arrival=arrival,
            )
        if flags & _FIN:
            here.end += 1

    def _bytes_of(self, chunk: Data) -> bytes:
        if self._decrypted and isinstance(chunk.protection, Protection):
            return chunk.protection.plain
        return chunk.data

    def _chunk(self, chunk: AnyChunk) -> bytes:
        if isinstance(chunk, Data):
            data = self._bytes_of(chunk)
            flags = 4 * chunk.unordered + 2 * chunk.begins + chunk.ends
            head = pack(
                "!IHHI", chunk.tsn & _WORD, chunk.stream, chunk.sequence & 0xFFFF, chunk.ppid
            )
            return _padded(_DATA, flags, head + data)
        if isinstance(chunk, Sack):
            head = pack("!IIHH", chunk.cumulative & _WORD, chunk.window, len(chunk.gaps), 0)
            gaps = b"".join(
                pack("!HH", first - chunk.cumulative, last - chunk.cumulative)
                for first, last in chunk.gaps
            )
            return _padded(_SACK, 0, head + gaps)
        return _padded(chunk.kind.value, 0, _control(chunk))


def _control(chunk: Chunk) -> bytes:
    kind = chunk.kind
    if kind in (Control.INIT, Control.INIT_ACK):
        head = pack("!IIHHI", chunk.tag, chunk.window, _STREAMS, _STREAMS, chunk.tsn & _WORD)
        addresses = b"".join(map(_address, chunk.addresses))
        return head + addresses + (_state_cookie(chunk.cookie) if chunk.cookie else b"")
    if kind is Control.COOKIE_ECHO and chunk.cookie is not None:
        return _state_cookie(chunk.cookie)[4:]
    if kind in (Control.HEARTBEAT, Control.HEARTBEAT_ACK):
        return pack("!HHQ", _HEARTBEAT_PARAMETER, 12, chunk.number)
    return pack("!I", chunk.tsn & _WORD) if kind is Control.SHUTDOWN else b""


def _state_cookie(cookie: Cookie) -> bytes:
    content = pack(
        "!IIIId",
        cookie.own_tag,
        cookie.peer_tag,
        cookie.own_tsn & _WORD,
        cookie.peer_tsn & _WORD,
        cookie.created,
    )
    return pack("!HH", _COOKIE_PARAMETER, 4 + len(content)) + content


def _address(text: str) -> bytes:
    packed = ip_address(text).packed
    return pack("!HH", 5 if len(packed) == 4 else 6, 4 + len(packed)) + packed


def _padded(kind: int, flags: int, body: bytes) -> bytes:
    length = 4 + len(body)
    return pack("!BBH", kind, flags, length) + body + bytes(-length % 4)
