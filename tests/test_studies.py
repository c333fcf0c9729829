"""Studies are done again, and what has changed is told."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest

from rsim.errors import ResultError, ScenarioError
from rsim.studies import reproduce, studies
from rsim.sweep import load_study, sweep
from rsim.threats import FULL, run_threats, store_outcomes, threats


@pytest.fixture
def experiments(study_file, tmp_path):
    """A folder of one study with its kept results."""
    folder = tmp_path / "experiments" / "small"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text(study_file.read_text())
    sweep(load_study(folder / "study.toml"), tmp_path / "kept", jobs=1)
    (tmp_path / "kept" / "summary.csv").rename(folder / "summary.csv")
    return folder.parent


def cli(*arguments):
    command = [sys.executable, "-m", "rsim.cli", "reproduce", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_same_code_gives_the_same_figures(experiments, tmp_path):
    done = reproduce(experiments, "small", tmp_path / "new", jobs=1)
    assert done.changed.empty
    assert len(done.points) == len(pd.read_csv(experiments / "small" / "summary.csv"))
    assert {"small.png", "summary.csv", "runs.parquet"} <= {p.name for p in done.out.iterdir()}


def test_what_has_changed_is_named(experiments, tmp_path):
    file = experiments / "small" / "summary.csv"
    kept = pd.read_csv(file)
    chosen = kept["metric"] == "handling_speed_pct"
    kept.loc[chosen, "mean"] += 3 * kept.loc[chosen, "ci95"] + 1
    kept.to_csv(file, index=False)
    done = reproduce(experiments, "small", tmp_path / "new", jobs=1)
    assert set(done.changed["metric"]) == {"handling_speed_pct"}
    assert len(done.changed) == chosen.sum()
    told = cli("all", "--experiments", experiments, "--out", tmp_path / "again", "--jobs", 1)
    # Six of many figures are no more than chance explains.
    assert told.returncode == 0, told.stderr
    assert "small: 6 of" in told.stdout and "handling_speed_pct at arm=" in told.stdout
    kept["mean"] = kept["mean"] * 2 + 1
    kept.to_csv(file, index=False)
    assert cli("small", "--experiments", experiments, "--out", tmp_path / "third").returncode == 1


def test_mistakes_are_named(experiments, tmp_path):
    with pytest.raises(ScenarioError, match="there is no study 'large'; choose one of small"):
        reproduce(experiments, "large", tmp_path / "new")
    with pytest.raises(ScenarioError, match="holds no studies"):
        studies(tmp_path / "kept")
    told = cli("small", "--experiments", tmp_path / "nowhere")
    assert told.returncode == 2 and told.stderr.count("\n") == 1
    copytree(experiments / "small", experiments / "other")
    (experiments / "other" / "summary.csv").unlink()
    told = cli("other", "--experiments", experiments, "--out", tmp_path / "new", "--jobs", 1)
    assert told.returncode == 2 and "summary.csv: can't be read" in told.stderr


def test_threats_are_done_again_and_what_has_changed_is_named(experiments, tmp_path, monkeypatch):
    [one] = [threat for threat in threats() if threat.id == "2.5d"]
    monkeypatch.setattr("rsim.studies.threats", lambda: [one])
    kept = experiments / "threats"
    store_outcomes(run_threats([one], replace(FULL, seeds=2, duration=600.0), jobs=1), kept)
    assert studies(experiments) == ["small", "threats"]
    seen = []
    done = reproduce(
        experiments,
        "threats",
        tmp_path / "new",
        jobs=1,
        replications=2,
        progress=lambda *counts: seen.append(counts),
    )
    assert seen == [(0, 1, 0), (1, 1, 0)]
    assert done.changed.empty and list(done.points["arm"]) == ["baseline", "attack", "mitigated"]
    assert done.parameters == ["id", "arm"] and (done.out / "rows.csv").exists()
    rows = pd.read_csv(kept / "rows.csv")
    rows["attack"] += 3 * rows["attack_ci95"] + 1
    rows.to_csv(kept / "rows.csv", index=False)
    again = reproduce(experiments, "threats", tmp_path / "again", jobs=1, replications=2)
    assert list(again.changed["arm"]) == ["attack"]


def test_kept_results_of_another_study_are_told(experiments, tmp_path):
    file = experiments / "small" / "summary.csv"
    pd.read_csv(file).rename(columns={"arm": "branch"}).to_csv(file, index=False)
    with pytest.raises(ResultError, match="column 'branch' is not a parameter of the study"):
        reproduce(experiments, "small", tmp_path / "new", jobs=1)


def test_the_experiments_here_are_complete():
    """Each study has what its README promises: question, figure, table."""
    root = Path(__file__).parents[1] / "experiments"
    for name in studies(root):
        folder = root / name
        readme = (folder / "README.md").read_text(encoding="utf-8")
        for word in ("**Question.**", "**Method.**", "**Reading.**", "**Rerun.**"):
            assert word in readme, name
        assert list(folder.glob("*.png")) and list(folder.glob("*.csv")), name
        assert f"]({name}/README.md)" in (root / "README.md").read_text(encoding="utf-8")
        if name != "threats":
            load_study(folder / "study.toml", quick=True)
