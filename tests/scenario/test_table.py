"""A scenario from a table, as notebooks and tests make it: `rsim.scenario({...})`."""

import pickle

import pytest

import rsim

TABLE = {
    "duration": "10min",
    "pool_elements": {"element": {"count": 3}},
    "pool_users": {"user": {"count": 9}},
}


def test_a_table_says_what_a_file_would(tmp_path):
    file = tmp_path / "scenario.toml"
    file.write_text(
        'duration = "10min"\n[pool_elements.element]\ncount = 3\n[pool_users.user]\ncount = 9\n'
    )
    assert rsim.scenario(TABLE) == rsim.load(file)


def test_overrides_change_the_scenario_and_not_the_table():
    changed = rsim.scenario(TABLE, {"pool_users.user.count": 5, "pools.pool.policy": "random"})
    assert changed.pool_users["user"].count == 5 and changed.pools["pool"].policy == "random"
    assert TABLE["pool_users"]["user"] == {"count": 9} and "pools" not in TABLE


def circular():
    table = {}
    table["network"] = table
    return table


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"durration": 1}, r"scenario: durration: unknown key; did you mean 'duration'\?"),
        ({"duration": -1}, r"scenario: duration: .*greater than .* \(it is -1\)"),
        ({"duration": "soon"}, r"scenario: duration: "),
        ({"pool_users": {"u": {"cuont": 1}}}, r"pool_users\.u\.cuont: .*did you mean 'count'\?"),
        ({"pools": {"pool": {"policy": "best"}}}, r"there is no policy 'best'"),
        ({"attackers": {"a": {"kind": "nobody"}}}, r"there is no kind of attacker 'nobody'"),
        ({1: 2}, r"scenario: 1: "),
        ([], r"scenario: \[\] is not a table"),
        (None, r"scenario: None is not a table"),
        (circular(), r"nested more than 30 levels deep"),
        ({"code": "mine.py"}, r"allow_code=True"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(table, text):
    with pytest.raises(rsim.ScenarioError, match=text) as caught:
        rsim.scenario(table)
    assert "\n" not in str(caught.value) and len(str(caught.value)) <= 300


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"duration": -1}, r"Scenario: duration: .* \(it is -1\)"),
        ({"durration": 1}, r"Scenario: durration: unknown key; did you mean 'duration'\?"),
        ({"pool_users": 5}, r"Scenario: pool_users: "),
        ({"pool_users": {"u": {"count": -1}}}, r"Scenario: pool_users\.u\.count: "),
    ],
)
def test_a_mistake_in_the_class_is_an_error_of_rsim(values, text):
    with pytest.raises(rsim.ScenarioError, match=text):
        rsim.Scenario(**values)


def test_settings_of_a_part_raise_an_error_of_rsim():
    from rsim.network import LinkSettings

    with pytest.raises(rsim.ScenarioError, match=r"LinkSettings: loss: .* \(it is 2\)"):
        LinkSettings(loss=2)


def test_code_that_is_allowed_is_found_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("")
    monkeypatch.chdir(tmp_path)
    made = rsim.scenario({"code": "mine.py"}, allow_code=True)
    assert made.code[0].file == str(tmp_path / "mine.py")


def test_a_scenario_is_pickled():
    made = rsim.scenario(TABLE)
    assert pickle.loads(pickle.dumps(made)) == made
