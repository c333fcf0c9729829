"""Requests from files: rates over time, or one by one."""

import itertools
import os

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import rsim
from rsim.distributions import Distribution
from rsim.errors import ScenarioError
from rsim.randomness import Streams
from rsim.workload.arrivals import ArrivalFile, from_file
from rsim.workload.intervals import at_intervals


def stream(number=1):
    return Streams(number).stream("user", "intervals")


@pytest.fixture
def table(tmp_path):
    def write(name="arrivals.csv", **columns):
        file = tmp_path / name
        frame = pd.DataFrame(columns)
        if name.endswith(".parquet"):
            frame.to_parquet(file)
        else:
            frame.to_csv(file, index=False)
        return ArrivalFile.model_validate(str(file))

    return write


def test_intervals_add_up():
    times = at_intervals(Distribution(distribution="fixed", mean=3.0).sampler, stream())
    assert list(itertools.islice(times, 3)) == [(3, None), (6, None), (9, None)]


def test_a_rate_over_time_is_a_poisson_process_with_that_rate(table):
    file = table(time=[0, 100, 200, 300], rate=[2.0, 0.0, 8.0, 0.0])
    times = np.array([t for seed in range(1, 101) for t, _ in from_file(file, 0, 1, stream(seed))])
    counts = [((times >= a) & (times < b)).sum() / 100 for a, b in ((0, 100), (200, 300))]
    assert counts[0] == pytest.approx(200, rel=0.03)
    assert counts[1] == pytest.approx(800, rel=0.02)
    assert len(times) == pytest.approx(100 * 1000, rel=0.02)
    assert not ((times >= 100) & (times < 200)).any()
    inside = times[times < 100] / 100
    assert kstest(inside, "uniform").pvalue > 1e-3


def test_a_group_shares_its_rate(table):
    file = table(time=[0, 1000], rate=[5.0, 0.0])
    per_user = [len(list(from_file(file, n, 10, stream(n)))) for n in range(10)]
    assert sum(per_user) == pytest.approx(5000, rel=0.06)
    assert max(per_user) < 600


@pytest.mark.parametrize("name", ["arrivals.csv", "arrivals.parquet"])
def test_requests_one_by_one(table, name):
    file = table(name, time=[3.0, 1.0, 2.0], user=[1, 2, 1], size=[10.0, 20.0, 30.0])
    assert list(from_file(file, 0, 2, stream())) == [(2.0, 30.0), (3.0, 10.0)]
    assert list(from_file(file, 1, 2, stream())) == [(1.0, 20.0)]


def test_users_take_turns_where_none_is_named(table):
    file = table(time=[1.0, 2.0, 3.0, 4.0, 5.0])
    assert [t for t, _ in from_file(file, 0, 2, stream())] == [1, 3, 5]
    assert [t for t, _ in from_file(file, 1, 2, stream())] == [2, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time,rate\n0,-1\n", "column 'rate': row 1 has -1; must be from 0 to"),
        ("time,rate\n0,x\n", "column 'rate': must hold numbers"),
        ("time,rate\n0,\n", "column 'rate': must hold numbers in each row; row 1 has none"),
        ("rate\n1\n", "needs a column 'time'"),
        ("time,rate,user\n0,1,1\n", "either rates or requests"),
        ("time,speed\n0,1\n", "column 'speed'"),
        ("time,size\n0,0\n", "column 'size': row 1 has 0; must be from 1e-09"),
        ("time,user\n0,0\n", "column 'user': row 1 has 0; must be a whole number from 1"),
        ("time,user\n0,1\n1,1.5\n", "column 'user': row 2 has 1.5; must be a whole number"),
        ("time,user\n0,99999\n", "names user 99999, but there are 1"),
        ("time,rate\n0,1e300\n", "column 'rate': row 1 has 1e.300"),
        ("time,rate\n0,1e7\n", "arrivals: makes 9e.10 requests in this time, at most 1e.08"),
        ("time,rate\n0,1\n0,2\n", "0 s is there twice"),
        ("time,rate\n0,1,2\n", "is not a table"),
        ("time,rate\n1,True\n2,False\n", "column 'rate': must hold numbers"),
        ("time\n1e10\n", "column 'time': row 1 has 1e.10; .*from_first = true"),
        ("time\n1e8\n", "makes no request before the run ends"),
        ("", "is not a table"),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path, content, message):
    (tmp_path / "arrivals.csv").write_text(content)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[pool_users.user]\narrivals = "arrivals.csv"\n')
    with pytest.raises(ScenarioError, match=message) as caught:
        rsim.load(scenario)
    assert "pool_users.user.arrivals" in str(caught.value)


