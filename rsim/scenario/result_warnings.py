"""What a reader of a run's results should know: that something in it had no effect.

A run in which nothing happens has metrics like any other, and a mistake in a scenario is taken for
a result. The texts hold no numbers that differ from run to run, so that a sweep tells each once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rsim.attackers import AttackCounters
from rsim.results import Observation

if TYPE_CHECKING:
    from rsim.scenario.deployment import Deployment


def warnings_of(deployment: Deployment, observation: Observation) -> tuple[str, ...]:
    """One text for each thing without effect."""
    return (
        *_users(deployment, observation),
        *_attackers(deployment),
        *_limits(observation),
    )


def _users(deployment: Deployment, observation: Observation) -> Iterator[str]:
    """Pool users that asked for nothing."""
    groups = {name: group for name, group in deployment.scenario.pool_users.items() if group.count}
    if not groups or observation.counters.get("pool_users.requests_generated"):
        return
    starts = ", ".join(f"{name} starts at {group.start:g} s" for name, group in groups.items())
    yield (
        f"pool_users: no request was generated in the measured time ({observation.begin:g} s to "
        f"{observation.end:g} s); {starts}"
    )


def _attackers(deployment: Deployment) -> Iterator[str]:
    """Groups of attackers that did nothing.

    Who is shut out (by TLS, say) has tried, and what is protected can't be read: then it is the
    mitigation that works.
    """
    secured = deployment.security.used
    tried = deployment.recorder.totals().get("attackers.associations_opened")
    counters: dict[str, list[AttackCounters]] = {}
    for attacker in deployment.attackers:
        label = attacker.surroundings.host.actor.rpartition("-")[0]
        counters.setdefault(label, []).append(attacker.counters)
    for name, group in deployment.scenario.attackers.items():
        found = counters.get(f"attackers.{name}")
        if found is None:
            continue
        where = f"attackers.{name}"
        sent = sum(one.attack_messages for one in found)
        changed = sum(one.messages_altered + one.messages_dropped for one in found)
        read = sum(one.octets_read for one in found)
        seen = sum(one.octets_seen for one in found)
        if group.start >= deployment.clock.now:
            yield f"{where}: begins at {group.start:g} s, after the end of the run"
        elif group.listens:
            if not sent + changed + seen:
                yield f"{where}: no message passed where it stands"
            elif group.acts and not secured and read and not sent + changed:
                yield f"{where}: read messages, but changed, dropped and sent none"
        elif not sent and not tried:
            yield f"{where}: sent nothing"


def _limits(observation: Observation) -> Iterator[str]:
    """Limits that hide the damage they do."""
    if observation.counters.get("enrp_servers.load_updates_ignored"):
        yield (
            "enrp_servers: a limit or a detector dropped news of loads of listed elements, so that "
            "selections go by old ones; the metric load_updates_ignored counts them"
        )
