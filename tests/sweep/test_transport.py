"""Worker processes know what a notebook or a script has registered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rsim
from rsim import registrations
from rsim.attackers import Attacker, attacker
from rsim.sweep import transport

from ..results.kept import metrics_as_they_were

SCRIPT = Path(__file__).with_name("registered_by_hand.py")


@pytest.mark.parametrize("way", ["script", "notebook"])
def test_workers_use_what_is_defined_by_hand(way, tmp_path):
    # A notebook has no file that another process could import; neither has standard input.
    command = [sys.executable, str(SCRIPT) if way == "script" else "-", str(tmp_path)]
    text = SCRIPT.read_text() if way == "notebook" else None
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (alone, none), (others, neither) = json.loads(done.stdout)
    assert alone == others and len(set(alone)) == 4
    assert none == neither == []


def test_what_rsim_and_files_of_scenarios_register_is_not_taken_along():
    registrations.note("attacker", "inner", Attacker)
    assert ("attacker", "inner") not in registrations.registered_by_hand()


def test_what_can_not_be_taken_along_is_named(monkeypatch):
    monkeypatch.setattr(registrations, "_by_hand", {})
    lock = __import__("threading").Lock()

    class Locked(Attacker):
        kind = "locked"
        key = lock

    monkeypatch.setattr("rsim.attackers.base._KINDS", {})
    attacker(Locked)
    with pytest.raises(rsim.ResultError, match="attacker 'locked': can't be taken to other"):
        transport.pack()


def test_a_metric_that_can_not_be_taken_along_is_named():
    lock = __import__("threading").Lock()
    with metrics_as_they_were():
        rsim.metric("locked")(lambda observation: lock.locked())
        with pytest.raises(rsim.ResultError, match="metric 'locked': can't be taken to other"):
            transport.pack()
