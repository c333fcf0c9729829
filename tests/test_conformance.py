"""The conformance table does not drift from the tests."""

import re
from pathlib import Path

from .conformance import PAGE, ROOT, requirements

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(?:\w+::)?(\w+)`")


def shown():
    """Tests by requirement, as the page has them."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = line.split(" | ")
        if re.match(r"\| [A-Z]+-\d{3}$", cells[0]):
            rows[cells[0][2:]] = _NAMED.findall(line)
    return rows


def test_every_requirement_is_listed_and_shown():
    rows = shown()
    listed = requirements()
    assert set(rows) == {row["id"] for row in listed}
    assert len(rows) == len(listed)
    assert [name for name, tests in rows.items() if not tests] == []


def test_the_tests_that_it_names_exist_and_carry_the_mark():
    sources = {}
    for name, tests in shown().items():
        for file, function in tests:
            if file not in sources:
                sources[file] = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^ *def {function}\(", sources[file], re.MULTILINE), (file, function)
            assert f'"{name}"' in sources[file], (name, file)


def test_every_mark_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    for file in (ROOT / "tests").rglob("test_*.py"):
        if file != Path(__file__):
            for name in re.findall(r'"([A-Z]+-\d{3})"', file.read_text(encoding="utf-8")):
                relative = file.relative_to(ROOT).as_posix()
                [row] = [line for line in page.splitlines() if line.startswith(f"| {name} |")]
                assert relative in row, (name, relative)
