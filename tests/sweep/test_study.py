import pytest

from rsim.errors import ScenarioError
from rsim.sweep import load_study


def test_arms_have_common_and_own_axes(study_file):
    study = load_study(study_file)
    assert [(p.arm, *p.parameters.values()) for p in study.points] == [
        ("attack", "random", 5),
        ("attack", "random", 20),
        ("attack", "least_used", 5),
        ("attack", "least_used", 20),
        ("baseline", "random"),
        ("baseline", "least_used"),
    ]
    assert study.parameters == ["pools.pool.policy", "attackers.flood.interval"]
    assert len(study) == 18
    assert study.points[0].scenario.attackers["flood"].interval == 5
    assert study.points[4].scenario.attackers["flood"].count == 0


def test_quick_version_and_overrides(study_file):
    study = load_study(study_file, {"duration": "1min"}, quick=True)
    assert len(study.points) == 4
    assert study.replications == 2
    assert all(point.scenario.duration == 60 for point in study.points)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pools.pool.policy", "pools.pool.polcy", "sweep.axes: pools.pool.polcy: there is no"),
        ("attackers.flood.interval", "attackers.fluud.interval", "there is no key 'fluud'"),
        ("replications = 3", "replicatons = 3", "sweep.replicatons: unknown key"),
        ("[5, 20]", "[5, -20]", "attackers.flood.interval: .*greater than or equal to 0.000001"),
        ("[sweep]", "[swep]", "swep: unknown key"),
    ],
)
def test_mistakes_are_named(study_file, old, new, message):
    text = study_file.read_text()
    study_file.write_text(text.replace(old, new))
    with pytest.raises(ScenarioError, match=message):
        load_study(study_file)
