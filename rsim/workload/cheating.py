"""Pool users and pool elements that cheat on the pool's policy (RFC 5355 2.17)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import Field

from rsim.handlespace import LARGEST
from rsim.units import Interval, Model, Share
from rsim.wire import PoolElement

_FORGET = 0.3
"""Weight of the newest observation of an element's speed."""


class UserCheatSettings(Model):
    """How a pool user chooses in place of the policy."""

    kind: Literal["none", "victim", "fastest", "nearest", "idle"] = Field(
        "none",
        description="always the same one (all cheats agree on it), the one that has served it "
        "fastest, the nearest, or the one that states the least load",
    )
    share: Share = Field(1.0, description="share of the group that cheats, the first ones")
    redraw: bool = Field(
        False, description="where choices must be proved: asks again until the choice is liked"
    )
    patience: Interval = Field(1.0, description="time before it asks again")


class UserCheat:
    """A pool user that uses the element it prefers, whether listed or not.

    Parameters: `settings` of the cheat; `distance` gives the time in s to an address.
    """

    def __init__(self, settings: UserCheatSettings, distance: Callable[[str], float]) -> None:
        self.patience = settings.patience
        self._settings = settings
        self._distance = distance
        self._known: dict[int, PoolElement] = {}
        self._speeds: dict[int, float] = {}

    def choose(
        self, listed: Iterable[PoolElement], honest: PoolElement | None
    ) -> PoolElement | None:
        """The element that it prefers among all that it has learned of."""
        for element in listed:
            self._known[element.identifier] = element
        if not self._known:
            return honest
        liked = min(self._known.values(), key=self._rank)
        if self._settings.redraw and honest is not None:
            return honest if honest.identifier == liked.identifier else None
        return liked

    def _rank(self, element: PoolElement) -> tuple[float, str]:
        address = element.user_transport.hosts[0]
        kind = self._settings.kind
        rank = 0.0
        if kind == "fastest":
            # Who has not been tried yet comes first.
            rank = -self._speeds.get(element.identifier, float("inf"))
        elif kind == "nearest":
            rank = self._distance(address)
        elif kind == "idle":
            load = element.policy.load
            rank = float(load) if load is not None else -self._speeds.get(element.identifier, 0.0)
        return rank, address

    def served(self, identifier: int, speed: float) -> None:
        """Notes with which speed (calculations/s) an element has served.

        Parameters: `identifier` of the element; `speed` in calculations per s.
        """
        before = self._speeds.get(identifier)
        known = speed if before is None else (1 - _FORGET) * before + _FORGET * speed
        self._speeds[identifier] = known

    def forget(self, identifier: int) -> None:
        """An element has failed or refused.

        Parameters: `identifier` of the element.
        """
        self._known.pop(identifier, None)


class LieSettings(Model):
    """What a pool element states instead of the truth."""

    kind: Literal[
        "none",
        "load",
        "weight",
        "degradation",
        "distance",
        "full",
        "idle",
        "delayed",
        "oscillating",
    ] = Field(
        "none",
        description="load, weight, degradation or distance times a factor; always full (sheds "
        "load) or always idle (greedy); the load of a while ago; idle and full in turn",
    )
    factor: float = Field(0.5, ge=0, le=1e6, description="stated / true value")
    share: Share = Field(1.0, description="share of the group that lies, the first ones")
    delay: Interval = Field(30.0, description="delayed: age of what is stated")
    period: Interval = Field(60.0, description="oscillating: time from idle to idle")


_SCALED = {
    "load": "load",
    "weight": "weight",
    "degradation": "load_degradation",
    "distance": "distance",
}
"""Policy value that a lie multiplies, by its kind."""


class Liar:
    """Bends the policy values of an element.

    Parameters: `settings` of the lie; `now` gives the time in s.
    """

    def __init__(self, settings: LieSettings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._history: list[tuple[float, int]] = []

    def bend(self, offered: dict[str, int]) -> dict[str, int]:
        """The values that it states; `offered` are the true ones."""
        settings, now = self._settings, self._now()
        kind = settings.kind
        bent = dict(offered)
        if kind in _SCALED:
            value = _SCALED[kind]
            bent[value] = min(LARGEST, round(offered[value] * settings.factor))
        elif kind == "full":
            bent["load"] = LARGEST
        elif kind == "idle":
            bent["load"] = 0
        elif kind == "oscillating":
            bent["load"] = 0 if now % settings.period < settings.period / 2 else LARGEST
        elif kind == "delayed":
            self._history.append((now, offered["load"]))
            while len(self._history) > 1 and self._history[1][0] <= now - settings.delay:
                del self._history[0]
            bent["load"] = self._history[0][1]
        return bent
