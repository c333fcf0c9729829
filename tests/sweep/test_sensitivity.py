"""Sobol' indices: known ones are found, what has no effect explains nothing, mistakes are told."""

import numpy as np
import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError, ScenarioError
from rsim.sweep import load_study, open_report
from rsim.sweep.design import SpaceSample
from rsim.sweep.sensitivity import sobol_indices

STUDY = """
warm_up = 0
duration = 100
[pool_elements.element]
start = 1
[pool_users.user]
start = 5
count = 3
request_size = 1e6
request_interval = 2
[sweep]
replications = 2
[sweep.sample]
kind = "sobol"
size = 8
indices = {indices}
ranges."pool_elements.element.capacity" = {{ low = 5e5, high = 2e6 }}
ranges."protocol.enrp_server.error_interval" = {{ low = 1, high = 9, whole = true }}
"""


def ishigami(sample, seeds=1, noise=0.0):
    """Runs whose metric is Ishigami and Homma's function of three of four settings."""
    random = np.random.default_rng(1)
    rows = []
    for point in sample.points():
        a, b, c, _ = point.values()
        value = np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)
        rows += [
            {**point, "arm": "", "seed": seed, "y": value + noise * random.normal()}
            for seed in range(seeds)
        ]
    return pd.DataFrame(rows)


def circle(size):
    ends = {"low": -np.pi, "high": np.pi}
    return SpaceSample(kind="sobol", size=size, indices=True, ranges=dict.fromkeys("abcd", ends))


@pytest.mark.parametrize(("seeds", "noise"), [(1, 0.0), (4, 0.3)])
def test_indices_of_a_function_whose_indices_are_known(seeds, noise):
    sample = circle(1024)
    assert len(sample.points()) == sample.count == 1024 * 6
    table = sobol_indices(ishigami(sample, seeds, noise), sample, ["arm", *"abcd"], "y")
    assert list(table["setting"]) == list("abcd") and (table["arm"] == "").all()
    # Ishigami and Homma 1990; the fourth setting has no effect.
    first, total = [0.3139, 0.4424, 0.0, 0.0], [0.5576, 0.4424, 0.2437, 0.0]
    for name, expected in (("first", first), ("total", total)):
        assert list(table[name]) == pytest.approx(expected, abs=0.05)
        assert (table[f"{name}_low"] <= np.array(expected) + 0.01).all()
        assert (table[f"{name}_high"] >= np.array(expected) - 0.01).all()
        assert table[[name, f"{name}_low", f"{name}_high"]].stack().between(0, 1).all()


def test_what_has_no_effect_explains_nothing(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.format(indices="true"), encoding="utf-8")
    study = load_study(tmp_path / "study.toml")
    sample = study.sweep.sample
    # Numbers of the second setting are whole: equal points are run once.
    assert len(study.points) == len(sample.points()) < sample.count == 32
    with pytest.warns(rsim.RsimWarning, match="error_interval changes nothing"):
        rsim.sweep(tmp_path / "study.toml", tmp_path / "out", jobs=1)
    capacity, none = open_report(tmp_path / "out").sensitivity("handling_time_s").to_dict("records")
    assert capacity["setting"] == "pool_elements.element.capacity"
    assert capacity["first"] > 0.9 and capacity["total"] > 0.9
    assert none["first"] < 0.01 and none["total"] == none["total_high"] == 0


def test_a_study_without_the_points_says_what_to_set(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.format(indices="false"), encoding="utf-8")
    rsim.sweep(tmp_path / "study.toml", tmp_path / "out", jobs=1)
    report = open_report(tmp_path / "out")
    with pytest.raises(ResultError, match=r"sweep\.sample\.indices: is not set"):
        report.sensitivity("handling_time_s")


def test_mistakes_are_told(tmp_path):
    text = STUDY.format(indices="true").replace('"sobol"', '"latin_hypercube"')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match="indices: only with kind"):
        load_study(tmp_path / "study.toml")
    sample = circle(4)
    runs = ishigami(sample)
    with pytest.raises(ResultError, match="y: 1 of 24 points have no value"):
        sobol_indices(runs.iloc[1:], sample, ["arm", *"abcd"], "y")
    with pytest.raises(ResultError, match="y: is 3 at all points"):
        sobol_indices(runs.assign(y=3.0), sample, ["arm", *"abcd"], "y")
