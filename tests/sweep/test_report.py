"""What can't be worked out of stored results is told, and nothing is asked for in vain."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from rsim.cli import main
from rsim.errors import ResultError, RsimWarning
from rsim.sweep import Report, load_study, open_report, sweep
from rsim.sweep.table import SweepTable


@pytest.fixture
def rsim(monkeypatch, capsys):
    """Carries out a command in this process; gives exit code and what it told."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["rsim", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return command


@pytest.fixture
def one_arm(study_file, tmp_path):
    text = study_file.read_text().partition("[sweep]")[0]
    study_file.write_text(f"""{text}
[sweep]
replications = 2
[sweep.axes]
"pools.pool.policy" = ["random", "least_used"]
"security.resumption" = [true, false]
""")
    sweep(load_study(study_file), tmp_path / "out", jobs=1)
    return tmp_path / "out"


@pytest.mark.filterwarnings("ignore:the study")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--against", "run"], "arm 'run': no run of another arm"),
        (["--breaking", "pools.pool.policy", "--level", "5"], "has values such as 'random'"),
        (["--breaking", "security.resumption", "--level", "5"], "has values such as True"),
        (["--against", "run", "--control"], "--control: does nothing with --against"),
        (["--breaking", "x", "--level", "5", "--no-control"], "--control: does nothing with --br"),
        (["--level", "5"], "--level: does nothing without --breaking"),
        (["--share", "0.5"], "--share: does nothing without --breaking"),
        (["--breaking", "x", "--level", "nan"], "--level: nan: must be a finite number"),
        (["--breaking", "x", "--level", "5", "--share", "0.5"], "--share: must be above 0"),
        (["--breaking", "x", "--against", "run", "--share", "-1"], "--share: must be above 0"),
    ],
)
def test_a_summary_that_there_is_not_is_told(rsim, one_arm, options, told):
    code, line = rsim("summary", one_arm, *options)
    assert code == 2 and told in line and line.count("\n") == 1


PANEL = {"x": "attackers.flood.interval"}


@pytest.fixture
def stored(study_file, tmp_path):
    sweep(load_study(study_file, replications=1), tmp_path / "out", jobs=1)
    return tmp_path / "out"


@pytest.mark.parametrize(
    "change",
    [
        {"figure": [{"x": "nope"}]},
        {"figure": [{"x": "seed"}]},
        {"figure": [{**PANEL, "lines": "nope"}]},
        {"figure": [{**PANEL, "arms": ["nope"]}]},
        {"figure": [{**PANEL, "where": {"pools.pool.policy": ["random"]}}]},
        {"figure": [{"x": "nope", "against": "accepts"}]},
        {"references": [{"file": "x", "columns": {"a": "nope"}, "metrics": {"a": "accepts"}}]},
        {"arms": {"other": {}}},
    ],
)
def test_a_manifest_that_does_not_fit_the_runs_is_told(rsim, stored, change):
    manifest = json.loads((stored / "manifest.json").read_text())
    manifest["sweep"] |= change
    (stored / "manifest.json").write_text(json.dumps(manifest))
    code, line = rsim("plot", stored)
    assert code == 2 and f"{stored}: damaged" in line and line.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"arm": 5},
        {"arm": None},
        {"arm": "nope"},
        {"seed": -1},
        {"run": range(6)},
        {"pools.pool.policy": "{bad"},
        {"pools.pool.policy": [["random"]] * 6},
    ],
)
@pytest.mark.parametrize("command", ["rerun", "plot", "summary"])
def test_runs_that_are_none_of_the_study_are_told(rsim, stored, command, change):
    runs = pd.read_parquet(stored / "runs.parquet")
    runs.assign(**change).to_parquet(stored / "runs.parquet", index=False)
    options = ["--run", runs["run"][0]] if command == "rerun" else []
    code, line = rsim(command, stored, *options)
    assert code == 2 and f"{stored}: damaged runs: " in line and line.count("\n") == 1


