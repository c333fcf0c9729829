"""Scenarios and studies with values that no setting was made for, from a seed.

`mutated_scenarios` yields tables, `mutated_studies` text of study files. Whatever reads one must
answer with a `ScenarioError` of one line, or accept it; what is accepted must run. `examine` and
`examine_study` say which, and fail for anything else. To try some from the command line:

    python -m tests.hostile.scenarios SEED COUNT
"""

from __future__ import annotations

import json
import random
import re
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import rsim
from rsim.attackers import attacker_kinds
from rsim.errors import ScenarioError
from rsim.scenario import Deployment
from rsim.scenario.schema import settings
from rsim.sweep import load_study

LONGEST_LINE = 300
"""Characters of an error."""
LONGEST_LOAD = 10
LONGEST_RUN = 10
"""Seconds of a processor."""
_LOOKS = 5.0
"""Seconds of a processor in which a clock must go on."""

_PATH = {"position": {"between": ["lan", "west"]}}
_NEEDS: dict[str, dict[str, Any]] = {
    "cookie-forger": {"cookie": "stolen", **_PATH},
    "eavesdropper": _PATH,
    "on-path": _PATH,
    "replayer": _PATH,
}
"""What attackers can't do without."""
_SMALL: dict[str, Any] = {
    "warm_up": 0,
    "duration": 20,
    "pools": {"pool": {"policy": "least_used"}},
    "enrp_servers": {"server": {"count": 2}},
    "pool_elements": {"element": {"count": 3, "start": 1}},
    "pool_users": {
        "user": {"count": 3, "start": 2, "request_size": 1e5, "request_interval": 1},
    },
}


def bases() -> list[dict[str, Any]]:
    """Scenarios that are valid: small ones, which together have most kinds of parts."""
    wide = deepcopy(_SMALL)
    wide["network"] = {
        "sites": ["lan", "west"],
        "paths": [{"sites": ["lan", "west"], "delay": "10ms", "loss": 0.01}],
        "outages": [
            {"path": ["lan", "west"], "schedule": "down@5s, up@+2s"},
            {"site": "west", "what": "hosts", "groups": ["far"], "uptime": 5, "downtime": 2},
        ],
    }
    wide["pools"]["other"] = {"policy": "weighted_random"}
    wide["pool_elements"]["far"] = {
        "count": 2,
        "start": 1,
        "pool": "other",
        "further_pools": ["pool"],
        "site": ["west", "lan"],
        "lie": {"kind": "load", "share": 0.5},
        "failures": {"uptime": 5, "downtime": 2},
        "heterogeneity": {"distribution": "fast_servers", "factor": 2},
        "cpu": {"service_time": "1ms"},
        "access": {"delay": "1ms", "bandwidth": 1e8, "queue": 1e5},
    }
    secured = deepcopy(_SMALL)
    secured["security"] = {
        "pe_enrp": "tls13-psk-ecdhe",
        "pu_enrp": "tls13-psk-ecdhe",
        "enrp_enrp": "tls13-psk-ecdhe",
        "statements": True,
        "rekey": 10,
    }
    secured["observe_interval"] = 1
    secured["series_interval"] = 1
    attacked = deepcopy(_SMALL)
    attacked["network"] = {"sites": ["lan", "west"], "topology": "row", "wan": {"delay": "5ms"}}
    attacked["attackers"] = {
        re.sub(r"\W", "", kind): {"kind": kind, "start": 3, **_NEEDS.get(kind, {})}
        for kind in sorted(attacker_kinds())
        if attacker_kinds()[kind].__module__.startswith("rsim.")
    }
    instant = deepcopy(_SMALL)
    instant["network"] = {"transport": "instant"}
    instant["profile"] = "rspsim"
    return [deepcopy(_SMALL), wide, secured, attacked, instant]


def paths(table: dict[str, Any]) -> dict[str, str]:
    """Defaults by dotted path of all settings that a table could have, by its groups' names."""
    found = {}
    for setting in settings():
        section, _, rest = setting.path.partition(".NAME")
        if not rest:
            found[setting.path] = setting.default
            continue
        kind = re.match(r"\[(.*?)\]", rest)
        groups = table.get(section)
        for name, group in groups.items() if isinstance(groups, dict) else ():
            if kind is None or (isinstance(group, dict) and group.get("kind") == kind[1]):
                path = f"{section}.{name}{rest[kind.end() :] if kind else rest}"
                found[path] = setting.default
    return found


