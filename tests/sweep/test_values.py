"""Parameters: each axis's values in one form, checked before anything runs."""

import json
import os

import pandas as pd
import pytest

import rsim
from rsim.errors import ScenarioError
from rsim.sweep import load_study, open_report, sweep
from rsim.sweep.values import overlap, value_of

BASE = """
warm_up = 0
duration = 20
[pool_elements.element]
start = 1
[pool_users.user]
count = 2
start = 2
request_size = 1e5
request_interval = 5
[attackers.flood]
kind = "report-flood"
start = 5
count = 0
"""


def study(folder, text, base=BASE):
    file = folder / "study.toml"
    file.write_text(f"{base}\n[sweep]\nreplications = 1\n{text}")
    return file


def parameters(folder, text):
    return [point.parameters for point in load_study(study(folder, text)).points]


def test_times_and_numbers_become_what_the_scenario_holds(tmp_path):
    found = parameters(
        tmp_path,
        '[sweep.axes]\n"network.delay" = [0.01, "20ms", 1]\n'
        '"pool_elements.element.capacity" = ["1e6"]',
    )
    assert [one["network.delay"] for one in found] == [0.01, 0.02, 1]
    assert [one["pool_elements.element.capacity"] for one in found] == [1e6] * 3


def test_numbers_stay_as_they_are_written_so_that_keys_of_runs_do(tmp_path):
    found = parameters(tmp_path, '[sweep.axes]\n"attackers.flood.interval" = [5, 2.5]')
    assert (
        json.dumps(found) == '[{"attackers.flood.interval": 5}, {"attackers.flood.interval": 2.5}]'
    )


def test_tables_and_lists_become_compact_text(tmp_path):
    file = study(
        tmp_path,
        '[sweep.axes]\n"pool_users.user.request_size" = [\n'
        '  { distribution = "exponential", mean = "1e5" }, { mean = 1e5 }, 2e5,\n]\n'
        '"pool_elements.element.site" = [["lan"]]',
    )
    loaded = load_study(file)
    assert [point.parameters for point in loaded.points] == [
        {"pool_users.user.request_size": text, "pool_elements.element.site": '["lan"]'}
        for text in (
            '{"distribution":"exponential","mean":100000.0}',
            '{"mean":100000.0}',
            '{"mean":200000.0}',
        )
    ]
    sizes = [point.scenario.pool_users["user"].request_size for point in loaded.points]
    assert [size.distribution for size in sizes] == ["exponential", "fixed", "fixed"]
    out = tmp_path / "out"
    assert len(sweep(loaded, out, jobs=1).runs) == 3
    for key, digest in zip(*(rsim.read(out)[name] for name in ("run", "digest")), strict=True):
        assert open_report(out).rerun(key)[0].digest == digest


@pytest.mark.filterwarnings("ignore:the study")
def test_runs_are_done_again_from_columns_that_have_gaps(tmp_path):
    file = study(
        tmp_path,
        """
        [sweep.arms.a]
        axes = { "protocol.enrp_server.max_bad_pe_reports" = [1, 2] }
        [sweep.arms.b]
        axes = { "protocol.enrp_server.check_identity" = [true, false] }
        """,
    )
    out = tmp_path / "out"
    assert not sweep(file, out, jobs=1).failures
    runs = rsim.read(out)
    assert len(runs) == 4
    for key, digest in zip(runs["run"], runs["digest"], strict=True):
        assert open_report(out).rerun(key)[0].digest == digest


@pytest.mark.parametrize(
    ("parameter", "setting"),
    [
        (3.0, 3),
        (0.5, 0.5),
        (pd.Series([2.0, None])[0], 2),
        (True, True),
        ("random", "random"),
        ('{"mean":1.5}', {"mean": 1.5}),
        ("[1,2]", [1, 2]),
        ('"[x]"', "[x]"),
        ("20ms", "20ms"),
    ],
)
def test_a_parameter_turns_back_into_the_setting(parameter, setting):
    found = value_of(parameter)
    assert found == setting
    assert type(found) is type(setting)


@pytest.mark.parametrize("name", ["[/x]", "{", '"', "plain"])
def test_text_that_looks_like_json_comes_back_as_text(tmp_path, name):
    found = parameters(tmp_path, f"[sweep.axes]\nname = [{json.dumps(name)}]")
    assert value_of(found[0]["name"]) == name


