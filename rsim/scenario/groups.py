"""The settings of a scenario's parts: pools, groups of hosts, and protocol endpoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from rsim.attackers import AttackerSettings
from rsim.endpoints import PoolElementSettings, PoolUserSettings, ServerSettings
from rsim.handlespace import policy_kinds
from rsim.network import HostSettings, OutageSettings
from rsim.scenario.code import is_admitted
from rsim.scenario.derive import MOST_HOSTS
from rsim.suggestions import unknown
from rsim.units import Model, Plain, RegistrationLife, Seconds
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
        raise ValueError(unknown("policy", value, policy_kinds()))
    return value


def _registered(known: Callable[[], dict[str, Any]], what: str, value: str) -> str:
    names = ("calcapp", *sorted(known()))
    if value not in names:
        raise ValueError(unknown(what, value, names))
    return value


class CodeFile(Model):
    """A Python file with attackers, policies, workloads or services of your own."""

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
        True, description="they know all other servers, and ask one for the handlespace"
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
        "calcapp", description="what they offer: calcapp, or a service of your own"
    )
    service_settings: dict[str, Plain] = Field({}, description="settings of a service of your own")

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
                raise ValueError("service_settings: calcapp takes none; your own may")
            return self
        for name in ("failures", "lie", "further_pools", "business_cards"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name}: does nothing with a service of your own")
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
        "calcapp", description="what they do: calcapp, or a workload of your own"
    )
    workload_settings: dict[str, Plain] = Field(
        {}, description="settings of a workload of your own"
    )

    @model_validator(mode="after")
    def _workload_takes_it(self) -> UserGroup:
        if self.workload == "calcapp":
            if self.workload_settings:
                raise ValueError("workload_settings: calcapp takes none; your own may")
            return self
        for name in ("arrivals", "cheat"):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name}: does nothing with a workload of your own")
        return self


class Protocol(Model):
    """Settings of the protocol endpoints, each for all of its kind."""

    enrp_server: ServerSettings = Field(ServerSettings(), description="of all ENRP servers")
    pool_element: PoolElementSettings = Field(
        PoolElementSettings(), description="of all pool elements"
    )
    pool_user: PoolUserSettings = Field(PoolUserSettings(), description="of all pool users")


GROUPS: dict[str, type[Model]] = {
    "pools": Pool,
    "enrp_servers": ServerGroup,
    "pool_elements": ElementGroup,
    "pool_users": UserGroup,
    "attackers": AttackerSettings,
}
"""What the tables that hold groups by name are made of."""
