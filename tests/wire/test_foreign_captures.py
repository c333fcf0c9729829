"""Captures as others write them: every link type, either byte order, all kinds of blocks."""

import os
import shutil
import subprocess
import tracemalloc
from itertools import pairwise
from struct import pack

import pytest
from typer.testing import CliRunner

from rsim import wire
from rsim.cli import app
from rsim.errors import CaptureError
from rsim.plots import read_sequence
from rsim.wire.capture import CaptureWriter, FrameCount, read_capture, read_names
from rsim.wire.capture_file import CapturedFrame
from rsim.wire.dissect import dissect

HERE, THERE = ("10.0.0.1", 3863), ("10.0.0.2", 50000)
HERE6, THERE6 = ("2001:db8::1", 3863), ("2001:db8::2", 50000)
BYTES = wire.HandleResolution(pool_handle=b"pool").encode()
ANNOUNCE = wire.ServerAnnounce(server_identifier=7).encode()


def packets(tmp_path):
    """An SCTP packet and a UDP datagram each over IPv4 and IPv6, as the writer makes them."""
    file = tmp_path / "own.pcapng"
    with CaptureWriter(file) as capture:
        capture.message(1, HERE, THERE, 11, BYTES)
        capture.datagram(2, HERE, ("224.0.1.185", 3863), ANNOUNCE)
        capture.message(3, HERE6, THERE6, 11, BYTES)
        capture.datagram(4, HERE6, ("ff05::133", 3863), ANNOUNCE)
    content, found, at = file.read_bytes(), [], 0
    while at < len(content):
        kind, length = (int.from_bytes(content[at + n : at + n + 4], "little") for n in (0, 4))
        if kind == 6:
            size = int.from_bytes(content[at + 20 : at + 24], "little")
            found.append(content[at + 28 : at + 28 + size])
        at += length
    assert len(found) == 4
    return found


def ether_type(packet):
    return 0x0800 if packet[0] >> 4 == 4 else 0x86DD


def family(packet, six):
    return 2 if packet[0] >> 4 == 4 else six


def ethernet(packet, *tags):
    head = bytes(12) + b"".join(pack("!HH", *tag) for tag in tags)
    # Short frames are filled up.
    return (head + pack("!H", ether_type(packet)) + packet).ljust(60, b"\xee")


LINKS = {
    "ethernet": (1, ethernet),
    "vlan": (1, lambda p: ethernet(p, (0x8100, 5))),
    "stacked vlan": (1, lambda p: ethernet(p, (0x88A8, 5), (0x8100, 6))),
    "cooked": (113, lambda p: pack("!HHH8sH", 0, 1, 6, bytes(8), ether_type(p)) + p),
    "cooked vlan": (113, lambda p: bytes(14) + pack("!HHH", 0x8100, 1, ether_type(p)) + p),
    "cooked 2": (276, lambda p: pack("!HHIHBB8s", ether_type(p), 0, 1, 1, 0, 6, bytes(8)) + p),
    "null little": (0, lambda p: pack("<I", family(p, 24)) + p),
    "null big": (0, lambda p: pack(">I", family(p, 28)) + p),
    "loop": (108, lambda p: pack("!I", family(p, 30)) + p),
    "raw": (101, bytes),
    "raw of others": (12, bytes),
    "raw of OpenBSD": (14, bytes),
}


def pcap(link, frames, order="<", nanoseconds=False, cut=None):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    content = pack(order + "IHHiIII", magic, 2, 4, 0, 0, cut or 65535, link)
    for number, frame in enumerate(frames):
        shown = frame[:cut]
        content += pack(order + "IIII", number, 500, len(shown), len(frame)) + shown
    return content


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return pack(order + "II", kind, 12 + len(body)) + body + pack(order + "I", 12 + len(body))


def option(order, code, value):
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order, link, options=b"", longest=0):
    head = block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    return head + block(order, 1, pack(order + "HHI", link, 0, longest) + options)


