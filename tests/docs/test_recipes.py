"""The recipes of CONTRIBUTING.md: each kind has one, and the examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def recipe(title):
    """The text of one recipe."""
    found = re.search(rf"### Add {title}\b.*?\n(.*?)(?=\n##)", TEXT, re.S)
    assert found is not None
    return found[1]


@pytest.mark.skipif(not (ROOT / "rsim").is_dir(), reason="needs the source tree")
@pytest.mark.parametrize(
    "title",
    [
        "a policy in Python",
        "a policy natively",
        "an attacker",
        "a threat",
        "a detector",
        "a metric",
        "a setting",
        "a command",
        "a message parameter",
        "a figure",
        "a study",
    ],
)
def test_there_is_a_recipe_and_the_files_that_it_names_exist(title):
    text = recipe(title)
    for name in re.findall(r"`((?:rsim|tests|docs)/[\w/.]+\.\w+)`", text):
        if not re.search(r"[A-Z]{2}", name):
            assert (ROOT / name).is_file(), name
    for name in re.findall(r"`((?:rsim|tests)/[\w/]+/)`", text):
        assert (ROOT / name).is_dir(), name


RUN = """
import rsim
table = {
    "warm_up": 10,
    "duration": 60,
    "pool_elements": {"element": {"start": 1}},
    "pool_users": {"user": {"start": 5, "request_interval": 10}},
}
print(rsim.run(rsim.scenario(table)).metrics["handle_resolutions"])
table["attackers"] = {"a": {"kind": "noise", "interval": 0.5, "start": 20, "items": 2}}
print(rsim.run(rsim.scenario(table)).metrics["handle_resolutions"])
"""


def test_the_attacker_of_the_recipe_floods_a_server():
    [code] = re.findall(r"```python\n(.*?)```", recipe("an attacker"), re.S)
    # In a process of its own: the kind stays registered.
    done = subprocess.run([sys.executable, "-c", code + RUN], capture_output=True, text=True)
    assert not done.stderr
    calm, attacked = map(float, done.stdout.split())
    assert attacked - calm == pytest.approx(2 * 50, abs=2)
