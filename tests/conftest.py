import pytest

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
