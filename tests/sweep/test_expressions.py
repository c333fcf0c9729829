"""Values that follow from others."""

import pytest

from rsim.errors import ScenarioError
from rsim.sweep.expressions import evaluate
from rsim.sweep.study import load_study

SETTINGS = {
    "a.b": 4.0,
    "c": 3,
    "delay": "10ms",
    "name": "x",
    "flag": True,
    "huge": 10**400,
    "table": {"a": [1] * 1000},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 * a.b + c", 11),
        ("-c ** 2", -9),
        ("(c + 1) // 3 % 2", 1),
        ("max(a.b, c, 1) / sqrt(a.b)", 2),
        ("round(2.6) + abs(-1) + min(c, 1)", 5),
        ("delay * 1000", 10),
    ],
)
def test_arithmetic(expression, value):
    assert evaluate(expression, SETTINGS.__getitem__) == pytest.approx(value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("__import__('os')", "no function"),
        ("(lambda: 1)()", "only numbers, paths"),
        ("a.b if c else 1", "only numbers, paths"),
        ("[1][0]", "only numbers, paths"),
        ("'text'", "only numbers, paths"),
        ("True", "only numbers, paths"),
        ("name", "is not a number"),
        ("flag", "must be a number"),
        ("1 / 0", "division"),
        ("9 ** 9 ** 9", "a value is too large"),
        ("9**1000", "a value is too large"),
        ("((9**999)**999)**999", "a value is too large"),
        ("exp(1000)", "a value is too large"),
        ("1e308 * 10", "no finite value"),
        ("1e999 - 1e999", "no finite value"),
        ("abs((-8) ** 0.5)", "0.5 is not a real number"),
        ("9" * 900, "too large"),
        ("٣ + 1", "can't be read"),
        ("1 +\n* 2", "can't be read"),
        ("\0", "can't be read"),
        ("(" * 400 + "1" + ")" * 400, "can't be read"),
        ("-" * 900 + "1", "more than 50 deep|can't be read"),
        ("+".join("1" * 99), "more than 50 deep"),
        ("round(1.5, 1e9)", "number of digits"),
        ("round(1.5, 0.5)", "number of digits"),
        ("min()", "need values"),
        ("huge", "too large"),
        ("table", "must be a number"),
        ("10.0 ** 900", "too large"),
        ("(-8) ** 0.5", "0.5 is not a real number"),
        ("1 +", "can't be read"),
        ("1" * 2000, "at most 1000"),
        ("exp(a.b, c)", "exactly one argument"),
    ],
)
def test_anything_else_is_refused(expression, message):
    with pytest.raises(ScenarioError, match=message) as caught:
        evaluate(expression, SETTINGS.__getitem__)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 * c", 6),
        ("c / 2", 1.5),
        ("round(a.b / 3)", 1),
        ("round(a.b / 3, 1)", 1.3),
        ("2**60", 2**60),
    ],
)
def test_whole_numbers_are_whole(expression, value):
    found = evaluate(expression, SETTINGS.__getitem__)
    assert found == value
    assert isinstance(found, int) == (value == int(value) and abs(value) <= 2**53)


STUDY = """
[pool_elements.element]
[pool_users.user]
[sweep]
replications = 1
[sweep.axes]
"pool_users.user.keep_alive_interval" = [1, 5]
[sweep.derived]
"pool_users.user.keep_alive_timeout" = "2 * pool_users.user.keep_alive_interval"
"pool_users.user.request_timeout" = "pool_users.user.keep_alive_timeout + 1"
"""


def test_a_study_derives_values_at_each_point(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    users = [point.scenario.pool_users["user"] for point in load_study(file).points]
    assert [(u.keep_alive_timeout, u.request_timeout) for u in users] == [(2, 3), (10, 11)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2 * pool_users", "2 * pool_user", "sweep.derived.*keep_alive_timeout.*'pool_user'"),
        ("2 * pool_users", "- pool_users", "keep_alive_timeout"),
        ("2 * pool_users", "print(pool_users", "keep_alive_timeout.*can't be read"),
    ],
)
def test_mistakes_name_the_value(tmp_path, old, new, message):
    file = tmp_path / "study.toml"
    file.write_text(STUDY.replace(old, new))
    with pytest.raises(ScenarioError, match=message):
        load_study(file)
