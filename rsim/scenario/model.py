"""The scenario model: every setting of a run, with its default and its unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializeAsAny,
    WrapValidator,
    field_validator,
    model_validator,
)

from rsim.attackers import AttackerSettings, attacker_kinds
from rsim.endpoints import PoolElementSettings, PoolUserSettings, ServerSettings
from rsim.errors import shown
from rsim.handlespace import policy_kinds
from rsim.network import HostSettings, OutageSettings
from rsim.scenario.code import is_admitted
from rsim.scenario.derive import MOST_HOSTS, PoolCapacity, derived
from rsim.scenario.network import NetworkSettings, SecuritySettings
from rsim.scenario.profiles import PROFILES
from rsim.scenario.references import ACTORS, check
from rsim.units import (
    LARGEST_SEED,
    LONGEST,
    Interval,
    Model,
    Name,
    Plain,
    RegistrationLife,
    Seconds,
    seconds,
)
from rsim.workload import (
    ClientSettings,
    ElementSettings,
    FailureSettings,
    Heterogeneity,
    services,
    workloads,
)


def _policy(value: Any) -> Any:
    if isinstance(value, str) and value not in policy_kinds():
        raise ValueError(f"{shown(value)} is no policy; policies are {', '.join(policy_kinds())}")
    return value


def _attacker(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    kinds = attacker_kinds()
    if not isinstance(kind, str) or kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise ValueError(f"kind is {shown(kind)}, must be one of: {known}")
    return kinds[kind].Settings(**value)


def _registered(known: Callable[[], dict[str, Any]], what: str, value: str) -> str:
    names = ("calcapp", *sorted(known()))
    if value not in names:
        raise ValueError(f"{shown(value)} is no {what}; known are {', '.join(names)}")
    return value


def _warm_up(value: Any, handler: Callable[[Any], Any]) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{shown(value)} is neither a time nor 'mser5'")
    # One problem is told, where each kind of value that would do has one of its own.
    if value == "mser5":
        return handler(value)
    time = seconds(value)
    if not 0 <= time <= LONGEST:
        raise ValueError(f"{shown(time)} is no time from 0 to {LONGEST:g} s")
    return handler(float(time))


class CodeFile(Model):
    """A Python file with attackers, policies, workloads or services of one's own."""

    file: str = Field(description="the file")
    digest: str = Field("", description="digest of its content; follows from the file")

    @model_validator(mode="after")
    def _has_been_allowed(self) -> CodeFile:
        if not is_admitted(self.digest):
            raise ValueError(
                f"{self.file}: runs only if that is allowed, where the scenario's file is read "
                "(--allow-code, allow_code=True in Python)"
            )
        return self


class Pool(Model):
    """A pool."""

    policy: Annotated[str, BeforeValidator(_policy)] = Field(
        "round_robin", description="selection policy of the pool (RFC 5356)"
    )


class Group(HostSettings):
    """A group of equal hosts."""

    count: int = Field(1, ge=0, le=MOST_HOSTS, description="number of hosts")


class ServerFailures(OutageSettings):
    """When ENRP servers fail and return, with nothing but what their peers tell them."""

    what: Literal["host", "process"] = Field(
        "host", description="hosts fall silent; of processes the host tells that they are gone"
    )


class ServerGroup(Group):
    """A group of ENRP servers."""

    mentors: bool = Field(
        True, description="they are told of all other servers, to ask one for the handlespace"
    )
    failures: ServerFailures = Field(ServerFailures(), description="when the servers fail")
    start: Seconds = Field(0.0, description="when they start")


class ElementGroup(Group, ElementSettings):
    """A group of pool elements."""

    pool: str = Field("pool", description="pool that they register in")
    further_pools: tuple[str, ...] = Field(
        (), description="pools that they register in as well, each under an identifier of its own"
    )
    start: Seconds = Field("5min", validate_default=True, description="when they start")
    registration_life: RegistrationLife = Field(
        300, description="registration life in whole seconds, -1: for ever"
    )
    failures: FailureSettings = Field(
        FailureSettings(), description="when and how the elements fail"
    )
    heterogeneity: Heterogeneity = Field(
        Heterogeneity(), description="how capacity is spread; `capacity` is the mean"
    )
    service: Annotated[str, AfterValidator(partial(_registered, services, "service"))] = Field(
        "calcapp", description="what they offer: calcapp, or a service of one's own"
    )
    service_settings: dict[str, Plain] = Field({}, description="settings of a service of one's own")

    @field_validator("registration_life")
    @classmethod
    def _life_is_some(cls, value: int) -> int:
        if value == 0:
            raise ValueError("must be at least 1 s, or -1 for ever")
        return value

    @model_validator(mode="after")
    def _service_takes_it(self) -> ElementGroup:
        if self.service == "calcapp":
            if self.service_settings:
                raise ValueError("service_settings: calcapp takes none; a service of one's own may")
            return self
        for name in ("failures", "lie", "further_pools", "business_cards"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name}: does nothing with a service of one's own")
        return self


