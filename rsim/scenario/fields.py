"""All settings of a run, with defaults and units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, WrapValidator

from rsim.attackers import AttackerSettings, attacker_kinds
from rsim.errors import shown
from rsim.scenario.groups import CodeFile, ElementGroup, Pool, Protocol, ServerGroup, UserGroup
from rsim.scenario.network import NetworkSettings
from rsim.scenario.security import SecuritySettings
from rsim.suggestions import unknown
from rsim.units import LARGEST_SEED, LONGEST, Interval, Model, Name, Seconds, seconds

ACTORS = ("enrp_servers", "pool_elements", "pool_users", "attackers")
"""Tables of groups of hosts."""
HONEST = ACTORS[:3]
"""Those of hosts that are part of the system."""


def _attacker(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    kinds = attacker_kinds()
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(unknown("kind of attacker", kind, sorted(kinds)))
    return kinds[kind].Settings.model_validate(value)


def _warm_up(value: Any, handler: Callable[[Any], Any]) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{shown(value)} is neither a time nor 'mser5'")
    # Reports one problem instead of one for each kind of value that is allowed.
    if value == "mser5":
        return handler(value)
    time = seconds(value)
    if not 0 <= time <= LONGEST:
        raise ValueError(f"{shown(time)} is not a time from 0 to {LONGEST:g} s")
    return handler(float(time))


class ScenarioFields(Model):
    """All settings of a run; `Scenario` adds what they must fulfil together."""

    name: str = Field("unnamed", description="name, for people")
    code: tuple[CodeFile, ...] = Field(
        (), description="Python files of your own; they run only if that is allowed"
    )
    seed: int = Field(1, ge=0, le=LARGEST_SEED, description="seed of all random draws")
    profile: Literal["rfc", "literal", "rspsim"] = Field(
        "rfc", description="set of protocol settings from which this scenario departs"
    )
    warm_up: Annotated[Literal["mser5"] | Seconds, WrapValidator(_warm_up)] = Field(
        "40min",
        validate_default=True,
        description="simulated time before measurement; mser5: found by MSER-5 within `duration`, "
        "from when the last group has started",
    )
    duration: Interval = Field(
        "120min", validate_default=True, description="measured simulated time"
    )
    series_interval: Interval | None = Field(
        None, description="time between samples for time series of metrics; null: none"
    )
    observe_interval: Interval | None = Field(
        None,
        description="compares the servers' handlespaces, with a point of their series for each "
        "interval; null: no comparison",
    )
    discovery: Literal["configured", "multicast"] = Field(
        "configured", description="how pool elements and users learn of ENRP servers"
    )
    network: NetworkSettings = Field(NetworkSettings(), description="sites and what joins them")
    security: SecuritySettings = Field(SecuritySettings(), description="TLS, and who may do what")
    protocol: Protocol = Field(Protocol(), description="settings of the protocol endpoints")
    pools: dict[Name, Pool] = Field({"pool": Pool()}, description="pools by name")
    enrp_servers: dict[Name, ServerGroup] = Field(
        {"server": ServerGroup()}, description="groups of ENRP servers by name"
    )
    pool_elements: dict[Name, ElementGroup] = Field(
        {}, description="groups of pool elements by name"
    )
    pool_users: dict[Name, UserGroup] = Field({}, description="groups of pool users by name")
    attackers: dict[
        Name, SerializeAsAny[Annotated[AttackerSettings, BeforeValidator(_attacker)]]
    ] = Field({}, description="groups of attackers by name")

    def label(self, role: str, group: str) -> str:
        """What a group of hosts is called where others name it, and what its hosts are named after.

        That is its name, or `role.name` where a group of another role has the same.

        Parameters: `role` the scenario's table; `group` the name in it.
        """
        roles = sum(group in getattr(self, section) for section in ACTORS)
        return group if roles == 1 and "." not in group else f"{role}.{group}"

    @property
    def length(self) -> float:
        """Simulated time in s of a run, as far as it is known before."""
        return self.duration + (self.warm_up if isinstance(self.warm_up, float) else 0.0)
