"""Settings of the network: links, SCTP, CPUs, outages and security."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rsim.distributions import Duration, IntervalDuration
from rsim.network.schedule import parse_schedule
from rsim.suggestions import unknown
from rsim.units import Count, Interval, Model, Number, Seconds, Share, SomeCount
from rsim.wire import MESSAGE_KINDS

ETHERNET_MTU = 1500
"""Octets of the largest packet on Ethernet."""
LEAST_IPV6_MTU = 1280
"""Octets that each link must carry in one packet with IPv6 (RFC 8200 5)."""
LARGEST_MTU = 9000
"""Octets of the largest packet that a link can have: a jumbo frame of Ethernet."""
_QUEUEING = ("queue", "queue_packets", "discipline", "fair", "red", "codel")
"""What a link can say of its queue."""


class RedSettings(Model):
    """Random early detection, the gentle form: drops some packets before the queue is full.

    It looks at the average number of packets that wait. The share of packets dropped grows from 0
    at the minimum to `dropped` at the maximum, and from there to 1 at twice the maximum.
    """

    minimum: Share = Field(0.15, description="average at which it begins, as share of the bound")
    maximum: Share = Field(
        0.45, gt=0, description="average at which it drops that share, as share of the bound"
    )
    dropped: Share = Field(0.1, gt=0, description="share of packets dropped at the maximum")
    weight: Share = Field(0.002, gt=0, description="weight of the present queue in the average")

    @model_validator(mode="after")
    def _thresholds_in_order(self) -> RedSettings:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum: {self.minimum:g} must be below maximum, {self.maximum:g}")
        return self


class CodelSettings(Model):
    """Controlled delay (RFC 8289): drops from the head of a queue that stands."""

    target: Interval = Field(0.005, description="time that packets may always wait")
    interval: Interval = Field(0.1, description="time for which they may wait longer")

    @model_validator(mode="after")
    def _target_within_interval(self) -> CodelSettings:
        if self.target >= self.interval:
            raise ValueError(
                f"target: {self.target:g} s must be below interval, {self.interval:g} s"
            )
        return self


class LinkSettings(Model):
    """What a link does to each packet; both directions are alike and independent.

    Within a site, bandwidth and queue are those of each host's two ports at a switch.
    """

    delay: Duration = Field(
        Duration(mean=0.0), description="one-way delay, a time or a distribution of times"
    )
    jitter: Duration | None = Field(None, description="further delay, drawn for each packet")
    loss: Share = Field(0.0, description="share of packets that get lost")
    mtu: int = Field(
        ETHERNET_MTU,
        ge=576,
        le=LARGEST_MTU,
        description="octets of the largest packet, at least 1280 with IPv6",
    )
    bandwidth: Number | None = Field(None, gt=0, description="bit/s; null: without limit")
    queue: Number | None = Field(
        None, ge=0, description="octets that may wait for the link; null: without limit"
    )
    queue_packets: Count | None = Field(
        None, description="packets that may wait for the link; null: without limit"
    )
    discipline: Literal["drop_tail", "red", "codel"] = Field(
        "drop_tail",
        description="packets that the queue drops: those that find it full; some before, by the "
        "average length (red); or those that have waited too long (codel)",
    )
    fair: bool = Field(
        False,
        description="source addresses take turns, each with a queue of its own (deficit round "
        "robin); a full queue drops from the longest of them",
    )
    red: RedSettings = Field(RedSettings(), description="thresholds of discipline red")
    codel: CodelSettings = Field(CodelSettings(), description="times of discipline codel")

    @model_validator(mode="after")
    def _queue_needs_bandwidth(self) -> LinkSettings:
        if self.bandwidth is None:
            for name in _QUEUEING:
                if getattr(self, name) != LinkSettings.model_fields[name].default:
                    raise ValueError(f"{name}: only a link with a bandwidth has a queue")
        if self.discipline == "red" and not self.queue_packets:
            raise ValueError(
                "discipline: red needs queue_packets, of which its thresholds are shares"
            )
        for name in ("red", "codel"):
            default = LinkSettings.model_fields[name].default
            if self.discipline != name and getattr(self, name) != default:
                raise ValueError(f"{name}: does nothing without discipline = '{name}'")
        return self

    @property
    def without_queue(self) -> LinkSettings:
        """What is left of it without a bandwidth."""
        return LinkSettings(delay=self.delay, jitter=self.jitter, loss=self.loss, mtu=self.mtu)

    @property
    def port(self) -> LinkSettings:
        """Its bandwidth, queue and MTU alone."""
        names = ("bandwidth", "mtu", *_QUEUEING)
        return LinkSettings(**{name: getattr(self, name) for name in names})


class OutageSettings(Model):
    """When something is down: at random, by a schedule, or both."""

    uptime: IntervalDuration | None = Field(None, description="time from up to down; null: never")
    downtime: Duration | None = Field(None, description="time from down to up; null: for ever")
    schedule: str = Field(
        "", description='changes of state such as "down@100s, up@+30s"; +: after the one before'
    )

    @field_validator("schedule")
    @classmethod
    def _schedule_reads(cls, value: str) -> str:
        parse_schedule(value)
        return value

    @model_validator(mode="after")
    def _downtime_needs_uptime(self) -> OutageSettings:
        if self.downtime is not None and self.uptime is None:
            raise ValueError("downtime: needs an uptime before it")
        return self

    @property
    def active(self) -> bool:
        """Whether it is ever down."""
        return self.uptime is not None or bool(self.schedule)


class SctpSettings(Model):
    """Protocol parameters of SCTP (RFC 9260 16)."""

    rto_initial: Interval = Field(1.0, description="RTO.Initial")
    rto_min: Interval = Field(1.0, description="RTO.Min")
    rto_max: Interval = Field(60.0, description="RTO.Max")
    association_max_retrans: Count = Field(10, description="Association.Max.Retrans")
    path_max_retrans: Count = Field(5, description="Path.Max.Retrans")
    max_init_retransmits: Count = Field(8, description="Max.Init.Retransmits")
    heartbeat_interval: Interval | None = Field(
        30.0, description="HB.interval of idle paths; null: no heartbeats"
    )
    sack_delay: Seconds = Field(0.2, lt=0.5, description="longest delay of a SACK")
    cookie_life: Interval = Field(60.0, description="Valid.Cookie.Life")
    congestion_control: Literal["rfc9260", "none"] = Field(
        "rfc9260", description="slow start, congestion avoidance and fast recovery, or none of it"
    )
    max_burst: SomeCount = Field(4, description="Max.Burst: packets that leave at once")
    receive_buffer: int = Field(
        131_072,
        ge=1500,
        le=1 << 30,
        description="octets that an association keeps for its endpoint: the receiver's window",
    )

    @model_validator(mode="after")
    def _rto_in_order(self) -> SctpSettings:
        if self.rto_min > self.rto_max:
            raise ValueError(f"rto_min: {self.rto_min:g} s is above rto_max, {self.rto_max:g} s")
        return self


class StackSettings(Model):
    """State that a host keeps for its peers, and how much of it there may be."""

    cookies: bool = Field(
        True,
        description="an INIT leaves no state behind (RFC 9260 5.1.3; of TCP: SYN cookies); false: "
        "the listener keeps it until the peer goes on, or Valid.Cookie.Life has passed",
    )
    half_open: SomeCount | None = Field(
        None, description="most half-open associations, without cookies; null: no limit"
    )
    associations: SomeCount | None = Field(None, description="most associations; null: no limit")
    memory: SomeCount | None = Field(
        None, description="most octets of all this and of receive buffers; null: no limit"
    )
    half_open_octets: Count = Field(320, description="octets of a half-open association")
    association_octets: Count = Field(8192, description="octets of an association")
    tls_octets: Count = Field(32_768, description="octets of a TLS session")

    @model_validator(mode="after")
    def _half_open_without_cookies(self) -> StackSettings:
        if self.cookies and self.half_open is not None:
            raise ValueError("half_open: does nothing with cookies, which leave no state")
        return self


SERVICES = frozenset({*MESSAGE_KINDS.values(), "APPLICATION", "INIT", "COOKIE_ECHO"})
"""Names that a table of service times may hold."""


class CpuSettings(Model):
    """A host's CPU as one queue."""

    service_time: Seconds = Field(0.0, description="time for each message received")
    service_times: dict[str, Seconds] = Field(
        {}, description="time for messages by name, such as ASAP_REGISTRATION"
    )
    distribution: Literal["fixed", "exponential"] = Field(
        "fixed", description="whether times are as given, or means of an exponential distribution"
    )
    enrp_first: bool = Field(
        False, description="messages between ENRP servers are served first, and always find room"
    )
    buffer: SomeCount | None = Field(
        None,
        description="most messages that wait or are in service; more are dropped "
        "(and sent again by SCTP); null: no limit",
    )

    @field_validator("service_times")
    @classmethod
    def _names_exist(cls, value: dict[str, float]) -> dict[str, float]:
        for name in value:
            if name not in SERVICES:
                raise ValueError(unknown("message", name, SERVICES))
        return value


