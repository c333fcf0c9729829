import pandas as pd
import pytest

from rsim import plots
from rsim.errors import ResultError, RsimWarning


@pytest.fixture
def summary():
    rows = [
        ("attack", "random", x, "handling_speed_pct", 10.0 * x, 1.0) for x in (1.0, 2.0, 3.0)
    ] + [("calm", "random", None, "handling_speed_pct", 50.0, 1.0)]
    return pd.DataFrame(rows, columns=["arm", "policy", "x", "metric", "mean", "ci95"])


def test_lines_intervals_levels_and_references_show_the_numbers(summary):
    reference = pd.DataFrame(
        {"policy": "random", "x": [2.0, 9.0], "metric": "handling_speed_pct", "mean": [21.0, 0.0]}
    )
    axes = plots.plot_effect(
        summary,
        metric="handling_speed_pct",
        x="x",
        lines="policy",
        references=[("other", reference)],
    )
    curve, points, level = axes.lines[0], axes.lines[2], axes.lines[1]
    assert curve.get_ydata().tolist() == [10, 20, 30]
    assert set(level.get_ydata()) == {50.0}
    assert points.get_xdata().tolist() == [2.0]
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 9
    assert band[:, 1].max() == 31
    assert axes.get_ylabel() == "handling speed (% of a PE's capacity)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.5e5, "250,000"), (0.02, "0.02"), (True, "yes"), ("least_used", "least used"), (3, "3")],
)
def test_legends_call_values_as_people_do(summary, value, text):
    summary["policy"] = [value] * len(summary)
    axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x", lines="policy")
    assert axes.get_legend().get_texts()[0].get_text() == text


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_figures_are_saved_by_ending(summary, tmp_path, ending, start):
    axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x")
    path = plots.save(axes.figure, tmp_path / f"figure.{ending}")
    assert path.read_bytes().startswith(start)


def test_other_endings_and_unwritable_places_are_named(summary, tmp_path):
    axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x")
    with pytest.raises(ResultError, match=r"\.png, \.svg or \.pdf"):
        plots.save(axes.figure, tmp_path / "figure.xyz")
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="can't be written"):
        plots.save(axes.figure, tmp_path / "file" / "figure.png")


def test_a_zero_has_its_place_on_a_logarithmic_axis(summary):
    summary["x"] = summary["x"].replace({1.0: 0.0})
    with pytest.warns(RsimWarning, match="a logarithmic axis has no 0; below 2 this one is linear"):
        axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x", x_scale="log")
    assert axes.get_xscale() == "symlog"
    places = axes.transData.transform([(x, 0) for x in (0, 2, 3)])[:, 0]
    assert all(abs(place) < 1e6 for place in places) and sorted(places) == list(places)


def test_switches_are_drawn_beside_an_arm_that_has_none(summary):
    summary["x"] = pd.Series([True, False, True, None], dtype=object)
    axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x")
    assert len(axes.lines) == 2


def test_what_is_below_zero_is_in_sight(summary):
    summary["mean"] -= 100
    axes = plots.plot_effect(summary, metric="handling_speed_pct", x="x")
    assert axes.get_ylim()[0] < -90


def test_nothing_to_tell_apart_has_no_legend(summary):
    axes = plots.plot_effect(summary[:3], metric="handling_speed_pct", x="x")
    assert axes.get_legend() is None
