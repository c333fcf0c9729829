"""Pages of the site that follow from the code: settings, metrics, commands, studies, notebooks."""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path

import click
import draw_states
import jupytext
import typer

from rsim.cli import app
from rsim.results import METRICS
from rsim.scenario.schema import settings
from rsim.studies import studies

ROOMS = {
    "rsim": "What most programs need",
    "rsim.scenario": "Scenarios and runs",
    "rsim.sweep": "Sweeps",
    "rsim.studies": "Studies",
    "rsim.results": "Results and statistics",
    "rsim.plots": "Figures",
    "rsim.threats": "Threats",
    "rsim.attackers": "Attackers",
    "rsim.workload": "Workloads",
    "rsim.handlespace": "Handlespace and policies",
    "rsim.wire": "Messages",
    "rsim.errors": "Errors",
}


def pages(docs: Path) -> None:
    """Writes all of them into `docs/generated`."""
    out = docs / "generated"
    shutil.rmtree(out, ignore_errors=True)
    (out / "studies").mkdir(parents=True)
    (out / "notebooks").mkdir()
    (out / "api").mkdir()
    root = docs.parent
    (out / "settings.md").write_text(_settings(), encoding="utf-8")
    (out / "metrics.md").write_text(_metrics(), encoding="utf-8")
    (out / "commands.md").write_text(_commands(), encoding="utf-8")
    draw_states.write(out)
    for name in studies(root / "experiments"):
        folder = root / "experiments" / name
        text = (
            (folder / "README.md").read_text(encoding="utf-8").replace("](../../docs/", "](../../")
        )
        text = re.sub(r"\]\(\.\./([\w-]+)/README\.md\)", r"](\1.md)", text)
        (out / "studies" / f"{name}.md").write_text(text, encoding="utf-8")
        for figure in folder.glob("*.png"):
            shutil.copy(figure, out / "studies")
    text = (root / "experiments" / "README.md").read_text(encoding="utf-8")
    (out / "studies.md").write_text(
        re.sub(r"\]\(([\w-]+)/README\.md\)", r"](studies/\1.md)", text), encoding="utf-8"
    )
    for notebook in sorted((root / "notebooks").glob("*.py")):
        document = jupytext.read(notebook)
        document.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
        jupytext.write(document, out / "notebooks" / f"{notebook.stem}.ipynb")
    for room, title in ROOMS.items():
        (out / "api" / f"{room}.md").write_text(_room(room, title), encoding="utf-8")


def linked(text: str) -> str:
    """A page whose links to studies lead to their pages here."""
    text = re.sub(r"\.\./experiments/([\w-]+)/README\.md", r"generated/studies/\1.md", text)
    return text.replace("../experiments/README.md", "generated/studies.md")


def _room(room: str, title: str) -> str:
    """The public names of a package; `rsim` itself only lists those of others."""
    module = importlib.import_module(room)
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == room]
    names = getattr(module, "__all__", own)
    lines = [f"# {title}", "", f"`{room}`: {(module.__doc__ or '').strip()}", "", "```{eval-rst}"]
    for name in names:
        value = getattr(module, name)
        if isinstance(value, type):
            lines.append(f".. autoclass:: {room}.{name}")
        elif callable(value):
            lines.append(f".. autofunction:: {room}.{name}")
        else:
            continue
        if room == "rsim":
            lines.append("   :no-index:")
    return "\n".join([*lines, "```", ""])


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return (
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
        )

    return "\n".join([line(titles), "|" + " --- |" * len(titles), *map(line, rows)]) + "\n"


def _settings() -> str:
    rows = [
        (f"`{s.path}`", f"`{s.default}`" if s.default else "", s.description) for s in settings()
    ]
    head = (
        "# All settings of a scenario\n\nWhat `rsim schema` prints. `NAME` is a group's name of "
        'your choice; times are in seconds or texts such as `"10ms"`.\n\n'
    )
    return head + _table(("setting", "default", "what it is"), rows)


def _metrics() -> str:
    rows = [(f"`{m.name}`", m.unit, m.label, m.formula) for m in METRICS.values()]
    head = (
        "# All metrics\n\nCounters are differences over the measured time; “requests completed” "
        "are those whose completion lies in it. Each is computed a second time from a trace in "
        "`tests/results/test_metrics.py`.\n\n"
    )
    return head + _table(("name", "unit", "label", "definition"), rows)


def _commands() -> str:
    group = typer.main.get_command(app)
    parts = ["# Commands\n"]

    def describe(name: str, command: click.Command) -> None:
        parts.append(f"\n## `{name}`\n\n{(command.help or '').strip()}\n")
        rows = []
        for parameter in command.params:
            if parameter.name == "help":
                continue
            label = (
                ", ".join(parameter.opts)
                if parameter.opts[0].startswith("-")
                else str(parameter.metavar or parameter.name)
            )
            rows.append((f"`{label}`", str(getattr(parameter, "help", "") or "")))
        if rows:
            parts.append("\n" + _table(("option", "what it does"), rows))
        for sub, inner in getattr(command, "commands", {}).items():
            describe(f"{name} {sub}", inner)

    for name, command in group.commands.items():
        describe(f"rsim {name}", command)
    return "\n".join(parts)
