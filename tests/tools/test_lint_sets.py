"""The lint against loops over sets finds those that count, and leaves the others alone."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "tools" / "lint_sets.py"
SPEC = importlib.util.spec_from_file_location("lint_sets", FILE)
lint_sets = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lint_sets)

HEAD = """
class Server:
    peers: dict[int, str]

    def __init__(self, keys: frozenset[bytes], names: "set[str] | None") -> None:
        self.keys = keys
        self.known: set[str] = set()
        self._mine: frozenset[bytes] = keys

    def ids(self) -> set[int]:
        return set()

    def act(self, given: set[str], text: str) -> None:
        local = {1, 2}
        annotated: set[str] = make()
"""


def found(line):
    return list(lint_sets.loops({Path("x.py"): f"{HEAD}        {line}\n"}))


@pytest.mark.parametrize(
    "line",
    [
        "for one in given: pass",
        "for one in self.known: pass",
        "for one in {1, 2}: pass",
        "for one in local | given: pass",
        "for one in self.peers.keys() - local: pass",
        "for one in set(text): pass",
        "for one in frozenset(text).union(text): pass",
        "for one in annotated: pass",
        "for one in self.ids(): pass",
        "x = any(check(key) for key in self._mine)",
        "x = [one for one in given]",
        "x = {one: 1 for one in given}",
        "x = list(given)",
        "x = tuple(self.known)",
        "x = sum(weight(one) for one in given)",
        "x = next(iter(given))",
        "x = self.known.pop()",
        "x = (*given, 1)",
        "x = ','.join(given)",
        "x = min(given, key=len)",
        "x = dict.fromkeys(given)",
        "yield from given",
        "for one in (given if text else local): pass",
    ],
)
def test_what_depends_on_the_order_of_a_set_is_found(line):
    assert len(found(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "for one in sorted(given): pass",
        "x = len(given)",
        "x = text in self.known",
        "x = sorted(one for one in given)",
        "x = {f(one) for one in given}",
        "x = set(one for one in given)",
        "x = min(given)",
        "for one in self.peers: pass",
        "for one in text: pass",
        "x = self.peers.pop(1)",
        "x = self.keys - self.known == set()",
        "x = {*given, 1}",
    ],
)
def test_what_does_not_depend_on_it_is_left_alone(line):
    assert found(line) == []


def test_a_name_that_others_use_for_something_else_counts_only_where_it_is_a_set():
    text = HEAD + "\nclass Other:\n    known: tuple[str, ...]\n\n\ndef go(a):\n    list(a.known)\n"
    assert list(lint_sets.loops({Path("x.py"): text})) == []
    assert len(found("list(self.known)")) == 1
