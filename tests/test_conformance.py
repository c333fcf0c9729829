"""The conformance table does not drift from the tests, and the tests notice errors in the code."""

import subprocess
import sys

import pytest

from .conformance import ROOT, named_tests, requirements, row_of, shown_by
from .conformance.marks import marks
from .conformance.page import PAGE, page, status
from .mutants import native
from .mutants.catalogue import CatalogueError, Mutant, mutants

ROWS = {row["id"]: row for row in requirements()}


def test_each_row_is_listed_once():
    assert len(ROWS) == len(requirements()) > 500


@pytest.mark.parametrize("row", requirements(), ids=lambda row: row["id"])
def test_each_row_is_shown_a_deviation_or_not_applicable(row):
    kind = status(row)
    if kind == "shown":
        assert shown_by(row["id"]) and not row["reason"] and not row["setting"]
    elif kind == "deviation":
        assert row["reason"] and row["setting"]
    else:
        assert row["reason"] and not shown_by(row["id"])


def test_marks_name_rows():
    known = set(ROWS) | {row_of(name) for name in ROWS}
    assert set(marks()) <= known


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.conformance.page"


def test_mutants_fit_the_code_and_name_rows_or_tests():
    every = mutants()
    known = set(ROWS) | {row_of(name) for name in ROWS}
    assert len({one.number for one in every}) == len(every)
    for one in every:
        text = (ROOT / one.file).read_text(encoding="utf-8")
        assert one.applied(text) != text
        for name in one.shows:
            assert name in known or (ROOT / "tests" / name).exists(), str(one)
            assert named_tests((name,)), str(one)


def test_native_mutants_can_be_woven_into_one_source():
    every = [one for one in mutants() if one.native]
    for file in {one.file for one in every}:
        here = [one for one in every if one.file == file]
        text = native.woven((ROOT / file).read_text(encoding="utf-8"), here)
        assert all(str(one.number) in text for one in here)


def a_mutant(old, new="", after=""):
    return Mutant(1, "rsim/clock.py", ("ASAP-001",), "an error", after, old, new)


def test_a_text_that_is_gone_or_ambiguous_is_an_error():
    with pytest.raises(CatalogueError, match="no more"):
        a_mutant("gone").applied("here")
    with pytest.raises(CatalogueError, match="more than once"):
        a_mutant("x").applied("x x")
    assert a_mutant("x", "y", "b").applied("a x b x") == "a x b y"
    with pytest.raises(CatalogueError, match="overlaps"):
        native.woven("abcdef", [a_mutant("abcd"), a_mutant("cdef")])


def test_a_sample_of_mutants_is_killed():
    """A hundred of those in Python; `make conformance` runs all."""
    command = [sys.executable, "-m", "tests.mutants", "--sample", "100", "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
