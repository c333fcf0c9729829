"""The code keeps its shape: short files, quick imports, arrows that go down (`make lint`)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


PYTHON = sorted((ROOT / "rsim").rglob("*.py"))
NATIVE = sorted((ROOT / "rsim" / "native").rglob("*.[ch]pp"))
FORWARDED = {"call_at", "call_method_at", "submit", "pack", "_write", "Table", "add_row"}
"""Functions that hand any number of arguments on: each is a value, not a choice to be named."""


def test_no_file_is_too_long():
    assert len(PYTHON) > 100 and len(NATIVE) > 20
    long = {
        str(file.relative_to(ROOT)): count
        for files, most in ((PYTHON, 400), (NATIVE, 600))
        for file in files
        if (count := file.read_text(encoding="utf-8").count("\n")) > most
    }
    assert not long


@pytest.mark.parametrize("file", PYTHON, ids=lambda file: str(file.relative_to(ROOT)))
def test_functions_are_short_and_more_than_four_arguments_are_named(file):
    wrong = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > 60:
                wrong.append(f"{node.name} has {length} lines")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).split(".")[-1]
            given = [one for one in node.args if not isinstance(one, ast.Starred)]
            if len(given) > 4 and name not in FORWARDED:
                wrong.append(f"line {node.lineno}: {name} with {len(given)} arguments by position")
    assert not wrong


def test_each_public_class_has_a_name_of_its_own():
    places = {}
    for file in PYTHON:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(file.relative_to(ROOT)))
    assert len(places) > 200
    assert not {name: files for name, files in places.items() if len(files) > 1}


def test_importing_rsim_loads_no_more_than_it_needs():
    program = "import sys, rsim; rsim.load, rsim.sweep; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    slow = {"pandas", "pyarrow", "scipy", "matplotlib", "loky", "networkx", "distributed"}
    assert not slow & loaded
    assert [name for name in loaded if name.startswith("rsim.attackers.")] == [
        "rsim.attackers.base"
    ]


def test_nothing_is_loaded_before_an_interrupt_is_heeded():
    program = "import sys, rsim.cli; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if name.startswith("rsim")}
    assert loaded == {"rsim", "rsim.cli"}


def run_alone(program):
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_package_that_can_be_called_is_a_package_still():
    run_alone("""
import rsim
import rsim.sweep.report as r
from rsim import scenario, sweep
from rsim.scenario import Scenario
from rsim.sweep.report import open_report
assert r.open_report is open_report and rsim.sweep.report is r and rsim.sweep is sweep
assert callable(sweep) and sweep.load_study is rsim.load_study
assert isinstance(rsim.scenario({"duration": 5}), Scenario) and scenario.Scenario is rsim.Scenario
""")


def test_a_package_that_can_be_called_is_shown_pickled_and_copied_as_a_function_is():
    run_alone("""
import copy, inspect, pickle
import rsim
for package in (rsim.scenario, rsim.sweep):
    assert pickle.loads(pickle.dumps(package)) is package and copy.deepcopy(package) is package
    assert inspect.signature(package) == inspect.signature(package.__wrapped__)
assert "allow_code" in inspect.signature(rsim.scenario).parameters
""")


def test_the_package_offers_all_that_it_names():
    run_alone("""
import rsim
assert set(rsim.__all__) <= set(dir(rsim)) and all(hasattr(rsim, name) for name in rsim.__all__)
assert not hasattr(rsim, "absent")
""")