def test_files_in_axes_are_relative_to_the_study(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    for name in ("one.csv", "two.csv"):
        (folder / name).write_text("time\n1\n2\n")
    base = BASE.replace("request_interval = 5", "")
    for text in (
        '[sweep.axes]\n"pool_users.user.arrivals" = ["one.csv", "two.csv"]',
        '[[sweep.points]]\n"pool_users.user.arrivals" = "one.csv"\n'
        '[[sweep.points]]\n"pool_users.user.arrivals" = "two.csv"',
    ):
        loaded = load_study(study(folder, text, base))
        assert [one.parameters["pool_users.user.arrivals"] for one in loaded.points] == [
            "one.csv",
            "two.csv",
        ]
        used = [one.scenario.pool_users["user"].arrivals.file for one in loaded.points]
        assert used == [os.fspath(folder / "one.csv"), os.fspath(folder / "two.csv")]
    (folder / "g.csv").write_text("from,to,delay\nlan,west,0.1\n")
    loaded = load_study(study(folder, '[sweep.arms.a]\nset = { "network.graph" = "g.csv" }', base))
    assert loaded.points[0].scenario.network.sites == ("lan", "west")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[sweep.axes]\n"network.delay" = []',
            "axes.network.delay: an axis has at least one value",
        ),
        ('[sweep.axes]\n"network.delay" = [0.02, "20ms"]', "the same point twice: network.delay"),
        ('[sweep.axes]\n"network.delay" = [1, 1.0]', "the same point twice: network.delay = 1"),
        ("[sweep.axes]\nduration = [1, true]", "duration: Input should be a valid number"),
        ('[sweep.axes]\nwarm_up = ["mser5", 5]', "warm_up: values are of one kind, but these are"),
        (
            "[sweep.axes]\n\"pool_elements.element.site\" = ['lan', ['lan']]",
            "element.site: values are of one kind, but these are text .'lan'. and tables or lists",
        ),
        ('[[sweep.points]]\n"network.delay" = 1\n[[sweep.points]]\n"network.delay" = 1', "twice"),
        ("[[sweep.points]]", "sweep.points.0: Dictionary should have at least 1 item"),
        (
            '[sweep.axes]\n"network.delay" = [1]\n[sweep.zip]\n"network.delay" = [2]',
            "arms.run: axes: network.delay is varied twice",
        ),
        (
            '[sweep.axes]\n"network.delay" = [1]\n"network.delay.mean" = [2]',
            "arms.run: axes: network.delay.mean is a part of network.delay, which is varied, too",
        ),
        (
            '[sweep.axes]\n"network.delay" = [1]\n[sweep.arms.a]\nset = { "network.delay" = 5 }',
            "arms.a: set: network.delay: has no effect, as network.delay is varied",
        ),
        (
            '[sweep.axes]\n"network.delay" = [1]\n[sweep.derived]\n"network.delay" = "1"',
            "arms.run: axes: network.delay: has no effect, as network.delay is derived",
        ),
        ("[sweep.axes]\nseed = [1, 2]", "seed: follows from the scenario's seed and replications"),
        ("[sweep.arms.a]\nset = { seed = 5 }", "seed: follows from the scenario's seed"),
        ("arms = {}", "sweep.arms: Dictionary should have at least 1 item"),
        ('[sweep.arms."$\\\\foo$"]', "the text between . is not a formula"),
        ("[sweep.arms.a]\nlabel = '$\\foo$'", "arms.a.label: .* is not a formula"),
        ('[sweep.quick]\naxes = { "network.delay" = [1] }', "network.delay is an axis of no arm"),
        ("series = ['nope']", "series.0: there is no metric 'nope'"),
        (
            "series = ['handling_speed_pct', 'handling_speed_pct']",
            "series: names a metric twice",
        ),
        ("[sweep.precision]\nmetric = 'handling_sped_pct'", "did you mean 'handling_speed_pct'"),
        ("replications = 1_000_000\n[sweep.axes]\nduration = [1,2,3,4,5,6,7,8,9,10,11]", "twice"),
        (
            "[sweep.precision]\nmetric = 'handling_speed_pct'\nrelative = 0.1\nmost = 1_000_000\n"
            "[sweep.axes]\nduration = [1,2,3,4,5,6,7,8,9,10,11]",
            "replications: make 11000000 runs, at most 10000000",
        ),
        (
            '[sweep.sample]\nsize = 8\nranges."pool_elements.element.count" = '
            "{ low = 1, high = 2, whole = true }",
            "has the same point twice: pool_elements.element.count = ",
        ),
        (
            "[sweep.sample]\nsize = 8\nranges.duration = { low = 0.5, high = 2, whole = true }",
            "low and high of whole numbers are whole",
        ),
        ('[sweep.axes]\n"network..delay" = [1]', "is no path|there is no key ''"),
        ("[sweep.axes]\nduration = [nan]", "duration"),
    ],
)
def test_what_can_not_be_swept_is_refused_at_once(tmp_path, text, message):
    file = study(tmp_path, text)
    if "replications = 1_000_000" in text:
        file.write_text(file.read_text().replace("replications = 1\n", ""))
        message = "replications: make 11000000 runs"
    with pytest.raises(ScenarioError, match=message) as caught:
        load_study(file)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_settings_that_axes_replace_are_refused(tmp_path):
    file = study(tmp_path, '[sweep.axes]\n"network.delay" = [1]')
    with pytest.raises(ScenarioError, match=r"set: network.delay.mean: has no effect"):
        load_study(file, {"network.delay.mean": 5})
    assert load_study(file, {"network.loss": 0.1}).points[0].scenario.network.loss == 0.1


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["a.b", "a.c"], None),
        (["a.b", "a.bc"], None),
        (["a.b.c", "x", "a.b"], ("a.b", "a.b.c")),
        (["a", "b", "a"], ("a", "a")),
    ],
)
def test_paths_overlap_where_one_holds_the_other(paths, found):
    assert overlap(paths) == found
