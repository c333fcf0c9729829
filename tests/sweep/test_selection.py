"""The best value of an axis, chosen with the sweep engine."""

import sys

import numpy as np
import pytest

import rsim
from rsim.cli import main
from rsim.errors import ResultError, RsimWarning
from rsim.results import METRICS, choose_best
from rsim.sweep import best, load_study, open_report, runner

# Poisson arrivals at two elements that share their time; 1.6 requests/s, 3 and 1 served in a s.
UNEQUAL = """
name = "unequal elements"
warm_up = "15min"
duration = "15min"

# Each answer has one element, so that the server's choice is that of the user.
[protocol.enrp_server]
max_resolution_items = 1

[pool_elements.fast]
capacity = 3e6
[pool_elements.slow]

[pool_users.user]
count = 200
request_size = { distribution = "exponential", mean = 1e6 }
request_interval = { distribution = "exponential", mean = 125 }

[sweep]
[sweep.axes]
"pools.pool.policy" = ["random", "weighted_random", "round_robin"]
"""
POLICY = "pools.pool.policy"
HOW = {"metric": "handling_time_s", "over": POLICY, "indifference": 0.5, "jobs": 1}


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(UNEQUAL)
    return file


@pytest.fixture
def made_up(monkeypatch):
    """Has runs yield what a function of policy and seed gives, without doing them."""

    def replace(value):
        def outcomes(tasks, chosen):
            for task in tasks:
                given = value(task.point.parameters[POLICY], task.seed)
                row = dict.fromkeys(METRICS, 0.0) | {"digest": task.key, "handling_time_s": given}
                row |= {"measured_from": 0.0, "measured_to": 1.0}
                yield task, ({"error": "broken", "traceback": ""} if given is None else row)

        monkeypatch.setattr(runner, "outcomes", outcomes)

    return replace


def noisy(policy, seed):
    means = {"random": 3.0, "weighted_random": 1.0, "round_robin": 1.3}
    common = np.random.default_rng(seed).normal(0, 1)
    own = np.random.default_rng([seed, len(policy)]).normal(0, 0.5)
    return float(10 + means[policy] + common + own)


def test_the_policy_that_theory_calls_best_is_chosen(study, tmp_path):
    found = best(study, tmp_path / "out", **HOW)
    assert found.decided
    table = found.table.set_index(POLICY)
    # Of Poisson arrivals: weighted 0.75 / (3 - 1.2) + 0.25 / (1 - 0.4) = 5/6 s, random 0.5 /
    # (3 - 0.8) + 0.5 / (1 - 0.8) = 2.7 s; taking turns loads the slow element as much.
    assert table["best"].to_dict() == {
        "random": False,
        "weighted_random": True,
        "round_robin": False,
    }
    assert table.loc["weighted_random", "low"] < 5 / 6 * 1.02
    assert table.loc["weighted_random", "high"] > 5 / 6
    assert (table.loc[["random", "round_robin"], "low"] > 5 / 6 + 0.5).all()
    assert "at least 95%" in found.promise and "0.5 s" in found.promise


def test_what_is_left_out_gets_no_further_seeds_and_runs_are_shared(study, tmp_path, made_up):
    made_up(noisy)
    found = best(study, tmp_path / "out", **{**HOW, "indifference": 0.2}, most=200)
    table = found.table.set_index(POLICY)
    runs = found.sweep.runs.groupby(POLICY)["seed"].apply(list)
    assert table.loc["random", "eliminated"] < table.loc["round_robin", "eliminated"]
    assert len(runs["random"]) < len(runs["round_robin"]) == len(runs["weighted_random"])
    assert runs["random"] == runs["weighted_random"][: len(runs["random"])]
    # The choice is that of the procedure on the same values, whatever the rounds.
    policies = ["random", "weighted_random", "round_robin"]
    values = [[-noisy(policy, seed) for seed in range(1, 201)] for policy in policies]
    whole = choose_best(values, 0.2)
    assert table["eliminated"].tolist() == list(whole.eliminated)
    assert table["runs"].tolist() == [one or whole.runs for one in whole.eliminated]