_EXTREMES: list[Any] = [
    0, -1, 1, 2, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63, 2**64,
    10**30, 10**400, -(10**400), 0.0, -0.0, 0.5, 1.5, 1e-9, 1e-6, 1e-300, 5e-324, 1e9, 1e18, 1e200,
    1.7e308, -1e-300, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
_TEXTS: list[Any] = [
    "", " ", "x", "none", "0", "5", "1e7", "1e400", "10ms", "-5s", "5 parsecs", "٣", "٣s", "nan",
    "inf", "true", "[/]", "[/x]", "[bold]", "$\\foo$", "$x$", "a" * 300, "é" * 200, "\x00",
    "\x1b[2J", "a\nb", "a\rb", "../..", "/dev/zero", "/dev/null", "/etc", "~", "*", "%s", "{}",
    "west", "pool", "user", "server", "element", "calcapp", "random", "down@5, up@+1", "down@1e300",
    "up@-5", "224.0.1.1", "10.0.0.1", "::1", "999.1.1.1", "ASAP_REGISTRATION", "\ud7ff", "😀",
]  # fmt: skip
_NESTED: list[Any] = [
    [], {}, [[]], [{}], {"": {}}, {"a": {}}, [None], [1, "a"], [True], ["lan"], ["lan", "lan"],
    ["lan", "west"], ["lan", "zz"], {"mean": 1}, {"mean": -1}, {"mean": "1s", "distribution": "x"},
    {"distribution": "gamma", "mean": 1, "variation": 1e200}, {"kind": []}, {"uptime": 0},
    {"uptime": 0, "downtime": 0}, {"file": "/dev/zero"}, {"file": 5}, [["a", "b"], ["b", "a"]],
    {"distribution": "pareto", "mean": 1, "variation": 1.0000001}, ["x"] * 500,
    {"at": "user"}, {"at": "nope"}, {"between": ["lan", "zz"]}, {"between": ["lan"]},
]  # fmt: skip


def junk(chance: random.Random) -> Any:
    """A value that hardly any setting was made for."""
    kind = chance.randrange(8)
    if kind < 3:
        return chance.choice(_EXTREMES)
    if kind < 5:
        return chance.choice(_TEXTS)
    if kind < 6:
        return chance.choice([True, False])
    if kind < 7:
        return deepcopy(chance.choice(_NESTED))
    value: Any = chance.choice(_TEXTS)
    for _ in range(chance.choice([1, 2, 5, 25, 40])):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def near(default: str, chance: random.Random) -> Any:
    """A value of the kind of a default, from far below it to far above."""
    if default in ("True", "False"):
        return chance.random() < 0.5
    match = re.search(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", default)
    if match is None:
        return chance.choice(_TEXTS)
    factor = 10 ** chance.choice(
        [0, 0, -1, 1, -3, 3, chance.uniform(-9, 9), chance.uniform(-20, 20)]
    )
    value = (float(match[0]) or 1.0) * factor
    return round(value) if "." not in match[0] else value


def _put(table: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        inner = table.get(key)
        if not isinstance(inner, dict):
            inner = table[key] = {}
        table = inner
    table[last] = value


def _tables(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield table
    for value in table.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                yield from _tables(part)


def _mutate(table: dict[str, Any], chance: random.Random) -> str:
    """Changes one thing; gives what."""
    kind = chance.randrange(10)
    inner = chance.choice([one for one in _tables(table) if one] or [table])
    key = chance.choice(sorted(inner)) if inner else ""
    if kind < 6:
        known = paths(table)
        key = chance.choice(sorted(known))
        _put(table, key, junk(chance) if kind < 3 else near(known[key], chance))
    elif kind == 6:
        inner[key] = junk(chance)
    elif kind == 7:
        inner.pop(key, None)
    elif kind == 8:
        inner[str(chance.choice(_TEXTS))] = inner.pop(key, None) or {}
    else:
        # Another's value, of the right kind more often than not.
        inner[key] = deepcopy(
            chance.choice(list(chance.choice(list(_tables(table))).values()) or [1])
        )
    return key


def mutated_scenarios(seed: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """So many scenarios as tables, each with what was changed: one to three things."""
    chance = random.Random(f"scenarios {seed}")
    known = bases()
    for _ in range(count):
        table = deepcopy(chance.choice(known))
        changed = [_mutate(table, chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        yield ", ".join(changed), table


SWEEP: dict[str, Any] = {
    "replications": 2,
    "axes": {"network.delay": [0.01, "20ms"], "pools.pool.policy": ["random", "least_used"]},
    "zip": {"pool_users.user.count": [1, 2], "pool_elements.element.count": [1, 2]},
    "points": [{"pool_users.user.request_size": 1e5}, {"pool_users.user.request_size": 2e5}],
    "sample": {
        "kind": "sobol",
        "size": 2,
        "seed": 1,
        "ranges": {"pool_users.user.request_interval": {"low": 1, "high": 9, "scale": "log"}},
    },
    "precision": {"metric": "handling_speed_pct", "relative": 0.1, "most": 12},
    "series": ["handling_speed_pct"],
    "derived": {
        "pool_users.user.keep_alive_timeout": "2 * pool_users.user.keep_alive_interval",
    },
    "arms": {
        "one": {"label": "one", "set": {"network.loss": 0.1}},
        "two": {"axes": {"enrp_servers.server.count": [1, 2]}},
    },
    "quick": {"replications": 1, "set": {"duration": 5}, "axes": {"network.delay": [0.01]}},
    "figure": [
        {
            "x": "network.delay",
            "lines": "pools.pool.policy",
            "where": {"pool_users.user.request_size": 1e5},
            "arms": ["one"],
            "title": "$x^2$",
            "x_scale": "log",
        }
    ],
    "references": [
        {
            "file": "data/x.csv",
            "arm": "one",
            "columns": {"delay": "network.delay"},
            "metrics": {"speed": "handling_speed_pct"},
        }
    ],
}
_EXPRESSIONS = [
    "9**1000", "((9**999)**999)**999", "-" * 900 + "1", "(" * 300 + "1" + ")" * 300, "1/0", "0**-1",
    "(-8)**0.5", "abs((-8)**0.5)", "__import__('os')", "network.delay", "network", "1e999",
    "9" * 900, "min()", "round(1, 1e300)", "lambda: 1", "x := 5", "1if 1else 2", "٣", "\x00",
    "", "'" * 9,
]  # fmt: skip


def mutated_studies(seed: int, count: int) -> Iterator[tuple[str, str]]:
    """The text of so many study files, each with what was changed; some are no valid TOML."""
    chance = random.Random(f"studies {seed}")
    base = {**deepcopy(_SMALL), "series_interval": 1}
    for _ in range(count):
        table = {**deepcopy(base), "sweep": deepcopy(SWEEP)}
        for part in ("zip", "points", "sample", "precision", "figure", "references", "derived"):
            if chance.random() < 0.5:
                del table["sweep"][part]
        if "points" not in table["sweep"]:
            table["sweep"].pop("figure", None)
        changed = []
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            kind = chance.randrange(6)
            if not isinstance(table.get("sweep"), dict) or not table["sweep"]:
                break
            if kind < 3:
                changed.append("sweep." + _mutate_in(table["sweep"], chance))
            elif kind == 3:
                path = chance.choice(
                    [*sorted(paths(table)), "seed", "code", "sweep", "", "a..b", "."]
                )
                values = [junk(chance) for _ in range(chance.randrange(4))]
                place = chance.choice(["axes", "zip", "arms.one.set", "arms.two.axes", "quick.set"])
                _put(
                    table["sweep"], place, {path: values if place != "quick.set" else junk(chance)}
                )
                changed.append(f"sweep.{place}.{path}")
            elif kind == 4:
                _put(table["sweep"], "derived", {"duration": chance.choice(_EXPRESSIONS)})
                changed.append("sweep.derived")
            else:
                changed.append(_mutate(table, chance))
        text = toml(table)
        if chance.random() < 0.1:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(_TEXTS) + text[place + chance.randrange(3) :]
            changed.append(f"text at {place}")
        yield ", ".join(changed), text


def _mutate_in(table: dict[str, Any], chance: random.Random) -> str:
    inner = chance.choice([one for one in _tables(table) if one])
    key = chance.choice(sorted(inner))
    kind = chance.randrange(4)
    if kind < 2:
        value = inner[key]
        if isinstance(value, list) and value and chance.random() < 0.7:
            value[chance.randrange(len(value))] = junk(chance)
        else:
            inner[key] = junk(chance)
    elif kind == 2:
        inner[str(chance.choice([*_TEXTS, "nope"]))] = inner.pop(key)
    else:
        del inner[key]
    return key


def toml(table: dict[str, Any]) -> str:
    """A table as TOML, with all tables within it on one line each; None is left out."""
    return "".join(f"{_key(key)} = {_inline(value)}\n" for key, value in table.items())


def _key(key: str) -> str:
    return json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        parts = (f"{_key(k)} = {_inline(v)}" for k, v in value.items() if v is not None)
        return "{ " + ", ".join(parts) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(part) for part in value if part is not None) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _key(value)
    return repr(value)


class SlowRunError(Exception):
    """A run whose clock goes on, but that takes too long to be waited for."""


@contextmanager
def watched(deployment: Deployment) -> Iterator[None]:
    """Raises TimeoutError where the clock stands still, SlowRunError where it goes on for long."""
    seen: list[float] = []

    def look(*_: object) -> None:
        now = deployment.world.clock.now
        if seen and seen[-1] == now:
            raise TimeoutError(f"the clock stands still at {now} s")
        seen.append(now)
        if len(seen) * _LOOKS > LONGEST_RUN:
            raise SlowRunError

    before = signal.signal(signal.SIGVTALRM, look)
    signal.setitimer(signal.ITIMER_VIRTUAL, _LOOKS, _LOOKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raises TimeoutError in what takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"takes more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _check_line(error: ScenarioError) -> None:
    text = str(error)
    assert "\n" not in text, text
    assert text.isprintable(), text
    assert len(text) <= LONGEST_LINE, text


def examine(table: dict[str, Any], run: bool = True) -> str:
    """What becomes of a scenario: `refused` with a line, `accepted`, or that it would take long.

    Parameters: `run` runs what is accepted, for five simulated seconds. Raises whatever else comes
    up.
    """
    try:
        with limited(LONGEST_LOAD):
            scenario = rsim.scenario(table)
    except ScenarioError as error:
        _check_line(error)
        return "refused"
    groups = [
        group
        for section in ("enrp_servers", "pool_elements", "pool_users", "attackers")
        for group in getattr(scenario, section).values()
    ]
    if sum(group.count for group in groups) > 200:
        return "accepted, large"
    if run:
        try:
            short = {**table, "warm_up": 0, "duration": 5}
            for key in ("series_interval", "observe_interval"):
                short.pop(key, None)
            deployment = Deployment(rsim.scenario(short))
            with watched(deployment):
                deployment.run()
        except SlowRunError:
            return "accepted, slow"
        except ScenarioError as error:
            _check_line(error)
    return "accepted"


def examine_study(text: str, folder: Path) -> str:
    """What becomes of a study in a folder: `refused` with a line, or `accepted`."""
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8", errors="replace")
    try:
        with limited(LONGEST_LOAD):
            load_study(file)
            load_study(file, quick=True)
    except ScenarioError as error:
        _check_line(error)
        return "refused"
    return "accepted"


def main(seed: int, count: int) -> int:
    """Tries so many of each; prints outcomes, and gives the number of those that fail."""
    found: Counter[str] = Counter()
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        cases = [
            *((what, table, None) for what, table in mutated_scenarios(seed, count)),
            *((what, None, text) for what, text in mutated_studies(seed, count)),
        ]
        for number, (what, table, text) in enumerate(cases):
            try:
                if table is not None:
                    found[f"scenario {examine(table)}"] += 1
                else:
                    assert text is not None
                    found[f"study {examine_study(text, Path(name))}"] += 1
            except (Exception, AssertionError) as error:
                failures += 1
                first = str(error).partition("\n")[0][:300]
                print(f"{number} {what[:200]!r}: {type(error).__name__}: {first}", flush=True)
    print(dict(found), f"{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(min(1, main(int(sys.argv[1]), int(sys.argv[2]))))
