"""How often 95% intervals cover a truth that is known, and choices with a promise of 95% are right.

`make coverage-study` does it.

Each row is a method and a case of 1,000 experiments. The table goes into `docs/statistics.md`,
between two comments. A short form with fewer experiments runs among the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

import numpy as np
from scipy import stats

from rsim.results import (
    Interval,
    breaking_point,
    choose_best,
    controlled_interval,
    mean_interval,
    paired_interval,
    quantile_interval,
    search_breaking_point,
)
from rsim.sweep import Precision

EXPERIMENTS = 1000
PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
BEGIN, END = "<!-- coverage study: begin -->", "<!-- coverage study: end -->"

Experiment = Callable[[np.random.Generator], bool]
"""Does one experiment and says whether the interval covers the truth."""


@dataclass(frozen=True)
class Case:
    """What is tried.

    `reason` says why a coverage outside 93 to 97% is right, where it is; `slow` cases have a fifth
    of the experiments in short forms.
    """

    method: str
    name: str
    experiment: Experiment
    reason: str = ""
    slow: bool = False


def _covers(interval: Interval, truth: float) -> bool:
    return bool(interval.low <= truth <= interval.high)


# Means -------------------------------------------------------------------------------------------

DRAWS: dict[str, tuple[Callable[[np.random.Generator, int], np.ndarray], float]] = {
    "normal": (lambda r, n: r.normal(5, 1, n), 5.0),
    "uniform": (lambda r, n: r.uniform(0.5, 1.5, n), 1.0),
    "beta(9, 1), %": (lambda r, n: 100 * r.beta(9, 1, n), 90.0),
    "beta(20, 0.5), %": (lambda r, n: 100 * r.beta(20, 0.5, n), 100 * 20 / 20.5),
    "beta(1, 1), %": (lambda r, n: 100 * r.beta(1, 1, n), 50.0),
    "exponential": (lambda r, n: r.exponential(1, n), 1.0),
    "gamma(3)": (lambda r, n: r.gamma(3, 1, n), 3.0),
    "lognormal, sigma 0.5": (lambda r, n: r.lognormal(0, 0.5, n), exp(0.125)),
    "lognormal, sigma 1.5": (lambda r, n: r.lognormal(0, 1.5, n), exp(1.125)),
    "Weibull(0.7)": (lambda r, n: r.weibull(0.7, n), stats.weibull_min(0.7).mean()),
    "normal, 5%": (lambda r, n: r.normal(20, 1, n), 20.0),
}
BOUNDS = {
    "share": {"kind": "share", "low": 0.0, "high": 100.0},
    "time": {"kind": "time", "low": 0.0},
    "number": {},
}


def _means() -> list[Case]:
    chosen = [
        ("t", "number", ("normal", "uniform")),
        ("shares", "share", ("beta(9, 1), %", "beta(20, 0.5), %", "beta(1, 1), %")),
        (
            "times",
            "time",
            (
                *("exponential", "gamma(3)", "lognormal, sigma 0.5", "lognormal, sigma 1.5"),
                *("Weibull(0.7)", "normal, 5%"),
            ),
        ),
    ]
    return [
        Case(method, f"{name}, n = {size}", _mean(kind, name, size))
        for method, kind, names in chosen
        for name in names
        for size in (4, 12, 30)
    ]


def _mean(kind: str, name: str, size: int) -> Experiment:
    draw, truth = DRAWS[name]
    return lambda random: _covers(mean_interval(draw(random, size), **BOUNDS[kind]), truth)


# Control by the load offered ---------------------------------------------------------------------

SIZES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "M/M/1": lambda r, shape: r.exponential(1, shape),
    "M/D/1": lambda r, shape: np.ones(shape),
    "M/G/1, lognormal": lambda r, shape: r.lognormal(-log(2) / 2, log(2) ** 0.5, shape),
}
SQUARES = {"M/M/1": 2.0, "M/D/1": 1.0, "M/G/1, lognormal": 2.0}
"""Mean squares of the sizes, whose mean is 1."""
WARM_UP, MEASURED = 1000.0, 4000.0


def queues(
    random: np.random.Generator, runs: int, load: float, kind: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean handling times, utilisations and deviations of the load offered, in % each but times.

    Lindley's recursion, with the measured time cut out of each of the runs of a queue.
    """
    end = WARM_UP + MEASURED
    number = int(load * end + 8 * (load * end) ** 0.5 + 20)
    generated = np.cumsum(random.exponential(1 / load, (runs, number)), axis=1)
    sizes = SIZES[kind](random, (runs, number))
    steps = np.zeros((runs, number))
    np.cumsum(sizes[:, :-1] - np.diff(generated), axis=1, out=steps[:, 1:])
    completed = generated + sizes + steps - np.minimum.accumulate(steps, axis=1)
    within = (completed >= WARM_UP) & (completed < end)
    handled = ((completed - generated) * within).sum(axis=1) / within.sum(axis=1)
    spans = np.clip(completed, WARM_UP, end) - np.clip(completed - sizes, WARM_UP, end)
    came = (generated >= WARM_UP) & (generated < end)
    deviations = 100 * ((sizes * came).sum(axis=1) / MEASURED - load)
    return handled, 100 * spans.sum(axis=1) / MEASURED, deviations


