"""What all attackers share: settings, surroundings, counters, and the registry by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from rsim.clock import Clock
from rsim.endpoints import EnrpServer
from rsim.endpoints.ports import Address
from rsim.errors import shown
from rsim.network import Association, Credential, Event, Host, HostSettings, Link, Profile, Receiver
from rsim.randomness import Stream, Streams
from rsim.registrations import note
from rsim.suggestions import suggestion
from rsim.units import SHORTEST, Interval, Model, Seconds, Share
from rsim.wire import MESSAGE_KINDS, PPID_ASAP, Dialect, Message

_MOST_WAITING = 1000
"""Messages that an association holds for an attacker; a send buffer has an end, too."""


class AttackerSettings(HostSettings):
    """Settings of a group of attackers."""

    kind: str = Field(description="which attack")
    count: int = Field(1, ge=0, le=1_000_000, description="number of attacker hosts")
    credential: Credential = Field(
        "none", description="what each attacker holds for TLS; valid: it is an insider"
    )
    pool: str = Field("pool", description="pool under attack")
    key_for: str | None = Field(
        None, description="pool for which its key is good; null: the one under attack"
    )
    start: Seconds = Field("10min", validate_default=True, description="when it begins")
    stop: Seconds | None = Field(None, description="when it ends; null: never")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"stop: at {self.stop:g} s, but it begins at {self.start:g} s only")
        return self

    @property
    def listens(self) -> bool:
        """Whether it has to stand somewhere on the way of others' messages."""
        return hasattr(self, "position")

    @property
    def acts(self) -> bool:
        """Whether it changes or drops the messages that it overhears."""
        return False

    def _belongs(self, name: str, other: str, *values: object) -> None:
        """Refuses a setting that differs from its default where it does nothing."""
        default = type(self).model_fields[name].default
        if getattr(self, name) != default and getattr(self, other) not in values:
            known = " or ".join(map(str, values))
            raise ValueError(f"{name}: does something only with {other} = {known}")


def _match_messages(value: tuple[str, ...]) -> tuple[str, ...]:
    names = sorted({*MESSAGE_KINDS.values()})
    for pattern in value:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ValueError(f"{shown(pattern)} matches no message; {suggestion(pattern, names)}")
    return value


MessagePatterns = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_match_messages)]
"""Names of messages, in which * and ? match anything and any character."""


class PositionSettings(Model):
    """Where an attacker on the path stands: between two sites, or at a group's hosts."""

    between: tuple[str, str] | None = Field(None, description="two sites whose path it stands on")
    at: str | None = Field(None, description="group of hosts, at whose links it stands")
    share: Share = Field(1.0, description="share of that group's hosts, the first ones")


@dataclass(slots=True)
class AttackCounters:
    """Counters of an attacker since it began."""

    attack_messages: int = 0
    """Messages that left: the cost of the attack."""
    attack_octets: int = 0
    """Octets of those messages."""
    attack_messages_held: int = 0
    """Messages not sent, as too many wait on the association already."""
    application_messages_ignored: int = 0
    """Application messages that it did not understand or answer."""
    requests_received: int = 0
    """Requests that pool users sent to it instead of an element."""
    octets_received: int = 0
    """Octets of application messages that reached it."""
    messages_altered: int = 0
    """Messages of others that it changed on their way."""
    messages_dropped: int = 0
    """Messages of others that it dropped on their way."""
    octets_seen: int = 0
    """Octets of messages that passed it."""
    octets_read: int = 0
    """Of those, octets that TLS did not protect."""
    application_octets_read: int = 0
    """Of those, octets of the application protocol."""
    elements_captured: int = 0
    """Pool elements that took it for their server."""
    forgeries_tried: int = 0
    """Cookies of its own making that it sent."""
    forgeries_accepted: int = 0
    """Of those, cookies that an element took."""
    work_forged: float = 0.0
    """Work in calculations that those cookies claimed."""
    answers_received: int = 0
    """Requests that it answered in place of a server, or answers it got."""
    octets_answered: int = 0
    """Octets of those answers."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attacker can use: its host, the pool, and ways to reach the others.

    Parameters: `name` of the attacker; `host` it runs on; `clock` of the run; `streams` of the
    run's random numbers; `pool_handle` of the pool under attack; `policy` of that pool by name;
    `dialect` of what it sends; `connect` begins an association with an ENRP server's ASAP port, by
    its number in the scenario; `asap_servers` and `enrp_servers` addresses of all; `elements` gives
    the ASAP addresses of the pool elements that are registered; `tapped` the links of a position,
    in one direction if that is said;
    `make_server` an ENRP server of that class on the attacker's own host, with these mentors and
    identifier, started; `group` of the announcements; `offers` TLS profiles that it can offer as a
    server would.
    """

    name: str
    host: Host
    clock: Clock
    streams: Streams
    pool_handle: bytes
    policy: str
    dialect: Dialect
    connect: Callable[[Receiver, int], Association]
    asap_servers: tuple[Address, ...]
    enrp_servers: tuple[Address, ...]
    elements: Callable[[], list[Address]]
    tapped: Callable[..., list[Link]]
    make_server: Callable[[type[EnrpServer], tuple[Address, ...], int], EnrpServer]
    group: str
    offers: tuple[Profile, ...]

    def stream(self, *purpose: str) -> Stream:
        """Draws of this attacker alone, for one purpose.

        Parameters: `purpose` of the draws, one name or several.
        """
        return self.streams.stream(self.host.actor, *purpose)


