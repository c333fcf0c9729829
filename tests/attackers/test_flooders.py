"""What attackers send, and how fast."""

from itertools import pairwise

import pytest

import rsim
from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError
from rsim.scenario import Deployment
from rsim.wire import Deregistration, EndpointKeepAlive, Registration, decode, read_capture


def scenario(attacker, **changes):
    return rsim.scenario(
        {
            "profile": "literal",
            "warm_up": "2min",
            "duration": "10min",
            "network": {"delay": "5ms"},
            "protocol": {"enrp_server": {"check_addresses": False}},
            "pool_elements": {"element": {"count": 3, "start": "10s"}},
            "attackers": {"attacker": {"start": "2min", **attacker}},
            **changes,
        },
    )


@pytest.mark.parametrize("count", [1, 4])
def test_rates_add_up_over_hosts(count):
    flood = {"kind": "report-flood", "interval": 0.5, "report_probability": 0, "count": count}
    result = rsim.run(scenario(flood))
    assert result.metrics["attack_messages_per_s"] == pytest.approx(2 * count, rel=0.01)
    assert result.metrics["handle_resolutions"] == pytest.approx(1200 * count, rel=0.01)


def test_a_rate_ramps_up():
    flood = {"kind": "report-flood", "interval": 0.1, "report_probability": 0, "ramp": "5min"}
    deployment = Deployment(scenario(flood))
    counts = []
    for minute in range(2, 12):
        deployment.world.clock.run_until(60 * minute)
        counts.append(deployment.attackers[0].counters.attack_messages)
    gains = [after - before for before, after in pairwise(counts)]
    # 10/s at the end of the fifth minute; the integral of a straight line before.
    assert gains[5:] == pytest.approx([600] * len(gains[5:]), rel=0.01)
    assert gains[:5] == pytest.approx([60, 180, 300, 420, 540], rel=0.03)


def test_random_spacing_keeps_the_rate():
    flood = {
        "kind": "report-flood",
        "interval": 0.05,
        "report_probability": 0,
        "spacing": "exponential",
    }
    result = rsim.run(scenario(flood))
    assert result.metrics["attack_messages_per_s"] == pytest.approx(20, rel=0.03)


def test_an_attack_ends_when_it_is_told_to():
    flood = {"kind": "registration-flood", "interval": 1, "stop": "4min", "registration_life": 60}
    deployment = Deployment(scenario(flood))
    deployment.world.clock.run_until(4 * 60)
    sent = deployment.attackers[0].counters.attack_messages
    assert sent == pytest.approx(120, abs=2)
    deployment.world.clock.run_until(12 * 60)
    assert deployment.attackers[0].counters.attack_messages == sent
    assert deployment.servers[0][1].handlespace.pool_size(b"pool") == 3


def captured(tmp_path, attacker, **changes):
    file = tmp_path / "attack.pcapng"
    result = rsim.run(scenario(attacker, **changes), pcap=file)
    seen = read_capture(file)
    return result, [(o.source[0], decode(o.data, "asap")) for o in seen if o.ppid == 11]


def test_impersonators_use_identifiers_that_they_have_learned(tmp_path):
    attack = {"kind": "impersonator", "action": "deregister", "interval": 10}
    result, messages = captured(tmp_path, attack)
    registered = {
        message.pool_element.identifier
        for _, message in messages
        if isinstance(message, Registration)
    }
    deregistered = {m.pe_identifier for _, m in messages if isinstance(m, Deregistration)}
    assert deregistered and deregistered <= registered
    assert result.metrics["deregistrations"] > 5


def test_keep_alives_go_to_the_elements_asap_ports(tmp_path):
    attack = {"kind": "keep-alive-flood", "interval": 1}
    result, messages = captured(tmp_path, attack)
    asked = [source for source, m in messages if isinstance(m, EndpointKeepAlive)]
    forged = [source for source in asked if source == "10.0.0.5"]
    assert len(forged) > 500
    assert result.counters["attackers.answers_received"] > 500


def test_a_limit_on_keep_alives_holds():
    attack = {"kind": "keep-alive-flood", "interval": 0.02}
    protocol = {"pool_element": {"max_keep_alive_rate": 1.0}}
    result = rsim.run(scenario(attack, protocol=protocol))
    # Three elements, one answer a second each, to the attacker; the server's are answered all.
    assert result.counters["attackers.answers_received"] == pytest.approx(1800, rel=0.02)
    assert result.counters["pool_elements.keep_alives_ignored"] > 20_000
    assert result.metrics["endpoint_keep_alive_timeouts"] == 0


def test_a_limit_on_changes_of_home_holds():
    attack = {"kind": "keep-alive-flood", "interval": 1, "home": True, "count": 2}
    plain, limited = (
        rsim.run(scenario(attack, protocol={"pool_element": settings}))
        for settings in ({}, {"min_home_change_interval": "5min"})
    )
    assert plain.metrics["homes_adopted"] > 300
    assert limited.metrics["homes_adopted"] <= 9


def test_a_stalled_association_holds_the_attacker_back():
    """Nothing is acknowledged, so nothing can be sent without end."""
    attack = {"kind": "report-flood", "interval": 0.001, "report_probability": 0}
    outage = {"site": "lan", "what": "hosts", "groups": ["server"], "schedule": "down@3min"}
    network = {"delay": "5ms", "outages": [outage]}
    result = rsim.run(scenario(attack, network=network, duration="2min"))
    assert result.counters["attackers.attack_messages_held"] > 10_000


@pytest.mark.parametrize(
    ("attacker", "message"),
    [
        ({"kind": "nonsense"}, "choose one of amplifier, cookie-forger"),
        ({"kind": "report-flood", "interval": 0}, "interval"),
        ({"kind": "on-path", "messages": ["NO_SUCH"]}, "'NO_SUCH' matches no message"),
        ({"kind": "rogue-server", "identifier": 0}, "identifier"),
    ],
)
def test_mistakes_are_named(attacker, message):
    with pytest.raises(ScenarioError, match=message):
        scenario(attacker)


def test_every_kind_has_a_name_and_settings():
    for kind, cls in attacker_kinds().items():
        assert cls.kind == kind
        assert all(field.description for field in cls.Settings.model_fields.values())
