import importlib.util
import pkgutil
from pathlib import Path

import pytest
from hypothesis import settings

import rsim
from rsim.scenario import Scenario

# Tests of the source tree, which is missing where others run against a wheel.
SOURCE = Path(__file__).parents[1] / "rsim"
collect_ignore = (
    []
    if SOURCE.is_dir()
    else ["test_structure.py", "test_comments.py", "test_conformance.py", "tools"]
)

# How long an example takes says nothing on a machine that does other things, too.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_sessionstart(session):
    """Tests of a compiled module whose source has changed since would test something else."""
    root = Path(rsim.__file__).parent
    for module in pkgutil.walk_packages(rsim.__path__, "rsim."):
        source = root.joinpath(*module.name.split(".")[1:]).with_suffix(".py")
        file = Path(importlib.util.find_spec(module.name).origin)
        if file.parent != source.parent and source.exists() and newer(source, file):
            pytest.exit(
                f"{source} is newer than what was compiled of it: make .venv/built "
                "(COMPILE=OFF to edit Python)",
                4,
            )


def newer(file, other):
    return file.stat().st_mtime > other.stat().st_mtime


STUDY = """
name = "small study"
profile = "rspsim"
warm_up = "11min"
duration = "2min"
seed = 5

[pool_elements.element]
count = 2

[pool_users.user]
count = 3
request_size = { distribution = "exponential", mean = "1e6" }
request_interval = { distribution = "exponential", mean = 5 }

[attackers.flood]
kind = "registration-flood"
interval = "10s"

[sweep]
replications = 3
axes = { "pools.pool.policy" = ["random", "least_used"] }

[sweep.arms.attack]
axes = { "attackers.flood.interval" = [5, 20] }

[sweep.arms.baseline]
label = "no attack"
set = { "attackers.flood.count" = 0 }

[sweep.quick]
replications = 2
axes = { "attackers.flood.interval" = [20] }

[sweep.figure]
metric = "handling_speed_pct"
x = "attackers.flood.interval"
lines = "pools.pool.policy"

[[sweep.references]]
file = "reference.csv"
arm = "attack"
columns = { policy = "pools.pool.policy", interval = "attackers.flood.interval" }
values.policy = { Random = "random", LeastUsed = "least_used" }
metrics = { speed = "handling_speed_pct" }
"""

REFERENCE = """policy,interval,metric,mean,ci95,runs
Random,5,speed,50,1000,3
LeastUsed,20,speed,1e6,1,3
"""


@pytest.fixture
def study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    (tmp_path / "reference.csv").write_text(REFERENCE)
    return path


@pytest.fixture
def small():
    """A scenario that takes a few ms, with changes by keyword."""

    def make(policy="least_used", attackers=0, **changes):
        return Scenario.model_validate(
            {
                "profile": "rspsim",
                "warm_up": 900,
                "duration": 600,
                "pools": {"pool": {"policy": policy}},
                "enrp_servers": {"server": {"start": 10}},
                "pool_elements": {"element": {"count": 5, "registration_life": 30}},
                "pool_users": {
                    "user": {
                        "count": 10,
                        "request_interval": {"distribution": "exponential", "mean": 30},
                        "request_timeout": 10,
                    }
                },
                "attackers": {
                    "flood": {
                        "kind": "registration-flood",
                        "interval": 5,
                        "count": attackers,
                    }
                },
                **changes,
            }
        )

    return make
