"""Compiles modules of the package to machine code with mypyc.

Run as `compile_modules.py DIR STUB MODULE...`. Below DIR goes the tree of extension modules, in
`lib`, beside what the compilers keep; STUB holds the types of the native module. The modules stay
what they are: where an extension is missing, Python runs the source.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

CHECKS = ["--config-file=pyproject.toml", "--follow-imports=silent", "--ignore-missing-imports"]


def stage(root: Path, stub: Path, folder: Path) -> None:
    """Copies the package's sources and the stub to where the compiler finds them side by side."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        root / "rsim", folder / "rsim", ignore=shutil.ignore_patterns("native", "*.pyc")
    )
    shutil.copy2(stub, folder / "rsim" / stub.name)
    shutil.copy2(root / "pyproject.toml", folder)


def main(folder: Path, stub: Path, modules: list[str]) -> None:
    """Compiles the modules, given as paths from the root, into one library with a stub for each."""
    stage(Path(__file__).resolve().parent.parent, stub, folder / "source")
    os.chdir(folder / "source")
    os.environ["MYPY_CACHE_DIR"] = str(folder / "cache")
    from mypyc.build import mypycify
    from setuptools import Distribution

    extensions = mypycify(
        [*CHECKS, *modules],
        opt_level="3",
        debug_level="0",
        target_dir=str(folder / "c"),
        group_name="rsim_compiled",
    )
    # Without pyproject.toml, which is for another build system.
    (folder / "source" / "pyproject.toml").unlink()
    build = Distribution({"name": "rsim", "ext_modules": extensions}).get_command_obj("build_ext")
    build.build_lib = str(folder / "lib")
    build.build_temp = str(folder / "objects")
    build.ensure_finalized()
    build.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:])
