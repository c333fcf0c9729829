"""Damaged and odd files of every kind that rsim reads, and odd overrides, from a seed.

Each case is a folder of files and the commands that read them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

from .scenarios import bases, junk, near, paths, toml

Command = tuple[object, ...]


@dataclass(frozen=True)
class Case:
    """Commands, and what was done to what they read."""

    what: str
    commands: tuple[Command, ...]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes with some of them changed, cut off, repeated, or others put in between."""
    kind = chance.randrange(6)
    place = chance.randrange(len(data) + 1) if data else 0
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + chance.randbytes(chance.choice([1, 4, 100])) + data[place:]
    if kind == 2:
        end = min(len(data), place + chance.choice([1, 4, 64, 1000]))
        return data[:end] + data[place:end] * chance.choice([1, 3, 50]) + data[end:]
    if kind == 3:
        return data[:place] + data[place + chance.choice([1, 2, 8, 100]) :]
    if kind == 4:
        special = [
            b"\x00" * 8,
            b"\xff" * 8,
            b"\x7f\xff\xff\xff",
            b"nan",
            b"-1",
            b"1e400",
            b"\n",
            b",",
        ]
        return data[:place] + chance.choice(special) + data[place + 4 :]
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 8, 64])):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def overrides(seed: int, count: int, folder: Path) -> Iterator[Case]:
    """Settings on the command line."""
    chance = random.Random(f"overrides {seed}")
    base = bases()[0]
    file = folder / "scenario.toml"
    file.write_text(toml({**base, "duration": 2, "warm_up": 1}))
    known = paths(base)
    for _ in range(count):
        given: list[str] = []
        for _ in range(chance.choice([1, 1, 2])):
            path = chance.choice([*sorted(known), "", "a", "a..b", "seed", "code", "=", "[/x]"])
            value = junk(chance) if chance.random() < 0.6 else near(known.get(path, "1"), chance)
            text = json.dumps(value, default=str) if chance.random() < 0.7 else str(value)
            # No command line can hold these.
            given += [
                "--set",
                f"{path}={text}".replace("\x00", "").encode(errors="replace").decode(),
            ]
        short = ["--set", "duration=2", "--set", "warm_up=1", "--set", "pool_users.user.count=2"]
        few = ["--set", "pool_elements.element.count=2", "--set", "enrp_servers.server.count=1"]
        yield Case(" ".join(given)[:200], (("run", file, *given, *short, *few),))


_ARRIVALS = [
    b"time,rate\n0,1\n5,2\n9,0\n",
    b"time\n1\n2\n3\n",
    b"time,user,size\n1,1,1e5\n2,2,2e5\n3,1,1e5\n",
    b"minute,requests\n0,60\n1,120\n",
]
_GRAPHS = {
    "csv": b"from,to,delay,loss\nlan,a,0.01,0\na,b,0.02,0.1\n",
    "gml": b'graph [\n node [ id 0 label "lan" ]\n node [ id 1 label "b" ]\n'
    b" edge [ source 0 target 1 delay 0.01 ]\n]\n",
    "graphml": b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    b'<key id="d" for="edge" attr.name="delay" attr.type="double"/>'
    b'<graph edgedefault="undirected"><node id="lan"/><node id="b"/>'
    b'<edge source="lan" target="b"><data key="d">0.01</data></edge></graph></graphml>',
}


def arrivals(seed: int, count: int, folder: Path) -> Iterator[Case]:
    """Files that say when users ask."""
    chance = random.Random(f"arrivals {seed}")
    base = bases()[0]
    del base["pool_users"]["user"]["request_size"], base["pool_users"]["user"]["request_interval"]
    file, data = folder / "scenario.toml", folder / "arrivals.csv"
    base = {**base, "duration": 8, "warm_up": 1}
    options: list[Any] = ["arrivals.csv", "arrivals.csv", "arrivals.csv", {"file": "arrivals.csv"}]
    options.append(
        {"file": "arrivals.csv", "time": "minute", "rate": "requests", "time_unit": "min"}
    )
    for number in range(count):
        data.write_bytes(damaged(chance.choice(_ARRIVALS), chance))
        base["pool_users"]["user"]["arrivals"] = chance.choice(options)
        file.write_text(toml(base))
        yield Case(f"arrivals {number}: {data.read_bytes()[:100]!r}", (("run", file),))


