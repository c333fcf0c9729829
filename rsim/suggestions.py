"""What an error suggests in place of a name that nothing has."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from rsim.errors import shown

_MOST_LISTED = 160
"""Characters of a list of names: half of an error's line."""


def unknown(what: str, name: Any, known: Iterable[Any]) -> str:
    """The text of an error about a name that nothing has.

    >>> unknown("policy", "randon", ["random", "priority"])
    "there is no policy 'randon'; did you mean 'random'?"
    >>> unknown("policy", "best", ["random", "priority"])
    "there is no policy 'best'; choose one of random, priority"

    Parameters: `what` the name should be of; `name` as somebody has written it; `known` names.
    """
    return f"there is no {what} {shown(name)}; {suggestion(name, known)}"


def suggestion(name: Any, known: Iterable[Any]) -> str:
    """The nearest of the known names as a question; without a near one, a list to choose from.

    Parameters: `name` as somebody has written it; `known` names.
    """
    names = list(dict.fromkeys(map(str, known)))
    near = nearest(name, names)
    if near is not None:
        return f"did you mean '{near}'?"
    return f"choose one of {listed(names)}" if names else "there are none"


def nearest(name: Any, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that is most like another one; None if none is like it.

    Parameters: `name` as somebody has written it, in upper or lower case; `known` names;
    `likeness` that is wanted, from 0 to 1.
    """
    folded: dict[str, str] = {}
    for one in known:
        folded.setdefault(one.lower(), one)
    close = get_close_matches(str(name).lower(), folded, n=1, cutoff=likeness)
    return folded[close[0]] if close else None


def listed(names: Iterable[str]) -> str:
    """Names with commas between them, as many as half of an error's line has room for.

    Parameters: `names` in the order of the list.
    """
    every = list(names)
    kept: list[str] = []
    for one in every:
        if kept and len(", ".join((*kept, one))) > _MOST_LISTED:
            return f"{', '.join(kept)} and {len(every) - len(kept)} more"
        kept.append(one)
    return ", ".join(kept)
