import pytest

from rsim.errors import ScenarioError
from rsim.scenario import Scenario, load
from rsim.scenario.schema import settings

GOOD = """
profile = "rspsim"
duration = "1h"
[network]
delay = "10ms"
[pool_elements.element]
count = 3
capacity = "1e6"
[pool_users.user]
request_size = { distribution = "exponential", mean = "1e7" }
[attackers.flood]
kind = "registration-flood"
interval = "500ms"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "scenario.toml"
        path.write_text(text)
        return path

    return write


def test_units_are_read(file):
    scenario = load(file(GOOD))
    assert scenario.duration == 3600
    assert scenario.network.delay.mean == 0.01
    assert scenario.pool_elements["element"].capacity == 1e6
    assert scenario.attackers["flood"].interval == 0.5


def test_profile_is_a_set_of_settings_that_the_file_may_change(file):
    scenario = load(file(GOOD + "[protocol.enrp_server]\nmax_resolution_items = 2\n"))
    server = scenario.protocol.enrp_server
    assert server.max_resolution_items == 2
    assert server.degradations_per_selection == 2
    assert Scenario().protocol.enrp_server.degradations_per_selection == 1


def test_overrides_by_dotted_path(file):
    scenario = load(file(GOOD), {"pool_elements.element.count": 7})
    assert scenario.pool_elements["element"].count == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[network]\ndelai = 1\n", "network.delai: unknown key; did you mean 'delay'?"),
        ("[network]\ndelay = -1\n", "network.delay.mean: .*greater than or equal to 0"),
        ('[network]\ndelay = "3 parsec"\n', "network.delay.mean: .*units are"),
        ('[pools.pool]\npolicy = "lest_used"\n', "pools.pool.policy: .*did you mean 'least_used'"),
        ("[pool_elements.element]\ncont = 3\n", "pool_elements.element.cont: .*'count'"),
        ('[attackers.a]\nkind = "flod"\n', "attackers.a: there is no kind of attacker 'flod'"),
        (
            '[attackers.a]\nkind = "registration-flood"\nintervall = 3\n',
            "attackers.a.intervall: .*'interval'",
        ),
        ("[pool_users.user]\nsite = 'moon'\n", "there is no site 'moon'"),
        ("[pool_users.user]\npool = 'other'\n", "there is no pool 'other'"),
        ("duration = nan\n", "duration"),
        ("duration = inf\n", "duration"),
        ("x = [\n", "not valid TOML"),
    ],
)
def test_mistakes_are_named(file, change, message):
    path = file(change)
    with pytest.raises(ScenarioError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ScenarioError, match="no such file"):
        load(tmp_path / "absent.toml")


def test_schema_lists_every_setting_with_a_description():
    listed = settings()
    paths = {setting.path for setting in listed}
    assert "protocol.pool_user.t1_enrp_request" in paths
    assert "pool_users.NAME.request_size.mean" in paths
    assert "attackers.NAME[registration-flood].interval" in paths
    assert [setting.path for setting in listed if not setting.description] == []
