"""Cheats among users and elements, in whole runs."""

import shutil
import subprocess

import pytest

import rsim
from rsim.scenario import Scenario
from rsim.workload.cheating import Liar, LieSettings

requirement = pytest.mark.conformance
FULL = 0xFFFFFFFF


ONE = {"protocol__enrp_server__max_resolution_items": 1}
"""Whole lists flatten weights at the user (RFC 5356 4.4.3)."""


def scenario(policy="random", duration="30min", **changes):
    table = {
        "warm_up": "5min",
        "duration": duration,
        "network": {"delay": "5ms"},
        "pools": {"pool": {"policy": policy}},
        "protocol": {"pool_user": {"stale_cache_value": 0}},
        "pool_elements": {"element": {"count": 10, "start": "10s"}},
        "pool_users": {
            "user": {
                "count": 50,
                "start": "1min",
                "request_size": {"distribution": "exponential", "mean": 5e6},
                "target_utilisation": 0.5,
            }
        },
    }
    for path, value in changes.items():
        place = table
        *parents, last = path.split("__")
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
    return Scenario.model_validate(table)


@requirement("SEC-019")
def test_a_coalition_saturates_its_victim_and_tls_does_not_stop_it():
    """From a share of (1 / load - 1) / (M - 1) = 11% on."""
    secure = {"pu_enrp": "rsa-aes128-cbc", "pe_enrp": "psk-aes128-cbc", "pu_pe": "tls13-rsa"}
    loads = [
        rsim.run(
            scenario(pool_users__user__cheat={"kind": "victim", "share": share}, security=secure)
        ).metrics["most_loaded_pct"]
        for share in (0.0, 0.2)
    ]
    assert loads[0] < 70 and loads[1] > 95


@requirement("SEC-020")
def test_with_proof_of_choice_unproved_requests_are_refused():
    cheat = {"kind": "victim", "share": 0.2}
    proof = {"proof_of_choice": True}
    honest = rsim.run(scenario(security=proof))
    assert honest.metrics["proofs_refused"] == 0
    assert honest.metrics["completed_share_pct"] > 98
    attacked = rsim.run(scenario(pool_users__user__cheat=cheat))
    held = rsim.run(scenario(pool_users__user__cheat=cheat, security=proof))
    assert held.metrics["proofs_refused"] > 1000
    assert held.metrics["honest_speed_pct"] > 1.3 * attacked.metrics["honest_speed_pct"]
    assert held.metrics["cheat_advantage"] < 0.2


@pytest.mark.parametrize("policy", ["round_robin", "least_used", "weighted_random"])
def test_honest_users_of_any_policy_are_served_under_proofs(policy):
    plain, proved = (
        rsim.run(scenario(policy, security={"proof_of_choice": on})) for on in (False, True)
    )
    assert proved.metrics["proofs_refused"] == 0
    assert proved.metrics["handling_speed_pct"] == pytest.approx(
        plain.metrics["handling_speed_pct"], rel=0.15
    )


def test_cheats_that_take_the_fastest_gain_where_elements_differ():
    uneven = {"distribution": "fast_servers", "factor": 6, "fraction": 0.2}
    result = rsim.run(
        scenario(
            pool_elements__element__heterogeneity=uneven,
            pool_users__user__cheat={"kind": "fastest", "share": 0.06},
        )
    )
    assert result.metrics["cheat_advantage"] > 1.5


@requirement("POL-040")
@pytest.mark.parametrize(
    ("factor", "low", "high"), [(0.5, 0.4, 0.6), (1.0, 0.9, 1.1), (3.0, 2.5, 3.5)]
)
def test_a_false_weight_draws_as_much_as_it_states(factor, low, high):
    lie = {"kind": "weight", "factor": factor, "share": 0.2}
    values = [
        rsim.run(scenario("weighted_random", pool_elements__element__lie=lie, **ONE), seed).metrics
        for seed in (1, 2, 3)
    ]
    gain = sum(value["liars_gain"] for value in values) / 3
    assert low < gain < high


@requirement("SEC-021")
def test_liars_at_factor_two_are_found_and_honest_elements_are_not():
    lie = {"kind": "weight", "factor": 2.0, "share": 0.2}
    security = {"statements": True}
    found, false = [], 0
    for seed in (1, 2, 3):
        result = rsim.run(
            scenario(
                "weighted_random",
                "90min",
                pool_elements__element__lie=lie,
                security=security,
                **ONE,
            ),
            seed,
        )
        found.append(result.metrics["liars_found_pct"])
        false += result.counters["penalties.honest_penalised"]
        assert result.metrics["liars_gain"] < 1.5
    assert found == [100, 100, 100]
    assert false == 0


