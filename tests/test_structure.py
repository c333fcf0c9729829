"""The code keeps its shape: short files, quick imports, arrows that go down (`make lint`)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_no_file_is_longer_than_six_hundred_lines():
    files = [*(ROOT / "rsim").rglob("*.py"), *(ROOT / "rsim" / "native").rglob("*.[ch]pp")]
    assert len(files) > 100
    long = {
        str(file.relative_to(ROOT)): count
        for file in files
        if (count := file.read_text(encoding="utf-8").count("\n")) > 600
    }
    assert not long


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


def test_the_package_offers_the_sweep_and_its_folder():
    program = """
import rsim
from rsim.sweep import load_study, sweep
from rsim.sweep.report import open_report
assert rsim.sweep is sweep and rsim.load_study is load_study and open_report
assert set(rsim.__all__) <= set(dir(rsim)) and all(hasattr(rsim, name) for name in rsim.__all__)
assert not hasattr(rsim, "absent")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
