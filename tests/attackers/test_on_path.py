"""Positions on the path: what they block, drop, delay and alter, and what passes them."""

from collections import Counter

import pytest

import rsim
from rsim.network import Tap
from rsim.scenario import Deployment
from rsim.wire import ASAP_PORT, ENRP_PORT, MESSAGE_KINDS


class Listener(Tap):
    """Notes what comes out behind the attacker, with direction and time."""

    def __init__(self, host):
        super().__init__()
        self.host = host
        self.seen = []

    def message(self, seen):
        if seen.time >= 100:
            name = MESSAGE_KINDS.get((seen.ppid, seen.data[0]), "OTHER")
            towards = seen.destination[0] == self.host.address
            self.seen.append((seen.time, name, "towards" if towards else "from", seen))
        return seen.data

    def counts(self):
        """Messages by kind and direction; what SCTP sends again counts once."""
        kinds = Counter((name, way) for _, name, way, _ in self.seen if name != "OTHER")
        others = {
            (way, seen.source, seen.destination, seen.data)
            for _, name, way, seen in self.seen
            if name == "OTHER"
        }
        return kinds + Counter(("OTHER", way) for way, *_ in others)

    @property
    def service_port(self):
        return next(
            seen.destination[1]
            for _, name, way, seen in self.seen
            if (name, way) == ("OTHER", "towards")
        )


def attacked(position=None, users=None, **attacker):
    """What passes behind an attacker at the links of the only element, or on a path."""
    scenario = rsim.scenario(
        {
            "warm_up": 0,
            "duration": 400,
            "network": {
                "sites": ["lan", "far"],
                "paths": [{"sites": ["lan", "far"], "delay": 0.01}],
            },
            "enrp_servers": {"server": {"start": 0}},
            "pool_elements": {"element": {"site": "far", "start": 1, "registration_life": 30}},
            "pool_users": {
                "user": {
                    "count": 2,
                    "start": 5,
                    "request_size": "1e5",
                    "request_interval": 10,
                    **(users or {}),
                }
            },
            "attackers": {
                "attacker": {
                    "kind": "on-path",
                    "start": 100,
                    "position": position or {"at": "element"},
                    **attacker,
                }
            }
            if attacker
            else {},
        }
    )
    deployment = Deployment(scenario, seed=1)
    world = deployment.world
    host = world.hosts["element" if position is None else "user"][0]
    listener = Listener(host)
    world.network.tap(world.network.host_links(host), listener)
    result = deployment.run()
    return listener, result


@pytest.fixture(scope="module")
def free():
    return attacked()


@pytest.fixture(scope="module")
def undisturbed(free):
    return free[0].counts()


def test_undisturbed_everything_is_seen(undisturbed):
    assert undisturbed["ASAP_REGISTRATION", "from"] >= 5
    assert undisturbed["OTHER", "towards"] >= 20
    assert undisturbed["OTHER", "from"] >= 20


def test_a_port_is_blocked_and_others_pass(free, undisturbed):
    listener, _ = attacked(action="cut", ports=[free[0].service_port])
    counts = listener.counts()
    assert counts["OTHER", "towards"] == 0
    for kind in (("ASAP_REGISTRATION", "from"), ("ASAP_REGISTRATION_RESPONSE", "towards")):
        assert counts[kind] >= undisturbed[kind]
    other, _ = attacked(action="cut", ports=[ASAP_PORT])
    assert not any(name.startswith("ASAP") and way == "towards" for name, way in other.counts())
    assert other.counts()["OTHER", "towards"] > 0


def test_a_port_where_nobody_is_changes_nothing(undisturbed):
    assert attacked(action="cut", ports=[ENRP_PORT])[0].counts() == undisturbed


def test_one_kind_of_message_is_dropped_in_one_direction(undisturbed):
    responses = {"messages": ["ASAP_REGISTRATION_RESPONSE"], "action": "drop"}
    dropped, result = attacked(**responses, direction="towards")
    counts = dropped.counts()
    assert counts["ASAP_REGISTRATION_RESPONSE", "towards"] == 0
    assert counts["OTHER", "towards"] >= 0.8 * undisturbed["OTHER", "towards"]
    assert counts["ASAP_REGISTRATION", "from"] > 0
    assert result.counters["attackers.messages_dropped"] > 0
    assert attacked(**responses, direction="from")[0].counts() == undisturbed


def test_the_far_end_of_a_path_is_the_second_site():
    between = {"between": ["lan", "far"]}
    user = attacked(position=between, action="drop", messages=["ASAP_HANDLE_*"])[1]
    assert user.metrics["requests_completed"] > 0
    requests = {"action": "drop", "messages": ["ASAP_REGISTRATION"]}
    towards = attacked(position=between, direction="towards", **requests)[1]
    back = attacked(position=between, direction="from", **requests)[1]
    assert towards.counters["attackers.messages_dropped"] == 0
    assert back.counters["attackers.messages_dropped"] > 0


def test_messages_of_one_kind_are_held_back_and_others_are_not():
    def delays(**attacker):
        listener, result = attacked(action="delay", **attacker)
        times = {"ASAP_REGISTRATION": [], "ASAP_REGISTRATION_RESPONSE": []}
        for time, name, _, _ in listener.seen:
            if name in times:
                times[name].append(time)
        last = times["ASAP_REGISTRATION_RESPONSE"][-1]
        return last - max(time for time in times["ASAP_REGISTRATION"] if time <= last), result

    undisturbed, result = delays(messages=["ASAP_ENDPOINT_UNREACHABLE"])
    held, others = delays(delay=0.5, messages=["ASAP_REGISTRATION"])
    assert held == pytest.approx(undisturbed + 0.5, abs=0.01)
    usual = result.metrics["handling_time_s"]
    assert others.metrics["handling_time_s"] == pytest.approx(usual)
    _, everything = delays(delay=0.5)
    assert everything.metrics["handling_time_s"] > usual + 0.5


def test_a_share_of_packets_is_cut():
    some = attacked(action="cut", probability=0.2)[1].counters["attackers.messages_dropped"]
    none = attacked(action="cut", probability=0)[1].counters["attackers.messages_dropped"]
    assert some > 0
    assert none == 0


def test_protocols_are_told_apart():
    def dropped(**attacker):
        tcp, position = {"asap_over": "tcp"}, {"at": "user"}
        _, result = attacked(users=tcp, position=position, **attacker)
        return result.counters["attackers.messages_dropped"]

    # Users ask servers over TCP.
    assert dropped(action="cut", protocols=["tcp"]) > 0
    assert dropped(action="cut", protocols=["udp"]) == 0
    asked = {"action": "drop", "messages": ["ASAP_HANDLE_*"]}
    assert dropped(protocols=["tcp"], **asked) > 0
    assert dropped(protocols=["sctp"], **asked) == 0
