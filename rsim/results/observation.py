"""What a run has shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rsim.errors import ResultError, shown
from rsim.results.survival import Spans
from rsim.suggestions import nearest

Column = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]
"""A table by columns, which becomes a frame when one is asked for: pandas is slow to load."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a run has come to at an instant.

    Parameters: `time` in s; `totals` sums of all counters by role and name; `work` of each pool
    element / its capacity, in s; `queued` requests at all pool users.
    """

    time: float
    totals: dict[str, float]
    work: Column
    queued: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run has shown in its measured time.

    Parameters: `begin`, `end` in s; `counters` by role and name, differences over the measured
    time; `requests` columns (s; NaN: has not happened) of all requests of the run; `reference`
    mean capacity of a pool element in calculations/s, `fastest` that of the fastest one;
    `queued_at_end` requests; `loads` work of
    each pool element in the measured time / its capacity, in s, and which of them are `liars`;
    `downs` begin and end in s of each time in which an element did not run, and its number;
    `cheats` which requests are those of users that cheat; `waits` times that ended or had not when
    the run did, by what was waited for: `registration` and `takeover`; `known` gives the names of
    all counters (a run has some of them), None: any name may be one; `expected_work` gives the mean
    work in calculations, by theory, of requests generated between two times in s, NaN or None: it
    is not known.

    >>> import rsim
    >>> shown = rsim.run(rsim.load("scenario.toml")).observation
    >>> shown.begin, shown.duration
    (0.0, 600.0)
    >>> int(shown.during("generated").sum() - shown.counter("pool_users.requests_generated"))
    0
    >>> shown.counter("pool_users.acepts")
    Traceback (most recent call last):
    ...
    rsim.errors.ResultError: there is no counter ...; did you mean 'pool_users.accepts'?
    """

    begin: float
    end: float
    counters: dict[str, float]
    requests: dict[str, Column]
    reference: float
    fastest: float
    queued_at_end: int
    loads: Column
    liars: npt.NDArray[np.bool_]
    cheats: npt.NDArray[np.bool_]
    known: Callable[[], frozenset[str]] | None = None
    waits: Mapping[str, Spans] = field(default_factory=dict)
    downs: Column = field(default_factory=lambda: np.empty((0, 3)))
    expected_work: Callable[[float, float], float] | None = None

    @classmethod
    def between(
        cls,
        before: Sample,
        after: Sample,
        *,
        requests: dict[str, Column],
        reference: float,
        fastest: float,
        liars: npt.NDArray[np.bool_],
        cheats: npt.NDArray[np.bool_],
        known: Callable[[], frozenset[str]] | None = None,
        waits: Mapping[str, Spans] | None = None,
        downs: Column | None = None,
        expected_work: Callable[[float, float], float] | None = None,
    ) -> Observation:
        """What a run has shown between two samples.

        Parameters: `requests`, `reference`, `fastest`, `liars`, `cheats`, `waits`, `downs`, `known`
        and `expected_work` as of the class; `before` and `after` the samples.
        """
        counters = {
            name: total - before.totals.get(name, 0) for name, total in after.totals.items()
        }
        loads = after.work - before.work
        return cls(
            begin=before.time,
            end=after.time,
            counters=counters,
            requests=requests,
            reference=reference,
            fastest=fastest,
            queued_at_end=after.queued,
            loads=loads,
            liars=liars,
            cheats=cheats,
            known=known,
            waits=waits or {},
            downs=np.empty((0, 3)) if downs is None else downs,
            expected_work=expected_work,
        )

    @property
    def duration(self) -> float:
        """Measured time in s."""
        return self.end - self.begin

    def counter(self, name: str) -> float:
        """A counter's sum over the measured time, 0 if no actor of the run has it.

        Parameters: `name` by role and name, such as `pool_users.accepts`; `*.name`: over all roles.
        Raises ResultError, which names the nearest, if there is no such counter.
        """
        if not self.counts(name):
            if self.known is not None:
                check_counter(name, self.known())
            return 0.0
        if name.startswith("*."):
            ending = name[1:]
            return sum(value for key, value in self.counters.items() if key.endswith(ending))
        return self.counters[name]

    def counts(self, name: str) -> bool:
        """Whether an actor of the run has this counter.

        Parameters: `name` as for `counter`.
        """
        if name.startswith("*."):
            return any(key.endswith(name[1:]) for key in self.counters)
        return name in self.counters

    def waited(self, what: str) -> Spans:
        """Times of a kind that were seen in the measured time.

        Parameters: `what` was waited for: `registration`, a pool element's first after a start;
        `takeover` of a server that was found dead; or `completion` of a request and `acceptance` of
        one that is started, from its generation and start in the measured time on.
        """
        spans = {"completion": ("generated", "completed"), "acceptance": ("started", "accepted")}
        if what not in spans:
            nothing = np.empty(0)
            return self.waits.get(what, Spans(nothing, nothing, nothing.astype(bool)))
        first, last = spans[what]
        chosen = self.during(first)
        begun, over = self.requests[first][chosen], self.requests[last][chosen]
        return Spans.seen(begun, over, ~np.isnan(over), begin=self.begin, end=self.end)

    def speed(self, begin: str, chosen: npt.NDArray[np.bool_] | None = None) -> float:
        """How fast requests were, in % of the fastest element's capacity; NaN without a request.

        The work of the requests completed / what the fastest element, idle, does in their times.
        No request counts for more than that: a forged cookie can have one end before its time.

        Parameters: `begin` event from which their times count, `generated` or `accepted`; `chosen`
        requests, None for all.
        """
        done = self.during("completed")
        if chosen is not None:
            done = done & chosen
        time = self.requests["completed"][done] - self.requests[begin][done]
        most = time * self.fastest
        work = np.minimum(self.requests["size"][done], most)
        return 100.0 * float(work.sum()) / float(most.sum()) if most.sum() > 0 else float("nan")

    def unchecked(self) -> Observation:
        """The same, which takes any name for that of a counter."""
        return replace(self, known=None)

    def during(self, event: str) -> npt.NDArray[np.bool_]:
        """Which requests had their `event` in the measured time.

        Parameters: `event` a column of `requests`: `generated`, `started`, `accepted` or
        `completed`.
        """
        times = self.requests[event]
        return (times >= self.begin) & (times < self.end)


def check_counter(name: str, known: Collection[str]) -> None:
    """Raises ResultError, which names the nearest, if no counter is called so.

    Parameters: `name` of a counter by role and name, `*.name`: of any role; `known` names of all.
    """
    if name.startswith("*."):
        known = {f"*.{one.partition('.')[2]}" for one in known}
    if name not in known:
        by_name = {one.rpartition(".")[2]: one for one in sorted(known)}
        bare = nearest(name, by_name)
        close = nearest(name, known) or (None if bare is None else by_name[bare])
        hint = "one is 'pool_users.accepts'" if close is None else f"did you mean '{close}'?"
        raise ResultError(f"there is no counter {shown(name)}; {hint}")
