"""SimPy's own tests on rsim's clock in the place of its environment.

Run as `python tests/verification/simpy_suite.py FOLDER`, a folder with SimPy's unpacked source
distribution (`pip download --no-binary :all: --no-deps simpy`). One test can't pass: it expects the
names of SimPy's own files in a traceback. Those of real time and of SimPy's speed are left out.
"""

from __future__ import annotations

import os
import sys

import pytest
import simpy

from rsim.clock import Clock


def main() -> int:
    """Exit code of the tests."""
    simpy.Environment = Clock
    os.chdir(sys.argv[1])
    left_out = ["--ignore=tests/test_benchmark.py", "--ignore=tests/test_rt.py"]
    named = "tests/test_exceptions.py::test_exception_chaining"
    return pytest.main(["-q", "-p", "no:cacheprovider", "tests", *left_out, f"--deselect={named}"])


if __name__ == "__main__":
    sys.exit(main())
