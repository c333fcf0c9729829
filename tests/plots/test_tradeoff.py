"""Trade-offs between two metrics."""

import pandas as pd

from rsim import plots


def test_each_setting_is_a_point_and_each_line_a_curve():
    rows = [
        {"arm": "roc", "level": level, "accusers": accusers, "metric": metric, "mean": mean}
        | {"ci95": 0.5, "runs": 3}
        for accusers in (1, 3)
        for level in (1.0, 2.0, 3.0)
        for metric, mean in (("false_penalties", 9 - 3 * level), ("liars_found_pct", 40 * level))
    ]
    axes = plots.plot_tradeoff(
        pd.DataFrame(rows),
        metric="liars_found_pct",
        against="false_penalties",
        x="level",
        lines="accusers",
        arms={"roc": "levels"},
    )
    assert len(axes.containers) == 2
    assert [text.get_text() for text in axes.texts[:3]] == ["1", "2", "3"]
    assert "1000 h" in axes.get_xlabel()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["levels, accusers 1", "levels, accusers 3"]
