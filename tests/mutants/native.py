"""One build for all native mutants: each is woven into a copy of the source, and one of them is
active, that with the number in the environment.

A text that ends with `;` or `}` is a statement, any other one an expression.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .catalogue import ROOT, CatalogueError, Mutant

BUILD = ROOT / "build" / "mutants"
VARIABLE = "RSIM_MUTANT"
_HEADER = f"""#pragma once
#include <cstdlib>
namespace rsim {{
inline const char* const chosen_mutant = std::getenv("{VARIABLE}");
inline const int active_mutant = chosen_mutant ? std::atoi(chosen_mutant) : 0;
}}
"""


def _form(old: str, mutants: list[Mutant]) -> str:
    """What stands in the place of `old`, with one or more mutants of it."""
    if old.rstrip()[-1] in ";}":
        chain = " else ".join(
            f"if (::rsim::active_mutant == {one.number}) {{ {one.new} }}" for one in mutants
        )
        return f"{chain} else {{ {old} }}"
    form = f"({old})"
    for one in mutants:
        form = f"(::rsim::active_mutant == {one.number} ? ({one.new}) : {form})"
    return form


def woven(text: str, mutants: list[Mutant]) -> str:
    """The text of a file with all its mutants in it; one place may lie within another one."""
    places: dict[tuple[int, int], list[Mutant]] = {}
    for mutant in mutants:
        places.setdefault(mutant.span(text), []).append(mutant)
    # Outer places before those within them.
    order = sorted(places, key=lambda place: (place[0], -place[1]))

    def rendered(begin: int, end: int) -> str:
        parts, at = "", begin
        while order and order[0][0] < end:
            place = order.pop(0)
            if place[1] > end:
                raise CatalogueError(f"{places[place][0]}: overlaps with another mutant")
            parts += text[at : place[0]] + _form(rendered(*place), places[place])
            at = place[1]
        return parts + text[at:end]

    return rendered(0, len(text))


def _write(path: Path, text: str) -> None:
    """Leaves a file that has the text already: it need not be compiled again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(mutants: list[Mutant]) -> Path:
    """Builds the native module with all mutants in it; gives its file."""
    source = BUILD / "source"
    files = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "rsim" / "native").rglob("*")
        if path.is_file()
    }
    for old in source.rglob("*"):
        if old.is_file() and old.relative_to(source).as_posix() not in {*files, "CMakeLists.txt"}:
            old.unlink()
    for name, text in files.items():
        there = [mutant for mutant in mutants if mutant.file == name]
        _write(source / name, woven(text, there) if there else text)
    # The pages that the module list names are not needed for it.
    _write(source / "CMakeLists.txt", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    _write(BUILD / "mutant.hpp", _HEADER)
    tools = Path(sys.executable).parent
    out = BUILD / "out"
    configure = [tools / "cmake", "-S", source, "-B", out, "-G", "Ninja", "-DRSIM_COMPILE=OFF"]
    configure += ["-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}"]
    # With -O1, GCC 12 links what nanobind compiles for size to code that crashes.
    configure += [f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_CXX_FLAGS_RELEASE=-O2"]
    configure += ["-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF"]
    configure += [f"-DCMAKE_CXX_FLAGS=-include {BUILD / 'mutant.hpp'} -Wno-parentheses"]
    for command in (configure, [tools / "cmake", "--build", out, "--target", "_native"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{done.stdout[-6000:]}\n{done.stderr[-4000:]}")
    [module] = list(out.glob("_native*.so"))
    target = BUILD / module.name
    if not target.exists() or target.stat().st_mtime < module.stat().st_mtime:
        shutil.copy(module, target)
    return target