def _controlled() -> list[Case]:
    def time(kind: str, load: float, runs: int) -> Experiment:
        truth = 1 + load * SQUARES[kind] / 2 / (1 - load)

        def experiment(random: np.random.Generator) -> bool:
            handled, _, deviations = queues(random, runs, load, kind)
            return _covers(controlled_interval(handled, deviations, **BOUNDS["time"]), truth)

        return experiment

    def utilisation(load: float, runs: int) -> Experiment:
        def experiment(random: np.random.Generator) -> bool:
            _, busy, deviations = queues(random, runs, load, "M/M/1")
            return _covers(controlled_interval(busy, deviations, **BOUNDS["share"]), 100 * load)

        return experiment

    def unrelated(name: str, kind: str, runs: int) -> Experiment:
        draw, truth = DRAWS[name]
        return lambda random: _covers(
            controlled_interval(draw(random, runs), random.normal(0, 1, runs), **BOUNDS[kind]),
            truth,
        )

    cases = [("M/M/1", 0.5), ("M/M/1", 0.8), ("M/D/1", 0.8), ("M/G/1, lognormal", 0.6)]
    return [
        *(
            Case("times, control", f"{kind}, load {load}, n = {n}", time(kind, load, n), slow=True)
            for kind, load in cases
            for n in (10, 12, 30)
        ),
        *(
            Case(
                *("shares, control", f"utilisation of M/M/1, load {load}, n = {n}"),
                utilisation(load, n),
                slow=True,
            )
            for load in (0.3, 0.8)
            for n in (10, 30)
        ),
        *(
            Case(
                f"{method}, control", f"{name}, unrelated to it, n = {n}", unrelated(name, kind, n)
            )
            for method, name, kind in (
                ("t", "normal", "number"),
                ("times", "gamma(3)", "time"),
                ("shares", "beta(9, 1), %", "share"),
            )
            for n in (10, 12, 30)
        ),
    ]


# Quantiles, pairs --------------------------------------------------------------------------------


def _quantiles() -> list[Case]:
    reason = "between two values of so few, no interval has just 95%; it has at least that"
    return [
        Case(
            "quantiles",
            f"{100 * share:.0f}% of {name}, n = {size}",
            lambda random, draw=draw, share=share, size=size, truth=truth: _covers(
                quantile_interval(draw(random, size), share), truth
            ),
            reason,
        )
        for name, draw, distribution in (
            ("exponential", lambda r, n: r.exponential(1, n), stats.expon()),
            ("normal", lambda r, n: r.normal(0, 1, n), stats.norm()),
        )
        for share, sizes in ((0.5, (12, 30)), (0.95, (80, 200)))
        for size in sizes
        for truth in (float(distribution.ppf(share)),)
    ]


