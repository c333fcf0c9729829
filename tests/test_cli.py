import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STANDARD = Path(__file__).parent / "benchmarks" / "standard.toml"


def rsim(*arguments):
    command = [sys.executable, "-m", "rsim.cli", *map(str, arguments)]
    # Some library sets COLUMNS behind the back of Python: the environment is given in full.
    bare = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=bare)


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


SHORT = ["--set", "duration=1s", "--set", "warm_up=0"]


@pytest.mark.parametrize("written", ["the file", "a link to it"])
def test_a_capture_does_not_take_the_place_of_what_is_read(tmp_path, written):
    file, link = tmp_path / "scenario.toml", tmp_path / "link.toml"
    shutil.copy(STANDARD, file)
    link.symlink_to(file)
    done = rsim("run", file, "--pcap", file if written == "the file" else link, *SHORT)
    assert done.returncode == 2 and "is read, and would be lost" in done.stderr
    assert file.read_text() == STANDARD.read_text()


def test_a_chart_does_not_take_the_place_of_its_capture(tmp_path):
    file = tmp_path / "capture.pcapng"
    assert rsim("run", STANDARD, "--pcap", file, *SHORT).returncode == 0
    whole = file.read_bytes()
    done = rsim("trace", file, "--out", file)
    assert done.returncode == 2 and "is read, and would be lost" in done.stderr
    assert file.read_bytes() == whole


def test_a_fifo_that_nobody_reads_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    done = rsim("run", STANDARD, "--pcap", tmp_path / "fifo", *SHORT)
    assert done.returncode == 2 and "is a FIFO that nobody reads" in done.stderr


def test_a_fifo_that_somebody_reads_takes_a_capture(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        # It opens the FIFO before anything can be written to it.
        with fifo.open("wb"):
            done = rsim("run", STANDARD, "--pcap", fifo, *SHORT)
        assert done.returncode == 0
        assert reader.stdout.read(4) == b"\n\r\r\n"


def test_what_would_do_nothing_is_told(tmp_path):
    file = tmp_path / "capture.pcapng"
    done = rsim("run", STANDARD, "--pcap-decrypted", *SHORT)
    assert done.returncode == 2 and "does nothing without --pcap" in done.stderr
    assert rsim("run", STANDARD, "--pcap", file, *SHORT, "--set", "duration=6min").returncode == 0
    for options, told in (
        (["--begin", "nan"], "--begin: nan is not a time"),
        (["--begin", "2", "--end", "1"], "--end: 1 s is before --begin, 2 s"),
    ):
        done = rsim("trace", file, *options)
        assert done.returncode == 2 and told in done.stderr
    done = rsim("trace", file, "--host", "nobody")
    assert done.returncode == 0 and "messages is what you ask for" in done.stderr


def test_a_warning_of_a_library_is_one_line(tmp_path, study_file):
    text = study_file.read_text().replace("[sweep.figure]", '[sweep.figure]\ntitle = "\u65e5"')
    study_file.write_text(text)
    assert rsim("sweep", study_file, "--out", tmp_path / "out", "--quick").returncode == 0
    done = rsim("plot", tmp_path / "out")
    assert done.returncode == 0
    [line] = done.stderr.splitlines()
    assert line.startswith("rsim: warning: Glyph")


def test_a_pipe_gets_the_whole_of_every_setting():
    # Some library sets COLUMNS behind the back of Python: the environment is given in full.
    bare = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "rsim.cli", "schema"]
    piped, wide = (
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
        for environment in (bare, bare | {"COLUMNS": "5000"})
    )
    assert piped == wide
    assert max(map(len, piped.splitlines())) > 200


def test_a_narrow_terminal_gets_the_whole_of_every_name():
    command = [sys.executable, "-m", "rsim.cli", "schema"]
    environment = os.environ | {"COLUMNS": "60"}
    printed = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert max(map(len, printed.stdout.splitlines())) <= 60
    assert "\u2026" not in printed.stdout
