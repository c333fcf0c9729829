"""Numbers as text, with the digits that their interval justifies."""

from __future__ import annotations

from math import floor, isinf, isnan, log10

from rsim.results.statistics import Interval

_DIGITS = 4
"""Significant digits of a number without an interval."""
_MOST = 12
"""Digits after the point at most."""


def rounded(value: float, half_width: float = float("nan")) -> str:
    """A number with a digit more than its interval's half-width has, never as a power of ten.

    Parameters: `value` to be shown; `half_width` of its interval, NaN or 0 for none.
    """
    if isnan(value):
        return "-"
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    if not _tells(value, half_width):
        places = _DIGITS - 1 - (_magnitude(value) if value else _DIGITS - 1)
        text = _fixed(value, places)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return _fixed(value, _places(half_width) + 1)


def half_width_text(half_width: float) -> str:
    """A half-width in two significant digits, `-` for none.

    Parameters: `half_width` of an interval.
    """
    if isnan(half_width) or isinf(half_width):
        return "-"
    if half_width <= 0:
        return "0"
    return _fixed(half_width, _places(half_width))


def interval_text(interval: Interval) -> str:
    """A mean with its interval: `50.7 ± 20`, or `99.2 (91.0 to 99.9)` where the sides differ.

    Where some runs have no value, `n of N` follows. Parameters: `interval` to be shown.
    """
    text = rounded(interval.mean, interval.half_width)
    ends = ends_text(interval.mean, interval.low, interval.high)
    if ends.startswith("±"):
        text += f" {ends}"
    elif ends != "-":
        text += f" ({ends})"
    if interval.runs < interval.of:
        text += f", {interval.runs} of {interval.of}"
    return text


def ends_text(mean: float, low: float, high: float) -> str:
    """An interval as `± 20`, or as `91.0 to 99.9` where its sides differ by more than a tenth.

    Parameters: `mean`, `low` and `high` of the interval.
    """
    if isnan(low) or isnan(high):
        return "-"
    half, below, above = (high - low) / 2, mean - low, high - mean
    if not _tells(mean, half):
        return "-" if isinf(half) else "± 0"
    if abs(above - below) <= 0.1 * (above + below):
        return f"± {half_width_text(half)}"
    return f"{rounded(low, half)} to {rounded(high, half)}"


def p_text(p: float) -> str:
    """A p-value: three digits after the point, or that it is below 0.001.

    Parameters: `p` from 0 to 1, NaN for none.
    """
    if isnan(p):
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _tells(value: float, half_width: float) -> bool:
    """Whether a half-width is one, and more than what rounding leaves."""
    return not isnan(half_width) and not isinf(half_width) and half_width > 1e-9 * abs(value)


def _places(half_width: float) -> int:
    """Digits after the point of a half-width with two; 0.0996 is 0.10, not 0.100."""
    places = 1 - _magnitude(half_width)
    return 1 - _magnitude(float(_fixed(half_width, places)))


def _magnitude(value: float) -> int:
    """The power of ten of the first digit."""
    return floor(log10(abs(value)))


def _fixed(value: float, places: int) -> str:
    if places < 0:
        return f"{round(value, places):.0f}"
    text = f"{value:.{min(places, _MOST)}f}"
    return text.removeprefix("-") if float(text) == 0 else text
