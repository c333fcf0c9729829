"""How all figures look: colours that colour-blind readers can tell apart, and saving."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rsim.errors import ResultError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Palette of Okabe and Ito."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", ":", "-.")


class NotebookFigure(Figure):
    """A figure that notebooks show by itself, whatever matplotlib's backend."""

    def _repr_png_(self) -> bytes:
        data = BytesIO()
        self.savefig(data, format="png", dpi=100, bbox_inches="tight")
        return data.getvalue()


def axes_or_new(axes: Axes | None, width: float = 8.0, height: float = 5.2) -> Axes:
    """The axes that are given, or those of a new figure of that size (inches).

    Parameters: `axes` None: new ones; `width` and `height` of a new figure in inches.
    """
    if axes is not None:
        return axes
    return NotebookFigure(figsize=(width, height), layout="constrained").add_subplot()


def panels(number: int) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels side by side, and their axes.

    Parameters: `number` of panels.
    """
    figure = NotebookFigure(
        figsize=(8.0 if number == 1 else 6.2 * number, 5.2), layout="constrained"
    )
    return figure, [figure.add_subplot(1, number, n + 1) for n in range(number)]


def plain(text: str) -> str:
    """A user's text as figures show it: as it is, never read as a formula.

    Parameters: `text` of a label.
    """
    return text.replace("$", r"\$")


def shown(value: object) -> str:
    """How legends call a value of a setting.

    Parameters: `value` of a parameter.
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        whole = number.is_integer() and abs(number) < 1e15
        return f"{int(number):,}" if whole else f"{number:g}"
    return plain(str(value).replace("_", " "))


def save(figure: Figure, path: str | Path) -> Path:
    """Writes a figure as PNG, SVG or PDF, by the ending of its name.

    Parameters: `figure` to be saved; `path` of the file, whose ending says which kind it is.
    Raises ResultError for another ending, or where the file can't be written.
    """
    path = Path(path)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise ResultError(f"{path}: figures are .png, .svg or .pdf")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise ResultError(f"{path}: can't be written: {error.strerror or error}") from None
    return path
