"""Speeds of requests: those completed count with their own work, and none is above 100%."""

import numpy as np
import pytest

import rsim
from rsim.results.observation import Observation


def seen(generated, completed, sizes, capacity=1e6):
    """Requests that were accepted when they were generated; NaN: not completed."""
    times = np.array(generated, dtype=float)
    return Observation(
        begin=0.0,
        end=1e6,
        counters={},
        requests={
            "generated": times,
            "started": times,
            "accepted": times,
            "completed": np.array(completed, dtype=float),
            "size": np.array(sizes, dtype=float),
        },
        reference=capacity,
        fastest=capacity,
        queued_at_end=0,
        loads=np.zeros(2),
        liars=np.zeros(2, dtype=bool),
        cheats=np.zeros(len(times), dtype=bool),
    )


def test_it_is_the_work_over_what_the_fastest_element_does_in_the_time():
    assert seen([0, 10], [2, 14], [1e6, 2e6]).speed("generated") == pytest.approx(50)
    assert seen([0, 10], [2, np.nan], [1e6, 2e6]).speed("generated") == pytest.approx(50)
    assert np.isnan(seen([0], [np.nan], [1e6]).speed("generated"))


def test_a_request_that_ended_before_its_work_can_be_done_counts_as_fast_as_can_be():
    assert seen([0, 10], [1, 14], [9e6, 2e6]).speed("generated") == pytest.approx(60)


@pytest.mark.parametrize(
    "size",
    [
        {"distribution": "pareto", "mean": 1e8, "variation": 1.5},
        {"distribution": "exponential", "mean": 1e8},
    ],
)
def test_unfinished_work_raises_rspsims_speed_alone(size):
    above = []
    for seed in range(1, 9):
        run = {
            "seed": seed,
            "warm_up": 0,
            "duration": "10min",
            "pool_elements": {"element": {"count": 2, "start": 1}},
            "pool_users": {
                "user": {
                    "count": 6,
                    "start": 30,
                    "request_size": size,
                    "request_interval": 300.0,
                },
            },
        }
        metrics = rsim.run(rsim.scenario(run)).metrics
        for name in ("handling_speed_pct", "processing_speed_pct"):
            assert not metrics[name] > 100
            above.append(metrics[f"rspsim_{name}"] > 100)
    assert any(above)


def test_one_long_request_beside_short_ones(tmp_path):
    arrivals = tmp_path / "arrivals.csv"
    rows = ["0,2e10", *(f"{60 + 10 * n},1e6" for n in range(11))]
    arrivals.write_text("time,size\n" + "\n".join(rows) + "\n", encoding="utf-8")
    file = tmp_path / "scenario.toml"
    file.write_text(
        'warm_up = 0\nduration = "10min"\n[pool_elements.element]\ncount = 2\nstart = 1\n'
        "[pool_users.user]\ncount = 2\nstart = 30\n[pool_users.user.arrivals]\n"
        'file = "arrivals.csv"\n',
        encoding="utf-8",
    )
    metrics = rsim.run(rsim.load(file)).metrics
    assert metrics["rspsim_handling_speed_pct"] > 150
    assert 0 < metrics["handling_speed_pct"] <= 100
