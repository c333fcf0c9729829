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


_SCALE = 7
"""Bits by which windows are shown shorter (RFC 7323 2)."""
_SYN_OPTIONS = bytes.fromhex("020405b4 0402 080a0000000000000000 01 030307")
"""Segment size, SACK permitted, timestamps, window scale."""


class _Stream:
    """One direction of a TCP connection: where in it each part of a message begins.

    1 is the first octet; `window` is what its sender can take.
    """

    def __init__(self) -> None:
        self.end = 1
        self.acknowledged = 1
        self.window = 0xFFFF
        self._places: dict[int, tuple[int, int]] = {}

    def place(self, tsn: int, length: int) -> int:
        """Where a message stands: at the end, if it is new."""
        if tsn not in self._places:
            self._places[tsn] = (self.end, self.end + length)
            self.end += length
        return self._places[tsn][0]

    def blocks(self, gaps: tuple[tuple[int, int], ...]) -> bytes:
        """The option that tells what has arrived beyond what is acknowledged (RFC 2018 3)."""
        known = [gap for gap in gaps if gap[0] in self._places and gap[1] in self._places]
        edges = [(self._places[first][0], self._places[last][1]) for first, last in known]
        blocks = b"".join(pack("!II", start & _WORD, end & _WORD) for start, end in edges)
        return b"\x01\x01\x05" + bytes([2 + len(blocks)]) + blocks if blocks else b""

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
        """A frame as a TCP segment: TSNs become places in the stream of octets."""
        source, destination = frame.source, frame.destination
        first = frame.chunks[0]
        if isinstance(first, Chunk) and first.kind is Control.INIT:
            self._streams[source, destination] = _Stream()
            self._streams[destination, source] = _Stream()
        here = self._streams.setdefault((source, destination), _Stream())
        there = self._streams.setdefault((destination, source), _Stream())
        flags, place, content, options = 0, here.end, b"", b""
        for chunk in frame.chunks:
            if isinstance(chunk, Data):
                data = self._bytes_of(chunk)
                start = here.place(chunk.tsn, len(data))
                place = start if not content else place
                content += data
                flags |= _PSH | _ACK
            elif isinstance(chunk, Sack):
                there.acknowledge(chunk.cumulative)
                here.window = chunk.window
                options = there.blocks(chunk.gaps)
                flags |= _ACK
            else:
                flags |= _FLAGS.get(chunk.kind, _ACK)
                if chunk.kind in (Control.SHUTDOWN_ACK, Control.SHUTDOWN_COMPLETE):
                    there.acknowledged = there.end
        window = here.window >> _SCALE
        if flags & _SYN and isinstance(first, Chunk):
            place, options = 0, _SYN_OPTIONS
            here.window, window = first.window, min(first.window, 0xFFFF)
        acknowledged = there.acknowledged if flags & _ACK else 0
        self._writer.segment(
            departure,
            source,
            destination=destination,
            header=(place, acknowledged, flags),
            data=content,
            arrival=arrival,
            window=window,
            options=options,
        )
        if flags & _FIN:
            here.end += 1

    def _bytes_of(self, chunk: Data) -> bytes:
        if not self._decrypted or not isinstance(chunk.protection, Protection):
            return chunk.data
        plain = chunk.protection.plain
        if chunk.total is None:
            return plain
        # What the record adds is left out at the beginning, where each first part has more.
        start = chunk.offset - (chunk.total - len(plain))
        return plain[max(0, start) : start + len(chunk.data)]

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
