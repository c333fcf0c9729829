"""What a reader of a run's results should know: what had no effect, and what has not settled.

A run in which nothing happens has metrics like any other, and a mistake in a scenario is taken for
a result. The texts hold no numbers that differ from run to run, so that a sweep tells each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rsim.attackers import AttackCounters, Attacker
from rsim.network import parse_schedule
from rsim.results import Observation
from rsim.scenario.fields import ACTORS, HONEST
from rsim.scenario.model import Scenario
from rsim.scenario.relaxation import SETTLING, last_start, settling_times


def warnings_of(
    scenario: Scenario,
    observation: Observation,
    *,
    attackers: Sequence[Attacker],  # type: ignore[type-arg]
    totals: Mapping[str, float],
) -> tuple[str, ...]:
    """One text for each thing to know of a run of `scenario` that has ended.

    Parameters: `observation` of the measured time; `attackers` of the run; `totals` of all
    counters at its end.
    """
    tried = bool(totals.get("attackers.associations_opened"))
    return (
        *_late(scenario),
        *_pools(scenario),
        *_users(scenario, observation),
        *_attackers(scenario, attackers, tried),
        *_limits(observation),
        *_settling(scenario, observation),
    )


def _late(scenario: Scenario) -> Iterator[str]:
    """What begins when the run has ended."""
    end = scenario.length
    for role in HONEST:
        groups = {name: group for name, group in getattr(scenario, role).items() if group.count}
        late = {name: group.start for name, group in groups.items() if group.start >= end}
        # Where no users ask for anything, that is told of all of them.
        if role == "pool_users" and len(late) == len(groups):
            continue
        for name, start in late.items():
            yield f"{role}.{name}: begins at {start:g} s, after the end of the run"
    for where, schedule in _schedules(scenario):
        changes = parse_schedule(schedule)
        if changes and changes[0][0] >= end:
            yield f"{where}: begins at {changes[0][0]:g} s, after the end of the run"
    if scenario.security.rekey is not None and scenario.security.rekey >= end:
        yield f"security.rekey: is at {scenario.security.rekey:g} s, after the end of the run"
    for name in ("series_interval", "observe_interval"):
        interval = getattr(scenario, name)
        if interval is not None and interval > end:
            yield f"{name}: {interval:g} s is longer than the run, {end:g} s"


def _schedules(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """All schedules of what goes down, with their places."""
    for number, outage in enumerate(scenario.network.outages):
        yield f"network.outages.{number}.schedule", outage.schedule
    for role in ACTORS:
        for name, group in getattr(scenario, role).items():
            for kind in ("outages", "failures"):
                if group.count and hasattr(group, kind):
                    yield f"{role}.{name}.{kind}.schedule", getattr(group, kind).schedule


def _pools(scenario: Scenario) -> Iterator[str]:
    """Pools in which somebody has nobody to talk to."""
    served, used = set(), set()
    for elements in scenario.pool_elements.values():
        if elements.count:
            served |= {elements.pool, *elements.further_pools}
    for role in ("pool_users", "attackers"):
        used |= {group.pool for group in getattr(scenario, role).values() if group.count}
    for name, users in scenario.pool_users.items():
        if users.count and users.pool not in served:
            yield f"pool_users.{name}: pool '{users.pool}' has no elements, so nobody serves them"
    # Without any users a study is of servers and elements.
    if not any(users.count for users in scenario.pool_users.values()):
        return
    for name, elements in scenario.pool_elements.items():
        if elements.count and used.isdisjoint({elements.pool, *elements.further_pools}):
            yield f"pool_elements.{name}: pool '{elements.pool}' has no users"


def _users(scenario: Scenario, observation: Observation) -> Iterator[str]:
    """Pool users that asked for nothing."""
    groups = {name: group for name, group in scenario.pool_users.items() if group.count}
    if not groups or observation.counters.get("pool_users.requests_generated"):
        return
    starts = ", ".join(f"{name} starts at {group.start:g} s" for name, group in groups.items())
    yield (
        f"pool_users: no request was generated in the measured time ({observation.begin:g} s to "
        f"{observation.end:g} s); {starts}"
    )


def _attackers(
    scenario: Scenario,
    attackers: Sequence[Attacker],  # type: ignore[type-arg]
    tried: bool,
) -> Iterator[str]:
    """Groups of attackers that did nothing; `tried` says whether any opened an association.

    Who is shut out (by TLS, say) has tried, and what is protected can't be read: then it is the
    mitigation that works.
    """
    secured = scenario.security.used
    counters: dict[str, list[AttackCounters]] = {}
    for attacker in attackers:
        label = attacker.surroundings.host.actor.rpartition("-")[0]
        counters.setdefault(label, []).append(attacker.counters)
    for name, group in scenario.attackers.items():
        found = counters.get(f"attackers.{name}")
        if found is None:
            continue
        where = f"attackers.{name}"
        sent = sum(one.attack_messages for one in found)
        changed = sum(one.messages_altered + one.messages_dropped for one in found)
        read = sum(one.octets_read for one in found)
        seen = sum(one.octets_seen for one in found)
        measured_from = scenario.warm_up
        if group.start >= scenario.length:
            yield f"{where}: begins at {group.start:g} s, after the end of the run"
        elif group.stop is not None and group.stop <= (
            measured_from if isinstance(measured_from, float) else 0.0
        ):
            yield (
                f"{where}: ends at {group.stop:g} s, before the measured time begins at "
                f"{measured_from:g} s"
            )
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


def _settling(scenario: Scenario, observation: Observation) -> Iterator[str]:
    """Groups of users that had not settled when measurement began.

    Who measures from the very beginning (`warm_up = 0`) wants to see how a run begins.
    """
    if scenario.warm_up == 0:
        return
    loaded = observation.begin - last_start(scenario, before=observation.end)
    for name, service, load, time in settling_times(scenario):
        starts = scenario.pool_users[name].start < observation.end
        if starts and loaded < SETTLING * time:
            yield (
                f"warm_up: pool_users.{name} had not settled when measurement began, "
                f"{max(0.0, loaded):.3g} s after the last group's start; requests of "
                f"{service:.3g} s at a load of {load:.2g} take {SETTLING * time:.3g} s"
            )
