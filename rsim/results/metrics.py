"""Definitions of all metrics: name, unit, label, formula.

Formulas speak of counters of the measured time (end of warm-up to end of run) and of the table of
requests. "Requests completed" and the like are those whose completion lies in the measured time.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from rsim.results.attack_metrics import ATTACK_METRICS
from rsim.results.availability_metrics import AVAILABILITY_METRICS
from rsim.results.cheating_metrics import CHEATING_METRICS
from rsim.results.host_metrics import HOST_METRICS
from rsim.results.load_metrics import LOAD_METRICS
from rsim.results.metric import Metric, count, ratio, restricted
from rsim.results.observation import Observation
from rsim.results.request_times import REQUEST_TIMES
from rsim.results.speed_metrics import SPEED_METRICS


def _utilisation(observation: Observation) -> float:
    work = observation.counter("pool_elements.work")
    return 100.0 * ratio(work, observation.counter("pool_elements.capacity_time"))


def _work_lost(observation: Observation) -> float:
    work = observation.counter("pool_elements.work")
    return 100.0 * ratio(work - observation.counter("pool_users.work_credited"), work)


def _mean_failover(observation: Observation) -> float:
    total = observation.counter("pool_users.failover_time")
    return ratio(total, observation.counter("pool_users.failovers"))


def _total(name: str, observation: Observation) -> float:
    return observation.counter(name)


def _rate(name: str, observation: Observation) -> float:
    return ratio(observation.counter(name), observation.duration)


def _observed(name: str, factor: float, observation: Observation) -> float:
    total = observation.counter(f"observer.{name}_seconds")
    return factor * ratio(total, observation.counter("observer.observed_seconds"))


def _completed_share(observation: Observation) -> float:
    generated = observation.during("generated")
    completed = observation.requests["completed"][generated]
    return 100.0 * ratio(float((completed < observation.end).sum()), float(generated.sum()))


def _fairness(observation: Observation) -> float:
    loads = observation.loads
    if not loads.size or not loads.any():
        return float("nan")
    return float(loads.sum() ** 2 / (loads.size * (loads**2).sum()))


def _mean_pool_elements(observation: Observation) -> float:
    return ratio(observation.counter("enrp_servers.element_seconds"), observation.duration)


def _queue_length(observation: Observation) -> float:
    requests, end = observation.requests, observation.end
    # What has not started waits to the end.
    until = np.fmin(requests["started"], end)
    waited = until - np.maximum(requests["generated"], observation.begin)
    return ratio(float(waited[waited > 0].sum()), observation.duration)


def _queued(observation: Observation) -> float:
    return float(observation.queued_at_end)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in [
        Metric(
            "utilisation_pct",
            "%",
            label="utilisation",
            formula="calculations done by all pool elements / (capacity x time in service)",
            compute=_utilisation,
            by_load=True,
        ),
        *LOAD_METRICS,
        *SPEED_METRICS,
        *REQUEST_TIMES,
        count(
            "requests_generated",
            "requests generated",
            "pool_users.requests_generated",
            by_load=True,
        ),
        count(
            "requests_completed",
            "requests completed",
            "pool_users.requests_completed",
            better="higher",
            by_load=True,
        ),
        Metric(
            "completed_share_pct",
            "%",
            label="requests completed in time",
            formula=(
                "requests generated in the measured time and completed in it / those generated "
                "in it"
            ),
            better="higher",
            compute=_completed_share,
        ),
        count(
            "requests_failed",
            "requests failed for good",
            "pool_users.requests_failed",
            better="lower",
        ),
        Metric(
            "work_lost_pct",
            "%",
            label="work lost",
            formula="(calculations done by elements - calculations credited to users) / those done",
            better="lower",
            compute=_work_lost,
        ),
        Metric(
            "pu_queue_length",
            "",
            label="requests queued",
            formula="requests generated and not yet started, over all pool users, time average",
            low=0.0,
            compute=_queue_length,
        ),
        Metric(
            "pu_queue_length_at_end",
            "",
            label="requests queued at end",
            formula="sum over pool users",
            better="lower",
            low=0.0,
            compute=_queued,
        ),
        count("accepts", "accepts", "pool_users.accepts", better="higher"),
        count("rejects", "rejects", "pool_users.rejects", better="lower"),
        count(
            "request_timeouts",
            "requests without answer",
            "pool_users.request_timeouts",
            better="lower",
        ),
        count(
            "session_keep_alive_timeouts",
            "session keep-alives without answer",
            "pool_users.keep_alive_timeouts",
            better="lower",
        ),
        count("failures_told", "failures told by the network", "pool_users.failures_told"),
        count("unreachable_reports", "unreachability reports", "pool_users.unreachable_reports"),
        count("failovers", "failovers", "pool_users.failovers", better="lower"),
        Metric(
            "failover_time_s",
            "s",
            label="failover time",
            formula="sum of the times from the last cookie or accept to the next accept",
            better="lower",
            compute=partial(_total, "pool_users.failover_time"),
        ),
        Metric(
            "failover_mean_s",
            "s",
            label="mean failover time",
            formula="failover_time_s / failovers",
            better="lower",
            compute=_mean_failover,
        ),
        count("server_selections", "selections", "pool_users.server_selections"),
        count("cookie_echoes", "cookie echoes", "pool_users.cookie_echoes"),
        count("cookies_sent", "cookies sent", "pool_elements.cookies_sent"),
        count("registrations", "registrations", "enrp_servers.registrations"),
        count(
            "registrations_refused",
            "registrations refused",
            "enrp_servers.registrations_refused",
            better="lower",
        ),
        count("deregistrations", "deregistrations", "enrp_servers.deregistrations"),
        count("handle_resolutions", "handle resolutions", "enrp_servers.handle_resolutions"),
        count("endpoint_unreachables", "reports at servers", "enrp_servers.endpoint_unreachables"),
        count("endpoint_keep_alives", "endpoint keep-alives", "enrp_servers.keep_alives_sent"),
        count(
            "endpoint_keep_alive_timeouts",
            "endpoint keep-alive time-outs",
            "enrp_servers.keep_alive_timeouts",
            better="lower",
        ),
        Metric(
            "mean_pool_elements",
            "",
            label="registered elements",
            formula="time average of the handlespace's size, fake elements included",
            low=0.0,
            compute=_mean_pool_elements,
        ),
        Metric(
            "asap_messages_per_s",
            "1/s",
            label="ASAP messages",
            formula=(
                "ASAP messages sent by all components, cookies and their echoes left out / time"
            ),
            low=0.0,
            compute=partial(_rate, "network.asap_messages"),
        ),
        Metric(
            "asap_octets_per_s",
            "B/s",
            label="ASAP octets",
            formula="octets of all ASAP messages sent / time",
            low=0.0,
            compute=partial(_rate, "network.asap_octets"),
        ),
        Metric(
            "divergence_pct",
            "%",
            label="divergence of handlespaces",
            formula=(
                "share of entries that differ from what the element's home has, over elements "
                "and servers, time average"
            ),
            better="lower",
            compute=partial(_observed, "divergence", 100.0),
        ),
        Metric(
            "orphans",
            "",
            label="orphaned elements",
            formula="elements whose home server does not serve, time average",
            better="lower",
            low=0.0,
            compute=partial(_observed, "orphan", 1.0),
        ),
        Metric(
            "fairness",
            "",
            label="fairness of load (Jain)",
            formula="Jain's index of work / capacity over pool elements",
            better="higher",
            low=0.0,
            high=1.0,
            compute=_fairness,
        ),
        count("peers_found_dead", "peers found dead", "enrp_servers.peers_found_dead"),
        count("takeovers", "takeovers", "enrp_servers.takeovers_won"),
        Metric(
            "takeover_time_s",
            "s",
            label="duration of a takeover",
            formula=(
                "mean time from the death being found to the last acknowledgement, of each at most "
                "the measured time (restricted mean by Kaplan-Meier: takeovers that had not ended "
                "are censored, those of servers that live left out)"
            ),
            censored=True,
            better="lower",
            compute=partial(restricted, "takeover"),
        ),
        count("elements_taken_over", "elements taken over", "enrp_servers.elements_taken_over"),
        count(
            "audit_mismatches",
            "audits that failed",
            "enrp_servers.audit_mismatches",
            better="lower",
        ),
        Metric(
            "enrp_messages_per_s",
            "1/s",
            label="ENRP messages",
            formula="ENRP messages sent by all servers / time",
            low=0.0,
            compute=partial(_rate, "network.enrp_messages"),
        ),
        Metric(
            "enrp_octets_per_s",
            "B/s",
            label="ENRP octets",
            formula="octets of all ENRP messages sent / time",
            low=0.0,
            compute=partial(_rate, "network.enrp_octets"),
        ),
        Metric(
            "updates_per_s",
            "1/s",
            label="handle updates",
            formula="ENRP_HANDLE_UPDATE sent / time",
            low=0.0,
            compute=partial(_rate, "network.enrp_handle_update"),
        ),
        count("tables", "pieces of tables", "network.enrp_handle_table_response"),
        count(
            "resolution_failures",
            "resolutions that failed",
            "pool_users.resolution_failures",
            better="lower",
        ),
        count(
            "resolution_timeouts",
            "resolutions in time-out",
            "pool_users.resolution_timeouts",
            better="lower",
        ),
        count("homes_adopted", "changes of home by keep-alive", "pool_elements.homes_adopted"),
        *AVAILABILITY_METRICS,
        *HOST_METRICS,
        *ATTACK_METRICS,
        *CHEATING_METRICS,
    ]
}
"""All metrics by name."""
