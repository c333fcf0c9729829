"""The scenario model: every setting of a run, with its default and its unit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, model_validator

from rsim.attackers import AttackerSettings, attacker_kinds
from rsim.endpoints import PoolElementSettings, PoolUserSettings, ServerSettings
from rsim.handlespace import policy_kinds
from rsim.network import HostSettings, OutageSettings
from rsim.scenario.code import is_admitted
from rsim.scenario.derive import PoolCapacity, derived
from rsim.scenario.network import NetworkSettings, SecuritySettings
from rsim.scenario.profiles import PROFILES
from rsim.units import Model, Seconds
from rsim.workload import (
    ClientSettings,
    ElementSettings,
    FailureSettings,
    Heterogeneity,
    services,
    workloads,
)

MOST_HOSTS = 1_000_000
"""Of a group; more would not fit into any memory."""
_MOST_SAMPLES = 1_000_000


def _policy(value: Any) -> Any:
    if isinstance(value, str) and value not in policy_kinds():
        raise ValueError(f"'{value}' is no policy; policies are {', '.join(policy_kinds())}")
    return value


def _attacker(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    kinds = attacker_kinds()
    if kind not in kinds:
        known = ", ".join(sorted(kinds))
        raise ValueError(f"kind is {kind!r}, must be one of: {known}")
    return kinds[kind].Settings(**value)


def _registered(known: Callable[[], dict[str, Any]], what: str, value: str) -> str:
    names = ("calcapp", *sorted(known()))
    if value not in names:
        raise ValueError(f"'{value}' is no {what}; known are {', '.join(names)}")
    return value


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


ACTORS = ("enrp_servers", "pool_elements", "pool_users", "attackers")
"""Tables of groups of hosts."""


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

    @property
    def active(self) -> bool:
        """Whether they fail at all."""
        return self.uptime is not None or bool(self.schedule)


class ServerGroup(Group):
    """A group of ENRP servers."""

    mentors: bool = Field(
        True, description="they are told of all other servers, to ask one for the handlespace"
    )
    failures: ServerFailures = Field(ServerFailures(), description="when the servers fail")
    start: Seconds = Field(0.0, ge=0, description="when they start")


class ElementGroup(Group, ElementSettings):
    """A group of pool elements."""

    pool: str = Field("pool", description="pool that they register in")
    further_pools: tuple[str, ...] = Field(
        (), description="pools that they register in as well, each under an identifier of its own"
    )
    start: Seconds = Field("5min", ge=0, validate_default=True, description="when they start")
    registration_life: int = Field(
        300, ge=-1, description="registration life in whole seconds, -1: for ever"
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
    service_settings: dict[str, Any] = Field({}, description="settings of a service of one's own")


class UserGroup(Group, ClientSettings):
    """A group of pool users."""

    pool: str = Field("pool", description="pool that they use")
    pu_to_pe_ratio: float | None = Field(
        None, gt=0, description="users for each element of the pool, instead of count"
    )
    target_utilisation: float | None = Field(
        None, gt=0, le=1, description="utilisation from which what is not given follows"
    )
    start: Seconds = Field("10min", ge=0, validate_default=True, description="when they start")
    asap_over: Literal["sctp", "tcp"] = Field(
        "sctp", description="how they reach ENRP servers (RFC 5352 2.1)"
    )
    workload: Annotated[str, AfterValidator(partial(_registered, workloads, "workload"))] = Field(
        "calcapp", description="what they do: calcapp, or a workload of one's own"
    )
    workload_settings: dict[str, Any] = Field({}, description="settings of a workload of one's own")


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
    seed: int = Field(1, ge=0, description="seed of all random draws")
    profile: Literal["rfc", "literal", "rspsim"] = Field(
        "rfc", description="set of protocol settings from which this scenario departs"
    )
    warm_up: Literal["mser5"] | Annotated[Seconds, Field(ge=0)] = Field(
        "15min",
        validate_default=True,
        description="simulated time before measurement; mser5: found by MSER-5 within `duration`",
    )
    duration: Seconds = Field(
        "120min", gt=0, validate_default=True, description="measured simulated time"
    )
    series_interval: Seconds | None = Field(
        None, gt=0, description="time between samples for time series of metrics; null: none"
    )
    observe_interval: Seconds | None = Field(
        None, gt=0, description="time between comparisons of the servers' handlespaces; null: none"
    )
    discovery: Literal["configured", "multicast"] = Field(
        "configured", description="how pool elements and users learn of ENRP servers"
    )
    network: NetworkSettings = NetworkSettings()
    security: SecuritySettings = SecuritySettings()
    protocol: Protocol = Protocol()
    pools: dict[str, Pool] = Field({"pool": Pool()}, description="pools by name")
    enrp_servers: dict[str, ServerGroup] = Field(
        {"server": ServerGroup()}, description="groups of ENRP servers by name"
    )
    pool_elements: dict[str, ElementGroup] = Field(
        {}, description="groups of pool elements by name"
    )
    pool_users: dict[str, UserGroup] = Field({}, description="groups of pool users by name")
    attackers: dict[
        str, SerializeAsAny[Annotated[AttackerSettings, BeforeValidator(_attacker)]]
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
    def _names_exist(self) -> Scenario:
        servers = sum(group.count for group in self.enrp_servers.values())
        if servers < 1:
            raise ValueError("enrp_servers: there must be at least one server")
        length = self.duration + (self.warm_up if isinstance(self.warm_up, float) else 0.0)
        for key in ("series_interval", "observe_interval"):
            interval = getattr(self, key)
            if interval is not None and length / interval > _MOST_SAMPLES:
                raise ValueError(f"{key}: makes more than {_MOST_SAMPLES} samples; take it longer")
        if self.warm_up == "mser5" and not self.pool_users:
            raise ValueError("warm_up: mser5 looks at handling times, so there must be pool users")
        if self.discovery == "multicast" and not self.protocol.enrp_server.announce:
            raise ValueError("discovery: multicast needs protocol.enrp_server.announce = true")
        for section in ACTORS:
            for name, group in getattr(self, section).items():
                where = f"{section}.{name}"
                placed = (group.site,) if isinstance(group.site, str) else group.site
                for site in (*placed, *group.also_at):
                    if site not in self.network.sites:
                        raise ValueError(f"{where}.site: there is no site '{site}'")
                if self.network.transport == "instant" and (
                    group.also_at or group.access or group.cpu or group.outages != OutageSettings()
                ):
                    raise ValueError(
                        f"{where}: only network.transport = 'sctp' knows also_at, access, cpu "
                        "and outages"
                    )
                pool = getattr(group, "pool", None)
                if pool is not None and pool not in self.pools:
                    raise ValueError(f"{where}.pool: there is no pool '{pool}'")
                for pool in getattr(group, "further_pools", ()):
                    if pool not in self.pools:
                        raise ValueError(f"{where}.further_pools: there is no pool '{pool}'")
        if self.network.transport == "instant":
            for name, attackers in self.attackers.items():
                if hasattr(attackers, "position"):
                    raise ValueError(
                        f"attackers.{name}.kind: '{attackers.kind}' listens on a path, which only "
                        "network.transport = 'sctp' knows"
                    )
        if self.network.transport == "instant" and self.security.used:
            raise ValueError("security: only network.transport = 'sctp' knows TLS")
        for number, outage in enumerate(self.network.outages):
            for name in outage.groups:
                self._check_group(name, f"network.outages.{number}.groups")
        return self

    def _check_group(self, name: str, where: str) -> None:
        """Raises ValueError where no group of hosts is called so, or several are."""
        labels = [
            (self.label(role, group), group) for role in ACTORS for group in getattr(self, role)
        ]
        if name in [label for label, _ in labels]:
            return
        meant = " or ".join(label for label, group in labels if group == name)
        if meant:
            raise ValueError(f"{where}: '{name}' may be {meant}; say which")
        known = ", ".join(label for label, _ in labels)
        raise ValueError(f"{where}: there is no '{name}'; groups are {known}")

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