def _common(random: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    shared = random.normal(0, 5, size)
    return 50 + shared + random.normal(0, 1, size), 47 + shared + random.normal(0, 1, size)


def _pairs() -> list[Case]:
    def shares(random: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        return 100 * random.beta(9, 2, size), 100 * random.beta(9, 1, size)

    def to_whole(random: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        return 100 * random.beta(9, 1, size), np.full(size, 100.0)

    def skewed(random: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        return random.exponential(2, size), random.exponential(1, size)

    cases = (
        ("common random numbers", _common, 3.0, "number"),
        ("shares", shares, 100 * (9 / 11 - 0.9), "share"),
        ("shares against 100%", to_whole, -10.0, "share"),
        ("exponential times", skewed, 1.0, "time"),
    )
    return [
        Case(
            "paired",
            f"{name}, n = {size}",
            lambda random, draw=draw, truth=truth, kind=kind, size=size: _covers(
                paired_interval(*draw(random, size), **BOUNDS[kind]), truth
            ),
        )
        for name, draw, truth, kind in cases
        for size in (4, 12)
    ]


# Breaking points ---------------------------------------------------------------------------------

COARSE = "wider by what a bend between two strengths allows"
BENDS = "a bend that is there beyond doubt widens it, also beyond what noise does"
SHAPES: list[tuple[str, Callable[[np.ndarray], np.ndarray], float, tuple[int, float, int], str]] = [
    ("linear", lambda x: 10 - x, 10, (6, 0.5, 12), ""),
    ("linear, noise 5", lambda x: 10 - x, 10, (6, 5, 12), ""),
    ("linear, fine, noise 2", lambda x: 10 - x, 10, (21, 2, 12), ""),
    ("linear, fine, noise 5", lambda x: 10 - x, 10, (21, 5, 12), ""),
    ("linear, 4 seeds", lambda x: 10 - x, 10, (6, 2, 4), ""),
    ("at 19 of 20", lambda x: 19 - x, 19, (11, 1, 12), ""),
    ("convex, coarse", lambda x: 100 * np.exp(-x / 3) - 50, 3 * log(2), (6, 1, 12), COARSE),
    ("convex, fine", lambda x: 100 * np.exp(-x / 4) - 20, 4 * log(5), (21, 3, 12), BENDS),
    ("steep, coarse", lambda x: 100 / (1 + np.exp(x - 9)) - 50, 9, (6, 5, 12), COARSE),
    (
        *("flat at 1 above", lambda x: 1 + 0 * x, float("inf"), (11, 1, 12)),
        "it never breaks, and the interval has no upper end",
    ),
    (
        *("broken from the start", lambda x: -5 - x, -float("inf"), (6, 1, 12)),
        "it lies below all strengths, and the interval has no lower end",
    ),
]


def _breaking() -> list[Case]:
    def one(curve: Callable, truth: float, grid: tuple[int, float, int]) -> Experiment:
        points, spread, seeds = grid
        x = np.linspace(0, 20, points)

        def experiment(random: np.random.Generator) -> bool:
            values = curve(x) + random.normal(0, spread, (seeds, points))
            found = breaking_point(x, values, np.zeros(seeds), better="higher")
            return bool(found.low <= truth <= found.high)

        return experiment

    return [
        Case("breaking points", name, one(curve, truth, grid), reason, slow=True)
        for name, curve, truth, grid, reason in SHAPES
    ]


def _search(random: np.random.Generator) -> bool:
    def measure(strength: float) -> list[float]:
        return (100 / (1 + (strength / 3) ** 2) + random.normal(0, 4, 6)).tolist()

    found = search_breaking_point(measure, [50.0] * 6, low=0.01, high=100, better="higher", most=9)
    return bool(found.low <= 3 <= found.high)


# Stopping ----------------------------------------------------------------------------------------


def _stopping() -> list[Case]:
    def until(metric: str, draw: Callable, truth: float, half_width: float) -> Experiment:
        asked = Precision(metric=metric, half_width=half_width, most=400)

        def experiment(random: np.random.Generator) -> bool:
            values, before = draw(random, 400), False
            for size in asked.looks(10):
                now = asked.met(values[:size].tolist())
                if now and before:
                    break
                before = now
            interval = METRIC_INTERVALS[metric](values[:size])
            return _covers(interval, truth)

        return experiment

    cases = (
        ("normal", "requests_generated", "normal", (0.9, 0.5, 0.3)),
        ("exponential times", "handling_time_s", "exponential", (0.9, 0.5, 0.3)),
        ("lognormal times, sigma 0.5", "handling_time_s", "lognormal, sigma 0.5", (0.4, 0.2)),
        ("shares", "completed_share_pct", "beta(9, 1), %", (7.0, 4.0, 2.5)),
    )
    return [
        Case("stopping", f"{name}, ± {half}", until(metric, *DRAWS[draw], half), slow=True)
        for name, metric, draw, halves in cases
        for half in halves
    ]


# Choice of the best ------------------------------------------------------------------------------

LEAST = "95% is the least that is promised; in fact more"


def _choices() -> list[Case]:
    """The slippage configuration: the best is better than all others by what matters, no more."""

    def experiment(spreads: list[float], shared: float, skewed: bool, lead: float) -> Experiment:
        def one(random: np.random.Generator) -> bool:
            common, own = random.normal(0, 1, 3000), random.normal(0, 1, (len(spreads), 3000))
            noise = shared**0.5 * common + (1 - shared) ** 0.5 * own
            if skewed:
                # Lognormal with sigma 0.5, brought to a mean of 0 and a variance of 1.
                noise = (np.exp(noise / 2) - exp(1 / 8)) / (exp(1 / 4) * (exp(1 / 4) - 1)) ** 0.5
            values = np.array(spreads)[:, None] * noise
            values[0] += lead
            best = choose_best(values, indifference=0.5).best
            return best == 0 if lead else best is not None

        return one

    falling = [2.0, 1.6, 1.2, 0.9, 0.6]
    cases = (
        ("2 values", [1.0] * 2, 0.0, False),
        ("5 values", [1.0] * 5, 0.0, False),
        ("10 values", [1.0] * 10, 0.0, False),
        ("5 values, common random numbers", [1.0] * 5, 0.8, False),
        ("5 values, the best varies most", falling, 0.0, False),
        ("5 values, the best varies least", falling[::-1], 0.0, False),
        ("5 values, unequal variances, common random numbers", falling, 0.6, False),
        ("2 lognormal values", [1.0] * 2, 0.0, True),
        ("5 lognormal values", [1.0] * 5, 0.0, True),
        ("5 lognormal values, unequal variances", falling, 0.0, True),
        ("5 lognormal values, common random numbers", [1.0] * 5, 0.6, True),
    )
    chosen = [
        Case("choice of the best", name, experiment(*how, 0.5), LEAST, slow=True)
        for name, *how in cases
    ]
    equal = experiment([1.0] * 5, 0.6, False, 0.0)
    reason = "any choice is right; what is shown is that one is made"
    return [*chosen, Case("choice of the best", "5 equal values", equal, reason, slow=True)]


METRIC_INTERVALS: dict[str, Callable[[np.ndarray], Interval]] = {
    "requests_generated": mean_interval,
    "handling_time_s": lambda values: mean_interval(values, **BOUNDS["time"]),
    "completed_share_pct": lambda values: mean_interval(values, **BOUNDS["share"]),
}

CASES = [
    *_means(),
    *_controlled(),
    *_quantiles(),
    *_pairs(),
    *_breaking(),
    Case("breaking points", "search with added strengths", _search, BENDS, slow=True),
    *_stopping(),
    *_choices(),
]


RARE = "what the load does not explain is work across an end, rare and large"
REASONS = {
    ("shares, control", "utilisation of M/M/1, load 0.3, n = 10"): RARE,
    ("shares, control", "utilisation of M/M/1, load 0.3, n = 30"): RARE,
    ("t", "uniform, n = 4"): "Student's interval has just this for four uniform values",
    ("shares", "beta(1, 1), %, n = 12"): "97%, within the error of the study",
    ("times", "lognormal, sigma 1.5, n = 4"): "four values say little of so long a tail",
    ("times", "Weibull(0.7), n = 12"): "97%, within the error of the study",
    ("stopping", "exponential times, ± 0.5"): "97%, within the error of the study",
}
"""Reasons for what lies a little outside, by method and case."""


def coverage(case: Case, experiments: int) -> float:
    """Share of experiments whose interval covers the truth."""
    random = np.random.default_rng(len(case.name) + 1000 * len(case.method))
    return sum(case.experiment(random) for _ in range(experiments)) / experiments


def table(experiments: int) -> str:
    """All cases as a table."""
    lines = [
        f"{experiments:,} experiments a row; a share that is 95% has a standard error of "
        f"{100 * (0.95 * 0.05 / experiments) ** 0.5:.1f}%.",
        "",
        "| intervals of | case | covered | why not 93 to 97% |",
        "| --- | --- | --- | --- |",
    ]
    for case in CASES:
        covered = coverage(case, experiments)
        outside = not 0.93 <= covered <= 0.97
        reason = (case.reason or REASONS.get((case.method, case.name), "")) if outside else ""
        lines.append(f"| {case.method} | {case.name} | {100 * covered:.1f}% | {reason} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """Writes the table into the page."""
    experiments = int(sys.argv[1]) if len(sys.argv) > 1 else EXPERIMENTS
    made = table(experiments)
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
