"""The figure of a study and the references that it names, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from rsim.errors import shown
from rsim.results.registry import check_name
from rsim.suggestions import unknown
from rsim.sweep.values import Forms
from rsim.units import Model, Plain

_LONGEST = 200
"""Characters of a label: longer ones leave no room for the figure."""


def drawable(text: str) -> str:
    """Text that a figure can show.

    Parameters: `text` of a label. Raises ValueError where formulas in it, between $, are none.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"{shown(text)}: a label has at most {_LONGEST} characters")
    if not text.replace("\n", "").isprintable():
        raise ValueError(f"{shown(text)}: a label must be printable text")
    if text.count("$") > 1:
        from matplotlib.mathtext import MathTextParser

        try:
            MathTextParser("path").parse(text)
        except Exception:
            # Whatever a formula does to the parser, it would do it again when it is drawn.
            raise ValueError(
                f"{shown(text)}: the text between $ is not a formula; write \\$ for a dollar sign"
            ) from None
    return text


Label = Annotated[str, AfterValidator(drawable)]
"""Text in a figure."""


MetricName = Annotated[str, AfterValidator(check_name)]
"""Name of a metric."""


class Figure(Model):
    """What `rsim plot` draws of a study."""

    metric: MetricName = Field("handling_speed_pct", description="metric on the vertical axis")
    x: str = Field(description="dotted path on the horizontal axis")
    against: str = Field(
        "", description="metric on the horizontal axis instead; `x` then marks the points"
    )
    x_label: Label = Field("", description="its label")
    x_scale: Literal["linear", "log"] = Field("linear", description="linear or log")
    lines: str = Field("", description="dotted path with one line for each value")
    where: dict[str, Plain] = Field({}, description="only points with these values")
    arms: tuple[str, ...] = Field((), description="only these arms; none: all")
    title: Label = Field("", description="title")

    @field_validator("against")
    @classmethod
    def _against_a_metric(cls, value: str) -> str:
        return check_name(value) if value else value

    @model_validator(mode="after")
    def _settings_serve(self) -> Figure:
        if self.against and (self.x_label or self.x_scale != "linear"):
            raise ValueError("x_label and x_scale: do nothing beside against")
        if self.lines == self.x:
            raise ValueError("lines: is x already")
        if len(set(self.arms)) < len(self.arms):
            raise ValueError("arms: names one twice")
        return self


class Reference(Model):
    """A CSV with results of another simulator, in rows `..., metric, mean, ci95, runs`."""

    file: str = Field(min_length=1, description="file, relative to the study")
    label: Label = Field("reference", description="how figures call it")
    arm: str = Field("", description="arm that it belongs to")
    columns: dict[str, str] = Field(description="dotted path by name of the reference's column")
    values: dict[str, dict[str, Plain]] = Field(
        {}, description="this simulator's value by the reference's, for each column that differs"
    )
    metrics: dict[str, MetricName] = Field(
        min_length=1, description="this simulator's metric by the reference's name"
    )
    where: dict[str, Plain] = Field({}, description="only rows with these values")

    @model_validator(mode="after")
    def _values_are_of_columns(self) -> Reference:
        for column in self.values:
            if column not in self.columns:
                raise ValueError(f"values: {unknown('column', column, self.columns)}")
        return self


def check_reference(reference: Reference, arms: Iterable[str], parameters: list[str]) -> None:
    """Raises ValueError for an arm that there is not, or columns that are no parameters.

    Parameters: `reference` of a study; `arms` names of all; `parameters` dotted paths of all axes.
    """
    if reference.arm:
        _check_arm(reference.arm, arms)
    for path in reference.columns.values():
        _check_parameter("columns", path, parameters)


def check_named(panel: Figure, arms: Iterable[str], parameters: list[str]) -> None:
    """Raises ValueError where a panel names an arm or a parameter that there is not.

    Parameters: `panel` of a figure; `arms` names of all; `parameters` dotted paths of all axes.
    """
    for arm in panel.arms:
        _check_arm(arm, arms)
    _check_parameter("x", panel.x, parameters)
    if panel.lines and panel.lines != "arm":
        _check_parameter("lines", panel.lines, parameters)
    for path in panel.where:
        _check_parameter("where", path, parameters)


def check_panel(
    panel: Figure,
    points: list[tuple[str, dict[str, Any]]],
    arms: Iterable[str],
    *,
    forms: Forms,
    declared: dict[str, list[Any]],
) -> Figure:
    """The panel with the values of `where` in the form that parameters have.

    Parameters: `panel` of a figure; `arms` names of all; `forms` of all values; `points` arm and
    parameters of each; `declared` values of paths that the study names, though this version of it
    may leave them out. Raises ValueError for what no point has.
    """
    parameters = list(dict.fromkeys(path for _, values in points for path in values))
    check_named(panel, arms, parameters)
    where, left_out = {}, False
    for path, value in panel.where.items():
        try:
            where[path] = forms.of(path, value)
        except KeyError:
            if value not in declared.get(path, ()):
                known = ", ".join(shown(one) for one in forms.values(path)[:5])
                raise ValueError(
                    f"where: {path}: no point has {shown(value)}; values are {known}"
                ) from None
            where[path], left_out = value, True
    shown_points = [
        values
        for arm, values in points
        if arm in (panel.arms or arms) and all(values.get(p) == v for p, v in where.items())
    ]
    if not left_out:
        if not shown_points:
            raise ValueError("where: no point of these arms has all these values")
        if not any(panel.x in values for values in shown_points):
            raise ValueError(f"x: no point that is shown has {panel.x}")
    for path in (panel.x, panel.lines):
        texts = [v for values in shown_points if isinstance(v := values.get(path), str)]
        if texts and path == panel.x and panel.x_scale == "log":
            raise ValueError(f"x_scale: {panel.x} has values that are no numbers")
        for text in dict.fromkeys(texts):
            drawable(text[:_LONGEST])
    return panel.model_copy(update={"where": where})


def _check_arm(arm: str, arms: Iterable[str]) -> None:
    if arm not in arms:
        raise ValueError(unknown("arm", arm, arms))


def _check_parameter(what: str, path: str, parameters: list[str]) -> None:
    if path not in parameters:
        raise ValueError(f"{what}: {unknown('axis of the study', path, parameters)}")
