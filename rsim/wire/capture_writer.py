"""Writes captures in the pcapng format: messages as Wireshark reads them.

One frame a message: a raw IP packet with an SCTP packet that holds one DATA chunk, or a UDP
datagram for announcements. The time stamp is the departure in simulated ns; a comment on the frame
says when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from struct import pack, unpack_from

from crc32c import crc32c

from rsim.errors import CaptureError
from rsim.reading import open_to_write

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6
_RAW_IP = 101
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
    Raises CaptureError where the file can't be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._flows: dict[tuple[Endpoint, Endpoint], _Flow] = {}
        self._path = path
        try:
            self._file = open_to_write(path)
        except OSError as error:
            raise self._failed(error) from None
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
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None

    def names(self, names: dict[str, str]) -> None:
        """Notes the names of addresses, which Wireshark and charts then show.

        Parameters: `names` by address.
        """
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
        """Adds one message on an association; each has a TSN of its own.

        Parameters: `departure` in s; `source` and `destination` with address and port;
        `ppid` its payload protocol identifier; `data` its bytes; `arrival` in s, None to
        leave it out.
        """
        flow = self._flows.get((source, destination))
        if flow is None:
            # Any tag but 0 will do; a counter keeps captures reproducible.
            flow = self._flows[source, destination] = _Flow(len(self._flows) + 1)
        chunk = pack("!BBHIHHI", _DATA_CHUNK, 3, 16 + len(data), flow.tsn, 0, flow.sequence, ppid)
        flow.tsn = (flow.tsn + 1) & _TSN_MASK
        flow.sequence = (flow.sequence + 1) & 0xFFFF
        body = chunk + data + bytes(-len(data) % 4)
        self.packet(departure, source, destination, tag=flow.tag, chunks=body, arrival=arrival)

    def packet(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        tag: int,
        chunks: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one SCTP packet.

        Parameters: `departure` in s; `source` and `destination` with address and port;
        `tag` its verification tag; `chunks` all of them as bytes; `arrival` in s, None
        to leave it out.
        """
        header = pack("!HHI", source[1], destination[1], tag)
        checksum = crc32c(header + bytes(4) + chunks)
        segment = header + pack("<I", checksum) + chunks
        self._frame(
            departure, source[0], destination[0], protocol=_SCTP, segment=segment, arrival=arrival
        )

    def segment(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        header: tuple[int, int, int],
        data: bytes,
        arrival: float | None = None,
        *,
        window: int = 0xFFFF,
        options: bytes = b"",
    ) -> None:
        """Adds one TCP segment.

        Parameters: `departure` in s; `source` and `destination` with address and port;
        `header` its sequence and acknowledgement numbers and its flags; `data` its content;
        `arrival` in s, None to leave it out; `window` as the header has it, at most 65535;
        `options` of the header, a multiple of 4 octets.
        """
        sequence, acknowledged, flags = header
        length = 20 + len(options) + len(data)
        pseudo = ip_address(source[0]).packed + ip_address(destination[0]).packed
        pseudo += pack("!II", length, _TCP) if len(pseudo) == 32 else pack("!HH", _TCP, length)
        numbers = (sequence & _TSN_MASK, acknowledged & _TSN_MASK)
        words = 5 + len(options) // 4
        head = pack("!HHIIBBH", source[1], destination[1], *numbers, words << 4, flags, window)
        checksum = _internet_checksum(pseudo + head + bytes(4) + options + data)
        content = head + pack("!HH", checksum, 0) + options + data
        self._frame(
            departure, source[0], destination[0], protocol=_TCP, segment=content, arrival=arrival
        )

    def datagram(
        self,
        departure: float,
        source: Endpoint,
        destination: Endpoint,
        data: bytes,
        arrival: float | None = None,
    ) -> None:
        """Adds one UDP datagram.

        Parameters: `departure` in s; `source` and `destination` with address and port;
        `data` its content; `arrival` in s, None to leave it out.
        """
        length = 8 + len(data)
        pseudo = ip_address(source[0]).packed + ip_address(destination[0]).packed
        pseudo += pack("!II", length, _UDP) if len(pseudo) == 32 else pack("!HH", _UDP, length)
        header = pack("!HHH", source[1], destination[1], length)
        checksum = _internet_checksum(pseudo + header + bytes(2) + data) or 0xFFFF
        segment = header + pack("!H", checksum) + data
        self._frame(
            departure, source[0], destination[0], protocol=_UDP, segment=segment, arrival=arrival
        )

    def _frame(
        self,
        departure: float,
        source: str,
        destination: str,
        *,
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
        try:
            self._file.write(pack("<I", kind) + length + body + length)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> CaptureError:
        return CaptureError(f"{self._path}: can't be written: {error.strerror}")


def _internet_checksum(data: bytes) -> int:
    data += bytes(len(data) % 2)
    total: int = sum(unpack_from(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
