"""The user messages in a capture: what its frames hold, whatever link they were seen on.

Understood are SCTP packets and UDP datagrams over IPv4 and IPv6. What else there is, is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from struct import unpack_from

from rsim.wire.capture_file import CapturedFrame, read_frames
from rsim.wire.capture_writer import Endpoint

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLANS = (0x8100, 0x88A8, 0x9100)
_SCTP, _UDP = 132, 17
_DATA_CHUNK, _WHOLE = 0, 3
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_EXTENSIONS = (_HOP_BY_HOP, _ROUTING, _DESTINATION, 135, 139, 140)
_ETHERNET, _NULL, _LOOP, _SLL, _SLL2 = 1, 0, 108, 113, 276
_RAW = {101: (4, 6), 12: (4, 6), 14: (4, 6), 228: (4,), 229: (6,)}
_FAMILIES = {2: _IPV4, 10: _IPV6, 24: _IPV6, 28: _IPV6, 30: _IPV6}
"""Of BSD's loopback, where each system has its own number for IPv6."""

_LINKS = {
    9: "PPP",
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    105: "IEEE802_11",
    127: "IEEE802_11_RADIOTAP",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4",
    220: "USB_LINUX_MMAPPED",
    227: "CAN_SOCKETCAN",
    249: "USBPCAP",
    253: "NETLINK",
    **{147 + number: f"USER{number}" for number in range(16)},
}
_PROTOCOLS = {1: "ICMP", 2: "IGMP", 4: "IPv4 in IP", 6: "TCP", 41: "IPv6 in IP", 47: "GRE"}
_PROTOCOLS |= {50: "ESP", 58: "ICMPv6", 59: "IPv6 without content", 89: "OSPF"}
_ETHER_TYPES = {0x0806: "ARP", 0x8035: "RARP", 0x8847: "MPLS", 0x8863: "PPPoE", 0x8864: "PPPoE"}
_ETHER_TYPES |= {0x888E: "EAPOL", 0x88CC: "LLDP"}
_MOST_KINDS = 4
"""Most kinds of frames that a count names: so many fit into a line."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A message in a capture.

    Parameters: `departure` in s; `arrival` in s, None where it is not noted; `source` and
    `destination` with address and port; `ppid` its SCTP payload protocol identifier, None for UDP
    datagrams; `data` its bytes.
    """

    departure: float
    arrival: float | None
    source: Endpoint
    destination: Endpoint
    ppid: int | None
    data: bytes


@dataclass(slots=True)
class FrameCount:
    """How many frames of a capture were read, and how many of them were understood.

    Parameters: `frames` all of them; `messages` of ASAP and ENRP in them; `others` frames that were
    not understood, by kind.
    """

    frames: int = 0
    messages: int = 0
    others: Counter[str] = field(default_factory=Counter)

    @property
    def understood(self) -> int:
        """Frames that are SCTP packets or UDP datagrams."""
        return self.frames - self.others.total()

    def __str__(self) -> str:
        text = f"{self.understood} of {self.frames} frames understood"
        kinds = [f"{number} {kind}" for kind, number in self.others.most_common(_MOST_KINDS)]
        rest = len(self.others) - len(kinds)
        if rest > 0:
            kinds.append(f"others of {rest} kinds")
        return f"{text}; not understood: {', '.join(kinds)}" if kinds else text


class _NotUnderstoodError(Exception):
    """A frame that is not understood; says what it is."""


def read_capture(path: str | Path, count: FrameCount | None = None) -> Iterator[Captured]:
    """The SCTP user messages and UDP datagrams in a pcapng or pcap file, of either byte order.

    Reads frames of Ethernet (also with VLAN tags), Linux cooked captures (1 and 2), BSD loopback
    and raw IP. Fragments of IP packets and of user messages, and frames that the capture has cut
    off, are passed over.

    Parameters: `path` of the file; `count` counts every frame. Raises CaptureError where the
    file can't be read, is damaged or of another kind.
    """
    count = FrameCount() if count is None else count
    for frame in read_frames(path):
        count.frames += 1
        try:
            yield from _user_messages(frame)
        except _NotUnderstoodError as other:
            count.others[str(other)] += 1


def _user_messages(frame: CapturedFrame) -> Iterator[Captured]:
    if not frame.whole:
        raise _NotUnderstoodError("cut off by the capture")
    protocol, source, destination, segment = _segment(_packet(frame.link, frame.data))
    if protocol not in (_SCTP, _UDP):
        raise _NotUnderstoodError(f"of {_PROTOCOLS.get(protocol, f'IP protocol {protocol}')}")
    if len(segment) < (12 if protocol == _SCTP else 8):
        raise _NotUnderstoodError("damaged")
    ports = unpack_from("!HH", segment)
    here = (str(ip_address(source)), ports[0])
    there = (str(ip_address(destination)), ports[1])
    times = (frame.departure, frame.arrival)
    if protocol == _SCTP:
        for ppid, data in _data_chunks(segment):
            yield Captured(*times, here, there, ppid, data)
        return
    length = unpack_from("!H", segment, 4)[0] or len(segment)
    if not 8 <= length <= len(segment):
        raise _NotUnderstoodError("damaged")
    yield Captured(*times, here, there, None, segment[8:length])


