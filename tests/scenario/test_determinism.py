import os
import subprocess
import sys
from pathlib import Path

import pytest

from rsim.scenario import run

STANDARD = Path(__file__).parents[1] / "benchmarks" / "standard.toml"
PROGRAM = """
import sys, rsim
scenario = rsim.load(sys.argv[1], {"duration": "10min"})
print(rsim.run(scenario).digest)
"""


def digest_in_new_process(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", PROGRAM, str(STANDARD)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_digest_is_the_same_in_other_processes_with_other_hash_seeds():
    assert digest_in_new_process("0") == digest_in_new_process("12345")


def test_digest_is_the_same_after_other_runs_and_differs_by_seed(small):
    scenario = small(attackers=1)
    first = run(scenario)
    run(small("random"))
    assert run(scenario).digest == first.digest
    assert run(scenario, seed=2).digest != first.digest


@pytest.mark.parametrize(
    "policy", ["random", "round_robin", "least_used", "least_used_degradation"]
)
def test_arrivals_and_sizes_do_not_depend_on_attack_or_policy(small, policy):
    plain = run(small())
    other = run(small(policy, attackers=2))
    columns = ["user", "number", "size", "generated"]
    order = ["user", "number"]
    left = plain.requests[columns].sort_values(order, ignore_index=True)
    right = other.requests[columns].sort_values(order, ignore_index=True)
    assert len(left) > 100
    assert left.equals(right)
