"""The scenario and the study in the documentation are valid."""

import re
import tomllib
from pathlib import Path

import rsim
from rsim.sweep import load_study

DOCUMENT = Path(__file__).parents[2] / "docs" / "scenarios.md"


def test_documented_scenario_and_study_are_valid(tmp_path):
    found = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    scenario, arrivals, sweep, sample = found
    assert set(tomllib.loads(arrivals)) == {"pool_users"}
    checked = rsim.scenario(tomllib.loads(scenario))
    assert checked.pool_users["client"].count == 100
    file = tmp_path / "study.toml"
    file.write_text(scenario + sweep)
    assert len(load_study(file)) == (2 * 3 + 2) * 12
    assert len(load_study(file, quick=True)) == (2 * 3 + 2) * 3
    file.write_text(scenario + "[sweep]\nreplications = 2\n" + sample)
    # Adaptive precision begins with ten runs.
    assert len(load_study(file)) == 64 * 10
