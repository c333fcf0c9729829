"""Figures and the report of threats."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from rsim.errors import ResultError
from rsim.threats import Effort, load_outcome, run_threats, threat, write_report
from rsim.threats.report import read_outcomes, store_outcomes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("threats")
    short = Effort(seeds=2, duration=60.0, search=False)
    store_outcomes(run_threats([threat("2.4"), threat("2.16")], short, jobs=1), where)
    return where


def test_each_threat_leaves_a_figure_and_a_row(folder):
    rows = pd.read_csv(folder / "rows.csv", dtype={"id": str})
    assert list(rows["id"]) == ["2.4", "2.16"]
    for name in ("baseline", "attack", "mitigated", "cost", "effect", "attack_messages_per_s"):
        assert name in rows
    for name in ("2.4", "2.16"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        document = json.loads((folder / f"{name}.json").read_text())
        assert set(document["arms"]) == {"baseline", "attack", "mitigated", "cost", "still"}


def test_what_was_stored_is_read_again(folder):
    first, second = read_outcomes(folder)
    assert (first.threat.id, second.threat.id) == ("2.4", "2.16")
    assert len(first.arms["attack"]["diverted_share_pct"]) == 2
    assert first.curve[0]["strength"] == 1


def test_the_report_stands_alone(folder):
    page = write_report(folder).read_text()
    assert "2.16" in page and "data:image/png;base64," in page
    assert "src='http" not in page and "href='http" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_report_opens_in_a_browser(folder, tmp_path):
    page = write_report(folder, tmp_path / "report.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"]
    done = subprocess.run(
        [CHROMIUM, *options, f"--user-data-dir={tmp_path}/p", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert "<h1>Threats to Reliable Server Pooling</h1>" in done.stdout
    assert done.stdout.count("<section") == 2
    assert done.stdout.count("<tr>") == 3


def test_mistakes_are_told(folder, tmp_path):
    with pytest.raises(ResultError, match="holds no outcomes"):
        read_outcomes(tmp_path)
    damaged = tmp_path / "2.4.json"
    damaged.write_text("{")
    with pytest.raises(ResultError, match="damaged"):
        load_outcome(damaged, threat("2.4"))


def test_the_command_line_lists_runs_and_reports(tmp_path):
    def rsim(*arguments):
        command = [sys.executable, "-m", "rsim.cli", "threats", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "2.16" in rsim().stdout
    done = rsim("run", "2.15", "--quick", "--seeds", 2, "--out", tmp_path, "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "2.15.png").exists()
    assert rsim("report", tmp_path).returncode == 0
    assert (tmp_path / "report.html").exists()
    unknown = rsim("run", "2.99", "--out", tmp_path)
    assert unknown.returncode == 2 and "no threat" in unknown.stderr
