"""What all attackers share: settings, surroundings, and the registry by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from pydantic import Field

from rsim.clock import Clock
from rsim.network import Association, Credential, Event, Host, HostSettings, Receiver
from rsim.randomness import Streams
from rsim.units import Seconds
from rsim.wire import Dialect


class AttackerSettings(HostSettings):
    """Settings of a group of attackers."""

    kind: str = Field(description="which attack")
    count: int = Field(1, ge=0, description="number of attacker hosts")
    credential: Credential = Field(
        "none", description="what each attacker holds for TLS; valid: it is an insider"
    )
    pool: str = Field("pool", description="pool under attack")
    start: Seconds = Field("10min", ge=0, validate_default=True, description="when it begins")
    stop: Seconds | None = Field(None, ge=0, description="when it ends; null: never")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attacker finds: its host, the pool, and how to reach a server."""

    name: str
    host: Host
    clock: Clock
    streams: Streams
    pool_handle: bytes
    policy: str
    connect: Callable[[Receiver], Association]
    dialect: Dialect


S = TypeVar("S", bound=AttackerSettings)


class Attacker(ABC, Generic[S]):
    """An attacker on a host of its own. It is told when to begin and when to stop."""

    kind: ClassVar[str]
    Settings: ClassVar[type[AttackerSettings]]

    def __init__(self, settings: S, surroundings: Surroundings) -> None:
        self.settings = settings
        self.surroundings = surroundings
        self.counters: object = None

    @abstractmethod
    def start(self) -> None:
        """Begins the attack."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the attack."""

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message; most attackers don't care."""

    def notify(self, association: Association, event: Event) -> None:
        """Takes what the network tells about an association."""


_KINDS: dict[str, type[Attacker]] = {}  # type: ignore[type-arg]

A = TypeVar("A", bound=type[Attacker])  # type: ignore[type-arg]


def attacker(cls: A) -> A:
    """Registers an attacker class under its `kind`."""
    _KINDS[cls.kind] = cls
    return cls


def attacker_kinds() -> dict[str, type[Attacker]]:  # type: ignore[type-arg]
    """Registered attacker classes by kind."""
    return dict(_KINDS)