def _packet(link: int, data: bytes) -> bytes:
    """The IP packet in a frame."""
    if link == _ETHERNET and len(data) >= 14:
        return _by_ether_type(unpack_from("!H", data, 12)[0], data, 14)
    if link == _SLL and len(data) >= 16:
        return _by_ether_type(unpack_from("!H", data, 14)[0], data, 16)
    if link == _SLL2 and len(data) >= 20:
        return _by_ether_type(unpack_from("!H", data)[0], data, 20)
    if link in (_NULL, _LOOP) and len(data) >= 4:
        family = unpack_from("!I", data)[0]
        # That of the null link type is in the order of the machine that captured it.
        if link == _NULL and family > 0xFFFF:
            family = unpack_from("<I", data)[0]
        if family not in _FAMILIES:
            raise _NotUnderstoodError(f"of address family {family}")
        return _by_ether_type(_FAMILIES[family], data, 4)
    if link in _RAW and data:
        if data[0] >> 4 not in _RAW[link]:
            raise _NotUnderstoodError(f"of IP version {data[0] >> 4}")
        return data
    if link in (_ETHERNET, _SLL, _SLL2, _NULL, _LOOP) or link in _RAW:
        raise _NotUnderstoodError("damaged")
    name = _LINKS.get(link)
    raise _NotUnderstoodError(f"of link type {link}" + (f" ({name})" if name else ""))


def _by_ether_type(kind: int, data: bytes, at: int) -> bytes:
    """The IP packet from `at` on, behind VLAN tags if there are any."""
    # A frame can have thousands of tags: it is cut once, behind the last one.
    while kind in _VLANS and len(data) - at >= 4:
        kind, at = unpack_from("!H", data, at + 2)[0], at + 4
    if kind not in (_IPV4, _IPV6):
        if kind < 0x600:
            raise _NotUnderstoodError("of IEEE 802.3")
        raise _NotUnderstoodError(f"of {_ETHER_TYPES.get(kind, f'Ethernet type 0x{kind:04x}')}")
    if at >= len(data) or data[at] >> 4 != (4 if kind == _IPV4 else 6):
        raise _NotUnderstoodError("damaged")
    return data[at:]


def _segment(packet: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Protocol, source, destination and content of an IP packet."""
    if packet[0] >> 4 == 4:
        if len(packet) < 20:
            raise _NotUnderstoodError("damaged")
        start, length = (packet[0] & 15) * 4, unpack_from("!H", packet, 2)[0] or len(packet)
        if not 20 <= start <= length <= len(packet):
            raise _NotUnderstoodError("damaged")
        if unpack_from("!H", packet, 6)[0] & 0x3FFF:
            raise _NotUnderstoodError("of IP fragments")
        # What follows is filler of the link's.
        return packet[9], packet[12:16], packet[16:20], packet[start:length]
    if len(packet) < 40:
        raise _NotUnderstoodError("damaged")
    # A length of 0 is that of a packet longer than the field can say.
    length = 40 + (unpack_from("!H", packet, 4)[0] or len(packet) - 40)
    if length > len(packet):
        raise _NotUnderstoodError("damaged")
    protocol, start = _behind_extensions(packet[6], packet, length)
    return protocol, packet[8:24], packet[24:40], packet[start:length]


def _behind_extensions(protocol: int, packet: bytes, end: int) -> tuple[int, int]:
    """Protocol behind the extension headers of an IPv6 packet, and where it begins (RFC 8200 4)."""
    at = 40
    while protocol in (*_EXTENSIONS, _FRAGMENT, _AUTHENTICATION):
        if end - at < 8:
            raise _NotUnderstoodError("damaged")
        size = (packet[at + 1] + 1) * 8
        if protocol == _AUTHENTICATION:
            size = (packet[at + 1] + 2) * 4
        elif protocol == _FRAGMENT:
            # All of a packet may be in one "fragment".
            if unpack_from("!H", packet, at + 2)[0] & 0xFFF9:
                raise _NotUnderstoodError("of IP fragments")
            size = 8
        if size > end - at:
            raise _NotUnderstoodError("damaged")
        protocol, at = packet[at], at + size
    return protocol, at


def _data_chunks(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Payload protocol and content of each user message in an SCTP packet."""
    at = 12
    while at + 4 <= len(packet):
        kind, flags, length = unpack_from("!BBH", packet, at)
        if length < 4 or at + length > len(packet):
            raise _NotUnderstoodError("damaged")
        if kind == _DATA_CHUNK:
            if length < 16:
                raise _NotUnderstoodError("damaged")
            if flags & _WHOLE != _WHOLE:
                raise _NotUnderstoodError("of SCTP fragments")
            yield unpack_from("!I", packet, at + 12)[0], packet[at + 16 : at + length]
        at += (length + 3) // 4 * 4
