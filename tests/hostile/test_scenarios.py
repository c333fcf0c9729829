"""A few mutated scenarios and studies: refused with a line, or accepted."""

from tests.hostile.scenarios import (
    SWEEP,
    bases,
    examine,
    examine_study,
    mutated_scenarios,
    mutated_studies,
    toml,
)


def test_the_scenarios_and_the_study_that_are_mutated_are_valid(tmp_path):
    assert [examine(base) for base in bases()] == ["accepted"] * 5
    study = {**bases()[0], "series_interval": 1, "sweep": SWEEP}
    assert examine_study(toml(study), tmp_path) == "accepted"


def test_mutated_scenarios_are_refused_or_accepted():
    outcomes = {examine(table, run=False) for _, table in mutated_scenarios(1, 100)}
    assert {"refused", "accepted"} <= outcomes


def test_mutated_studies_are_refused_or_accepted(tmp_path):
    outcomes = {examine_study(text, tmp_path) for _, text in mutated_studies(1, 60)}
    assert outcomes == {"refused", "accepted"}


def test_a_seed_gives_the_same_again():
    assert list(mutated_studies(5, 20)) == list(mutated_studies(5, 20))
    # Values that are no numbers differ from themselves.
    assert repr(list(mutated_scenarios(5, 20))) == repr(list(mutated_scenarios(5, 20)))
