"""Runs give the same digest on every Python and every machine.

After a change that is meant to change results: `python -m tests.scenario.test_golden`.
"""

import json
from pathlib import Path

import pytest

import rsim
from rsim.threats import threat

from ..interpreted import call

FILE = Path(__file__).with_name("golden.json")
STANDARD = Path(__file__).parents[1] / "benchmarks" / "standard.toml"
SHORT = {"warm_up": 120.0, "duration": 240.0}

RUNS = {
    "standard run": lambda: rsim.load(STANDARD, {"duration": "10min"}),
    "failover": lambda: rsim.load(
        Path(__file__).parents[2] / "experiments" / "failover" / "study.toml", {"duration": "5min"}
    ),
    **{
        f"{name} {arm}": (lambda name=name, arm=arm: threat(name).scenario(arm, SHORT))
        for name, arm in (
            ("2.1", "attack"),
            ("2.8", "mitigated"),
            ("2.10b", "attack"),
            ("2.12c", "attack"),
            ("2.17a", "mitigated"),
            ("2.17b", "mitigated"),
        )
    },
}


def digests():
    """Digests of all runs by name."""
    return {name: rsim.run(scenario()).digest for name, scenario in RUNS.items()}


@pytest.mark.parametrize("name", RUNS)
def test_the_digest_is_the_one_that_is_kept(name):
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    assert rsim.run(RUNS[name]()).digest == kept[name]


def test_source_and_compiled_modules_give_the_same():
    assert call(digests) == json.loads(FILE.read_text(encoding="utf-8"))


def main():
    """Writes the digests of this code."""
    FILE.write_text(json.dumps(digests(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