def graphs(seed: int, count: int, folder: Path) -> Iterator[Case]:
    """Topologies."""
    chance = random.Random(f"graphs {seed}")
    base = {**bases()[0], "duration": 2, "warm_up": 1}
    file = folder / "scenario.toml"
    for number in range(count):
        ending = chance.choice(sorted(_GRAPHS))
        data = folder / f"graph.{ending}"
        data.write_bytes(damaged(_GRAPHS[ending], chance))
        file.write_text(toml({**base, "network": {"graph": data.name}}))
        yield Case(f"graph {number}.{ending}: {data.read_bytes()[:100]!r}", (("run", file),))


def captures(seed: int, count: int, folder: Path) -> Iterator[Case]:
    """Captures, and messages in hex. Needs `capture.pcapng`, as a run has written it."""
    chance = random.Random(f"captures {seed}")
    whole = (folder / "capture.pcapng").read_bytes()[:20_000]
    file = folder / "damaged.pcapng"
    for number in range(count):
        if chance.random() < 0.2:
            text = chance.randbytes(chance.choice([0, 1, 8, 60, 2000])).hex()
            text = chance.choice([text, text[1:], text + "zz", "0x" + text, "[/]" + text])
            yield Case(f"hex {number}: {text[:60]}", (("dissect", text or "-"),))
            continue
        data = whole[: chance.choice([2000, 20_000])]
        for _ in range(chance.choice([1, 2, 5])):
            data = damaged(data, chance)
        file.write_bytes(data)
        page = folder / "page.html"
        commands: list[Command] = [("dissect", file, "--json"), ("trace", file, "--out", page)]
        yield Case(f"capture {number}", (chance.choice(commands),))


def stores(seed: int, count: int, folder: Path) -> Iterator[Case]:
    """Folders of results. Needs `study.toml`, `whole` (finished) and `half` (it was stopped)."""
    chance = random.Random(f"stores {seed}")
    study = folder / "study.toml"
    for number in range(count):
        out = folder / f"out-{number}"
        copytree(folder / chance.choice(["whole", "half"]), out)
        what = [_damage(out, chance) for _ in range(chance.choice([1, 1, 2]))]
        commands: list[Command] = [
            ("summary", out),
            ("summary", out, "--against", "one"),
            ("plot", out),
            ("rerun", out, "--run", chance.choice(["0", "a", "f", ""])),
            ("sweep", study, "--out", out, "--jobs", 1, "--resume"),
            ("compare", out, "--reference", folder / "reference.csv"),
        ]
        yield Case(f"store {number}: {', '.join(what)}", (chance.choice(commands),))


def _damage(out: Path, chance: random.Random) -> str:
    files = [file for file in sorted(out.rglob("*")) if file.is_file()]
    if not files:
        return "nothing is there"
    file = chance.choice(files)
    kind = chance.randrange(5)
    if kind == 0:
        file.unlink()
        return f"{file.name} is gone"
    if kind == 1:
        file.write_bytes(chance.choice([b"", b"[]", b"5", b"null", b"{}", b'{"run": 5}']))
        return f"{file.name} is {file.read_bytes()!r}"
    if kind == 2 and file.suffix == ".json":
        return _other_json(file, chance)
    file.write_bytes(damaged(file.read_bytes(), chance))
    return f"{file.name} is damaged"


def _other_json(file: Path, chance: random.Random) -> str:
    try:
        document = json.loads(file.read_bytes())
    except ValueError:
        return f"{file.name} was damaged before"
    place: Any = document
    key: Any = None
    for _ in range(chance.choice([1, 1, 2, 3])):
        if isinstance(place, dict) and place:
            key = chance.choice(sorted(place))
        elif isinstance(place, list) and place:
            key = chance.randrange(len(place))
        else:
            break
        above, place = place, place[key]
    if key is not None:
        above[key] = junk(chance)
    file.write_text(json.dumps(document, default=str), errors="replace")
    return f"{file.name}: {key} is another"
