"""The scenario: all settings of a run, checked against each other."""

from __future__ import annotations

from html import escape
from typing import Any

from pydantic import model_validator

from rsim.scenario.derive import PoolCapacity, derive_load
from rsim.scenario.fields import ACTORS, ScenarioFields
from rsim.scenario.profiles import PROFILES
from rsim.scenario.references import check


class Scenario(ScenarioFields):
    """All settings of a run. Most are made by `rsim.load` or `rsim.scenario`.

    Parameters: as keywords, the tables and settings of a scenario file. Raises ScenarioError for
    values that it can't have, and where they contradict each other.

    >>> import rsim
    >>> scenario = rsim.scenario({"duration": "10min", "pools": {"pool": {"policy": "random"}}})
    >>> scenario.duration, scenario.pools["pool"].policy, scenario.warm_up
    (600.0, 'random', 2400.0)
    """

    @model_validator(mode="before")
    @classmethod
    def _profile_first(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("profile", "rfc"), str):
            base = PROFILES.get(value.get("profile", "rfc"), {})
            return merged(base, value)
        return value

    @model_validator(mode="after")
    def _load_is_complete(self) -> Scenario:
        """Computes what follows from the given quantities of the load, once and for all."""
        for name, group in list(self.pool_users.items()):
            elements = [
                e
                for e in self.pool_elements.values()
                if group.pool == e.pool or group.pool in e.further_pools
            ]
            pool = PoolCapacity(
                sum(e.count for e in elements), sum(e.count * e.capacity for e in elements)
            )
            try:
                changes = derive_load(group, pool)
            except ValueError as error:
                raise ValueError(f"pool_users.{name}: {error}") from None
            if changes:
                self.pool_users[name] = group.model_copy(
                    update={**changes, "pu_to_pe_ratio": None, "target_utilisation": None}
                )
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Scenario:
        check(self)
        return self

    def _repr_html_(self) -> str:
        warm_up = self.warm_up if isinstance(self.warm_up, str) else f"{self.warm_up:g} s"
        head = (
            f"<b>{escape(self.name)}</b>, seed {self.seed}, warm-up {warm_up}, {self.duration:g} s"
        )
        rows = "".join(
            f"<tr><td>{section.replace('_', ' ')}</td><td>{escape(name)}</td><td>{group.count}</td>"
            f"<td>{escape(str(getattr(group, 'pool', '') or ''))}</td></tr>"
            for section in ACTORS
            for name, group in getattr(self, section).items()
        )
        pools = ", ".join(f"{escape(name)} ({pool.policy})" for name, pool in self.pools.items())
        titles = "<tr><th></th><th>group</th><th>hosts</th><th>pool</th></tr>"
        return f"{head}; pools: {pools}<table>{titles}{rows}</table>"


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with what `over` says on top, table by table."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        result[key] = merged(known, value) if both else value  # type: ignore[arg-type]
    return result
