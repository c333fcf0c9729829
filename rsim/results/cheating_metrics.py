"""Metrics of cheating on load policies: who gains, who loses, who is found out."""

from __future__ import annotations

from functools import partial

import numpy as np

from rsim.results.metric import Metric, count, ratio
from rsim.results.observation import Observation


def _handling(cheats: bool, observation: Observation) -> float:
    """Mean handling time over requests completed, of cheats or of honest users."""
    chosen = observation.during("completed") & (observation.cheats == cheats)
    times = observation.requests["completed"][chosen] - observation.requests["generated"][chosen]
    return float(times.mean()) if times.size else float("nan")


def _speed(cheats: bool, observation: Observation) -> float:
    return observation.speed("generated", observation.cheats == cheats)


def _advantage(observation: Observation) -> float:
    return ratio(_handling(False, observation), _handling(True, observation))


def _liars_gain(observation: Observation) -> float:
    liars = observation.liars
    if not liars.any() or liars.all():
        return float("nan")
    honest = float(observation.loads[~liars].mean())
    return ratio(float(observation.loads[liars].mean()), honest)


def _most_loaded(observation: Observation) -> float:
    loads = observation.loads
    return 100.0 * ratio(float(loads.max()), observation.duration) if loads.size else float("nan")


def _of_honest(total: str, observation: Observation) -> float:
    """What happened to honest elements, per 1000 hours of one."""
    hours = observation.duration / 3600 * float(np.sum(~observation.liars))
    return 1000.0 * ratio(observation.counter(total), hours)


def _found(observation: Observation) -> float:
    found = observation.counter("penalties.liars_found")
    return 100.0 * ratio(found, float(np.sum(observation.liars)))


def _detection(observation: Observation) -> float:
    found = observation.counter("penalties.liars_found")
    return ratio(observation.counter("penalties.detection_time"), found)


CHEATING_METRICS = [
    Metric(
        "cheat_speed_pct",
        "% of a PE's capacity",
        label="handling speed of cheats",
        formula=(
            "calculations of requests completed by cheats / (their handling times x the "
            "fastest element's capacity)"
        ),
        low=0.0,
        compute=partial(_speed, True),
    ),
    Metric(
        "honest_speed_pct",
        "% of a PE's capacity",
        label="handling speed of honest users",
        formula="the same of all other users",
        better="higher",
        low=0.0,
        compute=partial(_speed, False),
    ),
    Metric(
        "cheat_advantage",
        "",
        label="advantage of cheating",
        formula="mean handling time of honest users / that of cheats",
        low=0.0,
        compute=_advantage,
    ),
    Metric(
        "liars_gain",
        "",
        label="load of liars",
        formula="mean work / capacity of elements that lie / that of honest ones",
        low=0.0,
        compute=_liars_gain,
    ),
    Metric(
        "most_loaded_pct",
        "%",
        label="load of the most loaded element",
        formula="largest work / (capacity x time) of an element",
        better="lower",
        compute=_most_loaded,
    ),
    count("proofs_refused", "requests without good proof", "pool_elements.proofs_refused"),
    count("choices_postponed", "choices postponed", "pool_users.choices_postponed"),
    count("accusations", "accusations", "enrp_servers.accusations"),
    count("elements_penalised", "elements penalised", "enrp_servers.elements_penalised"),
    Metric(
        "false_accusations",
        "1/1000 h",
        label="honest elements accused",
        formula="accusations of honest elements / 1000 hours of an honest element",
        better="lower",
        low=0.0,
        compute=partial(_of_honest, "penalties.honest_accused"),
    ),
    Metric(
        "false_penalties",
        "1/1000 h",
        label="honest elements penalised",
        formula="penalties of honest elements / 1000 hours of an honest element",
        better="lower",
        low=0.0,
        compute=partial(_of_honest, "penalties.honest_penalised"),
    ),
    Metric(
        "liars_found_pct",
        "%",
        label="liars found",
        formula=(
            "elements that lie and had their first penalty in the measured time / elements that lie"
        ),
        better="higher",
        compute=_found,
    ),
    Metric(
        "detection_time_s",
        "s",
        label="time to detect a liar",
        formula="mean time from an element's start to its first penalty, over liars found",
        better="lower",
        compute=_detection,
    ),
    count("signature_checks", "signatures checked", "penalties.signature_checks"),
]
"""In the order in which they are shown."""
