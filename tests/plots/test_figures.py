"""Figures show the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest

import rsim
from rsim import plots
from rsim.errors import ResultError
from rsim.wire import HandleResolution

SCENARIO = {
    "warm_up": 300,
    "duration": 600,
    "observe_interval": 5,
    "series_interval": 15,
    "network": {"sites": ["north", "east", "south"], "topology": "star", "wan": {"delay": "50ms"}},
    "enrp_servers": {
        "steady": {"site": "north"},
        "failing": {"site": "east", "failures": {"schedule": "down@400s, up@+100s"}},
    },
    "pool_elements": {
        "element": {
            "count": 4,
            "start": 10,
            "site": ["north", "east"],
            "failures": {
                "what": "host",
                "uptime": {"distribution": "exponential", "mean": 100},
                "downtime": {"mean": 20},
            },
            "lie": {"kind": "load", "factor": 0, "share": 0.25},
        }
    },
    "pool_users": {
        "user": {
            "count": 10,
            "start": 20,
            "site": "south",
            "request_size": {"distribution": "exponential", "mean": 1e7},
            "target_utilisation": 0.5,
            "keep_alive_interval": 5,
            "keep_alive_timeout": 5,
        }
    },
}


@pytest.fixture(scope="module")
def scenario():
    return rsim.scenario(SCENARIO)


@pytest.fixture(scope="module")
def result(scenario):
    return rsim.run(scenario)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_a_metric_over_time(result):
    timeline = result.timeline(["utilisation_pct"])
    axes = plots.plot_over_time(timeline, "utilisation_pct", warm_up=300)
    x, y = axes.lines[0].get_data()
    assert x.tolist() == [7.5 + 15 * n for n in range(60)]
    np.testing.assert_allclose(y, timeline["utilisation_pct"])
    assert axes.get_ylabel() == "utilisation (%)"
    several = pd.concat([timeline.assign(arm="a", run=1), timeline.assign(arm="b", run=2)])
    assert len(plots.plot_over_time(several, "utilisation_pct", lines="arm").lines) == 2
    with pytest.raises(ResultError, match="not among these"):
        plots.plot_over_time(timeline, "rejects")


def test_divergence_and_servers_over_time(result):
    axes = plots.plot_divergence(result)
    assert axes.lines[0].get_ydata().max() == pytest.approx(100 * result.series["divergence"].max())
    [servers] = axes.get_figure().axes[1].lines
    assert {1, 2} <= set(servers.get_ydata()) <= {0, 1, 2}  # One fails now and then.


def test_loads_are_shares_of_capacity(result):
    axes = plots.plot_loads(result)
    values = axes.collections[0].get_array()
    assert values.shape == (4, 60)
    measured = np.asarray(values)[:, 20:]
    np.testing.assert_allclose(measured.mean(axis=1), 100 * result.observation.loads / 600)
    assert texts(axes) == ["lies"]


def test_requests_and_their_failovers(result):
    axes = plots.plot_failovers(result, begin=300, end=600, most=10)
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert len(shown) == 10
    assert any(text.startswith("failover") for text in texts(axes))
    with pytest.raises(ResultError, match="no requests between"):
        plots.plot_failovers(result, begin=0, end=10)


def test_the_mix_of_messages(result, scenario):
    axes = plots.plot_messages({"one": result, "two": rsim.run(scenario, 2)})
    kinds = [label.get_text() for label in axes.get_yticklabels()]
    assert "ASAP_REGISTRATION" in kinds and "ENRP_PRESENCE" in kinds
    assert "ASAP_BUSINESS_CARD" not in kinds
    bars = dict(zip(kinds, axes.containers[0], strict=True))
    sent = result.counters["network.enrp_presence"] / 600
    assert bars["ENRP_PRESENCE"].get_width() == pytest.approx(sent)


def test_the_topology(scenario):
    axes = plots.plot_topology(scenario)
    assert texts(axes).count("50 ms") == 2
    assert {"north", "east", "south", "2 pool elements", "10 pool users"} <= set(texts(axes))


def test_breaking_points():
    points = pd.DataFrame(
        {
            "mean": [3.0, 200.0, np.nan, np.nan],
            "low": [2.0, 190.0, 250.0, -np.inf],
            "high": [4.5, np.inf, np.inf, 3.0],
            "censored": ["", "", "above", "below"],
            "text": ["", "", "above 300", "below 1"],
        }
    )
    axes = plots.plot_breaking(points, labels=["a", "b", "c", "d"], x_label="messages/s")
    assert axes.lines[0].get_xdata()[0] == 3 and axes.lines[2].get_xdata()[0] == 200
    assert [list(axes.lines[n].get_xdata()) for n in (1, 3)] == [[2, 4.5], [190, 200]]
    assert texts(axes) == ["above 300", "below 1"] and axes.get_xscale() == "log"


def test_what_a_scenario_does_not_record_is_told(small):
    plain = rsim.run(small())
    for draw in (plots.plot_divergence, plots.plot_loads):
        with pytest.raises(ResultError, match="the scenario sets no"):
            draw(plain)


def test_objects_show_themselves_in_notebooks(scenario, result):
    assert "pool elements" in scenario._repr_html_() and "element" in scenario._repr_html_()
    assert "handling_speed_pct" in result._repr_html_()
    shown = HandleResolution(pool_handle=b"<pool>")._repr_html_()
    assert "ASAP_HANDLE_RESOLUTION" in shown and "bytes" in shown and "<pool>" not in shown
