"""The names of all counters that a run can have, whoever is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache

from rsim.attackers import AttackCounters, attacker_kinds
from rsim.endpoints import PoolElementCounters, PoolUserCounters, ServerCounters
from rsim.network import StackCounters
from rsim.network.counters import SctpCounters, TlsCounters
from rsim.network.cpu import CpuCounters
from rsim.scenario.accountability import VERDICTS
from rsim.scenario.auditor import AuditorCounters
from rsim.scenario.observer import ObserverCounters
from rsim.scenario.traffic import TRAFFIC
from rsim.workload import ClientCounters, ElementCounters
from rsim.workload.lifecycle import LifecycleCounters

_HOST = (SctpCounters, TlsCounters, StackCounters, CpuCounters)
_BY_ROLE: dict[str, tuple[type, ...]] = {
    "enrp_servers": (*_HOST, ServerCounters),
    "pool_elements": (*_HOST, PoolElementCounters, ElementCounters, LifecycleCounters),
    "pool_users": (*_HOST, PoolUserCounters, ClientCounters),
    "attackers": (*_HOST, AttackCounters),
    "auditor": (AuditorCounters,),
    "observer": (ObserverCounters,),
}
"""Counters of each role, but for those that an attacker adds in a class of its own."""


def known_counters() -> frozenset[str]:
    """Names of all counters by role, those of all kinds of attackers among them."""
    # Loads the attackers: their classes of counters are known from then on.
    attacker_kinds()
    own = {f"attackers.{one.name}" for cls in _heirs(AttackCounters) for one in fields(cls)}
    return _of_roles() | own


@cache
def _of_roles() -> frozenset[str]:
    names = {
        f"{role}.{one.name}"
        for role, kinds in _BY_ROLE.items()
        for cls in kinds
        for one in fields(cls)
    }
    names |= {f"network.{name}" for name in TRAFFIC} | {f"penalties.{name}" for name in VERDICTS}
    return frozenset(names)


def _heirs(cls: type[AttackCounters]) -> Iterator[type[AttackCounters]]:
    for heir in cls.__subclasses__():
        yield heir
        yield from _heirs(heir)
