"""What docs/servers.md shows works."""

import re
import tomllib
from pathlib import Path

import rsim
from rsim.endpoints import ServerSettings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "servers.md").read_text()


def test_documented_scenario_is_valid():
    [text] = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    scenario = rsim.scenario(tomllib.loads(text))
    assert scenario.enrp_servers["server"].failures.active


def test_documented_settings_exist():
    table = DOCUMENT[DOCUMENT.index("## Choices") :]
    named = set(re.findall(r"\| `(\w+)` \|", table))
    assert len(named) > 8
    assert named - set(ServerSettings.model_fields) <= {"register_on_adoption", "t7_scaling"}