def test_it_goes_on_from_what_is_stored_and_is_a_sweep_like_others(study, tmp_path, made_up):
    made_up(noisy)
    how = {**HOW, "indifference": 0.2}
    whole = best(study, tmp_path / "whole", **how)
    with pytest.warns(RsimWarning, match="none is chosen"):
        short = best(study, tmp_path / "out", **how, most=12)
    assert not short.decided and "No promise" in short.promise and not short.table["best"].any()
    again = best(study, tmp_path / "out", **how, resume=True)
    assert again.table.equals(whole.table) and again.decided
    report = open_report(tmp_path / "out")
    assert len(report.runs) == len(whole.sweep.runs) and not report.warnings


def test_higher_values_can_be_better(study, made_up):
    made_up(noisy)
    found = best(study, **HOW, better="higher")
    assert found.table.loc[found.table["best"], POLICY].tolist() == ["random"]


def test_equal_arms_end_with_a_choice(study, made_up):
    made_up(lambda policy, seed: float(np.random.default_rng([seed, len(policy)]).normal()))
    found = best(study, **HOW, most=300)
    assert found.decided and found.table["best"].sum() == 1


@pytest.mark.filterwarnings("ignore:the study")
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (lambda policy, seed: None if (policy, seed) == ("round_robin", 4) else 1.0, "seed 4"),
        (lambda policy, seed: float("nan") if seed == 7 else 1.0, "seed 7"),
    ],
    ids=["failed", "undefined"],
)
def test_a_run_without_value_is_named_and_what_is_done_is_stored(
    study, tmp_path, made_up, value, told
):
    made_up(value)
    with pytest.raises(ResultError, match=f"{told}.*has failed or has no value"):
        best(study, tmp_path / "out", **HOW)
    report = open_report(tmp_path / "out")
    assert len(report.runs) + len(report.failures) == 30


def test_other_parameters_have_a_choice_each(tmp_path, made_up):
    file = tmp_path / "study.toml"
    file.write_text(UNEQUAL + '"pool_users.user.start" = [0, 600]\n')
    made_up(noisy)
    found = best(file, **HOW)
    assert found.table.groupby("pool_users.user.start")["best"].sum().tolist() == [1, 1]
    assert "each choice" in found.promise


def test_arms_can_be_compared(tmp_path, made_up):
    file = tmp_path / "study.toml"
    file.write_text(
        UNEQUAL.partition("[sweep.axes]")[0]
        + f'[sweep.arms.a.set]\n"{POLICY}" = "random"\n'
        + f'[sweep.arms.b.set]\n"{POLICY}" = "weighted_random"\n'
        + '[sweep.axes]\n"pool_users.user.start" = [600]\n'
    )
    study = load_study(file)
    assert [point.arm for point in study.points] == ["a", "b"]
    found = best(study, **{**HOW, "over": "arm", "first": 2, "most": 2, "indifference": 100.0})
    assert found.table["arm"].tolist() == ["a", "b"] and found.decided


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"metric": "handling_time"}, "did you mean 'handling_time_s'"),
        ({"metric": "cookies_sent"}, "does not say which values are better"),
        ({"over": "pools.pool.polic"}, "did you mean 'pools.pool.policy'"),
        ({"over": "arm"}, "arm: has one value alone at pools.pool.policy = 'random'"),
        ({"indifference": -1.0}, "indifference: -1: must be"),
        ({"first": 20, "most": 10}, "first: 20: must be at least 2, and at most the 10 of most"),
        ({"most": 10**7}, "at most 10000000"),
    ],
)
def test_what_can_not_be_chosen_is_told_before_anything_runs(study, tmp_path, changed, told):
    with pytest.raises(ResultError, match=told):
        rsim.best(study, tmp_path / "out", **{**HOW, **changed})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("most", "code", "told"), [("200", 0, "at least 95%"), ("10", 1, "No")])
def test_the_command_prints_table_and_promise(
    study, tmp_path, made_up, monkeypatch, capsys, most, code, told
):
    made_up(noisy)
    options = ["--out", tmp_path / "out", "--metric", "handling_time_s", "--over", POLICY]
    options += ["--indifference", "0.2", "--most", most, "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["rsim", "best", str(study), *map(str, options)])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr().out
    assert (ended.value.code or 0) == code
    assert "weighted" in out and told in out
