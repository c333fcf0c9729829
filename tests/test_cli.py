import json
import subprocess
import sys
from pathlib import Path

import pytest

STANDARD = Path(__file__).parent / "benchmarks" / "standard.toml"


def rsim(*arguments):
    command = [sys.executable, "-m", "rsim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_run_prints_json_and_repeats_itself():
    first, second = (
        rsim("run", STANDARD, "--set", "duration=2min", "--seed", 3, "--json") for _ in range(2)
    )
    document = json.loads(first.stdout)
    assert document["seed"] == 3
    assert document["metrics"]["requests_completed"] > 0
    assert first.stdout == second.stdout


def test_run_prints_a_table():
    done = rsim("run", STANDARD, "--set", "duration=1min")
    assert done.returncode == 0
    assert "utilisation_pct" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "absent.toml"], "absent.toml: no such file"),
        (["run", STANDARD, "--set", "network.delay=-1"], "network.delay"),
        (["run", STANDARD, "--set", "pools.pool.policy=magic"], "pools.pool.policy"),
        (["run", STANDARD, "--set", "nonsense"], "must be PATH=VALUE"),
        (["run", STANDARD, "--set", "seed.x=1"], "seed.x: 'seed' is a value"),
        (["sweep", STANDARD, "--out", "out"], "sweep: missing"),
        (["plot", "absent"], "no results here"),
        (["compare", "absent", "--reference", "x.csv"], "no results here"),
    ],
)
def test_mistakes_give_one_line_and_exit_code_2(arguments, message, tmp_path):
    done = rsim(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_negative_seed_is_refused():
    done = rsim("run", STANDARD, "--seed", -1)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_schema_shows_defaults():
    done = rsim("schema", "--json")
    assert "pool_users" in json.loads(done.stdout)["properties"]
    assert rsim("schema").returncode == 0


def test_sweep_plot_and_compare_work_on_one_folder(study_file, tmp_path):
    out = tmp_path / "results"
    done = rsim("sweep", study_file, "--out", out, "--quick", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    done = rsim("plot", out)
    assert done.returncode == 0, done.stderr
    assert (out / "results.png").read_bytes().startswith(b"\x89PNG")
    assert rsim("plot", out, "--out", out / "figure.svg").returncode == 0
    assert "<svg" in (out / "figure.svg").read_text()
    done = rsim("compare", out, "--reference", tmp_path / "reference.csv")
    assert done.returncode == 0, done.stderr
    assert "handling_speed_pct" in done.stdout


def test_capture_and_dissect_work_on_one_file(tmp_path):
    file = tmp_path / "run.pcapng"
    done = rsim("run", STANDARD, "--set", "duration=1s", "--set", "warm_up=301", "--pcap", file)
    assert done.returncode == 0, done.stderr
    done = rsim("dissect", file, "--json", "--limit", 20)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 20
    assert rows[0]["message"] == "ASAP_REGISTRATION"
    assert rows[0]["departure"] == 300
    assert rsim("dissect", "0500000c00090008706f6f6c").stdout.count("ASAP_HANDLE_RESOLUTION") == 1
    done = rsim("dissect", "not hex")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
