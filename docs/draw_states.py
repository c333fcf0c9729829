"""The page of states: a drawing and a table for each role, from the tables that drive the code."""

from __future__ import annotations

from math import cos, pi, sin
from pathlib import Path

from matplotlib.figure import Figure

from rsim.endpoints.roles import ROLES

BLANK = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
HEAD = """# States of the roles

Each role of the protocols has one table of states. The table drives the code: an event that it does
not list for a state is an error of the program. Each row names the section that asks for it.

"""


def write(out: Path) -> None:
    """Writes `states.md` and its drawings."""
    text = HEAD
    for number, table in enumerate(ROLES):
        picture = f"states-{number}.svg"
        draw(table).savefig(out / picture, bbox_inches="tight")
        title = table.role[0].upper() + table.role[1:]
        states = {state.name: state for row in table.rows for state in (row[0], row[2])}
        text += f"## {title}\n\n![The states of this role: {', '.join(states)}]({picture})\n\n"
        text += "| state | event | next state | source |\n| --- | --- | --- | --- |\n"
        for state, event, following, section in table.rows:
            text += f"| {state.name} | {event.name} | {following.name} | {section} |\n"
        text += "\n"
    (out / "states.md").write_text(text, encoding="utf-8")


def draw(table) -> Figure:
    """States on a circle, the initial one on top; an arrow names the events that lead along it."""
    names = [table.initial.name]
    for state, _, following, _ in table.rows:
        names += [one.name for one in (state, following) if one.name not in names]
    width, height = (5.2, 3.4) if len(names) < 5 else (8.0, 6.0)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-1.5, 1.5)
    axes.set_ylim(-1.35, 1.35)
    places = {
        name: (sin(2 * pi * number / len(names)), cos(2 * pi * number / len(names)))
        for number, name in enumerate(names)
    }
    events: dict[tuple[str, str], list[str]] = {}
    for state, event, following, _ in table.rows:
        events.setdefault((state.name, following.name), []).append(event.name)
    for (here, there), labels in events.items():
        _arrow(axes, places[here], places[there], "\n".join(labels))
    for name, (x, y) in places.items():
        weight = "bold" if name == table.initial.name else "normal"
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#e8eef7", "edgecolor": "#34507a"}
        axes.text(x, y, name, ha="center", va="center", size=9, weight=weight, bbox=box, zorder=3)
    return figure


def _arrow(axes, here, there, label) -> None:
    """An arrow between two states, bent so that its opposite does not cover it, or a loop."""
    style = {"arrowstyle": "-|>", "color": "#34507a", "shrinkA": 24, "shrinkB": 24, "lw": 1.0}
    if here == there:
        x, y = 1.33 * here[0], 1.22 * here[1]
    else:
        axes.annotate("", there, here, arrowprops={**style, "connectionstyle": "arc3,rad=0.18"})
        # On the bent arrow, nearer to its begin: in the middle the labels would meet.
        middle = ((here[0] + there[0]) / 2, (here[1] + there[1]) / 2)
        bend = (
            middle[0] + 0.18 * (there[1] - here[1]) * 1.2,
            middle[1] - 0.18 * (there[0] - here[0]) * 0.75,
        )
        x, y = (0.42 * a + 0.46 * b + 0.12 * c for a, b, c in zip(here, bend, there, strict=True))
    text = label if here != there else f"↻ {label}"
    axes.text(x, y, text, ha="center", va="center", size=6.5, color="#555555", zorder=2, bbox=BLANK)
