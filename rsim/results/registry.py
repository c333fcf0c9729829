"""Metrics of a user's own: registered by `@metric`, computed and drawn like the built-in ones.

A metric belongs to the process that registers it, and to its worker processes. One that a Python
file of a scenario registers belongs to the scenarios that name the file, and to no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf, isfinite, nan
from typing import Any, TypeVar

from rsim.errors import ResultError, shown
from rsim.registrations import CODE_MODULE
from rsim.results.metric import Better, Metric
from rsim.results.metrics import METRICS
from rsim.results.observation import Observation, check_counter
from rsim.suggestions import unknown

_BUILT_IN = dict(METRICS)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_TAKEN = frozenset(
    [
        *("run", "arm", "replication", "seed", "scenario", "digest", "code", "error", "traceback"),
        *("series", "warnings", "begin", "end", "measured_from", "measured_to", "metric"),
    ]
)
"""Columns of results that are no metrics."""
_TEXTS = ("unit", "label", "formula")
"""What a file of results has to say of a user's metric."""
_LONGEST_TEXT = 200
"""Characters of a unit, label or formula: one line of a figure or a table."""

F = TypeVar("F", bound=Callable[[Observation], float])

_own: dict[tuple[str, str], Metric] = {}
"""Users' metrics by digest of the file that defines them, and by name."""


def metric(
    name: str,
    *,
    unit: str = "",
    label: str = "",
    formula: str = "",
    better: Better = "",
    low: float = -inf,
    high: float = inf,
    needs: Iterable[str] = (),
) -> Callable[[F], F]:
    """Registers a function as a metric; it takes an `Observation` and gives a number.

    From then on it is computed in each run, and studies, figures and comparisons may name it.
    Registered once more under its name, it takes the place of the one before.

    Parameters: `name` of small letters, digits and _; `unit` "" for a mere number; `label` in
    figures, by default the name; `formula` in words, by default the function's first line of
    documentation; `better` "higher" or "lower" values, or "" for neither; `low` and `high` ends of
    its range, which with the unit say what interval its mean has: a share's if there are both or
    the unit is %, a time's if it is s; `needs` counters such as "pool_users.accepts": without one
    of them the metric is undefined (NaN). Raises ResultError where one of these can't be.

    >>> import rsim
    >>> @rsim.metric("rejects_per_accept", better="lower", low=0)
    ... def rejects_per_accept(observation):
    ...     '''Rejected requests / accepted ones.'''
    ...     accepts = observation.counter("pool_users.accepts")
    ...     return observation.counter("pool_users.rejects") / accepts if accepts else float("nan")
    >>> result = rsim.run(rsim.scenario({
    ...     "warm_up": 0,
    ...     "duration": "10min",
    ...     "pool_elements": {"element": {"start": "1min"}},
    ...     "pool_users": {"user": {"start": "2min"}},
    ... }))
    >>> result.metrics["rejects_per_accept"]
    0.0
    """

    def register(function: F) -> F:
        module = getattr(function, "__module__", "") or ""
        documentation = (getattr(function, "__doc__", "") or "").strip().partition("\n")[0]
        found = Metric(
            name=name,
            unit=unit,
            label=label or str(name).replace("_", " "),
            formula=formula or documentation,
            compute=function,
            better=better,
            low=low,
            high=high,
            needs=tuple(needs),
            own=True,
            code=module.removeprefix(CODE_MODULE) if module.startswith(CODE_MODULE) else "",
        )
        _check(found)
        _own[found.code, name] = METRICS[name] = found
        return function

    return register


