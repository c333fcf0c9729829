"""Whatever goes wrong on the command line is told in one line, with an exit code of its own."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rsim.scenario
from tests.hostile.children import command, ended

STANDARD = Path(__file__).parent / "benchmarks" / "standard.toml"
SHORT = ("run", STANDARD, "--set", "duration=1min")


def rsim_process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "rsim.cli", *map(str, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests may ignore interrupts, which children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )


def told(process):
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run", "--frob", "x"], "No such option"),
        (["run", STANDARD, "--seed", "x"], "'--seed'"),
        (["run", STANDARD, "--set", "x=" + "[" * 5000], "nested too deep"),
        (["run", STANDARD, "--set", "seed=" + "9" * 5000], "--set seed"),
        (["run", STANDARD, "--set", "profile='" + "x" * 5000 + "'"], "profile"),
        (["run", STANDARD, "--set", "[/a]=1"], "unknown key"),
        (["run", "a\nb\x1b[2J.toml"], "no such file"),
        (["run", "x" * 5000], "can't be read: File name too long"),
        (["sweep", STANDARD, "--out", "[/a]"], "sweep: missing"),
        (["summary", "[/a]"], "no results here"),
        (["threats", "run", "[/]"], "there is no threat"),
    ],
)
def test_a_mistake_is_one_line_of_at_most_300_characters(arguments, message):
    found = ended(command(*arguments))
    assert found.code == 2 and message in found.err
    assert found.problem is None, found


def test_what_nobody_foresaw_is_called_a_defect_with_the_command_that_does_it_again(monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("a very\nlong " + "x" * 1000)

    monkeypatch.setattr(rsim.scenario, "load", broken)
    found = ended(command(*SHORT))
    assert found.code == 70
    assert found.err.startswith("rsim: this is a defect of rsim: ZeroDivisionError: a very long x")
    assert "RSIM_TRACEBACK=1 rsim run /" in found.err
    assert found.err.count("\n") == 1 and len(found.err) <= 301
    monkeypatch.setenv("RSIM_TRACEBACK", "1")
    assert "Traceback" in ended(command(*SHORT)).err


def test_an_error_in_your_own_code_names_the_file_and_the_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from rsim.endpoints import detector\n"
        "@detector('mine')\n"
        "class Mine:\n"
        "    def suspicious(self, kind, source, pool, now):\n"
        "        return no_such_name\n"
    )
    (tmp_path / "s.toml").write_text(
        "code = 'mine.py'\nwarm_up = 0\nduration = 60\n"
        "[protocol.enrp_server]\ndetector = 'mine'\n[pool_elements.e]\nstart = 1\n"
    )
    process = rsim_process("run", tmp_path / "s.toml", "--allow-code")
    code, out, line = told(process)
    assert (code, out, line.count("\n")) == (2, "", 1)
    assert "mine.py, line 5: NameError: name 'no_such_name' is not defined" in line
    assert "defect" not in line


def test_too_little_memory_is_told(monkeypatch):
    def large(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(rsim.scenario, "load", large)
    found = ended(command(*SHORT))
    assert found.code == 2 and found.err.startswith("rsim: out of memory; ")


def test_text_of_users_is_never_markup(study_file, tmp_path):
    text = study_file.read_text().replace('"small study"', '"[/]"')
    study_file.write_text(text.replace("[sweep.arms.attack]", '[sweep.arms."[/x]"]'))
    # The reference belongs to an arm by its old name.
    study_file.write_text(study_file.read_text().partition("[[sweep.references]]")[0])
    out = tmp_path / "[/a]"
    for arguments in (
        ("sweep", study_file, "--out", out, "--jobs", 1, "--replications", 2),
        ("summary", out),
        ("plot", out),
    ):
        found = ended(command(*arguments))
        assert found.code == 0 and found.problem is None, found
        assert "[/" in found.out


def test_formulas_in_labels_are_drawn_as_they_are(study_file, tmp_path):
    text = study_file.read_text().replace('label = "no attack"', 'label = "$\\\\foo$"')
    study_file.write_text(text.replace('lines = "pools.pool.policy"', 'title = "50 $"'))
    out = tmp_path / "out"
    sweep = ("sweep", study_file, "--out", out, "--jobs", 1, "--replications", 2)
    assert ended(command(*sweep)).code in (0, 2)


def test_a_full_device_is_told():
    with Path("/dev/full").open("w") as full:
        code, _, err = told(rsim_process(*SHORT, stdout=full))
    assert (code, err) == (2, "rsim: can't write the output: No space left on device\n")


def test_a_capture_that_can_not_be_written_is_told():
    code, _, err = told(rsim_process(*SHORT, "--pcap", "/dev/full"))
    assert code == 2 and err.count("\n") == 1 and "No space left on device" in err


def test_a_reader_that_leaves_ends_the_command_quietly():
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        code, _, err = told(rsim_process(*SHORT, stdout=closed))
    assert (code, err) == (1, "")


def test_a_terminal_without_its_signs_gets_others():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code, out, err = told(rsim_process(*SHORT, env=environment))
    assert (code, err) == (0, "")
    assert out.isascii() and "utilisation_pct" in out


def test_an_interrupt_at_any_time_ends_with_130_and_no_traceback():
    """From when the interpreter is there; before, an interrupt is its own."""
    chance = random.Random(1)
    for _ in range(12):
        process = rsim_process("run", STANDARD)
        # No limit on what a loaded machine takes: the line below is there from the beginning.
        time.sleep(chance.uniform(0.15, 1.2))
        process.send_signal(signal.SIGINT)
        code, _, err = told(process)
        assert "Traceback" not in err, err
        # By the signal itself where the interpreter was not there yet, which shells show as 130.
        assert code in (130, 0, -signal.SIGINT), (code, err)
