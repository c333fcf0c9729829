"""Timers, limits and switches of the protocol endpoints; defaults are those of the RFCs.

Where the RFCs are silent the defaults are the project's own choice; docs/model.md lists them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rsim.units import Model, Seconds


class ServerSettings(Model):
    """Settings of all ENRP servers."""

    mentor_discovery_time: Seconds = Field(
        0.0, description="time after start in which a server without mentor does not serve yet"
    )
    keep_alive_interval: Seconds = Field(
        5.0, gt=0, description="time between endpoint keep-alives to an element (RFC 5352 3.4)"
    )
    keep_alive_spread: float = Field(
        0.5, ge=0, lt=1, description="random share by which each interval differs, up or down"
    )
    keep_alive_timeout: Seconds = Field(
        5.0, gt=0, description="time without answer after which an element is removed"
    )
    verify_unreachable: bool = Field(
        True, description="probe an element that is reported unreachable (RFC 5352 3.5)"
    )
    max_bad_pe_reports: int = Field(
        3, ge=1, description="unreachability reports at which an element is removed"
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
    max_resolution_items: int | None = Field(
        None, ge=1, description="most elements in an answer; null: what a message holds"
    )
    round_robin_increment: int = Field(
        1, ge=1, description="elements that one selection moves on in round-robin order"
    )
    degradations_per_selection: int = Field(
        1, ge=0, description="steps of load degradation for each listing (RFC 5356 5.2: one)"
    )
    degradations_at_registration: int = Field(
        0, ge=0, description="steps of load degradation right after a registration"
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
    check_addresses: bool = Field(
        True, description="user transports only with an address of the association (RFC 5352 2.2.1)"
    )


class PoolElementSettings(Model):
    """Settings of all pool elements' ASAP side."""

    t2_registration: Seconds = Field(30.0, gt=0, description="T2: wait for a registration response")
    t3_deregistration: Seconds = Field(
        30.0, gt=0, description="T3: wait for a deregistration response"
    )
    t4_reregistration: Seconds | None = Field(
        None,
        gt=0,
        description="T4: time between registrations; null: life - 20 s, at most 600 s, "
        "half the life if that is 20 s or less",
    )
    max_reg_attempt: int = Field(2, ge=1, description="MAX-REG-ATTEMPT (RFC 5352 7.3)")
    retran_max: Seconds = Field(60.0, gt=0, description="RETRAN-MAX: pause before starting over")


class PoolUserSettings(Model):
    """Settings of all pool users' ASAP side."""

    t1_enrp_request: Seconds = Field(15.0, gt=0, description="T1: wait for a resolution response")
    max_request_retransmit: int = Field(
        2, ge=0, description="MAX-REQUEST-RETRANSMIT (RFC 5352 7.3)"
    )
    stale_cache_value: Seconds = Field(
        30.0, ge=0, description="time for which an answer serves; 0: one use, then ask again"
    )