def enhanced(order, frame, time, original=None):
    size = len(frame) if original is None else original
    head = pack(order + "IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(frame), size)
    return block(order, 6, head + frame)


def pcapng(link, frames, order="<", options=b""):
    return section(order, link, options) + b"".join(
        enhanced(order, frame, number * 1_000_000 + 500) for number, frame in enumerate(frames)
    )


def read(tmp_path, content):
    file = tmp_path / "foreign"
    file.write_bytes(content)
    count = FrameCount()
    return list(read_capture(file, count)), count


def right(messages):
    contents = [(one.source, one.ppid, one.data) for one in messages]
    return contents == [
        (HERE, 11, BYTES),
        (HERE, None, ANNOUNCE),
        (HERE6, 11, BYTES),
        (HERE6, None, ANNOUNCE),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", LINKS)
def test_every_link_type_is_read_in_either_byte_order(kind, order, tmp_path):
    link, make = LINKS[kind]
    frames = [make(packet) for packet in packets(tmp_path)]
    for content in (
        pcap(link, frames, order),
        pcap(link, frames, order, nanoseconds=True),
        pcapng(link, frames, order),
    ):
        messages, count = read(tmp_path, content)
        assert right(messages)
        assert (count.frames, count.understood, count.others.total()) == (4, 4, 0)


def test_link_types_of_one_version(tmp_path):
    four, _, six, _ = packets(tmp_path)
    for link, own, other in ((228, four, six), (229, six, four)):
        messages, count = read(tmp_path, pcap(link, [own, other]))
        assert [one.data for one in messages] == [BYTES]
        assert str(count).startswith("1 of 2 frames understood; not understood: 1 of IP version")


def test_times_are_those_of_the_file(tmp_path):
    packet = packets(tmp_path)[0]
    for nanoseconds, fraction in ((False, 500e-6), (True, 500e-9)):
        messages, _ = read(tmp_path, pcap(101, [packet] * 2, ">", nanoseconds))
        assert [one.departure for one in messages] == pytest.approx([fraction, 1 + fraction])
    for order in "<>":
        for resolution, unit in ((None, 1e-6), (9, 1e-9), (3, 1e-3), (0x80 | 10, 2.0**-10)):
            options = b"" if resolution is None else option(order, 9, bytes([resolution]))
            offset = option(order, 14, pack(order + "q", -86400))
            plain, _ = read(tmp_path, pcapng(101, [packet], order, options))
            shifted, _ = read(tmp_path, pcapng(101, [packet], order, options + offset))
            assert plain[0].departure == pytest.approx(500 * unit)
            assert shifted[0].departure == pytest.approx(500 * unit - 86400)


def test_sections_have_a_byte_order_and_interfaces_of_their_own(tmp_path):
    frames = packets(tmp_path)
    content = pcapng(101, frames[:1], ">") + pcapng(1, map(ethernet, frames[1:2]), "<")
    content += pcapng(113, [LINKS["cooked"][1](p) for p in frames[2:]], ">")
    messages, count = read(tmp_path, content)
    assert right(messages) and count.frames == 4


def test_simple_and_obsolete_blocks_hold_frames_too(tmp_path):
    frames = packets(tmp_path)
    for order in "<>":
        content = section(order, 101)
        for frame in frames[:2]:
            content += block(order, 3, pack(order + "I", len(frame)) + frame)
        for frame in frames[2:]:
            head = pack(order + "HHIIII", 0, 9, 0, 5_000_000, len(frame), len(frame))
            content += block(order, 2, head + frame)
        messages, _ = read(tmp_path, content)
        assert right(messages) and [one.departure for one in messages] == [0, 0, 5, 5]
        cut = section(order, 101, longest=50)
        cut += block(order, 3, pack(order + "I", len(frames[0])) + frames[0][:50])
        assert read(tmp_path, cut)[1].others == {"cut off by the capture": 1}


def test_what_is_not_understood_is_passed_over_and_counted(tmp_path):
    four, _, six, _ = packets(tmp_path)
    fragment = four[:6] + pack("!H", 0x2000) + four[8:]
    later = four[:6] + pack("!H", 5) + four[8:]
    tcp = four[:9] + b"\x06" + four[10:]
    odd = four[:9] + b"\xc8" + four[10:]
    partial = four[:33] + b"\x02" + four[34:]
    arp = bytes(12) + pack("!H", 0x0806) + bytes(28)
    unknown = bytes(12) + pack("!H", 0x1234) + bytes(28)
    old = bytes(12) + pack("!H", 40) + bytes(40)
    frames = [ethernet(one) for one in (four, fragment, later, tcp, odd, partial, six)]
    messages, count = read(tmp_path, pcap(1, [*frames, arp, unknown, old, b"", arp]))
    assert [one.source for one in messages] == [HERE, HERE6]
    assert count.others == {
        "of IP fragments": 2,
        "of TCP": 1,
        "of IP protocol 200": 1,
        "of SCTP fragments": 1,
        "of ARP": 2,
        "of Ethernet type 0x1234": 1,
        "of IEEE 802.3": 1,
        "damaged": 1,
    }
    assert count.understood == 2 and len(str(count)) < 300
    assert str(count).endswith(", others of 4 kinds")


def extended(packet, *headers):
    """An IPv6 packet with extension headers, each its type and content of 8 n - 2 octets."""
    chain, following = b"", packet[6]
    for kind, content in reversed(headers):
        size = (len(content) + 2) // 4 - 2 if kind == 51 else (len(content) + 2) // 8 - 1
        chain = bytes([following, 0 if kind == 44 else size]) + content + chain
        following = kind
    length = pack("!H", len(packet) - 40 + len(chain))
    return packet[:4] + length + bytes([following]) + packet[7:40] + chain + packet[40:]


def test_extension_headers_are_passed_over(tmp_path):
    six = packets(tmp_path)[2]
    headers = [(0, bytes(6)), (60, bytes(14)), (43, bytes(6)), (51, bytes(10)), (44, bytes(6))]
    for used in ([], headers[:1], headers[:3], headers, headers[3:]):
        messages, _ = read(tmp_path, pcap(101, [extended(six, *used)]))
        assert [one.data for one in messages] == [BYTES]
    for content in (pack("!HI", 1, 7), pack("!HI", 8, 7)):
        _, count = read(tmp_path, pcap(101, [extended(six, (0, bytes(6)), (44, content))]))
        assert count.others == {"of IP fragments": 1}
    _, count = read(tmp_path, pcap(101, [extended(six, (59, bytes(6)))]))
    assert count.others == {"of IPv6 without content": 1}


class Counted(bytes):
    """Octets that count how many of them are copied."""

    copied = 0

    def __getitem__(self, index):
        found = super().__getitem__(index)
        if isinstance(index, slice):
            Counted.copied += len(found)
            return Counted(found)
        return found


@pytest.mark.parametrize("number", [10, 8000])
def test_the_rest_of_a_frame_is_not_copied_for_each_tag_or_header(number, tmp_path, monkeypatch):
    four, _, six, _ = packets(tmp_path)
    frames = [
        ethernet(four, *[(0x8100, 7)] * number),
        ethernet(extended(six, *[(60, bytes(6))] * number)),
    ]
    for frame in frames:
        held = CapturedFrame(0.0, None, 1, Counted(frame), whole=True)
        monkeypatch.setattr("rsim.wire.capture_reader.read_frames", lambda _, held=held: [held])
        Counted.copied = 0
        assert [message.data for message in read_capture("any")] == [BYTES]
        assert 0 < Counted.copied <= 4 * len(frame)


def test_frames_that_the_capture_has_cut_off_are_counted(tmp_path):
    frames = packets(tmp_path)
    messages, count = read(tmp_path, pcap(101, frames, cut=60))
    assert len(messages) == 3 and count.others == {"cut off by the capture": 1}
    content = section("<", 101) + enhanced("<", frames[0][:50], 0, len(frames[0]))
    assert read(tmp_path, content)[1].others == {"cut off by the capture": 1}


def test_every_cut_of_a_packet_is_understood_or_damaged(tmp_path):
    for packet in packets(tmp_path):
        frames = [packet[:size] for size in range(1, len(packet))]
        messages, count = read(tmp_path, pcap(101, frames))
        assert messages == [] and count.others.total() == len(frames)
        for link, make in LINKS.values():
            whole = make(packet)
            messages, count = read(tmp_path, pcap(link, [whole[:n] for n in range(len(whole))]))
            assert count.frames == len(whole)


@pytest.mark.parametrize("claimed", [0xFFFFFFFC, 1 << 31, 17 << 20])
def test_a_claimed_length_takes_no_memory(claimed, tmp_path):
    file = tmp_path / "claims"
    frame = pack("<IIII", 0, 0, claimed, claimed)
    contents = [
        pcap(101, []) + frame,
        section("<", 101) + pack("<II", 6, claimed) + bytes(100),
        section("<", 101) + pack("<II", 77, claimed) + bytes(100),
        section("<", 101) + block("<", 6, pack("<IIIII", 0, 0, 0, claimed, claimed)),
        section("<", 101) + block("<", 1, pack("<HHI", 1, 0, 0) + pack("<HH", 9, 65535)),
    ]
    for content in contents:
        file.write_bytes(content)
        # The file is as long as it claims, but holds nothing there.
        for size in (len(content), claimed + 1000):
            with file.open("r+b") as opened:
                opened.truncate(size)
            tracemalloc.start()
            try:
                list(read_capture(file))
            except CaptureError as error:
                assert str(file) in str(error)
            finally:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            assert peak < 4 << 20
            assert read_names(file) == {}


def test_captures_are_read_as_a_stream(tmp_path):
    packet = packets(tmp_path)[0]
    file = tmp_path / "long"
    file.write_bytes(pcapng(101, [packet] * 20_000))
    count = FrameCount()
    tracemalloc.start()
    messages = read_capture(file, count)
    next(messages)
    assert count.frames == 1
    assert sum(1 for _ in messages) == 19_999
    names = read_names(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert names == {} and peak < 1 << 20 < file.stat().st_size


def test_names_are_read_from_every_section(tmp_path):
    file = tmp_path / "names"
    content = b""
    for order, last in (("<", 1), (">", 2)):
        record = bytes([10, 0, 0, last]) + b"host-%d\0" % last
        names = option(order, 1, record) + option(order, 9, b"?") + pack(order + "HH", 0, 0)
        content += section(order, 101) + block(order, 4, names) + block(order, 77, bytes(100))
    file.write_bytes(content)
    assert read_names(file) == {"10.0.0.1": "host-1", "10.0.0.2": "host-2"}
    file.write_bytes(content + b"\x06\0\0\0")
    assert len(read_names(file)) == 2


# What the commands say ----------------------------------------------------------------------------


def command(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def told(*arguments):
    done = command(*arguments)
    assert done.exit_code != 1, done.exception
    text = " ".join(done.stderr.split())
    if done.exception and done.exit_code not in (0, 2):
        raise done.exception
    return done.exit_code, text, done.stdout


@pytest.mark.parametrize("name", ["dissect", "trace"])
def test_a_capture_of_which_nothing_is_understood_is_an_error(name, tmp_path):
    file = tmp_path / "a"
    tcp = packets(tmp_path)[0]
    tcp = tcp[:9] + b"\x06" + tcp[10:]
    file.write_bytes(
        pcapng(147, [b"abc"] * 12) + pcapng(101, [tcp] * 3),
    )
    with pytest.raises(CaptureError, match="0 of 15 frames understood") as error:
        CliRunner().invoke(app, [name, str(file)], catch_exceptions=False)
    assert str(error.value) == (
        f"{file}: 0 of 15 frames understood; not understood: 12 of link type 147 (USER0), 3 of TCP"
    )


@pytest.mark.parametrize("name", ["dissect", "trace"])
def test_frames_that_are_not_understood_are_told_of(name, tmp_path):
    file = tmp_path / "b"
    frames = [*map(ethernet, packets(tmp_path)), bytes(12) + pack("!H", 0x0806) + bytes(28)]
    file.write_bytes(pcap(1, frames))
    code, errors, output = told(name, file)
    assert code == 0 and "4 of 5 frames understood; not understood: 1 of ARP" in errors
    assert "ASAP" in output
    file.write_bytes(pcap(1, frames[:4]))
    assert told(name, file)[:2] == (0, "")
    file.write_bytes(pcap(1, []))
    assert "no ASAP or ENRP message, 0 of 0 frames understood" in told(name, file)[1]
    with CaptureWriter(file) as capture:
        capture.message(0, HERE, THERE, 99, b"abc")
    assert "no ASAP or ENRP message, 1 of 1 frames understood" in told(name, file)[1]


def test_hex_of_any_length_is_read():
    for size in (127, 128, 4000, 100_000):
        rows = list(dissect("00" * size))
        assert len(rows) == 1 and rows[0]["error"]
    long = wire.Cookie(cookie=bytes(60_000)).encode()
    [row] = dissect(long.hex())
    assert row["message"] == "ASAP_COOKIE"
    with pytest.raises(CaptureError, match="neither a file nor") as error:
        list(dissect("xy" * 5000))
    assert len(str(error.value)) < 300
    for nothing in ("", " ", "\0", "0"):
        with pytest.raises(CaptureError, match="neither a file nor"):
            list(dissect(nothing))


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_special_files_are_refused(kind, tmp_path):
    file = tmp_path / "special"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "directory":
        file.mkdir()
    else:
        file = "/dev/zero"
    for read in (
        lambda: list(read_capture(file)),
        lambda: read_names(file),
        lambda: list(dissect(str(file))),
        lambda: read_sequence(file),
    ):
        with pytest.raises(CaptureError, match=r"is a (FIFO|directory|device), must be a file"):
            read()


def test_a_file_that_cannot_be_written_is_told():
    def fill():
        with CaptureWriter("/dev/full") as capture:
            for _ in range(1000):
                capture.message(0, HERE, THERE, 11, BYTES)

    with pytest.raises(CaptureError, match=r"^/dev/full: can't be written"):
        fill()


# Wireshark's reader as a witness ------------------------------------------------------------------


def tshark(file):
    """Messages and frames by protocol, as tshark sees them."""
    done = subprocess.run(
        [
            "tshark",
            "-r",
            file,
            "-n",
            "-T",
            "fields",
            "-e",
            "frame.protocols",
            "-e",
            "frame.time_epoch",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark (Debian: tshark)")
def test_tshark_finds_as_many_messages(tmp_path):
    file = tmp_path / "witness"
    for kind, (link, make) in LINKS.items():
        frames = [make(packet) for packet in packets(tmp_path)]
        six = packets(tmp_path)[2]
        # Of other TSNs, as tshark doesn't show a message again that is repeated.
        second, third = (six[:56] + pack("!I", tsn) + six[60:] for tsn in (2, 3))
        more = [extended(second, (0, bytes(6)), (60, bytes(14))), extended(third, (51, bytes(10)))]
        frames += map(make, more)
        contents = [
            pcap(link, frames, order, nanoseconds)
            for order in "<>"
            for nanoseconds in (True, False)
        ]
        contents += [pcapng(link, frames, order) for order in "<>"]
        for content in contents:
            file.write_bytes(content)
            rows = list(dissect(str(file)))
            seen = [line for line in tshark(file) if "asap" in line[0]]
            # tshark takes the families of other systems than its own for what they are there.
            assert len(rows) == len(seen) == 6, (kind, content[:4])
            assert [row["departure"] for row in rows] == pytest.approx(
                [float(line[1]) for line in seen]
            )
    assert all(a <= b for a, b in pairwise(row["departure"] for row in rows))
