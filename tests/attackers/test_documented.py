"""The attacker that the documentation shows."""

import re
from pathlib import Path

import rsim
from rsim.attackers import attacker_kinds
from rsim.endpoints import PoolElementSettings, ServerSettings
from rsim.threats import threats

DOCS = Path(__file__).parents[2] / "docs" / "threats.md"
CODE = Path(__file__).parent / "own_attacker.py"


def test_the_page_shows_the_file():
    [shown] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert shown == CODE.read_text()
    assert len(shown.splitlines()) <= 30


def test_an_attacker_of_ones_own_attacks(tmp_path):
    (tmp_path / "own_attacker.py").write_text(CODE.read_text())
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        """
        code = "own_attacker.py"
        warm_up = "5min"
        duration = "10min"
        [pools.pool]
        policy = "least_used"
        [pool_elements.element]
        count = 3
        start = "10s"
        [pool_users.user]
        count = 6
        start = "20s"
        request_timeout = "5s"
        request_interval = 10
        request_size = 1e6
        [attackers.quitter]
        kind = "quitter"
        patience = 90
        start = "6min"
        """
    )
    result = rsim.run(rsim.load(scenario, allow_code=True))
    assert result.counters["attackers.attack_messages"] == 2
    assert result.metrics["diverted_share_pct"] > 0


def test_every_kind_and_every_threat_is_on_the_page():
    page = DOCS.read_text()
    own = {"quitter"}
    missing = [kind for kind in attacker_kinds() if kind not in own and f"`{kind}`" not in page]
    assert not missing, f"docs/threats.md does not name {missing}"
    assert {one.id[:2] for one in threats()} == {"2.", *(f"N{n}" for n in range(1, 9))}


def test_the_switches_exist():
    page = DOCS.read_text()
    for name in ("check_takeovers", "max_report_rate", "probe_before_removal", "error_interval"):
        assert f"`{name}`" in page and name in ServerSettings.model_fields
    for name in ("max_keep_alive_rate", "min_home_change_interval"):
        assert f"`{name}`" in page and name in PoolElementSettings.model_fields