def test_a_scenario_runs_on_a_file_beside_it(tmp_path):
    times = np.arange(1, 301, dtype=float)
    pd.DataFrame({"time": times, "size": 1e6}).to_csv(tmp_path / "day.csv", index=False)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        """
        warm_up = 0
        duration = "20min"
        [pool_elements.element]
        [pool_users.user]
        count = 3
        arrivals = "day.csv"
        """
    )
    result = rsim.run(rsim.load(scenario))
    assert len(result.requests) == 300
    assert sorted(result.requests["generated"] - 600) == times.tolist()
    assert result.metrics["requests_completed"] == 300


def test_a_file_that_has_changed_is_not_taken_for_the_old_one(table):
    file = table(time=[1.0])
    table(time=[2.0])
    with pytest.raises(ValueError, match="has changed"):
        ArrivalFile.model_validate(file.model_dump())


def test_a_target_utilisation_has_no_place_beside_a_file(tmp_path):
    pd.DataFrame({"time": [1.0]}).to_csv(tmp_path / "day.csv", index=False)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        """
        [pool_elements.element]
        [pool_users.user]
        count = 3
        target_utilisation = 0.5
        arrivals = "day.csv"
        """
    )
    with pytest.raises(ScenarioError, match="arrivals from a file"):
        rsim.load(scenario)


def scenario_of(folder, arrivals, more=""):
    file = folder / "scenario.toml"
    file.write_text(
        f"warm_up = 0\nduration = 2000\n[pool_users.user]\narrivals = {arrivals}\n{more}"
    )
    return rsim.load(file)


def test_files_of_others_name_their_columns_and_units(tmp_path):
    (tmp_path / "site.csv").write_text(
        "Web server of the campus\nrequests per minute\n"
        "when;GET/min;POST/min\n0;60;1\n6;120;1\n12;0;1\n"
    )
    scenario = scenario_of(
        tmp_path,
        '{ file = "site.csv", time = "when", rate = "GET/min", time_unit = "min", '
        'rate_unit = "1/min", separator = ";", skip = 2 }',
    )
    table = scenario.pool_users["user"].arrivals.table()
    assert table.to_dict("list") == {"time": [0.0, 360.0, 720.0], "rate": [1.0, 2.0, 0.0]}


def test_dates_count_from_the_first(tmp_path):
    (tmp_path / "log.csv").write_text(
        "stamp,bytes\n2026-03-01T00:00:10Z,500\n2026-03-01T00:00:00Z,700\n"
    )
    arrivals = '{ file = "log.csv", time = "stamp", size = "bytes", time_unit = "date" }'
    table = scenario_of(tmp_path, arrivals).pool_users["user"].arrivals.table()
    assert table.to_dict("list") == {"time": [0.0, 10.0], "size": [700.0, 500.0]}


def test_times_since_1970_count_from_the_first_if_that_is_said(tmp_path):
    (tmp_path / "log.csv").write_text("ms\n1700000000500\n1700000000000\n")
    arrivals = '{ file = "log.csv", time = "ms", time_unit = "ms", from_first = true }'
    table = scenario_of(tmp_path, arrivals).pool_users["user"].arrivals.table()
    assert table["time"].tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    ("arrivals", "message"),
    [
        (
            '{ file = "x.csv", time = "when" }',
            "there is no column 'when'; choose one of time, speed",
        ),
        ('{ file = "x.csv", rate_unit = "1/h" }', "rate_unit: does nothing without rate"),
        ('{ file = "x.csv", rate = "speed", user = "u" }', "either rates or requests"),
        ('{ file = "x.csv", time_unit = "week" }', "time_unit"),
        ('{ file = "x.csv", rate = "speed", time_unit = "date" }', "holds numbers, not dates"),
        ('"."', "is a folder, must be a regular file"),
        ('"pipe"', "is a FIFO, must be a regular file"),
        ('"/dev/zero"', "is a device, must be a regular file"),
        ('"none.csv"', "no such file"),
    ],
)
def test_settings_of_a_file_that_do_not_fit_it(tmp_path, arrivals, message):
    (tmp_path / "x.csv").write_text("time,speed\n0,1\n")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScenarioError, match=message) as caught:
        scenario_of(tmp_path, arrivals)
    assert "pool_users.user.arrivals" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_that_is_missing_from_a_nullable_column_is_named(table):
    with pytest.raises(ValueError, match=r"column .user.: must hold .*; row 2 has none"):
        table("a.parquet", time=[1.0, 2.0], user=pd.array([1, None], dtype="Int64"))


def test_an_interval_beside_a_file_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("time,size\n1,5\n")
    for setting in ("request_interval", "request_size"):
        with pytest.raises(ScenarioError, match=f"{setting}: does nothing beside arrivals"):
            scenario_of(tmp_path, '"a.csv"', f"{setting} = 5")