S = TypeVar("S", bound=AttackerSettings)


class Attacker(ABC, Generic[S]):
    """An attacker on its own host. Subclasses say what it does at its start and stop.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str]
    Settings: ClassVar[type[AttackerSettings]]

    def __init__(self, settings: S, surroundings: Surroundings) -> None:
        self.settings = settings
        self.surroundings = surroundings
        self.counters = AttackCounters()

    @abstractmethod
    def start(self) -> None:
        """Begins the attack."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the attack."""

    def send(self, association: Association, message: Message, ppid: int = PPID_ASAP) -> None:
        """Sends a message and counts what it costs.

        Parameters: `association` to send on; `message` to encode; `ppid` payload protocol
        identifier of ASAP or ENRP.
        """
        self.send_octets(association, message.encode(self.surroundings.dialect), ppid)

    def send_octets(self, association: Association, data: bytes, ppid: int = PPID_ASAP) -> None:
        """Sends octets and counts what they cost, unless too much is on its way already.

        Parameters: `association` to send on; `data` the octets of the message; `ppid` its payload
        protocol identifier.
        """
        if association.backlog >= _MOST_WAITING:
            self.counters.attack_messages_held += 1
            return
        association.send(ppid, data)
        association.when_sent(partial(self._count, len(data)))

    def _count(self, size: int) -> None:
        self.counters.attack_messages += 1
        self.counters.attack_octets += size

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message; most attackers don't care.

        Parameters: `association` it came on; `ppid` its payload protocol identifier; `data` its
        octets.
        """

    def notify(self, association: Association, event: Event) -> None:
        """Takes what the network tells about an association.

        Parameters: `association` that has changed; `event` what has happened to it.
        """


class FlooderSettings(AttackerSettings):
    """Settings of attackers that do one thing again and again."""

    interval: Interval = Field(1.0, description="time between two actions")
    spacing: Literal["fixed", "exponential"] = Field(
        "fixed", description="whether intervals are as given or means"
    )
    ramp: Seconds = Field(
        0.0, description="time over which the rate grows from nothing to 1 / interval"
    )

    @field_validator("ramp")
    @classmethod
    def _ramp_takes_time(cls, value: float) -> float:
        if 0 < value < SHORTEST:
            raise ValueError(f"must be 0 or at least {SHORTEST:g} s")
        return value


F = TypeVar("F", bound=FlooderSettings)


class Flooder(Attacker[F]):
    """Does one thing again and again, the first time one interval after it begins.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    def __init__(self, settings: F, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._timer = surroundings.clock.timer(self._due)
        self._spacing = surroundings.stream("spacing")
        self._began = 0.0

    @abstractmethod
    def act(self) -> None:
        """Does it once."""

    def start(self) -> None:
        """The first action follows one interval later."""
        self._began = self.surroundings.clock.now
        self._timer.start(self._interval())

    def stop(self) -> None:
        """Does it no more; what it has done stays."""
        self._timer.stop()

    def _interval(self) -> float:
        interval = self.settings.interval
        ramp = self.settings.ramp
        if ramp > 0:
            elapsed = self.surroundings.clock.now - self._began
            # The next action is due where the integral of the growing rate has grown by one.
            if elapsed < ramp:
                interval = (elapsed**2 + 2 * ramp * interval) ** 0.5 - elapsed
        if self.settings.spacing == "exponential":
            interval *= self._spacing.exponential()
        return interval

    def _due(self) -> None:
        self._timer.start(self._interval())
        self.act()


_KINDS: dict[str, type[Attacker]] = {}  # type: ignore[type-arg]

A = TypeVar("A", bound=type[Attacker])  # type: ignore[type-arg]


def attacker(cls: A) -> A:
    """Registers an attacker class under its `kind`."""
    _KINDS[cls.kind] = cls
    note("attacker", cls.kind, cls)
    return cls


def attacker_kinds() -> dict[str, type[Attacker]]:  # type: ignore[type-arg]
    """Registered attacker classes by kind: all of this package, and those of scenarios' files."""
    _load_all()
    return dict(_KINDS)


@cache
def _load_all() -> None:
    """Loads the attackers, which takes its time, when they are first asked for."""
    own = dict(_KINDS)
    for module in iter_modules([str(Path(__file__).parent)], "rsim.attackers."):
        import_module(module.name)
    _KINDS.update(own)
