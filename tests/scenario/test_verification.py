"""The verification page in short: theory against simulation, few runs a row."""

import pytest

from tests.verification.page import ROWS, text, verdict
from tests.verification.rows import joint, outcome_of

TO_THE_LETTER = [
    (number, row) for number, row in enumerate(ROWS) if not row.approximate and row.expected != 0
]


@pytest.fixture(scope="module")
def outcomes():
    return [outcome_of(row, number, 4) for number, row in TO_THE_LETTER]


def test_simulation_agrees_with_theory(outcomes):
    """Rows are many tests, so they are judged together; one in a thousand of good pages fails."""
    _, number, p = joint(outcomes)
    assert number >= 50
    assert p > 0.001, [(one.row.name, one.z) for one in outcomes if abs(one.z) > 2]


def test_what_must_be_exact_is(outcomes):
    exact = [one for one in outcomes if one.row.exact]
    assert len(exact) > 10
    assert not [one for one in exact if not one.holds]


def test_the_page_shows_all_rows(outcomes):
    page = text(outcomes)
    assert len(ROWS) >= 60
    assert all(one.row.name in page for one in outcomes)
    assert verdict(outcomes) in page and "WRONG" not in page
