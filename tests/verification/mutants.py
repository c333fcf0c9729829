"""Small errors put into the code on purpose: each must make a test fail.

Run as `python tests/verification/mutants.py` (`make mutants`). A sample of statistics, conservation
and policies, of the native ones too; each mutant runs tests that claim to show it, in a copy of the
package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]

LONGEST = 240
"""Seconds after which a mutant is taken to be noticed: it makes tests run without end."""

MUTANTS = [
    # File, what stands there, what stands there instead, tests.
    ("results/statistics.py", "0.5 + level / 2", "level", "results/test_statistics.py"),
    ("results/statistics.py", "ddof=1", "ddof=0", "results/test_statistics.py"),
    ("results/statistics.py", "data.size - 1, 0.5", "data.size, 0.5", "results/test_statistics.py"),
    ("results/warm_up.py", "/ left**2", "/ left", "results/test_warm_up.py"),
    ("results/warm_up.py", "cut <= count // 2", "cut <= count", "results/test_warm_up.py"),
    ("results/breaking.py", "(above - level)", "(level - below)", "results/test_breaking.py"),
    ("results/breaking.py", "points.reverse()", "pass", "results/test_breaking.py"),
    ("results/observation.py", "(times >= self.begin)", "(times > 0)", "results/test_metrics.py"),
    (
        "results/observation.py",
        "(times < self.end)",
        "(times < 2 * self.end)",
        "scenario/test_measurement.py",
    ),
    ("results/metrics.py", "loads.sum() ** 2", "loads.sum()", "results/test_metrics.py"),
    (
        "results/cheating_metrics.py",
        "observation.cheats == cheats",
        "observation.cheats != cheats",
        "results/test_metrics.py",
    ),
    ("workload/processor_sharing.py", "work / self.tasks", "work", "workload"),
    ("workload/processor_sharing.py", "self.tasks -= 1", "pass", "workload"),
    ("workload/in_order.py", "self._work += work", "self._work += 0.9 * work", "workload"),
    (
        "workload/calcapp_client.py",
        "done - self._credited",
        "done",
        "scenario/test_soak.py results/test_metrics.py",
    ),
    (
        "workload/calcapp_client.py",
        "self._queue.popleft()",
        "self._queue.pop()",
        "workload scenario",
    ),
    (
        "endpoints/enrp/store.py",
        "* (now - self._counted_until)",
        "* now",
        "results/test_metrics.py",
    ),
    (
        "endpoints/enrp/store.py",
        "        self.count()\n        for handle, _ in self.handlespace.sweep",
        "        for handle, _ in self.handlespace.sweep",
        "results/test_metrics.py",
    ),
    ("network/link.py", "max(self._there_at, time", "max(0.0, time", "network/test_link.py"),
    (
        "network/link.py",
        "stream.uniform() < settings.loss",
        "stream.uniform() > settings.loss",
        "network/test_link.py",
    ),
    ("handlespace/policies.py", "+ 0.5)", ")", "handlespace endpoints workload"),
    (
        "sweep/design.py",
        "share * (end - self.low)",
        "share * (self.high - self.low)",
        "sweep/test_design.py",
    ),
    (
        "sweep/executors.py",
        "yield from zip(batch, rows, strict=True)",
        "yield from zip(batch, reversed(rows), strict=True)",
        "sweep/test_executors.py",
    ),
    ("native/handlespace/turns.hpp", "k + 1, weight", "k + 2, weight", "handlespace"),
    ("native/handlespace/turn_queue.hpp", "last_.turn == key.rank && ", "", "handlespace"),
    ("native/handlespace/turn_queue.hpp", "on_time ? first :", "true ? first :", "handlespace"),
    ("native/handlespace/ring.hpp", "head_ = node.next", "head_ = node.previous", "handlespace"),
    (
        "native/handlespace/weight_sums.hpp",
        "sums_[position + step - 1] <= point",
        "sums_[position + step - 1] < point",
        "handlespace",
    ),
    (
        "native/handlespace/indexed_heap.hpp",
        "if (at < size_) settle(at, key, moved);",
        "if (at < size_) sink(at, key, moved);",
        "handlespace",
    ),
    (
        "native/wire/encode.hpp",
        "with_filler(4 + value.size()) > max_length",
        "with_filler(value.size()) > max_length",
        "wire/test_extensions.py",
    ),
    (
        "native/wire/decode.cpp",
        "n == end_of_required<T> && ",
        "n == 0 && ",
        "wire/test_twin.py wire/test_extensions.py",
    ),
    (
        "native/handlespace/native_policies.cpp",
        "std::min(sum, full_load) : sum",
        "sum : sum",
        "handlespace",
    ),
    (
        "native/handlespace/selections.hpp",
        "if (place < settings_.increment) key.tie",
        "key.tie",
        "handlespace",
    ),
    (
        "native/handlespace/selections.hpp",
        "degrades ? chosen.size() : settings_.increment",
        "settings_.increment",
        "handlespace",
    ),
]


def build(package: Path) -> None:
    """Builds the native module of the copy, and puts it there."""
    tools = Path(sys.executable).parent
    out = package / "build"
    configure = [tools / "cmake", "-S", package, "-B", out, "-G", "Ninja", "-DRSIM_COMPILE=OFF"]
    configure += ["-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}"]
    configure += [f"-DPython_EXECUTABLE={sys.executable}"]
    for command in (configure, [tools / "cmake", "--build", out, "--target", "_native"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    for module in out.glob("_native*.so"):
        shutil.copy(module, package / "rsim")


def killed(package: Path, mutant: tuple[str, str, str, str]) -> bool:
    """Whether a test fails with the mutant in the copy."""
    name, old, new, tests = mutant
    file = package / "rsim" / name
    text = file.read_text(encoding="utf-8")
    if text.count(old) < 1:
        raise SystemExit(f"{name}: '{old}' stands there no more")
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    try:
        if name.startswith("native/"):
            build(package)
        # -S keeps Python from finding the installed package.
        command = [sys.executable, "-S", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        command += ["-o", f"pythonpath={package} ."]
        command += [f"tests/{test}" for test in tests.split()]
        path = f"{package}:{sysconfig.get_path('platlib')}"
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path},
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            return True
        if done.returncode > 1:
            raise SystemExit(done.stdout + done.stderr)
        return done.returncode == 1
    finally:
        file.write_text(text, encoding="utf-8")


def main() -> int:
    """Number of mutants that no test has noticed."""
    survivors = 0
    with TemporaryDirectory() as folder:
        package = Path(folder)
        shutil.copytree(ROOT / "rsim", package / "rsim")
        for module in (Path(sysconfig.get_path("platlib")) / "rsim").glob("_native*.so"):
            shutil.copy(module, package / "rsim")
        shutil.copy(ROOT / "CMakeLists.txt", package)
        for mutant in MUTANTS:
            dead = killed(package, mutant)
            survivors += not dead
            name, old, new, _ = mutant
            told = "killed  " if dead else "SURVIVES"
            print(f"{told} {name}: {old.strip()} -> {new.strip()}", flush=True)
    print(f"{len(MUTANTS) - survivors} of {len(MUTANTS)} mutants are noticed")
    return survivors


if __name__ == "__main__":
    sys.exit(main())