def test_accusations_of_honest_elements_are_told_from_those_of_liars():
    lie = {"kind": "weight", "factor": 3.0, "share": 0.2}
    security = {"statements": True, "accusation_level": 1.5, "accusers": 50}
    changes = {"security": security, **ONE}
    liars = rsim.run(
        scenario("weighted_random", "90min", pool_elements__element__lie=lie, **changes)
    )
    assert 0 < liars.counters["penalties.honest_accused"] < liars.metrics["accusations"]
    honest = rsim.run(scenario("weighted_random", "90min", **changes)).metrics
    hours = 1.5 * 10
    assert honest["accusations"] > 0
    assert honest["false_accusations"] == pytest.approx(1000 * honest["accusations"] / hours)
    assert honest["false_penalties"] == 0


def test_statements_do_no_harm_among_honest_elements():
    result = rsim.run(scenario("least_used", "60min", security={"statements": True}))
    assert result.metrics["elements_penalised"] == 0
    assert result.counters["pool_users.statements_altered"] == 0
    assert result.counters["enrp_servers.statements_refused"] == 0
    assert result.metrics["completed_share_pct"] > 99


@pytest.mark.parametrize("penalty", ["quarantine", "worst", "evict"])
def test_penalties_take_a_liar_out_of_use(penalty):
    lie = {"kind": "weight", "factor": 5.0, "share": 0.1}
    security = {"statements": True, "penalty": penalty, "penalty_time": "24h"}
    result = rsim.run(
        scenario(
            "weighted_random", "60min", pool_elements__element__lie=lie, security=security, **ONE
        )
    )
    assert result.metrics["elements_penalised"] >= 1
    assert result.metrics["liars_gain"] < 2.0


@pytest.mark.parametrize(
    ("settings", "history", "stated"),
    [
        ({"kind": "load", "factor": 0.5}, [(0, 100)], 50),
        ({"kind": "full"}, [(0, 100)], FULL),
        ({"kind": "idle"}, [(0, 100)], 0),
        ({"kind": "delayed", "delay": 30}, [(0, 1), (10, 2), (35, 3), (45, 4)], 2),
        ({"kind": "oscillating", "period": 60}, [(59, 100)], FULL),
        ({"kind": "oscillating", "period": 60}, [(61, 100)], 0),
    ],
)
def test_lies_about_load(settings, history, stated):
    now = 0.0
    liar = Liar(LieSettings(**settings), lambda: now)
    for time, load in history:
        now = time
        bent = liar.bend({"load": load, "weight": 7, "load_degradation": 9})
    assert bent["load"] == stated
    assert (bent["weight"], bent["load_degradation"]) == (7, 9)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("weight", "weight", 14),
        ("degradation", "load_degradation", 18),
        ("distance", "distance", 80),
    ],
)
def test_lies_about_other_values(kind, name, value):
    liar = Liar(LieSettings(kind=kind, factor=2.0), lambda: 0.0)
    true = {"load": 1, "weight": 7, "load_degradation": 9, "distance": 40}
    assert liar.bend(true) == {**true, name: value}


def test_an_element_that_states_a_false_distance_draws_who_is_far_from_it():
    far = {"distance": 100.0, "load_distance_penalty": 0.002, "count": 5, "start": "10s"}
    gains = [
        rsim.run(
            scenario(
                "least_used_dpf",
                pool_elements__element={"count": 5, "start": "10s", "load_distance_penalty": 0.002},
                pool_elements__far={**far, "lie": {"kind": "distance", "factor": factor}},
                **ONE,
            )
        ).metrics["fairness"]
        for factor in (1.0, 0.0)
    ]
    # Told the truth, the server sends next to nobody far away.
    assert gains[0] < 0.8 < 0.95 < gains[1]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_captures_stay_readable(tmp_path):
    file = tmp_path / "run.pcapng"
    security = {"statements": True, "proof_of_choice": True}
    rsim.run(scenario("least_used", "1min", security=security), pcap=file)
    fields = ["asap.message_type", "_ws.malformed", "asap.parameter_type"]
    command = ["tshark", "-r", file, "-n", "-Y", "asap", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) > 200
    assert {row[1] for row in rows} == {""}
    seen = {kind for row in rows for kind in row[2].lower().split(",")}
    assert {"0x8040", "0x8041", "0x8042"} <= seen
