"""What docs/simulation.md shows works."""

import re
from pathlib import Path

import pytest

from tests.results.kept import metrics_as_they_were

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


@pytest.fixture(autouse=True)
def nothing_stays():
    with metrics_as_they_were():
        yield


def test_the_page_works_from_top_to_bottom(capsys):
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert 0 <= names["result"].metrics["rejects_pct"] <= 100
    assert names["result"].seed == 1 and names["simulation"].now == 1200
    assert capsys.readouterr().out.startswith("300.0\nserving")
    assert set(names["server"].handlespace["policy"]) == {"least_used"}


def test_the_page_names_what_each_view_shows():
    from rsim.scenario import AttackerView, NetworkView, PoolElementView, PoolUserView, ServerView

    views = {
        "servers": ServerView,
        "pool_elements": PoolElementView,
        "pool_users": PoolUserView,
        "attackers": AttackerView,
        "network": NetworkView,
    }
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name, _ in rows} == views.keys()
    for name, shown in rows:
        own = {one for one, member in vars(views[name]).items() if isinstance(member, property)}
        assert set(re.findall(r"`(\w+)`", shown)) == own
