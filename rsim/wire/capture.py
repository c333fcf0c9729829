"""Captures in the pcapng format: messages as Wireshark reads them.

One frame a message: a raw IP packet with an SCTP packet that holds one DATA chunk, or a UDP
datagram for announcements. The time stamp is the departure in simulated ns; a comment on the frame
says when it arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from struct import pack, unpack_from
from typing import BinaryIO

from crc32c import crc32c

from rsim.errors import CaptureError

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_RAW_IP, _ETHERNET = 101, 1
_SCTP, _UDP, _TCP = 132, 17, 6
_DATA_CHUNK = 0
_TSN_MASK = 0xFFFFFFFF

Endpoint = tuple[str, int]
"""Address and port."""


@dataclass(slots=True)
class _Flow:
    """One direction of an association: its verification tag and its counters."""

    tag: int
    tsn: int = 1
    sequence: int = 0


class CaptureWriter:
    """Writes a capture file.

    Parameters: `path` of the file. Times are in s, addresses text. Use it as a context manager.
    """

    def __init__(self, path: str | Path) -> None:
        self._flows: dict[tuple[Endpoint, Endpoint], _Flow] = {}
        try:
            self._file: BinaryIO = Path(path).open("wb")  # noqa: SIM115
        except OSError as error:
            raise CaptureError(f"{path}: can't be written: {error.strerror}") from None
        section = pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        # Time stamps in units of 10^-9 s: option if_tsresol.
        interface = pack("<HHI", _RAW_IP, 0, 0) + pack("<HHB3x", 9, 1, 9) + pack("<HH", 0, 0)
        self._block(_SECTION, section)
        self._block(_INTERFACE, interface)

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Completes the file."""
        self._file.close()

    def names(self, names: dict[str, str]) -> None:
        """Notes the names of addresses, which Wireshark and charts then show."""
        records = b""
        for address, name in names.items():
            packed = ip_address(address).packed
            value = packed + name.encode() + b"\0"
            kind = 1 if len(packed) == 4 else 2
            records += pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)
        self._block(_NAMES, records + pack("<HH", 0, 0))

    def message(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        ppid: int,
        data: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one message on an association; each has a TSN of its own."""
        flow = self._flows.get((source, destination))
        if flow is None:
            # Any tag but 0 will do; a counter keeps captures reproducible.
            flow = self._flows[source, destination] = _Flow(len(self._flows) + 1)
        chunk = pack("!BBHIHHI", _DATA_CHUNK, 3, 16 + len(data), flow.tsn, 0, flow.sequence, ppid)
        flow.tsn = (flow.tsn + 1) & _TSN_MASK
        flow.sequence = (flow.sequence + 1) & 0xFFFF
        body = chunk + data + bytes(-len(data) % 4)
        self.packet(departure, source, destination, flow.tag, body, arrival)

    def packet(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        tag: int,
        chunks: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one SCTP packet, with its verification tag and its chunks as bytes."""
        header = pack("!HHI", source[1], destination[1], tag)
        checksum = crc32c(header + bytes(4) + chunks)
        segment = header + pack("<I", checksum) + chunks
        self._frame(departure, source[0], destination[0], _SCTP, segment, arrival)

    def segment(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        header: tuple[int, int, int],
        data: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one TCP segment; `header` its sequence and acknowledgement numbers and its flags."""
        sequence, acknowledged, flags = header
        length = 20 + len(data)
        pseudo = ip_address(source[0]).packed + ip_address(destination[0]).packed
        pseudo += pack("!II", length, _TCP) if len(pseudo) == 32 else pack("!HH", _TCP, length)
        numbers = (sequence & _TSN_MASK, acknowledged & _TSN_MASK)
        head = pack("!HHIIBBH", source[1], destination[1], *numbers, 5 << 4, flags, 65535)
        checksum = _internet_checksum(pseudo + head + bytes(4) + data)
        content = head + pack("!HH", checksum, 0) + data
        self._frame(departure, source[0], destination[0], _TCP, content, arrival)

    def datagram(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        data: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one UDP datagram."""
        length = 8 + len(data)
        pseudo = ip_address(source[0]).packed + ip_address(destination[0]).packed
        pseudo += pack("!II", length, _UDP) if len(pseudo) == 32 else pack("!HH", _UDP, length)
        header = pack("!HHH", source[1], destination[1], length)
        checksum = _internet_checksum(pseudo + header + bytes(2) + data) or 0xFFFF
        segment = header + pack("!H", checksum) + data
        self._frame(departure, source[0], destination[0], _UDP, segment, arrival)

    def _frame(
        self,
        departure: float,
        source: str,
        destination: str,
        protocol: int,
        segment: bytes,
        arrival: float | None,
    ) -> None:
        addresses = ip_address(source).packed + ip_address(destination).packed
        if len(addresses) == 8:
            length = 20 + len(segment)
            head = pack("!BBHHHBBH", 0x45, 0, length, 0, 0x4000, 64, protocol, 0)
            checksum = _internet_checksum(head + addresses)
            packet = head[:10] + pack("!H", checksum) + addresses + segment
        else:
            packet = pack("!IHBB", 0x60000000, len(segment), protocol, 64) + addresses + segment
        options = b""
        if arrival is not None:
            comment = f"arrival {arrival:.9f}".encode()
            options = pack("<HH", 1, len(comment)) + comment + bytes(-len(comment) % 4)
            options += pack("<HH", 0, 0)
        time = round(departure * 1e9)
        head = pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
        self._block(_PACKET, head + packet + bytes(-len(packet) % 4) + options)

    def _block(self, kind: int, body: bytes) -> None:
        length = pack("<I", 12 + len(body))
        self._file.write(pack("<I", kind) + length + body + length)


def _internet_checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total: int = sum(unpack_from(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True, slots=True)
class Captured:
    """A message in a capture: departure and, where noted, arrival in s, sides, bytes.

    `ppid` is None for UDP datagrams.
    """

    departure: float
    arrival: float | None
    source: Endpoint
    destination: Endpoint
    ppid: int | None
    data: bytes


def read_capture(path: str | Path) -> Iterator[Captured]:
    """The SCTP user messages and UDP datagrams in a pcapng or pcap file.

    Reads raw IP and Ethernet frames, one DATA chunk a user message. Raises CaptureError where the
    file is damaged or of another kind.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CaptureError(f"{path}: can't be read: {error.strerror}") from None
    if content[:4] == pack("<I", _SECTION):
        frames = _pcapng_frames(content, str(path))
    elif content[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        frames = _pcap_frames(content, str(path))
    else:
        raise CaptureError(f"{path}: is no capture (pcapng or pcap, little-endian)")
    for departure, arrival, link, frame in frames:
        packet = frame[14:] if link == _ETHERNET else frame
        yield from _user_messages(departure, arrival, packet)


def read_names(path: str | Path) -> dict[str, str]:
    """The names of addresses that a pcapng file holds; none in other files."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CaptureError(f"{path}: can't be read: {error.strerror}") from None
    names: dict[str, str] = {}
    at = 0
    while content[:4] == pack("<I", _SECTION) and at + 12 <= len(content):
        kind, length = unpack_from("<II", content, at)
        if length < 12 or length % 4 or at + length > len(content):
            break
        if kind == _NAMES:
            for record, value in _options(content[at + 8 : at + length - 4]):
                size = {1: 4, 2: 16}.get(record)
                if size is not None and len(value) > size:
                    name = value[size:].split(b"\0")[0].decode(errors="replace")
                    names[str(ip_address(value[:size]))] = name
        at += length
    return names


_Frame = tuple[float, float | None, int, bytes]


def _pcap_frames(content: bytes, path: str) -> Iterator[_Frame]:
    unit = 1e-9 if content[0] == 0x4D else 1e-6
    at = 24
    if len(content) < at:
        raise CaptureError(f"{path}: cut off at byte {len(content)}, within the file header")
    link = unpack_from("<I", content, 20)[0]
    while at < len(content):
        if at + 16 > len(content):
            raise CaptureError(f"{path}: cut off at byte {at}, within a frame's header")
        seconds, fraction, size, _ = unpack_from("<IIII", content, at)
        at += 16
        if at + size > len(content):
            raise CaptureError(f"{path}: cut off at byte {at}, within a frame of {size} bytes")
        yield seconds + fraction * unit, None, link, content[at : at + size]
        at += size


def _pcapng_frames(content: bytes, path: str) -> Iterator[_Frame]:
    at = 0
    interfaces: list[tuple[int, float]] = []
    while at < len(content):
        left = len(content) - at
        kind, length = unpack_from("<II", content, at) if left >= 8 else (0, 0)
        if length < 12 or length % 4 or length > left:
            raise CaptureError(f"{path}: cut off or damaged at byte {at}: no whole block")
        body = content[at + 8 : at + length - 4]
        if kind == _SECTION:
            if body[:4] != pack("<I", 0x1A2B3C4D):
                raise CaptureError(f"{path}: damaged at byte {at}: not a little-endian section")
            interfaces = []
        elif kind == _INTERFACE and len(body) >= 8:
            options = dict(_options(body[8:]))
            resolution = (options.get(9) or b"\x06")[0]
            unit = 2.0 ** -(resolution & 0x7F) if resolution & 0x80 else 10.0**-resolution
            interfaces.append((unpack_from("<H", body)[0], unit))
        elif kind == _PACKET:
            yield _packet_block(body, interfaces, path, at)
        at += length


def _packet_block(body: bytes, interfaces: list[tuple[int, float]], path: str, at: int) -> _Frame:
    if len(body) < 20:
        raise CaptureError(f"{path}: damaged at byte {at}: frame block too short")
    number, high, low, size, _ = unpack_from("<IIIII", body)
    if number >= len(interfaces) or 20 + size > len(body):
        raise CaptureError(f"{path}: damaged at byte {at}: frame of {size} bytes")
    link, unit = interfaces[number]
    options = dict(_options(body[20 + (size + 3) // 4 * 4 :]))
    comment = options.get(1, b"").decode(errors="replace").split()
    arrival = None
    if len(comment) == 2 and comment[0] == "arrival":
        try:
            arrival = float(comment[1])
        except ValueError:
            raise CaptureError(f"{path}: damaged at byte {at}: no time of arrival") from None
    return (high << 32 | low) * unit, arrival, link, body[20 : 20 + size]


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        code, length = unpack_from("<HH", data)
        if code == 0:
            return
        yield code, data[4 : 4 + length]
        data = data[4 + (length + 3) // 4 * 4 :]


def _user_messages(departure: float, arrival: float | None, packet: bytes) -> Iterator[Captured]:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        start = (packet[0] & 15) * 4
        protocol, source, destination = packet[9], packet[12:16], packet[16:20]
    elif version == 6 and len(packet) >= 40:
        start = 40
        protocol, source, destination = packet[6], packet[8:24], packet[24:40]
    else:
        return
    segment = packet[start:]
    if len(segment) < 8:
        return
    ports = unpack_from("!HH", segment)
    here = (str(ip_address(source)), ports[0])
    there = (str(ip_address(destination)), ports[1])
    if protocol == _UDP:
        yield Captured(departure, arrival, here, there, None, segment[8:])
    elif protocol == _SCTP:
        chunks = segment[12:]
        while len(chunks) >= 16:
            kind, length = chunks[0], unpack_from("!H", chunks, 2)[0]
            if length < 4:
                return
            if kind == _DATA_CHUNK and length >= 16:
                ppid = unpack_from("!I", chunks, 12)[0]
                yield Captured(departure, arrival, here, there, ppid, chunks[16:length])
            chunks = chunks[(length + 3) // 4 * 4 :]