@pytest.mark.parametrize(
    "row",
    [
        {"run": "x"},
        {"run": "x", "seed": 1, "arm": "nope"},
        {"run": "x", "seed": "1", "arm": "attack"},
        {"run": "x", "seed": [1], "arm": ["attack"]},
        {"run": "x", "seed": 1, "arm": "attack", "pools.pool.policy": ["random"]},
        {"run": "x", "seed": 1, "arm": "attack", "pools.pool.policy": "{bad"},
    ],
)
def test_failures_that_are_none_of_the_study_are_told(rsim, stored, row):
    (stored / "failures.json").write_text(json.dumps([row]))
    code, line = rsim("rerun", stored, "--run", "x")
    assert code == 2 and f"{stored}: damaged runs: " in line and line.count("\n") == 1


@pytest.mark.parametrize("command", ["plot", "summary"])
def test_a_metric_that_the_stored_runs_lack_is_told(rsim, stored, command):
    runs = pd.read_parquet(stored / "runs.parquet")
    runs.drop(columns="handling_speed_pct").to_parquet(stored / "runs.parquet", index=False)
    code, line = rsim(command, stored)
    assert code == 2 and "the stored runs have no metric 'handling_speed_pct'" in line


def test_a_figure_of_no_runs_is_told(rsim, stored):
    runs = pd.read_parquet(stored / "runs.parquet")
    runs[:0].to_parquet(stored / "runs.parquet", index=False)
    code, line = rsim("plot", stored)
    assert code == 2 and "no run is finished yet" in line


def test_a_metric_that_is_undefined_everywhere_is_told(rsim, study_file, tmp_path):
    text = study_file.read_text()
    study_file.write_text(
        text.replace('metric = "handling_speed_pct"', 'metric = "takeover_time_s"')
    )
    sweep(load_study(study_file, replications=1), tmp_path / "out", jobs=1)
    code, line = rsim("plot", tmp_path / "out")
    assert code == 0 and "takeover_time_s: is defined at no point that is shown" in line


def test_a_comparison_without_runs_is_told(study_file, tmp_path):
    out = tmp_path / "out"
    sweep(load_study(study_file, replications=1), out, jobs=1)
    (out / "runs.parquet").unlink()
    with pytest.warns(RsimWarning, match="0 of 6 runs so far"):
        report = open_report(out)
    with pytest.raises(ResultError, match="no run is finished yet"):
        report.compare(tmp_path / "reference.csv")


@pytest.fixture
def policies():
    """Two policies whose services differ without the attack, too."""
    rows = [
        {"arm": arm, "policy": policy, "attack.interval": x, "seed": seed}
        | {"completed_share_pct": value + seed / 10}
        for seed in range(4)
        for policy, calm, slope in (("random", 90.0, 2.0), ("round robin", 50.0, 1.0))
        for arm, x, value in (
            ("baseline", None, calm),
            *(("attack", x, calm - slope * (40 - x)) for x in (10.0, 20.0, 30.0, 35.0, 40.0)),
        )
    ]
    runs = pd.DataFrame(rows)
    return Report(
        runs=runs,
        summary=pd.DataFrame(),
        parameters=["arm", "policy", "attack.interval"],
        sweep=SweepTable(),
        study=Path("study.toml"),
        table={},
    )


def test_breaking_points_are_paired_with_the_same_points_baseline(policies):
    points = policies.breaking_points("attack.interval", "completed_share_pct", arm="baseline")
    points = points.set_index("policy")
    # 90% of 90 are lost where 2 * (40 - x) is 9, and of 50 where 40 - x is 5.
    assert points.loc["random", "mean"] == pytest.approx(35.5, abs=0.2)
    assert points.loc["round robin", "mean"] == pytest.approx(35.0, abs=0.2)
    assert points["runs"].tolist() == [4, 4]


def test_what_is_better_has_to_be_known(policies):
    with pytest.raises(ResultError, match="does not say which values are better"):
        policies.runs["utilisation_pct"] = policies.runs["completed_share_pct"]
        policies.breaking_points("attack.interval", "utilisation_pct", level=50)
    given = policies.breaking_points(
        "attack.interval", "utilisation_pct", level=45, better="higher"
    )
    assert given["mean"].notna().all()


def test_differences_tell_runs_without_a_partner(policies):
    policies.runs.loc[
        (policies.runs["arm"] == "baseline") & (policies.runs["seed"] == 0), "completed_share_pct"
    ] = float("nan")
    rows = policies.differences("baseline", ["completed_share_pct"])
    assert (rows["runs"] == 3).all() and (rows["of"] == 4).all()
    assert rows["mean"].notna().all()
