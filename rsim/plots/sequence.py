"""Message sequence charts of captures, as text or as a page."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from pathlib import Path
from typing import Any

from rsim.errors import CaptureError
from rsim.wire.capture import FrameCount, read_names
from rsim.wire.dissect import dissect

_LANE, _ROW, _LEFT, _TOP = 190, 22, 110, 46
_TEXT, _WIDEST_LANE = 120, 34
_COLOURS = {"ASAP": "#0072b2", "ENRP": "#d55e00"}
_HIDDEN = ("sender", "receiver", "pool_elements", "pools", "servers", "server_information")


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One message: `departure` and, where the capture knows it, `arrival` in s; host names or
    addresses; `detail` its fields in short.

    Parameters: `source` and `destination` host names or addresses; `message` its name.
    """

    departure: float
    arrival: float | None
    source: str
    destination: str
    message: str
    detail: str


def read_sequence(
    path: str | Path,
    *,
    begin: float | None = None,
    end: float | None = None,
    hosts: tuple[str, ...] = (),
    messages: tuple[str, ...] = (),
    count: FrameCount | None = None,
) -> list[SequenceStep]:
    """The messages in a capture, in order of departure.

    Parameters: `path` of the capture file; `begin`, `end` of the time in s; `hosts` names,
    addresses or patterns such as `server-*`, one of which must send or receive; `messages` names or
    patterns such as `enrp_*`; `count` counts every frame. Raises CaptureError if the file is no
    capture.
    """
    if not Path(path).exists():
        raise CaptureError(f"{path}: no such file")
    names = read_names(path)
    steps = []
    for row in dissect(str(path), count):
        departure = row["departure"]
        if (begin is not None and departure < begin) or (end is not None and departure > end):
            continue
        source, destination = _host(row["source"], names), _host(row["destination"], names)
        if hosts and not (_matches(source, hosts) or _matches(destination, hosts)):
            continue
        if messages and not _matches(row["message"], messages):
            continue
        detail = row["error"] or _detail(row["fields"])
        steps.append(
            SequenceStep(
                departure=departure,
                arrival=row["arrival"],
                source=source,
                destination=destination,
                message=row["message"],
                detail=detail,
            )
        )
    return steps


def _host(endpoint: str, names: dict[str, str]) -> str:
    address = endpoint.rpartition(":")[0]
    return names.get(address, address)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _detail(fields: dict[str, Any]) -> str:
    parts = []
    for key, value in fields.items():
        if key in _HIDDEN and isinstance(value, (list, tuple)):
            parts.append(f"{len(value)} {key}" if value else "")
        elif key in _HIDDEN or value in (None, False, (), []):
            continue
        elif key == "pool_handle":
            parts.append(bytes.fromhex(value).decode(errors="replace"))
        elif key == "pool_element":
            parts.append(f"PE {value['identifier']:x} of {value['home_server']:x}")
        elif key == "error_causes":
            parts.append("cause " + ", ".join(str(cause["code"]) for cause in value))
        elif value is True:
            parts.append(key)
        elif isinstance(value, int):
            parts.append(f"{key} {value:x}")
    return ", ".join(part for part in parts if part)


def _lanes(steps: list[SequenceStep]) -> list[str]:
    """Hosts in the order of their first message, those that speak ENRP before the others."""
    enrp = [step for step in steps if step.message.startswith("ENRP")]
    steps = enrp + steps
    return list(dict.fromkeys(name for step in steps for name in (step.source, step.destination)))


def sequence_text(steps: list[SequenceStep]) -> str:
    """The chart as text: a column for each host, an arrow for each message.

    Parameters: `steps` as `read_sequence` gives them.
    """
    lanes = _lanes(steps)
    # Wide enough for names and, where there are few hosts, for the messages between neighbours.
    wide = min(_WIDEST_LANE, _TEXT // max(1, len(lanes)))
    width = max([wide, *(len(name) + 2 for name in lanes)])
    head = f"{'time (s)':>12}  " + "".join(f"{name:^{width}}" for name in lanes)
    lines = [head.rstrip()]
    for step in steps:
        left, right = sorted((lanes.index(step.source), lanes.index(step.destination)))
        row = list((" " * (width // 2) + "|" + " " * (width - width // 2 - 1)) * len(lanes))
        first, last = left * width + width // 2, right * width + width // 2
        for place in range(first + 1, last):
            row[place] = "-"
        if step.source == lanes[left]:
            row[last - 1] = ">"
        else:
            row[first + 1] = "<"
        label = f" {step.message} " if last - first > len(step.message) + 6 else ""
        start = first + 1 + max(2, (last - first - 1 - len(label)) // 2)
        row[start : start + len(label)] = label
        note = step.detail if label else f"{step.message} {step.detail}"
        lines.append(f"{step.departure:12.6f}  {''.join(row).rstrip()}  {note}".rstrip())
    return "\n".join(lines) + "\n"


def sequence_html(steps: list[SequenceStep], title: str) -> str:
    """The chart as one page that needs nothing else; a message's fields show under the pointer.

    Parameters: `steps` as `read_sequence` gives them; `title` of the page.
    """
    lanes = _lanes(steps)
    width = _LEFT + _LANE * max(1, len(lanes))
    height = _TOP + _ROW * (len(steps) + 1)
    body = []
    for number, name in enumerate(lanes):
        x = _LEFT + _LANE * number + _LANE // 2
        body.append(
            f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height}" stroke="#bbb"/>'
            f'<text x="{x}" y="{_TOP - 18}" text-anchor="middle" font-weight="bold">'
            f"{escape(name)}</text>"
        )
    body += [_arrow(step, lanes, _TOP + _ROW * (row + 1)) for row, step in enumerate(steps)]
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        "<style>body{font:13px sans-serif;margin:1em}svg text{font:12px sans-serif}"
        "g:hover line{stroke-width:3}</style></head><body>\n"
        f"<h1>{escape(title)}</h1><p>{len(steps)} messages. Blue: ASAP, orange: ENRP. Dashed: "
        "the capture does not know when, or whether, the message has arrived.</p>\n"
        f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(title)}">\n'
        '<defs><marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
        '<path d="M0,0 L9,4 L0,8 z" fill="context-stroke"/></marker></defs>\n'
        + "\n".join(body)
        + "\n</svg></body></html>\n"
    )


def _arrow(step: SequenceStep, lanes: list[str], y: int) -> str:
    here, there = (
        _LEFT + _LANE * lanes.index(name) + _LANE // 2 for name in (step.source, step.destination)
    )
    colour = _COLOURS.get(step.message[:4], "#555")
    dash = "" if step.arrival is not None else ' stroke-dasharray="6 4"'
    arrival = "" if step.arrival is None else f", arrives {step.arrival:.6f} s"
    label = f"{step.message} {step.detail}".strip()
    return (
        f"<g><title>{step.departure:.6f} s{arrival}: {escape(step.source)} to "
        f"{escape(step.destination)}: {escape(label)}</title>"
        f'<text x="4" y="{y + 4}" fill="#555">{step.departure:.6f}</text>'
        f'<line x1="{here}" y1="{y}" x2="{there}" y2="{y}" stroke="{colour}"{dash} '
        'marker-end="url(#head)"/>'
        f'<text x="{(here + there) // 2}" y="{y - 3}" text-anchor="middle" fill="{colour}">'
        f"{escape(step.message)}</text></g>"
    )
