"""Every threat of the catalogue: the attack works, the mitigation helps, and costs little."""

from dataclasses import replace

import pytest

from rsim.errors import ScenarioError
from rsim.results import METRICS
from rsim.threats import Effort, predicted, run_threats, threat, threats

ROWS = [one.id for one in threats()]
SHORT = Effort(seeds=4, duration=240.0, curve=False, search=False)

# Effects that vary so much from run to run that four seeds say nothing about them.
SEEDS = {"2.17a": 8, "N3": 8}
# What a mitigation costs the service by itself, in percentage points, where that is not nothing.
HONEST_COSTS = {"2.6": 6.0, "2.7": 6.0, "2.9": 8.0, "2.12d": 6.0, "N8": 8.0}
# Arms in which the mitigation leaves something of the effect.
LEAVES = {"2.17a": 0.6, "2.12c": 0.95, "N4": 0.9, "N6": 0.9, "2.12d": 0.9, "2.13": 0.95}

REQUIREMENTS = {
    "2.1": ["ARC-020"],
    "2.3a": ["ARC-020"],
    "2.6": ["SEC-007"],
    "2.7": ["SEC-008", "ARC-020"],
    "2.10a": ["ARC-020"],
    "2.12c": ["SEC-013"],
    "2.12d": ["SEC-013"],
    "2.16": ["ASAP-146"],
    "2.17a": ["SEC-019"],
    "2.17b": ["POL-040"],
}


def case(name):
    marks = [pytest.mark.conformance(row) for row in REQUIREMENTS.get(name, ())]
    return pytest.param(name, marks=marks, id=name)


def test_the_catalogue_is_complete():
    for number in range(1, 18):
        assert any(row.rstrip("abcde") == f"2.{number}" for row in ROWS)
    for lettered in ("2.10", "2.12"):
        assert {row for row in ROWS if row.startswith(lettered)} >= {
            f"{lettered}{c}" for c in "abc"
        }
    unnumbered = [row for row in ROWS if row.startswith("N")]
    assert unnumbered == [f"N{n}" for n in range(1, max(8, len(unnumbered)) + 1)]
    assert all(one.metric in METRICS and one.reading and one.still_works for one in threats())


@pytest.mark.parametrize("name", [case(row) for row in ROWS])
def test_the_attack_works_and_the_mitigation_helps(name):
    effort = replace(SHORT, seeds=SEEDS.get(name, SHORT.seeds))
    [outcome] = run_threats([threat(name)], effort, jobs=1)
    effect = outcome.difference("attack")
    assert outcome.moves, (effect, outcome.arms["attack"][outcome.threat.metric])
    left = 1 - outcome.restored
    assert left <= 1 - LEAVES.get(name, 0.97), outcome.difference("mitigated")
    cost = outcome.cost
    assert cost.mean >= -HONEST_COSTS.get(name, 1.0), cost
    if outcome.threat.still is not None:
        metric = outcome.threat.still.metric or outcome.threat.metric
        shown = outcome.difference("still", metric)
        sign = 1 if outcome.threat.worse == "up" else -1
        assert shown.mean * sign > 0 if metric == outcome.threat.metric else shown.mean != 0


@pytest.mark.parametrize(
    ("name", "strength", "tolerance"),
    [("2.1", 1.0, 0.12), ("2.4", 5, 0.1), ("2.10a", 0.5, 0.12), ("2.15", 5, 0.05), ("N7", 8, 0.05)],
)
def test_closed_forms_hold(name, strength, tolerance):
    one = threat(name)
    [expected] = predicted(one, [strength])
    changes = {one.strength.path: one.strength.setting(strength), "duration": 900.0}
    if name == "2.4":
        changes |= {"attackers.attacker.start": "2min", one.strength.path: int(strength)}
    from rsim.scenario import run

    values = [run(one.scenario("attack", changes), seed).metrics[one.metric] for seed in (1, 2, 3)]
    assert sum(values) / 3 == pytest.approx(expected, rel=tolerance)


def test_an_unknown_threat_is_named():
    with pytest.raises(ScenarioError, match=r"2\.99"):
        threat("2.99")


def test_breaking_points_and_recovery_are_found():
    one = threat("2.3a")
    [outcome] = run_threats([one], Effort(seeds=4, duration=240.0, curve=False), jobs=1)
    ninety, fifty = outcome.breaking["90"], outcome.breaking["50"]
    assert one.breaking.low < ninety.low <= ninety.estimate <= ninety.high < one.breaking.high
    assert ninety.runs == 4
    # Deregistrations between those that one can do without and one for each element in T4 / 10.
    assert ninety.estimate < fifty.estimate < 0.5
    assert len(outcome.recovery) == 2
    assert all(0 <= time < 280 or time == float("inf") for time in outcome.recovery)
