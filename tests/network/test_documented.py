"""What docs/network.md shows works."""

import re
import tomllib
from pathlib import Path

import rsim

DOCUMENT = (Path(__file__).parents[2] / "docs" / "network.md").read_text()

SCENARIO = """
warm_up = "11min"
duration = "5min"
[pool_elements.element]
count = 3
failures = { uptime = 60, downtime = 5 }
[pool_users.user]
count = 3
request_size = "1e6"
request_interval = 5
"""


def test_documented_settings_are_valid():
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    table = tomllib.loads("".join(blocks))
    table["enrp_servers"]["server"]["site"] = "vienna"
    scenario = rsim.scenario(table)
    assert len(scenario.network.links()) == 2
    assert scenario.security.chosen_authorisation == "identity"


def test_documented_tap_drops_what_it_says(tmp_path):
    names = {}
    exec(re.search(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)[1], names)
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO)
    result, tap = names["attack"](file)
    assert tap.lost >= 3
    assert result.metrics["deregistrations"] == 0