def _check(found: Metric) -> None:
    name = found.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ResultError(
            f"metric {shown(name)}: a name has at most 60 small letters, digits and _, a letter "
            "first"
        )
    if name in _BUILT_IN or name in _TAKEN:
        what = "a built-in metric" if name in _BUILT_IN else "a column of results"
        raise ResultError(f"metric {name}: is the name of {what}; choose another")
    for key in ("unit", "label", "formula"):
        text = getattr(found, key)
        if not isinstance(text, str) or len(text) > _LONGEST_TEXT or not text.isprintable():
            raise ResultError(
                f"metric {name}: {key} is {shown(text)}, must be a line of at most "
                f"{_LONGEST_TEXT} characters"
            )
    if found.better not in ("higher", "lower", ""):
        raise ResultError(
            f"metric {name}: better is {shown(found.better)}, must be 'higher', 'lower' or ''"
        )
    for key in ("low", "high"):
        if isinstance(getattr(found, key), bool) or not isinstance(
            getattr(found, key), int | float
        ):
            raise ResultError(
                f"metric {name}: {key} is {shown(getattr(found, key))}, must be a number"
            )
    if not found.low < found.high:
        raise ResultError(f"metric {name}: low {found.low:g} is not below high {found.high:g}")
    for counter in found.needs:
        if not isinstance(counter, str) or "." not in counter:
            raise ResultError(
                f"metric {name}: needs {shown(counter)}, must be counters such as "
                "'pool_users.accepts'"
            )


def metrics_of(code: Collection[str]) -> dict[str, Metric]:
    """The metrics by name that a scenario has: the built-in ones, and users'.

    Parameters: `code` digests of the Python files that the scenario names.
    """
    found = dict(_BUILT_IN)
    for (digest, name), one in _own.items():
        if not digest or digest in code:
            found[name] = one
    return found


def check_name(name: str, known: Collection[str] | None = None) -> str:
    """Gives the `name` of a metric back. Raises ValueError, with the nearest one, if it is none.

    Parameters: `known` names, by default of all metrics.
    """
    names = METRICS if known is None else known
    if name not in names:
        raise ValueError(unknown("metric", name, names))
    return name


def check_needs(metrics: Mapping[str, Metric], known: Callable[[], frozenset[str]]) -> None:
    """Raises ResultError where one of `metrics` needs a counter that there is not.

    Parameters: `known` gives the names of all counters.
    """
    for one in metrics.values():
        for counter in one.needs:
            try:
                check_counter(counter, known())
            except ResultError as error:
                raise ResultError(f"metric {one.name}: {error}") from None


def describe(metrics: Iterable[Metric]) -> dict[str, dict[str, str | float]]:
    """What a file of results keeps of users' metrics, by name.

    That is unit, label and formula, which values are better, and finite ends of their range.

    Parameters: `metrics` of a study, the built-in ones among them.
    """
    found = {}
    for one in metrics:
        if one.own:
            found[one.name] = {key: getattr(one, key) for key in (*_TEXTS, "better")}
            ends = {"low": one.low, "high": one.high}
            found[one.name] |= {key: value for key, value in ends.items() if isfinite(value)}
    return found


def learn(descriptions: Any) -> None:
    """Has users' metrics known by what a file of results keeps of them, to be shown and drawn.

    Parameters: `descriptions` as `describe` gives them; metrics that are registered stay as they
    are. Raises ResultError where they are none.
    """
    if not isinstance(descriptions, dict):
        raise ResultError(f"metrics is {shown(descriptions)}, must be a table")
    for name, texts in descriptions.items():
        if name in METRICS:
            continue
        allowed = {*_TEXTS, "better", "low", "high"}
        if not isinstance(texts, dict) or not set(_TEXTS) <= texts.keys() <= allowed:
            raise ResultError(f"metrics.{name} is {shown(texts)}, must be unit, label and formula")
        found = Metric(name=name, **texts, compute=_is_not_here, own=True)
        _check(found)
        METRICS[name] = found


def _is_not_here(observation: Observation) -> float:
    return nan


def metrics_by_hand() -> list[Metric]:
    """Users' metrics that no Python file of a scenario has registered."""
    return [one for (code, _), one in _own.items() if not code]


def replace_by_hand(metrics: Iterable[Metric]) -> None:
    """Has these be the users' metrics of this process, beside those of scenarios' Python files.

    Parameters: `metrics` as `metrics_by_hand` gave them in another process.
    """
    for one in metrics_by_hand():
        del _own["", one.name]
        METRICS.pop(one.name, None)
    for one in metrics:
        _own["", one.name] = METRICS[one.name] = one
