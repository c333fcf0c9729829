"""What can't be worked out of stored results is told, and nothing is asked for in vain."""

import sys

import pytest

from rsim.cli.start import start
from rsim.sweep import load_study, sweep


@pytest.fixture
def rsim(monkeypatch, capsys):
    """Carries out a command in this process; gives exit code and what it told."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["rsim", *map(str, arguments)])
        return start(), capsys.readouterr().err

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


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--against", "run"], "arm 'run': no run of another arm"),
        (["--breaking", "pools.pool.policy", "--level", "5"], "has values such as 'random'"),
        (["--breaking", "security.resumption", "--level", "5"], "has values such as True"),
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
