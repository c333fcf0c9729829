"""Every setting of a scenario, as a list that a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rsim.attackers import attacker_kinds
from rsim.scenario.groups import GROUPS
from rsim.scenario.model import Scenario


@dataclass(frozen=True)
class Setting:
    """A setting: dotted path, default as text (empty: must be given), what it is.

    Parameters: `path` with dots; `default` as text, empty: it must be given; `description` what it
    is, with its unit.
    """

    path: str
    default: str
    description: str


def settings() -> list[Setting]:
    """All settings, groups under the name NAME and attackers by kind."""
    return list(_of(Scenario, ""))


def _of(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        path = prefix + name
        annotation = field.annotation
        if path == "attackers":
            for kind, attacker in attacker_kinds().items():
                yield from _of(attacker.Settings, f"attackers.NAME[{kind}].")
        elif path in GROUPS:
            yield from _of(GROUPS[path], f"{path}.NAME.")
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _of(annotation, f"{path}.")
        else:
            yield Setting(path, _text(field.default), field.description or "")


def _text(default: Any) -> str:
    if default is PydanticUndefined:
        return ""
    if default is None:
        return "null"
    return str(default)
