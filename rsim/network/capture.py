"""Packets as bytes, for captures (RFC 9260 3)."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

from rsim.network.frame import AnyChunk, Chunk, Control, Cookie, Data, Frame, Sack
from rsim.network.tls import Protection
from rsim.wire.capture import CaptureWriter, Endpoint

_DATA, _SACK = 0, 3
_WINDOW = 65536
_STREAMS = 16
_COOKIE_PARAMETER, _HEARTBEAT_PARAMETER = 7, 1


class PacketCapture:
    """Writes packets to a capture file.

    Parameters: `decrypted` shows what protected messages say instead of their opaque bytes.
    """

    def __init__(self, writer: CaptureWriter, decrypted: bool = False) -> None:
        self._writer = writer
        self._decrypted = decrypted

    def frame(self, departure: float, frame: Frame, arrival: float | None) -> None:
        """Adds a packet; `departure` and `arrival`, where it is known, in s."""
        if frame.chunks:
            body = b"".join(map(self._chunk, frame.chunks))
            self._writer.packet(
                departure, frame.source, frame.destination, frame.tag, body, arrival
            )
        else:
            self._writer.datagram(departure, frame.source, frame.destination, frame.data, arrival)

    def names(self, names: dict[str, str]) -> None:
        """Notes the names of addresses."""
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
        self._writer.message(departure, source, destination, ppid, data, arrival)

    def _chunk(self, chunk: AnyChunk) -> bytes:
        if isinstance(chunk, Data):
            data = chunk.data
            if self._decrypted and isinstance(chunk.protection, Protection):
                data = chunk.protection.plain
            flags = 7 if chunk.unordered else 3
            head = pack("!IHHI", chunk.tsn, chunk.stream, chunk.sequence & 0xFFFF, chunk.ppid)
            return _padded(_DATA, flags, head + data)
        if isinstance(chunk, Sack):
            blocks = chunk.blocks
            head = pack("!IIHH", chunk.cumulative & 0xFFFFFFFF, _WINDOW, len(blocks), 0)
            gaps = b"".join(
                pack("!HH", first - chunk.cumulative, last - chunk.cumulative)
                for first, last in blocks
            )
            return _padded(_SACK, 0, head + gaps)
        return _padded(chunk.kind.value, 0, _control(chunk))


def _control(chunk: Chunk) -> bytes:
    kind = chunk.kind
    if kind in (Control.INIT, Control.INIT_ACK):
        head = pack("!IIHHI", chunk.tag, _WINDOW, _STREAMS, _STREAMS, chunk.tsn)
        addresses = b"".join(map(_address, chunk.addresses))
        return head + addresses + (_state_cookie(chunk.cookie) if chunk.cookie else b"")
    if kind is Control.COOKIE_ECHO and chunk.cookie is not None:
        return _state_cookie(chunk.cookie)[4:]
    if kind in (Control.HEARTBEAT, Control.HEARTBEAT_ACK):
        return pack("!HHQ", _HEARTBEAT_PARAMETER, 12, chunk.number)
    return bytes(4) if kind is Control.SHUTDOWN else b""


def _state_cookie(cookie: Cookie) -> bytes:
    content = pack(
        "!IIIId", cookie.own_tag, cookie.peer_tag, cookie.own_tsn, cookie.peer_tsn, cookie.created
    )
    return pack("!HH", _COOKIE_PARAMETER, 4 + len(content)) + content


def _address(text: str) -> bytes:
    packed = ip_address(text).packed
    return pack("!HH", 5 if len(packed) == 4 else 6, 4 + len(packed)) + packed


def _padded(kind: int, flags: int, body: bytes) -> bytes:
    length = 4 + len(body)
    return pack("!BBH", kind, flags, length) + body + bytes(-length % 4)