Credential = Literal[
    "valid",
    "none",
    "wrong_key",
    "unknown_identity",
    "wrong_name",
    "unknown_authority",
    "expired",
    "revoked",
]
"""What a host holds for TLS: the real thing, nothing (it speaks in clear), or what is refused."""


class HostSettings(Model):
    """Where hosts stand and what they are."""

    site: str | Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        "lan", description="site of the hosts; several: they are spread over them in turn"
    )
    also_at: tuple[str, ...] = Field(
        (), description="further sites at which each host has an address (multi-homing)"
    )
    access: LinkSettings | None = Field(
        None, description="link between each host and its sites; null: nothing to say about it"
    )
    cpu: CpuSettings | None = Field(None, description="CPU of each host; null: takes no time")
    stack: StackSettings = Field(
        StackSettings(), description="state that each host keeps for its peers"
    )
    outages: OutageSettings = Field(OutageSettings(), description="when each host's links are down")
    credential: Credential = Field(
        "valid", description="what each host holds for TLS, where the scenario uses it"
    )

    def sites(self, number: int) -> tuple[str, ...]:
        """Sites of the host with that number, counted from 0.

        Parameters: `number` of the host in its group, from 0.
        """
        first = self.site if isinstance(self.site, str) else self.site[number % len(self.site)]
        return (first, *self.also_at)
