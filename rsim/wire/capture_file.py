"""The frames in a capture file, pcap or pcapng of either byte order, one after the other.

Nothing but the present block is in memory, and blocks that hold no frame are passed over.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from os import SEEK_CUR
from pathlib import Path
from struct import unpack, unpack_from
from typing import BinaryIO

from rsim.errors import CaptureError

_SECTION = b"\n\r\r\n"
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _NAMES, _PACKET = 1, 2, 3, 4, 6
_COMMENT, _RESOLUTION, _OFFSET = 1, 9, 14
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
}
# As Wireshark, which takes no longer block for one.
_LONGEST = 16 << 20
_LINK_TYPE = 0x03FFFFFF
"""Bits of pcap's link type; those above it tell of check sequences."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A frame of a capture.

    Parameters: `departure` in s; `arrival` in s, None where it is not noted; `link` its link type,
    as captures number them; `data` its bytes; `whole` is false if the capture has only its
    beginning.
    """

    departure: float
    arrival: float | None
    link: int
    data: bytes
    whole: bool


def read_frames(path: str | Path) -> Iterator[CapturedFrame]:
    """The frames in a pcapng or pcap file.

    Parameters: `path` of the file. Raises CaptureError where the file can't be read, is damaged or
    of another kind.
    """
    with _open(path) as file:
        try:
            yield from _frames(file)
        except OSError as error:
            raise CaptureError(f"{path}: can't be read: {error.strerror}") from None


def read_names(path: str | Path) -> dict[str, str]:
    """The names of addresses that a pcapng file holds before it is damaged; none in other files.

    Parameters: `path` of the file. Raises CaptureError where the file can't be read.
    """
    names: dict[str, str] = {}
    with _open(path) as file:
        try:
            if file.start != _SECTION:
                return names
            for block in _blocks(file, {_NAMES}):
                for record, value in _options(block.order, block.body):
                    size = {1: 4, 2: 16}.get(record)
                    if size is not None and len(value) > size:
                        name = value[size:].split(b"\0")[0].decode(errors="replace")
                        names[str(ip_address(value[:size]))] = name
        except CaptureError:
            return names
        except OSError as error:
            raise CaptureError(f"{path}: can't be read: {error.strerror}") from None
    return names


class _File:
    """A file that is read in order: `at` byte of `size`, and its `start`, four bytes."""

    def __init__(self, path: str | Path, file: BinaryIO, size: int) -> None:
        self._path = path
        self._file = file
        self.size = size
        self.at = 0
        self.start = file.read(4)
        file.seek(0)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    @property
    def left(self) -> int:
        return self.size - self.at

    def read(self, size: int, what: str) -> bytes:
        """So many bytes; what is longer than the file takes no memory."""
        if size > self.left:
            raise self.error(f"cut off at byte {self.at}, within {what}")
        data = self._file.read(size)
        if len(data) < size:
            raise self.error(f"cut off at byte {self.at + len(data)}, within {what}")
        self.at += size
        return data

    def skip(self, size: int) -> None:
        self._file.seek(size, SEEK_CUR)
        self.at += size

    def error(self, reason: str) -> CaptureError:
        return CaptureError(f"{self._path}: {reason}")


def _open(path: str | Path) -> _File:
    try:
        status = Path(path).stat()
        for is_kind, kind in _KINDS:
            if is_kind(status.st_mode):
                raise CaptureError(f"{path}: can't be read: is {kind}, must be a file")
        return _File(path, Path(path).open("rb"), status.st_size)
    except OSError as error:
        raise CaptureError(f"{path}: can't be read: {error.strerror}") from None
    except ValueError as error:
        raise CaptureError(f"{path!r}: can't be read: {error}") from None


def _frames(file: _File) -> Iterator[CapturedFrame]:
    if file.start == _SECTION:
        return _pcapng_frames(file)
    if file.start in _PCAP:
        return _pcap_frames(file)
    raise file.error("is not a capture; must be pcapng or pcap")


def _pcap_frames(file: _File) -> Iterator[CapturedFrame]:
    order, unit = _PCAP[file.start]
    header = file.read(24, "the file header")
    link = unpack_from(order + "I", header, 20)[0] & _LINK_TYPE
    while file.left:
        at = file.at
        head = file.read(16, "a frame's header")
        seconds, fraction, size, original = unpack(order + "IIII", head)
        if size > _LONGEST:
            raise file.error(f"damaged at byte {at}: frame of {size} bytes")
        data = file.read(size, f"a frame of {size} bytes")
        yield CapturedFrame(
            departure=seconds + fraction * unit,
            arrival=None,
            link=link,
            data=data,
            whole=size >= original,
        )


@dataclass(frozen=True, slots=True)
class _Block:
    at: int
    kind: int
    order: str
    body: bytes


def _blocks(file: _File, kinds: set[int]) -> Iterator[_Block]:
    """The blocks of some kinds, sections among them as kind 0."""
    order = "<"
    while file.left:
        at = file.at
        damaged = f"cut off or damaged at byte {at}: no whole block"
        if file.left < 12:
            raise file.error(damaged)
        head = file.read(8, "a block")
        begin = b""
        if head[:4] == _SECTION:
            begin = file.read(4, "a section")
            if begin not in _ORDERS:
                raise file.error(f"damaged at byte {at}: a section of no byte order")
            order = _ORDERS[begin]
        kind, length = unpack(order + "II", head)
        left = length - 8 - len(begin)
        if length < 12 + len(begin) or length % 4 or left > file.left:
            raise file.error(damaged)
        if head[:4] == _SECTION:
            kind = 0
        elif kind not in kinds:
            file.skip(left)
            continue
        if length > _LONGEST:
            raise file.error(f"damaged at byte {at}: block of {length} bytes")
        body = file.read(left, "a block")
        if unpack(order + "I", body[-4:])[0] != length:
            raise file.error(f"damaged at byte {at}: a block of two lengths")
        yield _Block(at, kind, order, body[:-4])


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    longest: int
    unit: float
    offset: int


def _interface(block: _Block) -> _Interface:
    link, longest = unpack_from(block.order + "HxxI", block.body)
    options = dict(_options(block.order, block.body[8:]))
    resolution = (options.get(_RESOLUTION) or b"\x06")[0]
    unit = 2.0 ** -(resolution & 0x7F) if resolution & 0x80 else 10.0**-resolution
    offset = options.get(_OFFSET, b"")
    seconds = unpack(block.order + "q", offset)[0] if len(offset) == 8 else 0
    return _Interface(link, longest or _LONGEST, unit, seconds)


def _pcapng_frames(file: _File) -> Iterator[CapturedFrame]:
    interfaces: list[_Interface] = []
    for block in _blocks(file, {_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET}):
        if block.kind == 0:
            interfaces = []
        elif block.kind == _INTERFACE:
            if len(block.body) < 8:
                raise file.error(f"damaged at byte {block.at}: interface block too short")
            interfaces.append(_interface(block))
        elif block.kind == _SIMPLE_PACKET:
            yield _simple_frame(file, block, interfaces)
        else:
            yield _frame(file, block, interfaces)


def _frame(file: _File, block: _Block, interfaces: list[_Interface]) -> CapturedFrame:
    body = block.body
    if len(body) < 20:
        raise file.error(f"damaged at byte {block.at}: frame block too short")
    number, high, low, size, original = unpack_from(block.order + "IIIII", body)
    if block.kind == _OLD_PACKET:
        number = unpack_from(block.order + "H", body)[0]
    if number >= len(interfaces) or 20 + size > len(body):
        raise file.error(f"damaged at byte {block.at}: frame of {size} bytes")
    interface = interfaces[number]
    arrival = None
    for code, value in _options(block.order, body[20 + (size + 3) // 4 * 4 :]):
        comment = value.decode(errors="replace").split() if code == _COMMENT else []
        if len(comment) == 2 and comment[0] == "arrival":
            try:
                arrival = float(comment[1])
            except ValueError:
                reason = f"damaged at byte {block.at}: no time of arrival"
                raise file.error(reason) from None
    departure = (high << 32 | low) * interface.unit
    if interface.offset:
        departure += interface.offset
    return CapturedFrame(
        departure=departure,
        arrival=arrival,
        link=interface.link,
        data=body[20 : 20 + size],
        whole=size >= original,
    )


def _simple_frame(file: _File, block: _Block, interfaces: list[_Interface]) -> CapturedFrame:
    """A frame without a time: it gets 0, as in Wireshark."""
    if len(block.body) < 4 or not interfaces:
        raise file.error(f"damaged at byte {block.at}: simple frame block without an interface")
    original = unpack_from(block.order + "I", block.body)[0]
    size = min(original, interfaces[0].longest, len(block.body) - 4)
    return CapturedFrame(
        departure=0.0,
        arrival=None,
        link=interfaces[0].link,
        data=block.body[4 : 4 + size],
        whole=size >= original,
    )


def _options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, length = unpack_from(order + "HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4
