"""The mutants, as tests/mutants/data/*.txt has them.

A line `= rsim/wire/file.py` names the file that the mutants below it change. Each mutant is a line
with the rows of the conformance table that it violates (or tests, as `scenario/test_run.py`), the
error in a few words, and where the text is looked for if it stands in the file more than once;
then the text and what stands there instead:

    ASAP-056 | T2 goes on after an answer | def _registration_response
    - self._t2.stop()
    + pass

A line `! why` says that no test kills it, and why that is so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


class CatalogueError(Exception):
    """The list of mutants does not fit the code, or its own form."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """An error: `old` becomes `new` in `file`, at its first place after `after`.

    Parameters: `number` that stays if others are added; `file` from the root; `shows` rows that it
    violates, or tests; `name` of the error; `survives` why no test kills it, empty if one does.
    """

    number: int
    file: str
    shows: tuple[str, ...]
    name: str
    after: str
    old: str
    new: str
    survives: str = ""

    @property
    def native(self) -> bool:
        """Whether it is C++."""
        return self.file.startswith("rsim/native/")

    def __str__(self) -> str:
        return f"{self.file}: {' '.join(self.shows)}: {self.name}"

    def span(self, text: str) -> tuple[int, int]:
        """Where `old` stands in the text of the file."""
        begin = text.find(self.after) if self.after else 0
        if begin < 0:
            raise CatalogueError(f"{self}: '{self.after}' stands there no more")
        at = text.find(self.old, begin)
        if at < 0:
            raise CatalogueError(f"{self}: '{self.old}' stands there no more")
        if not self.after and text.find(self.old, at + 1) >= 0:
            raise CatalogueError(f"{self}: '{self.old}' stands there more than once")
        return at, at + len(self.old)

    def applied(self, text: str) -> str:
        """The text of the file with the error."""
        begin, end = self.span(text)
        return text[:begin] + self.new + text[end:]


def _blocks(text: str, source: str) -> list[tuple[str, str, list[str]]]:
    """File, head and lines of each mutant."""
    found: list[tuple[str, str, list[str]]] = []
    file = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("= "):
            file = line[2:].strip()
        elif line[:2] in ("- ", "+ ", "! ") or line in ("-", "+"):
            if not found:
                raise CatalogueError(f"{source} line {number}: a mutant begins with its rows")
            found[-1][2].append(line)
        elif line.strip() and not line.startswith("#"):
            found.append((file, line, []))
    return found


def mutants() -> list[Mutant]:
    """All mutants, in the order of the files of data."""
    made: list[Mutant] = []
    for path in sorted(DATA.glob("*.txt")):
        for file, head, lines in _blocks(path.read_text(encoding="utf-8"), path.name):
            parts = [part.strip() for part in head.split("|")]
            texts = {
                mark: "\n".join(line[2:] for line in lines if line[0] == mark) for mark in "-+!"
            }
            if len(parts) not in (2, 3) or not file or not texts["-"] or texts["-"] == texts["+"]:
                raise CatalogueError(f"{path.name}: '{head}' is no mutant")
            made.append(
                Mutant(
                    number=crc32(f"{file} {head}".encode()) >> 1,
                    file=file,
                    shows=tuple(parts[0].split()),
                    name=parts[1],
                    after=parts[2] if len(parts) == 3 else "",
                    old=texts["-"],
                    new=texts["+"],
                    survives=" ".join(texts["!"].split()),
                )
            )
    return made
