"""Python files run only where that was allowed, whatever names them and wherever it stands."""

import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import rsim
from rsim.errors import ResultError, RsimError, ScenarioError
from rsim.scenario import Scenario
from rsim.scenario.files import validate
from rsim.studies import reproduce
from rsim.sweep import open_report

SCENARIO = """
warm_up = "20s"
duration = "10s"
[pool_elements.element]
start = "5s"
[pool_users.user]
start = "10s"
request_size = 1e5
request_interval = 1
"""
SWEEP = '[sweep]\nreplications = 1\n[sweep.axes]\n"network.delay" = [0, 0.01]\n'

STUDIES = {
    "code": ('code = "evil.py"\n', SWEEP),
    "a list of code": ('code = ["evil.py"]\n', SWEEP),
    "a table of code": ('code = [{ file = "evil.py" }]\n', SWEEP),
    "a table with a digest": ('code = [{ file = "evil.py", digest = "0" }]\n', SWEEP),
    "one table": ('[code]\nfile = "evil.py"\n', SWEEP),
    "an arm": ("", SWEEP + '[sweep.arms.a]\nset = { code = "evil.py" }\n'),
    "an arm's table": ("", SWEEP + '[sweep.arms.a]\nset = { code = [{ file = "evil.py" }] }\n'),
    "an arm's part of a table": ("", SWEEP + '[sweep.arms.a]\nset."code.file" = "evil.py"\n'),
    "an arm's axis": ("", SWEEP + '[sweep.arms.a]\naxes = { code = ["evil.py"] }\n'),
    "an arm's axis of lists": ("", SWEEP + '[sweep.arms.a]\naxes = { code = [["evil.py"]] }\n'),
    "an axis": ("", '[sweep]\naxes = { code = ["evil.py"] }\n'),
    "an axis of tables": ("", '[sweep]\naxes = { code = [[{ file = "evil.py" }]] }\n'),
    "axes in step": ("", '[sweep]\nzip = { code = ["evil.py"], "network.delay" = [0] }\n'),
    "a point": ("", '[sweep]\npoints = [{ code = "evil.py" }]\n'),
    "a sample": ("", "[sweep.sample]\nsize = 1\nranges.code = { low = 0, high = 1 }\n"),
    "a derived value": ("", SWEEP + '[sweep.derived]\ncode = "1"\n'),
    "a derived file": ("", SWEEP + '[sweep.derived]\n"code.file" = "1"\n'),
}


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A file that says so when it runs, whatever process it runs in."""
    told = tmp_path / "it ran"
    monkeypatch.setenv("TRAP", str(told))
    code = "import os, pathlib\npathlib.Path(os.environ['TRAP']).touch()\n"
    (tmp_path / "evil.py").write_text(code)
    return told


def study(folder, top="", end=SWEEP):
    file = folder / "study.toml"
    file.write_text(top + SCENARIO + end)
    return file


@pytest.mark.parametrize("way", STUDIES)
def test_no_part_of_a_study_brings_code_in(tmp_path, trap, way):
    with pytest.raises(ScenarioError, match="code"):
        rsim.sweep(study(tmp_path, *STUDIES[way]), tmp_path / "out", jobs=2)
    assert not trap.exists()


@pytest.mark.parametrize(
    "quick",
    ['set = { code = "evil.py" }', 'axes = { code = ["evil.py"] }\n[sweep.axes]\ncode = [1]'],
)
def test_no_quick_version_brings_code_in(tmp_path, trap, quick):
    file = study(tmp_path, end=f"[sweep]\nreplications = 1\n[sweep.quick]\n{quick}\n")
    with pytest.raises(ScenarioError, match="code"):
        rsim.load_study(file, quick=True)
    assert not trap.exists()


@pytest.mark.parametrize("value", ["evil.py", ["evil.py"], [{"file": "evil.py"}], {"file": "x"}])
@pytest.mark.parametrize("load", [rsim.load, rsim.load_study])
def test_no_override_brings_code_in(tmp_path, trap, load, value):
    with pytest.raises(ScenarioError, match="--allow-code"):
        load(study(tmp_path), {"code": value})
    assert not trap.exists()


def test_no_table_in_python_brings_code_in(tmp_path, trap):
    code = [{"file": str(tmp_path / "evil.py"), "digest": "0" * 20}]
    with pytest.raises(ScenarioError, match="--allow-code"):
        validate({"code": code}, tmp_path / "scenario.toml")
    with pytest.raises(ValueError, match="--allow-code"):
        Scenario.model_validate({"code": code})
    assert not trap.exists()


def test_no_kept_study_brings_code_in(tmp_path, trap):
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "evil.py").write_bytes((tmp_path / "evil.py").read_bytes())
    study(folder, 'code = "evil.py"\n')
    with pytest.raises(ScenarioError, match="--allow-code"):
        reproduce(tmp_path, "kept", tmp_path / "out")
    assert not trap.exists()


@pytest.fixture
def stored(tmp_path):
    rsim.sweep(study(tmp_path), tmp_path / "out", jobs=1)
    return tmp_path / "out"


def in_the_scenario(manifest, runs, evil):
    manifest["scenario"]["code"] = [{"file": evil, "digest": "0" * 20}]


def as_a_name_in_the_scenario(manifest, runs, evil):
    manifest["scenario"]["code"] = evil


def in_an_arm(manifest, runs, evil):
    manifest["sweep"]["arms"]["run"]["set"] = {"code": [{"file": evil}]}


def in_a_column(manifest, runs, evil):
    manifest["parameters"].append("code.file")
    runs["code.file"] = evil


def in_a_derived_value(manifest, runs, evil):
    manifest["sweep"]["derived"] = {"code": "1"}


@pytest.mark.parametrize(
    "change",
    [in_the_scenario, as_a_name_in_the_scenario, in_an_arm, in_a_column, in_a_derived_value],
)
def test_no_result_folder_brings_code_in(tmp_path, stored, trap, change):
    manifest = json.loads((stored / "manifest.json").read_text())
    runs = pd.read_parquet(stored / "runs.parquet")
    change(manifest, runs, str(tmp_path / "evil.py"))
    (stored / "manifest.json").write_text(json.dumps(manifest))
    runs.to_parquet(stored / "runs.parquet")
    with pytest.raises(RsimError, match="code"):
        open_report(stored).rerun(runs["run"][0])
    assert not trap.exists()


def test_no_failure_that_is_stored_brings_code_in(tmp_path, stored, trap):
    manifest = json.loads((stored / "manifest.json").read_text())
    manifest["parameters"].append("code")
    failure = {"run": "f", "arm": "run", "seed": 1, "code": str(tmp_path / "evil.py")}
    (stored / "failures.json").write_text(json.dumps([failure]))
    (stored / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises((ScenarioError, ResultError), match="code"):
        open_report(stored).rerun("f")
    assert not trap.exists()


def test_a_stored_study_runs_only_the_code_that_it_was_stored_with(tmp_path, trap):
    (tmp_path / "good.py").write_text("X = 1\n")
    file = study(tmp_path, 'code = "good.py"\n')
    out = tmp_path / "out"
    run = rsim.sweep(rsim.load_study(file, allow_code=True), out, jobs=1).runs["run"][0]
    open_report(out).rerun(run, allow_code=True)
    (tmp_path / "good.py").write_bytes((tmp_path / "evil.py").read_bytes())
    with pytest.raises(ScenarioError, match="not what was allowed"):
        open_report(out).rerun(run, allow_code=True)
    assert not trap.exists()


def test_workers_of_any_executor_refuse_code_that_changes_after_it_was_allowed(tmp_path, trap):
    (tmp_path / "good.py").write_text("X = 2\n")
    loaded = rsim.load_study(study(tmp_path, 'code = "good.py"\n'), allow_code=True)
    (tmp_path / "good.py").write_bytes((tmp_path / "evil.py").read_bytes())
    with ThreadPoolExecutor(1) as executor:
        result = rsim.sweep(loaded, executor=executor, jobs=1)
    assert len(result.failures) == 2 and result.runs.empty
    assert all("not what was allowed" in failure["error"] for failure in result.failures)
    assert not trap.exists()


def test_byte_code_beside_a_file_is_not_what_runs(tmp_path, trap):
    """The cache says that it was made of good.py as it is: same time, same size."""
    good, evil = tmp_path / "good.py", tmp_path / "evil.py"
    good.write_bytes(b"#" * (evil.stat().st_size - 1) + b"\n")
    cache = Path(importlib.util.cache_from_source(str(good)))
    cache.parent.mkdir()
    import py_compile

    py_compile.compile(str(evil), str(cache), doraise=True)
    data = bytearray(cache.read_bytes())
    data[8:12] = int(good.stat().st_mtime).to_bytes(4, "little")
    cache.write_bytes(bytes(data))
    rsim.load(study(tmp_path, 'code = "good.py"\n'), allow_code=True)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("5", "does not name a file"),
        ("true", "does not name a file"),
        ('""', "does not name a file"),
        ("[[]]", "does not name a file"),
        ("{ file = 5 }", "does not name a file"),
        ('{ file = "evil.py", run = true }', "does not name a file"),
        ('"."', "is a folder"),
        ('"pipe.py"', "is a FIFO"),
        ('"evil.so"', r"not a Python file \(.py\)"),
    ],
)
def test_what_is_no_python_file_is_told_in_one_line(tmp_path, trap, code, message):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "evil.so").write_bytes(b"\x7fELF")
    with pytest.raises(ScenarioError, match=message) as error:
        rsim.load(study(tmp_path, f"code = {code}\n"), allow_code=True)
    assert "\n" not in str(error.value)
    assert not trap.exists()


def test_code_that_is_allowed_runs_once_for_all_points(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import sys\nsys.rsim_test_runs = getattr(sys, 'rsim_test_runs', 0) + 1\n"
    )
    rsim.load_study(study(tmp_path, 'code = "mine.py"\n'), allow_code=True)
    rsim.load(study(tmp_path, 'code = "mine.py"\n'), allow_code=True)
    assert sys.rsim_test_runs == 1
    del sys.rsim_test_runs


def test_an_arm_may_bring_code_in_where_that_is_allowed(tmp_path, trap):
    file = study(tmp_path, end=SWEEP + '[sweep.arms.a]\nset = { code = "evil.py" }\n')
    result = rsim.sweep(rsim.load_study(file, allow_code=True), tmp_path / "out", jobs=2)
    assert trap.exists() and len(result.runs) == 2 and not result.failures


def test_code_that_ends_the_interpreter_is_told(tmp_path):
    (tmp_path / "mine.py").write_text("import sys\n\nsys.exit(0)\n")
    with pytest.raises(ScenarioError, match=r"mine\.py, line 3: SystemExit"):
        rsim.load(study(tmp_path, 'code = "mine.py"\n'), allow_code=True)


@pytest.mark.parametrize("way", [("--jobs", "2"), ("--dask", "local")])
def test_modules_in_the_working_folder_run_in_no_process_of_a_sweep(tmp_path, trap, way):
    folder = tmp_path / "somebody's"
    folder.mkdir()
    for name in ("json", "pickle", "struct", "queue", "numpy", "simpy", "loky", "distributed"):
        (folder / f"{name}.py").write_bytes((tmp_path / "evil.py").read_bytes())
    # As it is installed: python -m would take the folder in itself.
    rsim_command = Path(sys.executable).with_name("rsim")
    command = [rsim_command, "sweep", study(tmp_path), "--out", "out", *way]
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not trap.exists()
