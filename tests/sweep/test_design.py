"""Which points a study looks at."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import kstest

from rsim.errors import RsimWarning, ScenarioError
from rsim.sweep import Precision, load_study, sweep
from rsim.sweep.design import Range, SpaceSample, design
from rsim.sweep.precision import PrecisionRounds

STUDY = """
warm_up = "2min"
duration = "2min"
[pool_elements.element]
count = 2
start = "10s"
[pool_users.user]
count = 4
start = "20s"
request_size = { distribution = "exponential", mean = 1e6 }
request_interval = { distribution = "exponential", mean = 4 }
[sweep]
replications = 2
"""


def study(tmp_path, text, **options):
    file = tmp_path / "study.toml"
    file.write_text(STUDY + text)
    return load_study(file, **options)


def test_axes_combine_zipped_ones_go_together_and_points_are_given():
    points = list(design({"a": (1, 2)}, {"b": (3, 4), "c": (5, 6)}, ({"d": 7}, {"d": 8}), None))
    assert len(points) == 2 * 2 * 2
    assert points[0] == {"a": 1, "b": 3, "c": 5, "d": 7}
    assert {(p["b"], p["c"]) for p in points} == {(3, 5), (4, 6)}


def test_whole_numbers_on_a_logarithmic_scale_are_logarithmic():
    one = Range(low=1, high=1000, whole=True, scale="log")
    # Half of the samples lie below the square root of 1001.
    assert [one.at(share) for share in (0, 0.5, 0.999999, 1)] == [1, 31, 1000, 1000]
    values = [one.at((k + 0.5) / 100_000) for k in range(100_000)]
    decades = [sum(low <= value < 10 * low for value in values) for low in (1, 10, 100)]
    assert decades == pytest.approx([33_330] * 3, abs=20)
    ones = Range(low=-3, high=3, whole=True)
    assert [ones.at((k + 0.5) / 7) for k in range(7)] == [-3, -2, -1, 0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol"])
def test_samples_fill_their_ranges_evenly(kind):
    ranges = {
        "a": Range(low=10, high=20),
        "b": Range(low=0.01, high=100, scale="log"),
        "c": Range(low=1, high=6, whole=True),
    }
    points = SpaceSample(kind=kind, size=64, ranges=ranges).points()
    a = np.array([p["a"] for p in points])
    assert kstest((a - 10) / 10, "uniform").pvalue > 0.5
    assert sorted((a - 10) * 6.4 // 1) == list(range(64))
    b = np.log10([p["b"] for p in points])
    assert kstest((b + 2) / 4, "uniform").pvalue > 0.5
    counts = [sum(p["c"] == value for p in points) for value in range(1, 7)]
    assert min(counts) >= 9 and sum(counts) == 64
    assert points == SpaceSample(kind=kind, size=64, ranges=ranges).points()


def test_a_study_samples_a_space(tmp_path):
    loaded = study(
        tmp_path,
        """
        [sweep.sample]
        kind = "sobol"
        size = 8
        [sweep.sample.ranges."network.delay"]
        low = 0.001
        high = 0.1
        scale = "log"
        [sweep.sample.ranges."pool_elements.element.count"]
        low = 1
        high = 4
        whole = true
        """,
    )
    assert len(loaded) == 16
    counts = [point.scenario.pool_elements["element"].count for point in loaded.points]
    assert sorted(counts) == [1, 1, 2, 2, 3, 3, 4, 4]
    runs = sweep(loaded, jobs=1).runs
    assert runs["network.delay"].nunique() == 8


def test_a_study_has_axes_in_step_and_points(tmp_path):
    loaded = study(
        tmp_path,
        """
        points = [{ "pools.pool.policy" = "random" }, { "pools.pool.policy" = "least_used" }]
        [sweep.zip]
        "network.delay" = [0, 0.1]
        "pool_users.user.count" = [2, 6]
        """,
    )
    assert [p.parameters["pool_users.user.count"] for p in loaded.points] == [2, 2, 6, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[sweep.zip]\n"network.delay" = [0, 1]\nduration = [1]\n',
            "network.delay has 2, duration has 1",
        ),
        (
            '[sweep.sample]\nkind = "sobol"\nsize = 6\nranges.seed = { low = 0, high = 1 }',
            "power of 2",
        ),
        ("[sweep.sample]\nsize = 4\nranges.seed = { low = 2, high = 1 }", "below high"),
        ('points = [{ "network.dely" = 1 }]', "there is no key 'dely'"),
        ('[sweep.precision]\nmetric = "nonsense"\nhalf_width = 1', "no metric"),
        ('[sweep.precision]\nmetric = "utilisation_pct"', "half_width or relative"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    with pytest.raises(ScenarioError, match=message):
        study(tmp_path, text)


def test_wide_intervals_get_further_seeds(tmp_path):
    text = """
    axes = { "pool_users.user.request_size.mean" = [1e3, 1e6] }
    [sweep.precision]
    metric = "utilisation_pct"
    half_width = 3
    most = 40
    """
    result = sweep(study(tmp_path, text), tmp_path / "out", jobs=1)
    counts = result.runs.groupby("pool_users.user.request_size.mean")["seed"].count()
    # The load of tiny requests hardly varies: two looks are enough.
    assert counts[1e3] == 15 and counts[1e6] > 15
    rows = result.summary.query("metric == 'utilisation_pct'")
    assert (rows["ci95"] <= 3).all()
    assert result.study.replications == 10
    again = sweep(study(tmp_path, text), tmp_path / "out", jobs=1, resume=True)
    assert again.runs.equals(result.runs)


def test_seeds_have_an_end(tmp_path):
    text = """
    [sweep.precision]
    metric = "utilisation_pct"
    half_width = 1e-9
    most = 11
    """
    with pytest.warns(RsimWarning, match="1 point has a wider interval of utilisation_pct than"):
        result = sweep(study(tmp_path, text), jobs=1)
    assert sorted(result.runs["seed"]) == list(range(1, 12))
    assert any("after 11 seeds" in text for text in result.warnings)


def precision(**goal):
    return Precision(metric="utilisation_pct", **goal)


def test_few_values_and_equal_ones_are_not_exact_enough():
    asked = precision(half_width=1.0)
    assert not asked.met([50.0, 50.0])
    assert not asked.met([50.0] * 9 + [float("nan")] * 5)
    assert asked.met([50.0] * 10)


def test_an_interval_has_to_be_narrow_enough_twice():
    assert list(precision(half_width=1).looks(10)) == [10, 15, 22, 33, 49, 73, 100]
    point = object()
    everything = [SimpleNamespace(point=point, key=str(n)) for n in range(100)]
    noise = np.random.default_rng(1).normal(50, 1, 100)
    rows = {task.key: {"utilisation_pct": noise[n]} for n, task in enumerate(everything)}

    def seeds_of(asked):
        rounds, done = PrecisionRounds(asked, 10), everything[:10]
        while fresh := rounds.further(everything, done, rows):
            done = [*done, *fresh]
        return len(done)

    assert seeds_of(precision(half_width=2.0)) == 15
    assert seeds_of(precision(relative=0.0001)) == 100
