"""Metrics of attacks: what they cost, what they get, and what they do to the handlespace."""

from __future__ import annotations

from functools import partial

from rsim.results.metric import Metric, count, ratio, restricted
from rsim.results.observation import Observation
from rsim.results.survival import longer_than

_LATE = 1.0
"""Time in s above which a registration counts as late."""


def _rate(name: str, observation: Observation) -> float:
    return ratio(observation.counter(name), observation.duration)


def _total(name: str, observation: Observation) -> float:
    return observation.counter(name)


def _share(part: str, whole: str, observation: Observation) -> float:
    return 100.0 * ratio(observation.counter(part), observation.counter(whole))


def _mean(total: str, number: str, factor: float, observation: Observation) -> float:
    return factor * ratio(observation.counter(total), observation.counter(number))


def _selections(names: tuple[str, ...], observation: Observation) -> float:
    part = sum(observation.counter(f"auditor.selections_{name}") for name in names)
    return 100.0 * ratio(part, observation.counter("auditor.selections"))


def _knowledge(observation: Observation) -> float:
    known = observation.counter("attackers.elements_known")
    return 100.0 * ratio(known, float(observation.loads.size))


def _late(observation: Observation) -> float:
    return 100.0 * longer_than(observation.waited("registration"), _LATE)


ATTACK_METRICS = [
    Metric(
        "rogue_share_pct",
        "%",
        label="selections of rogue or dead elements",
        formula=(
            "selections by users of an element of an attacker, or where nobody is / all selections"
        ),
        better="lower",
        compute=partial(_selections, ("rogue", "dead")),
    ),
    Metric(
        "diverted_share_pct",
        "%",
        label="selections of attackers",
        formula="selections by users of an element of an attacker / all selections",
        better="lower",
        compute=partial(_selections, ("rogue",)),
    ),
    Metric(
        "insecure_share_pct",
        "%",
        label="selections of insecure elements",
        formula="selections by users of an element without credentials / all selections",
        better="lower",
        compute=partial(_selections, ("insecure",)),
    ),
    Metric(
        "listed_pct",
        "%",
        label="elements listed",
        formula=(
            "entries that lead to a living element, mean over servers / elements deployed, "
            "time average"
        ),
        better="higher",
        compute=partial(_share, "observer.genuine_seconds", "observer.element_seconds"),
    ),
    Metric(
        "false_entries",
        "",
        label="false entries",
        formula="entries that lead to no living element, mean over servers, time average",
        better="lower",
        low=0.0,
        compute=partial(_mean, "observer.false_seconds", "observer.observed_seconds", 1.0),
    ),
    Metric(
        "servers_unknown_pct",
        "%",
        label="servers that hosts do not know",
        formula=(
            "share of the servers that serve which a host's list lacks, mean over hosts and over "
            "times drawn from each interval of observation"
        ),
        better="lower",
        compute=partial(_mean, "observer.servers_unknown", "observer.looks_at_lists", 100.0),
    ),
    Metric(
        "registration_delay_s",
        "s",
        label="time to register",
        formula=(
            "mean time from a start to the first registration granted, hunts and retries included, "
            "of each at most the measured time (restricted mean by Kaplan-Meier: registrations not "
            "granted by the end are censored)"
        ),
        better="lower",
        censored=True,
        compute=partial(restricted, "registration"),
    ),
    Metric(
        "registrations_late_pct",
        "%",
        label="late registrations",
        formula=(
            "first registrations that take more than 1 s / all (Kaplan-Meier: those not granted by "
            "the end are censored)"
        ),
        better="lower",
        censored=True,
        compute=_late,
    ),
    count(
        "requests_ignored",
        "requests ignored by servers",
        "enrp_servers.requests_ignored",
        better="lower",
    ),
    count(
        "load_updates_ignored",
        "news of listed elements' loads ignored by servers",
        "enrp_servers.load_updates_ignored",
    ),
    Metric(
        "attack_messages_per_s",
        "1/s",
        label="attack messages",
        formula="messages sent by attackers / time",
        low=0.0,
        compute=partial(_rate, "attackers.attack_messages"),
    ),
    Metric(
        "attack_octets_per_s",
        "B/s",
        label="attack octets",
        formula="octets sent by attackers / time",
        low=0.0,
        compute=partial(_rate, "attackers.attack_octets"),
    ),
    count(
        "attacker_ignored_messages",
        "application messages ignored by attackers",
        "attackers.application_messages_ignored",
    ),
    count(
        "requests_intercepted",
        "requests at attackers",
        "attackers.requests_received",
        better="lower",
    ),
    count(
        "octets_intercepted",
        "application octets at attackers",
        "attackers.octets_received",
        better="lower",
    ),
    count("messages_altered", "messages altered on the path", "attackers.messages_altered"),
    count("messages_suppressed", "messages dropped on the path", "attackers.messages_dropped"),
    count("elements_captured", "elements captured", "attackers.elements_captured", better="lower"),
    Metric(
        "exposed_octets",
        "B",
        label="application octets read on the path",
        formula="octets of application messages in clear that a listener has seen",
        better="lower",
        low=0.0,
        compute=partial(_total, "attackers.application_octets_read"),
    ),
    Metric(
        "knowledge_pct",
        "%",
        label="elements known to a listener",
        formula=(
            "identifiers that listeners have read / elements deployed; those that return "
            "have new ones"
        ),
        better="lower",
        compute=_knowledge,
    ),
    count("elements_guessed", "elements guessed from sizes", "attackers.elements_guessed"),
    count(
        "forgeries_accepted",
        "forged cookies accepted",
        "attackers.forgeries_accepted",
        better="lower",
    ),
    Metric(
        "work_forged",
        "calculations",
        label="work credited that was never done",
        formula="calculations that accepted forged cookies claim",
        better="lower",
        low=0.0,
        compute=partial(_total, "attackers.work_forged"),
    ),
    Metric(
        "amplification",
        "",
        label="octets got for an octet sent",
        formula="octets that an attacker gets / octets that it sends",
        better="lower",
        low=0.0,
        compute=partial(_mean, "attackers.octets_answered", "attackers.attack_octets", 1.0),
    ),
]
"""In the order in which they are shown."""
