"""The catalogue: one file a threat, which says what is attacked, measured, and done about it.

All threats share the scenario in `base.toml`; a threat's file changes it, for all arms (`set`), for
those with the attack (`attack_set`) and for those with the mitigation (`mitigation_set`).
"""

from __future__ import annotations

import tomllib
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from rsim.errors import ScenarioError
from rsim.results.registry import check_name
from rsim.scenario import Scenario
from rsim.scenario.files import set_path, validate
from rsim.suggestions import unknown
from rsim.units import Model

ARMS = ("baseline", "attack", "mitigated", "cost")
"""No attack and no mitigation; the attack; the attack with the mitigation; the mitigation alone."""


class Strength(Model):
    """What makes the attack stronger."""

    path: str = Field(description="dotted path of the setting")
    values: tuple[float, ...] = Field(description="strengths that the figure shows")
    label: str = Field(description="what they are, with unit")
    whole: bool = Field(False, description="the setting is a whole number")
    per_second: bool = Field(False, description="strengths are rates, the setting is an interval")

    def setting(self, strength: float) -> float | int:
        """Value of the setting for a strength.

        Parameters: `strength` of the attack.
        """
        if self.whole:
            return int(strength)
        return 1.0 / strength if self.per_second else strength


class Prediction(Model):
    """A closed form for the attack's effect."""

    expression: str = Field(description="of settings by dotted path, and x for the strength")
    label: str = Field(description="how the figure calls it")


class Still(Model):
    """An arm that shows what the mitigation does not stop."""

    label: str = Field(description="what it is")
    set: dict[str, Any] = Field({}, description="values by dotted path, over the mitigated arm")
    metric: str = Field("", description="metric that shows it; none: the threat's own")


class Breaking(Model):
    """How to find the strength at which the service breaks down."""

    low: float = Field(gt=0, description="strength at which nothing happens")
    high: float = Field(gt=0, description="strength at which all is lost")
    metric: str = Field("completed_share_pct", description="what counts as the service")


class Threat(Model):
    """A threat."""

    id: str = Field(description="number in RFC 5355, or N1 to N8")
    name: str = Field(description="the attack in a few words")
    needs: str = Field(description="what the attacker must be able to do")
    attack: str = Field(description="what it sends or does")
    mitigation: str = Field(description="what helps")
    still_works: str = Field(description="what the mitigation does not fix")
    reading: str = Field("", description="what the results say, and where a prediction is left")
    metric: str = Field(description="metric of the effect")
    worse: Literal["up", "down"] = Field("up", description="where the attack moves it")
    set: dict[str, Any] = Field({}, description="values by dotted path in all arms")
    control_set: dict[str, Any] = Field(
        {},
        description="values in arms without the attack, where its metric needs somebody who does "
        "the same to no effect",
    )
    attack_set: dict[str, Any] = Field(description="values in arms with the attack")
    mitigation_set: dict[str, Any] = Field(description="values in arms with the mitigation")
    strength: Strength | None = Field(
        None, description="what makes the attack stronger; null: nothing"
    )
    prediction: Prediction | None = Field(None, description="closed form of the effect; null: none")
    still: Still | None = Field(
        None, description="what the mitigation does not stop; null: not tried"
    )
    breaking: Breaking | None = Field(
        None, description="how to find where the service breaks down; null: not tried"
    )

    @model_validator(mode="after")
    def _metrics_exist(self) -> Threat:
        named = [self.metric]
        if self.still is not None and self.still.metric:
            named.append(self.still.metric)
        if self.breaking is not None:
            named.append(self.breaking.metric)
        for name in named:
            check_name(name)
        return self

    def table(self, arm: str, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """The scenario of an arm as a table; `still` is one, too.

        Parameters: `arm` its name; `changes` values by dotted path, None: none.
        """
        table = deepcopy(_base())
        layers = [self.set]
        if arm in ("attack", "mitigated", "still"):
            layers.append(self.attack_set)
        else:
            layers.append(self.control_set)
        if arm in ("mitigated", "cost", "still"):
            layers.append(self.mitigation_set)
        if arm == "still" and self.still is not None:
            layers.append(self.still.set)
        for layer in [*layers, changes or {}]:
            for path, value in layer.items():
                set_path(table, path, deepcopy(value))
        return table

    def scenario(self, arm: str, changes: dict[str, Any] | None = None) -> Scenario:
        """The scenario of an arm, with changes by dotted path.

        Parameters: `arm` its name; `changes` values by dotted path, None: none.
        """
        return validate(self.table(arm, changes), f"threat {self.id}, {arm}")


@cache
def _base() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "data" / "base.toml").read_text("utf-8"))


def _order(threat: Threat) -> tuple[bool, list[int], str]:
    number = threat.id.rstrip("abcdefgh")
    parts = number.lstrip("N").split(".")
    return threat.id.startswith("N"), [int(part) for part in parts], threat.id[len(number) :]


@cache
def threats() -> tuple[Threat, ...]:
    """All threats, in the order of the RFC, then those that it does not number."""
    found = []
    for file in (files(__package__) / "data").iterdir():
        if file.name.endswith(".toml") and file.name != "base.toml":
            try:
                found.append(Threat.model_validate(tomllib.loads(file.read_text("utf-8"))))
            except (ValidationError, tomllib.TOMLDecodeError) as error:
                raise ScenarioError(f"{file.name}: {error}") from None
    return tuple(sorted(found, key=_order))


def threat(name: str) -> Threat:
    """The threat with that id.

    Parameters: `name` its number, such as "2.3a". Raises ScenarioError if there is none.
    """
    for one in threats():
        if one.id.replace(" ", "") == name.replace(" ", ""):
            return one
    raise ScenarioError(unknown("threat", name, [one.id for one in threats()]))
