import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rsim.scenario import run
from tests.verification.determinism import differences, drawn

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


def test_random_deployments_give_one_digest_in_any_process():
    assert differences(drawn(20261130, 20)) == []


def test_a_scenario_with_proofs_of_choice_and_several_servers_does_not_depend_on_hash_seeds():
    table = {
        "warm_up": 0,
        "duration": 100,
        "security": {"proof_of_choice": True},
        "enrp_servers": {"server": {"count": 3}},
        "pools": {"pool": {"policy": "random"}},
        "pool_elements": {"e": {"count": 3, "start": 1}},
        "pool_users": {"u": {"count": 5, "start": 6, "request_size": 1e6, "request_interval": 5}},
    }
    assert differences([table]) == []


def test_the_digest_covers_events_messages_and_requests_and_no_counter(small):
    result = run(small())
    renamed = replace(
        result, observation=replace(result.observation, counters={"another.name": 1.0})
    )
    assert renamed.digest == result.digest
    assert replace(result, fingerprints=(1, 2)).digest != result.digest
    events, messages = result.fingerprints
    assert replace(result, fingerprints=(events, messages + 1)).digest != result.digest
    sizes = {**result.request_columns, "size": result.request_columns["size"] + 1}
    assert replace(result, request_columns=sizes).digest != result.digest


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
