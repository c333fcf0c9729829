"""Splitting finds probabilities that Markov chains give exactly, and says where it cannot."""

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

import rsim
from rsim.errors import ScenarioError
from rsim.sweep import rare_event
from rsim.sweep.varied_streams import VariedStreams

from ..test_cli import rsim as command


def pool(count, uptime, downtime, duration):
    """Elements that fail and return without a word, seen from 5 s after their start on.

    By then the server serves: elements fail from their registration on.
    """
    return {
        "profile": "rspsim",
        "warm_up": 105,
        "duration": duration,
        "observe_interval": duration,
        "pool_elements": {
            "element": {
                "count": count,
                "start": 100,
                "failures": {
                    "uptime": {"distribution": "exponential", "mean": uptime},
                    "downtime": {"distribution": "exponential", "mean": downtime},
                    "clean_shutdown_probability": 0,
                },
            }
        },
    }


def exact(count, uptime, downtime, duration):
    """Probability that none runs at some time, by the Markov chain of how many do not."""
    rates = np.zeros((count + 1, count + 1))
    for down in range(count + 1):
        if down < count:
            rates[down, down + 1] = (count - down) / uptime
        if down:
            rates[down, down - 1] = down / downtime
        rates[down, down] = -rates[down].sum()
    before = expm(5 * rates)[0]
    rates[count] = 0
    return float((before @ expm(duration * rates))[count])


def test_a_probability_that_a_markov_chain_gives_lies_in_the_interval():
    expected = exact(2, 300, 10, 60)
    assert expected == pytest.approx(0.0115, abs=0.002)
    found = rare_event(
        rsim.scenario(pool(2, 300, 10, 60)),
        "outage_distance_s",
        0,
        means=["unavailable_pct"],
        streams=["failures"],
        particles=30,
        moves=2,
        repetitions=6,
        jobs=1,
    )
    assert found.probability.low < expected < found.probability.high
    assert found.levels[-1] == 0 and list(found.levels) == sorted(found.levels, reverse=True)
    assert 0 < found.means["unavailable_pct"].mean < 100 * found.probability.mean
    assert found.runs > 6 * 30 and found.plain_runs > 0


def test_an_event_without_its_cause_never_comes():
    table = pool(2, 300, 10, 60)
    del table["pool_elements"]["element"]["failures"]
    found = rare_event(
        rsim.scenario(table), "least_running", 0, particles=10, moves=1, repetitions=2, jobs=1
    )
    assert found.probability.mean == 0 and found.plain_runs == float("inf")


@pytest.mark.parametrize("moves", [(), ((0.9, 1),), ((0.6, 1), (0.97, 2), (0.0, 3))])
def test_moved_streams_draw_from_the_same_distributions(moves):
    streams = VariedStreams(1, {("actor", "purpose"): moves})
    stream = streams.stream("actor", "purpose")
    uniforms = [stream.uniform() for _ in range(4000)]
    exponentials = [stream.exponential() for _ in range(4000)]
    assert stats.kstest(uniforms, "uniform").pvalue > 0.01
    assert stats.kstest(exponentials, "expon").pvalue > 0.01
    assert streams.made == {("actor", "purpose"): None}


def test_a_small_move_leaves_most_of_a_stream_and_nothing_of_others():
    plain = VariedStreams(1, {})
    moved = VariedStreams(1, {("actor", "purpose"): ((0.97, 5),)})

    def drawn(streams, actor):
        stream = streams.stream(actor, "purpose")
        return np.array([stream.exponential() for _ in range(1000)])

    assert 0.9 < np.corrcoef(drawn(plain, "actor"), drawn(moved, "actor"))[0, 1] < 0.99
    assert (drawn(plain, "other") == drawn(moved, "other")).all()


def test_mistakes_are_told(tmp_path):
    scenario = rsim.scenario(pool(2, 300, 10, 60))
    for settings, told in (
        ({"metric": "utilisation_pct", "threshold": 1}, "utilisation_pct: does not say which"),
        ({"metric": "least_running", "threshold": 0, "levels": [0, 1]}, "do not lead to 0"),
        ({"metric": "least_running", "threshold": 0, "particles": 2}, "must be at least 10, 1, 2"),
        (
            {"metric": "least_running", "threshold": 0, "streams": ["x"]},
            "no stream has the purpose",
        ),
    ):
        with pytest.raises(ScenarioError, match=told):
            rare_event(scenario, jobs=1, **settings)
    file = tmp_path / "scenario.toml"
    file.write_text("[pool_elements.element]\n", encoding="utf-8")
    done = command("rare-event", file, "--metric", "least_runing", "--threshold", 0)
    assert done.returncode == 2 and "did you mean 'least_running'" in done.stderr


def test_the_command_prints_the_estimate(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text(
        """
        profile = "rspsim"
        warm_up = 105
        duration = 60
        observe_interval = 60
        [pool_elements.element]
        count = 1
        start = 100
        failures = { uptime = 100, downtime = 10, clean_shutdown_probability = 0 }
        """,
        encoding="utf-8",
    )
    few = ("--particles", 10, "--moves", 1, "--repetitions", 2, "--jobs", 1)
    done = command("rare-event", file, "--metric", "least_running", "--threshold", 1, *few)
    assert done.returncode == 0, done.stderr
    assert "probability" in done.stdout and "levels of least_running: 1" in done.stdout
