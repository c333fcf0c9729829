"""What is counted is what was sent: the counters of a run beside a capture of the same run."""

from collections import Counter
from struct import unpack_from

import pytest

import rsim
from rsim.wire import PPID_ASAP, PPID_ENRP
from rsim.wire.capture_file import read_frames
from rsim.wire.codes import ASAP_PORT, MESSAGE_KINDS

FAILURES = {
    "uptime": {"distribution": "exponential", "mean": 40},
    "downtime": {"distribution": "exponential", "mean": 10},
}
DEPLOYMENT = {
    "warm_up": 0,
    "duration": 200,
    "enrp_servers": {"server": {"count": 2}},
    "pool_elements": {"element": {"count": 4, "start": 1, "failures": FAILURES}},
    "pool_users": {
        "user": {
            "count": 4,
            "start": 10,
            "request_size": {"mean": 1e7},
            "request_interval": {"mean": 5},
        }
    },
}
SITES = {"sites": ["north", "south"], "paths": [{"sites": ["north", "south"], "delay": 0.03}]}
SPREAD = {
    "enrp_servers": {"server": {"count": 2, "site": "north", "failures": FAILURES}},
    "pool_elements": {"element": {"count": 4, "start": 1, "site": "south", "failures": FAILURES}},
    "pool_users": {"user": {**DEPLOYMENT["pool_users"]["user"], "site": "north"}},
}
CUT = {"path": ["north", "south"], "schedule": "down@40s, up@60s, down@100s, up@150s"}
TLS = {"pe_enrp": "psk-aes128-cbc", "pu_enrp": "rsa-aes128-cbc", "enrp_enrp": "psk-aes128-cbc"}
CHANGES = {
    "failures": {},
    "instant": {"network": {"transport": "instant"}},
    "delay": {"network": {"delay": 0.05}},
    "loss": {"network": {"delay": 0.05, "loss": 0.1}},
    "narrow": {"network": {"delay": 0.02, "bandwidth": 1e5}},
    "cuts": {**SPREAD, "network": {**SITES, "outages": [CUT]}},
    "TLS and cuts": {**SPREAD, "network": {**SITES, "outages": [CUT]}, "security": TLS},
}


def sent(file):
    """Payload protocol and bytes of each message in a capture, those repeated by SCTP once."""
    known = set()
    for frame in read_frames(file):
        packet = frame.data
        segment = packet[20:]
        ports = unpack_from("!HH", segment)
        if packet[9] == 17:
            yield (PPID_ASAP if ASAP_PORT in ports else PPID_ENRP), segment[8:]
            continue
        at = 12
        while at < len(segment):
            kind, _, length = unpack_from("!BBH", segment, at)
            number, _, ppid = unpack_from("!III", segment, at + 4) if kind == 0 else (0, 0, 0)
            message = (segment[4:8], ports, number)
            # Without a payload protocol are the messages of TLS itself.
            if kind == 0 and ppid and message not in known:
                known.add(message)
                yield ppid, segment[at + 16 : at + length]
            at += (length + 3) // 4 * 4


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_counted_is_what_was_sent(name, tmp_path):
    file = tmp_path / "run.pcapng"
    scenario = rsim.scenario({**DEPLOYMENT, **CHANGES[name]})
    counters = rsim.run(scenario, pcap=file, decrypted=True).counters
    messages, octets = Counter(), Counter()
    for ppid, data in sent(file):
        messages[ppid, data[0]] += 1
        octets[ppid] += len(data)
    for key, kind in MESSAGE_KINDS.items():
        assert counters[f"network.{kind.lower()}"] == messages[key], kind
    assert counters["network.messages"] == messages.total() > 300
    assert counters["network.octets"] == octets.total()
    assert counters["network.asap_octets"] == octets[PPID_ASAP]
    assert counters["network.enrp_octets"] == octets[PPID_ENRP]
    for counter, kind in (
        ("pool_elements.registrations_sent", "ASAP_REGISTRATION"),
        ("pool_elements.cookies_sent", "ASAP_COOKIE"),
        ("pool_users.cookie_echoes", "ASAP_COOKIE_ECHO"),
        ("pool_users.resolutions_sent", "ASAP_HANDLE_RESOLUTION"),
        ("enrp_servers.keep_alives_sent", "ASAP_ENDPOINT_KEEP_ALIVE"),
        ("enrp_servers.updates_sent", "ENRP_HANDLE_UPDATE"),
        ("enrp_servers.tables_sent", "ENRP_HANDLE_TABLE_RESPONSE"),
    ):
        [key] = [key for key, known in MESSAGE_KINDS.items() if known == kind]
        assert counters[counter] == messages[key], counter
