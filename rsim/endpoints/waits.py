"""Times that something took, and has taken so far where it has not ended."""

from __future__ import annotations

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
class Waits:
    """What one actor has waited for, one at a time or several.

    `spans` has begin and end of each in s, and whether what was waited for happened: waiting ends
    without it where the actor fails or gives up.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[float, float, bool]] = []
        self._since: dict[int, float] = {}

    def begin(self, now: float, key: int = 0) -> None:
        """Begins to wait.

        Parameters: `now` simulated time in s; `key` of what is waited for.
        """
        self._since[key] = now

    def end(self, now: float, happened: bool, key: int = 0) -> None:
        """Waits no longer; does nothing where nobody waited.

        Parameters: `now` simulated time in s; `happened` whether it came; `key` of what was waited
        for.
        """
        since = self._since.pop(key, -1.0)
        if since >= 0.0:
            self.spans.append((since, now, happened))

    def forget(self, key: int) -> None:
        """Waits no longer for what turned out to be needless.

        Parameters: `key` of what was waited for.
        """
        self._since.pop(key, None)

    @property
    def last(self) -> float:
        """How long in s was waited for what came last."""
        since, now, _ = self.spans[-1]
        return now - since

    def until(self, now: float) -> list[tuple[float, float, bool]]:
        """All spans; of what is waited for still, up to now.

        Parameters: `now` simulated time in s.
        """
        return [*self.spans, *((since, now, False) for since in self._since.values())]