class UserGroup(Group, ClientSettings):
    """A group of pool users."""

    pool: str = Field("pool", description="pool that they use")
    pu_to_pe_ratio: float | None = Field(
        None,
        ge=1e-6,
        le=MOST_HOSTS,
        description="users for each element of the pool, instead of count",
    )
    target_utilisation: float | None = Field(
        None, ge=1e-6, le=1, description="utilisation from which what is not given follows"
    )
    start: Seconds = Field("10min", validate_default=True, description="when they start")
    asap_over: Literal["sctp", "tcp"] = Field(
        "sctp", description="how they reach ENRP servers (RFC 5352 2.1)"
    )
    workload: Annotated[str, AfterValidator(partial(_registered, workloads, "workload"))] = Field(
        "calcapp", description="what they do: calcapp, or a workload of one's own"
    )
    workload_settings: dict[str, Plain] = Field(
        {}, description="settings of a workload of one's own"
    )

    @model_validator(mode="after")
    def _workload_takes_it(self) -> UserGroup:
        if self.workload == "calcapp":
            if self.workload_settings:
                raise ValueError(
                    "workload_settings: calcapp takes none; a workload of one's own may"
                )
            return self
        for name in ("arrivals", "cheat"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name}: does nothing with a workload of one's own")
        return self


class Protocol(Model):
    """Settings of the protocol endpoints, each for all of its kind."""

    enrp_server: ServerSettings = ServerSettings()
    pool_element: PoolElementSettings = PoolElementSettings()
    pool_user: PoolUserSettings = PoolUserSettings()


class Scenario(Model):
    """One run, but for its seed's consequences."""

    name: str = Field("unnamed", description="name, for people")
    code: tuple[CodeFile, ...] = Field(
        (), description="Python files of one's own; they run only if that is allowed"
    )
    seed: int = Field(1, ge=0, le=LARGEST_SEED, description="seed of all random draws")
    profile: Literal["rfc", "literal", "rspsim"] = Field(
        "rfc", description="set of protocol settings from which this scenario departs"
    )
    warm_up: Annotated[Literal["mser5"] | Seconds, WrapValidator(_warm_up)] = Field(
        "15min",
        validate_default=True,
        description="simulated time before measurement; mser5: found by MSER-5 within `duration`",
    )
    duration: Interval = Field(
        "120min", validate_default=True, description="measured simulated time"
    )
    series_interval: Interval | None = Field(
        None, description="time between samples for time series of metrics; null: none"
    )
    observe_interval: Interval | None = Field(
        None, description="time between comparisons of the servers' handlespaces; null: none"
    )
    discovery: Literal["configured", "multicast"] = Field(
        "configured", description="how pool elements and users learn of ENRP servers"
    )
    network: NetworkSettings = NetworkSettings()
    security: SecuritySettings = SecuritySettings()
    protocol: Protocol = Protocol()
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
                changes = derived(group, pool)
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

    def label(self, role: str, group: str) -> str:
        """What a group of hosts is called where others name it, and what its hosts are named after.

        That is its name, or `role.name` where a group of another role has the same.
        """
        roles = sum(group in getattr(self, section) for section in ACTORS)
        return group if roles == 1 and "." not in group else f"{role}.{group}"

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


GROUPS: dict[str, type[Model]] = {
    "pools": Pool,
    "enrp_servers": ServerGroup,
    "pool_elements": ElementGroup,
    "pool_users": UserGroup,
    "attackers": AttackerSettings,
}
"""What the tables that hold groups by name are made of."""


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with what `over` says on top, table by table."""
    result = dict(base)
    for key, value in over.items():
        known = result.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        result[key] = merged(known, value) if both else value  # type: ignore[arg-type]
    return result
