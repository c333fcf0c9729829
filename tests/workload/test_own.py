"""Workloads and services of one's own."""

from pathlib import Path

import pytest

import rsim
from rsim.errors import ScenarioError

CODE = Path(__file__).parent / "own_code.py"
SCENARIO = """
warm_up = "11min"
duration = "10min"
code = "own_code.py"
[network]
delay = "10ms"
[pools.pool]
policy = "least_used"
[pool_elements.element]
count = 2
service = "echo"
service_settings = { time = 0.5 }
[pool_users.user]
count = 4
workload = "pinger"
workload_settings = { interval = 5.0 }
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "own_code.py").write_text(CODE.read_text())
    (tmp_path / "scenario.toml").write_text(SCENARIO)
    return tmp_path


def test_code_runs_only_if_it_is_allowed(files):
    with pytest.raises(ScenarioError, match="--allow-code"):
        rsim.load(files / "scenario.toml")


def test_a_process_of_ones_own_uses_the_pool(files):
    result = rsim.run(rsim.load(files / "scenario.toml", allow_code=True))
    assert result.metrics["requests_completed"] > 300
    assert result.counters["pool_elements.completions"] > 300
    # 10 ms there, half a second of service, 10 ms back; more where two meet.
    assert 0.5199 <= result.metrics["handling_time_p50_s"] < 0.6


def test_the_same_seed_gives_the_same_with_code_of_ones_own(files):
    scenario = rsim.load(files / "scenario.toml", allow_code=True)
    assert rsim.run(scenario).digest == rsim.run(scenario).digest


def test_a_sweep_runs_it_in_other_processes(files):
    study = files / "study.toml"
    study.write_text(SCENARIO + '[sweep]\nreplications = 2\n[sweep.axes]\n"network.delay" = [0]\n')
    out = files / "out"
    results = rsim.sweep(rsim.load_study(study, allow_code=True), out, jobs=2)
    assert len(results.runs) == 2 and not results.failures
    from rsim.sweep import open_report

    report = open_report(out)
    result, digest = report.rerun(results.runs["run"][0], allow_code=True)
    assert result.digest == digest
    with pytest.raises(ScenarioError, match="--allow-code"):
        report.rerun(results.runs["run"][0])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\ny = 1 / 0\n", r"own_code.py, line 2: ZeroDivisionError"),
        ("def broken(:\n", r"own_code.py, line 1: SyntaxError"),
    ],
)
def test_mistakes_in_code_are_told_with_their_line(files, code, message):
    (files / "own_code.py").write_text(code)
    with pytest.raises(ScenarioError, match=message):
        rsim.load(files / "scenario.toml", allow_code=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('code = "own_code.py"', 'code = "absent.py"', "absent.py: no such file"),
        ('"pinger"', '"absent"', "pool_users.user.workload: there is no workload 'absent'"),
        ('"echo"', '"absent"', "pool_elements.element.service: there is no service 'absent'"),
    ],
)
def test_what_is_not_there_is_named(files, old, new, message):
    (files / "scenario.toml").write_text(SCENARIO.replace(old, new))
    with pytest.raises(ScenarioError, match=message):
        rsim.load(files / "scenario.toml", allow_code=True)


def test_a_class_with_a_start_will_do(files):
    (files / "own_code.py").write_text(
        CODE.read_text()
        + """
@workload("once")
class Once:
    def __init__(self, user, settings):
        self.user = user

    def start(self):
        self.user.counters.requests_generated += 1
"""
    )
    (files / "scenario.toml").write_text(SCENARIO.replace('"pinger"', '"once"'))
    scenario = rsim.load(
        files / "scenario.toml", {"warm_up": 0, "duration": "11min"}, allow_code=True
    )
    assert rsim.run(scenario).metrics["requests_generated"] == 4
