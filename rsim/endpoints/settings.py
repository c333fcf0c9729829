"""Timers, limits and switches of the protocol endpoints; defaults are those of the RFCs.

Where the RFCs are silent the defaults are the project's own choice; docs/model.md lists them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from rsim.endpoints.detection import detectors
from rsim.suggestions import unknown
from rsim.units import MOST, Count, Interval, Model, Rate, Seconds, SomeCount


class ServerSettings(Model):
    """Settings of all ENRP servers."""

    mentor_discovery_time: Seconds = Field(
        0.0, description="time after start in which a server without mentor does not serve yet"
    )
    keep_alive_interval: Interval = Field(
        5.0, description="time between endpoint keep-alives to an element (RFC 5352 3.4)"
    )
    keep_alive_spread: float = Field(
        0.5, ge=0, lt=1, description="random share by which each interval differs, up or down"
    )
    keep_alive_timeout: Interval = Field(
        5.0, description="time without answer after which an element is removed"
    )
    verify_unreachable: bool = Field(
        True, description="probe an element that is reported unreachable (RFC 5352 3.5)"
    )
    max_bad_pe_reports: SomeCount = Field(
        3, description="unreachability reports at which an element is removed"
    )
    bad_pe_reports_rule: Literal["reaches", "exceeds"] = Field(
        "reaches", description="whether the limit itself removes, or only one report more"
    )
    distinct_reporters: bool = Field(False, description="count reporters instead of reports")
    reset_reports_on_registration: bool = Field(
        True, description="a registration sets the element's reports back to 0"
    )
    reset_reports_on_keep_alive_ack: bool = Field(
        True, description="an answered keep-alive sets the element's reports back to 0"
    )
    max_resolution_items: SomeCount | None = Field(
        None, description="most elements in an answer; null: what a message holds"
    )
    round_robin_increment: SomeCount = Field(
        1, description="elements that one selection moves on in round-robin order"
    )
    degradations_per_selection: int = Field(
        1,
        ge=0,
        le=2**31 - 1,
        description="steps of load degradation for each listing (RFC 5356 5.2: one)",
    )
    degradations_at_registration: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="steps of load degradation right after a registration",
    )
    saturate_degraded_load: bool = Field(False, description="degraded loads end at 100%")
    expire_registrations: bool = Field(
        True, description="remove elements whose registration life ended"
    )
    check_identity: bool = Field(
        True,
        description="renewals and deregistrations only from the address that registered "
        "(else any sender may use any identifier)",
    )
    mix_protection: bool = Field(
        False,
        description="list elements that TLS protects beside others (RFC 5355 2.15 forbids it)",
    )
    check_addresses: bool = Field(
        True, description="user transports only with an address of the association (RFC 5352 2.2.1)"
    )

    peer_heartbeat_cycle: Interval = Field(30.0, description="PEER-HEARTBEAT-CYCLE (RFC 5353 4.2)")
    max_time_last_heard: Interval = Field(
        61.0, description="MAX-TIME-LAST-HEARD: silence after which a peer is asked"
    )
    max_time_no_response: Interval = Field(
        5.0, description="MAX-TIME-NO-RESPONSE: wait for any answer of a peer"
    )
    mentor_rounds: SomeCount = Field(
        2,
        description="times that all mentors are tried before a server takes itself as first",
    )
    rediscover: bool = Field(
        True,
        description="speak to configured servers that are no peers at each heartbeat (else the "
        "sides of a partition never meet again)",
    )
    announce: bool = Field(
        False, description="announce by multicast to elements, users and servers (RFC 5352 3.6)"
    )
    t6_serverannounce: Interval = Field(1.0, description="T6 of announcements")
    max_table_elements: SomeCount = Field(128, description="most elements in a piece of a table")
    max_table_octets: int = Field(
        1400, ge=100, le=MOST, description="most octets of elements in a piece"
    )
    max_downloads: SomeCount | None = Field(
        None, description="downloads at a time that a server serves; null: all"
    )
    max_registration_life: SomeCount | None = Field(
        None, description="longest registration life granted, s; longer ones are cut"
    )
    limit_probes: bool = Field(
        True,
        description="within half a keep-alive interval of a probe that was answered, reports about "
        "an element count for nothing (else each one provokes a probe)",
    )
    probe_before_removal: bool = Field(
        False,
        description="reports alone remove no element: at the limit it is probed, and goes only if "
        "it does not answer",
    )
    max_resolution_rate: Rate | None = Field(
        None, description="resolutions/s of each sender and pool; more are ignored"
    )
    max_report_rate: Rate | None = Field(
        None, description="unreachability reports/s of each sender and pool; more are ignored"
    )
    max_registration_rate: Rate | None = Field(
        None, description="registrations/s of each sender and pool; more are ignored"
    )
    rate_buckets: int = Field(
        4096,
        ge=1,
        le=1 << 20,
        description="buckets into which senders are hashed to tell their rates",
    )
    rate_stamps: int = Field(16, ge=2, le=1000, description="times that are kept for each bucket")
    error_interval: Seconds = Field(
        1.0, description="least time between two error messages to one address"
    )
    detector: str | None = Field(
        None, description="detector of suspicious senders: rate_anomaly, or your own; null: none"
    )
    max_elements: SomeCount | None = Field(
        None, description="elements that a server registers at most; null: all"
    )
    serve_while_starting: bool = Field(
        False, description="answer pool elements and users before the start is through"
    )
    accept_subscriptions: bool = Field(
        True, description="tell pool users of changes if they ask for it (RFC 5352 2.2.5)"
    )
    check_updates: bool = Field(
        True, description="only an element's home may announce it, and its removal if it is alive"
    )
    check_peers: bool = Field(
        True,
        description="peers count once they have told who they are (else with any message, so that "
        "a stranger can block takeovers)",
    )
    heal_split_pools: bool = Field(
        True, description="of two policies for one pool, that of the lower home server stays"
    )
    nonowner_removes: bool = Field(
        False, description="reports let any server remove an element, not its home alone"
    )
    expire_copies: bool = Field(
        False, description="elements of peers go after their life and two heartbeats without update"
    )
    missing_acks: Literal["continue", "drop"] = Field(
        "continue",
        description="take over without peers that are silent, or drop the takeover as rsplib does",
    )
    resume_watch: bool = Field(
        True,
        description="watch the target of another server's takeover again if that does not end "
        "within three MAX-TIME-NO-RESPONSE (else a target whose winner dies is nobody's)",
    )
    takeover_suggestion: bool = Field(
        False, description="suggest to the peer nearest to an element to become its home"
    )
    measure_distance: bool = Field(
        False, description="add the way of updates to the distance of elements, in ms"
    )
    check_takeovers: bool = Field(
        False,
        description="a takeover counts only from who has announced it and got this server's "
        "acknowledgement (else 16 octets re-home all elements of a living server)",
    )
    keep_identifier: bool = Field(
        False, description="a server that returns has the identifier that it had"
    )

    @field_validator("detector")
    @classmethod
    def _detector_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in detectors():
            raise ValueError(unknown("detector", value, detectors()))
        return value


class HuntSettings(Model):
    """Settings of the server hunt."""

    t5_serverhunt: Interval = Field(
        10.0, description="T5: first round of a hunt; later rounds take twice as long each"
    )
    hunt_attempts: SomeCount = Field(3, description="servers that a hunt tries at once")
    retran_max: Interval = Field(
        60.0, description="RETRAN-MAX: longest round, and pause after a refusal"
    )
    t7_enrp_outdate: Interval = Field(5.0, description="T7: an announced server counts for so long")
    t7_scaling: bool = Field(
        True,
        description="T7 of at least three announcement intervals (else with five servers or more "
        "they are forgotten before they announce themselves again)",
    )
    t6_serverannounce: Interval = Field(
        1.0, description="T6 that servers are taken to announce themselves by"
    )
    max_announced: SomeCount = Field(
        1000, description="announced servers that are kept; more are not taken notice of"
    )


class PoolElementSettings(HuntSettings):
    """Settings of all pool elements' ASAP side."""

    t2_registration: Interval = Field(30.0, description="T2: wait for a registration response")
    t3_deregistration: Interval = Field(30.0, description="T3: wait for a deregistration response")
    t4_reregistration: Interval | None = Field(
        None,
        description="T4: time between registrations; null: life - 20 s, at most 600 s, "
        "half the life if that is 20 s or less",
    )
    max_reg_attempt: SomeCount = Field(2, description="MAX-REG-ATTEMPT (RFC 5352 7.3)")
    register_elsewhere: bool = Field(
        True,
        description="register at another server where one lacks resources, as while it starts "
        "(else a refusal ends it, RFC 5352 3.1)",
    )
    max_keep_alive_rate: Rate | None = Field(
        None, description="keep-alives/s of each server that are answered; more are ignored"
    )
    min_home_change_interval: Seconds = Field(
        0.0, description="time after a change of home by keep-alive before the next one"
    )
    register_on_adoption: bool = Field(
        False, description="register at once with a new home that has announced itself, not at T4"
    )

    def time_between(self, life: int) -> float:
        """T4, between registrations, in s (RFC 5352 7.1; half the life if that is 20 s or less).

        Parameters: `life` of a registration in s, -1 for ever.
        """
        if self.t4_reregistration is not None:
            return self.t4_reregistration
        if life < 0:
            return 600.0
        if life <= 20:
            return max(1.0, life / 2)
        return min(600.0, life - 20.0)


class PoolUserSettings(HuntSettings):
    """Settings of all pool users' ASAP side."""

    t1_enrp_request: Interval = Field(15.0, description="T1: wait for a resolution response")
    max_request_retransmit: Count = Field(2, description="MAX-REQUEST-RETRANSMIT (RFC 5352 7.3)")
    stale_cache_value: Seconds = Field(
        30.0, description="time for which an answer serves; 0: one use, then ask again"
    )
    serve_stale: bool = Field(
        False, description="serve a stale answer at once while a new one is asked for"
    )
    subscribe: bool = Field(
        False, description="ask the server to tell of changes of the pool (RFC 5352 2.2.5)"
    )
