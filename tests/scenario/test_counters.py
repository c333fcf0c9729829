"""The names of all counters are known, whoever is in a run."""

import rsim
from rsim.scenario.counters import known_counters

from ..results.test_counters import EVERYTHING


def test_all_counters_of_a_run_are_known():
    found = rsim.run(rsim.scenario(EVERYTHING)).counters.keys()
    assert found <= known_counters() and len(found) > 150


def test_counters_that_an_attacker_adds_are_known():
    assert "attackers.elements_known" in known_counters()
    assert "pool_users.elements_known" not in known_counters()
