"""Definitions of all metrics: name, unit, label, formula.

Formulas speak of counters of the measured time (end of warm-up to end of run) and of the table of
requests. "Requests completed" and the like are those whose completion lies in the measured time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run has shown in its measured time.

    Parameters: `begin`, `end` in s; `counters` by role and name, differences over the measured
    time; `requests` columns (s; NaN: has not happened) of all requests of the run; `reference`
    mean capacity of a pool element in calculations/s.
    """

    begin: float
    end: float
    counters: dict[str, float]
    requests: dict[str, Column]
    reference: float
    queued_at_end: int

    @property
    def duration(self) -> float:
        """Measured time in s."""
        return self.end - self.begin

    def counter(self, name: str) -> float:
        """A counter's sum, 0 if no actor has it; `*.name` over all roles."""
        if name.startswith("*."):
            ending = name[1:]
            return sum(value for key, value in self.counters.items() if key.endswith(ending))
        return self.counters.get(name, 0.0)

    def during(self, event: str) -> npt.NDArray[np.bool_]:
        """Which requests had their `event` (a column) in the measured time."""
        times = self.requests[event]
        return (times >= self.begin) & (times < self.end)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: `compute` gives its value, NaN where it is undefined."""

    name: str
    unit: str
    label: str
    formula: str
    compute: Callable[[Observation], float]

    @property
    def axis(self) -> str:
        """Label with unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _span(observation: Observation, begin: str, end: str) -> Column:
    """Times from one event to another, of the requests whose `end` was measured."""
    chosen = observation.during(end)
    return observation.requests[end][chosen] - observation.requests[begin][chosen]


def _mean_span(begin: str, end: str, observation: Observation) -> float:
    span = _span(observation, begin, end)
    return float(span.mean()) if span.size else float("nan")


def _quantile_span(begin: str, end: str, share: float, observation: Observation) -> float:
    span = _span(observation, begin, end)
    return float(np.quantile(span, share)) if span.size else float("nan")


def _speed(begin: str, observation: Observation) -> float:
    time = float(_span(observation, begin, "completed").sum())
    work = observation.counter("pool_users.work_credited")
    return 100.0 * _ratio(work, time * observation.reference)


def _utilisation(observation: Observation) -> float:
    work = observation.counter("pool_elements.work")
    return 100.0 * _ratio(work, observation.counter("pool_elements.capacity_time"))


def _work_lost(observation: Observation) -> float:
    work = observation.counter("pool_elements.work")
    return 100.0 * _ratio(work - observation.counter("pool_users.work_credited"), work)


def _mean_failover(observation: Observation) -> float:
    total = observation.counter("pool_users.failover_time")
    return _ratio(total, observation.counter("pool_users.failovers"))


def _total(name: str, observation: Observation) -> float:
    return observation.counter(name)


def _rate(name: str, observation: Observation) -> float:
    return _ratio(observation.counter(name), observation.duration)


def _observed(name: str, factor: float, observation: Observation) -> float:
    total = observation.counter(f"observer.{name}")
    return factor * _ratio(total, observation.counter("observer.observations"))


def _takeover_time(observation: Observation) -> float:
    total = observation.counter("enrp_servers.takeover_time")
    return _ratio(total, observation.counter("enrp_servers.takeovers_won"))


def _packets_lost(observation: Observation) -> float:
    lost = observation.counter("network.packets_lost")
    return 100.0 * _ratio(lost, observation.counter("network.packets"))


def _server_cpu_load(observation: Observation) -> float:
    time = observation.counter("enrp_servers.cpu_time")
    return 100.0 * _ratio(observation.counter("enrp_servers.cpu_busy"), time)


def _server_cpu_wait(observation: Observation) -> float:
    waited = observation.counter("enrp_servers.cpu_waited")
    return _ratio(waited, observation.counter("enrp_servers.cpu_jobs"))


def _mean_pool_elements(observation: Observation) -> float:
    return _ratio(observation.counter("enrp_servers.element_seconds"), observation.duration)


def _queued(observation: Observation) -> float:
    return float(observation.queued_at_end)


def _count(name: str, label: str, counter: str) -> Metric:
    return Metric(name, "", label, f"total of {counter}", partial(_total, counter))


_SPANS = (
    ("queuing_delay", "generated", "started", "queuing delay"),
    ("startup_delay", "started", "accepted", "start-up delay"),
    ("processing_time", "accepted", "completed", "processing time"),
    ("handling_time", "generated", "completed", "handling time"),
)


def _times() -> list[Metric]:
    metrics = []
    for name, begin, end, label in _SPANS:
        about = f"from {begin} to {end}, over requests {end}"
        mean = partial(_mean_span, begin, end)
        metrics.append(Metric(f"{name}_s", "s", f"mean {label}", f"mean time {about}", mean))
        for percent in (50, 95, 99):
            quantile = partial(_quantile_span, begin, end, percent / 100)
            text = f"{percent}% quantile of the time {about}"
            metrics.append(
                Metric(f"{name}_p{percent}_s", "s", f"{label}, {percent}%", text, quantile)
            )
    return metrics


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in [
        Metric(
            "utilisation_pct",
            "%",
            "utilisation",
            "calculations done by all pool elements / (capacity x time in service)",
            _utilisation,
        ),
        Metric(
            "handling_speed_pct",
            "% of a PE's capacity",
            "handling speed",
            "calculations credited to pool users / (handling times of requests completed x mean "
            "capacity)",
            partial(_speed, "generated"),
        ),
        Metric(
            "processing_speed_pct",
            "% of a PE's capacity",
            "processing speed",
            "calculations credited to pool users / (processing times of requests completed x mean "
            "capacity)",
            partial(_speed, "accepted"),
        ),
        *_times(),
        _count("requests_generated", "requests generated", "pool_users.requests_generated"),
        _count("requests_completed", "requests completed", "pool_users.requests_completed"),
        _count("requests_failed", "requests failed for good", "pool_users.requests_failed"),
        Metric(
            "work_lost_pct",
            "%",
            "work lost",
            "(calculations done by elements - calculations credited to users) / those done",
            _work_lost,
        ),
        Metric(
            "pu_queue_length_at_end", "", "requests queued at end", "sum over pool users", _queued
        ),
        _count("accepts", "accepts", "pool_users.accepts"),
        _count("rejects", "rejects", "pool_users.rejects"),
        _count("request_timeouts", "requests without answer", "pool_users.request_timeouts"),
        _count(
            "session_keep_alive_timeouts",
            "session keep-alives without answer",
            "pool_users.keep_alive_timeouts",
        ),
        _count("failures_told", "failures told by the network", "pool_users.failures_told"),
        _count("unreachable_reports", "unreachability reports", "pool_users.unreachable_reports"),
        _count("failovers", "failovers", "pool_users.failovers"),
        Metric(
            "failover_time_s",
            "s",
            "failover time",
            "sum of the times from the last cookie or accept to the next accept",
            partial(_total, "pool_users.failover_time"),
        ),
        Metric(
            "failover_mean_s",
            "s",
            "mean failover time",
            "failover_time_s / failovers",
            _mean_failover,
        ),
        _count("server_selections", "selections", "pool_users.server_selections"),
        _count("cookie_echoes", "cookie echoes", "pool_users.cookie_echoes"),
        _count("cookies_sent", "cookies sent", "pool_elements.cookies_sent"),
        _count("registrations", "registrations", "enrp_servers.registrations"),
        _count(
            "registrations_refused", "registrations refused", "enrp_servers.registrations_refused"
        ),
        _count("deregistrations", "deregistrations", "enrp_servers.deregistrations"),
        _count("handle_resolutions", "handle resolutions", "enrp_servers.handle_resolutions"),
        _count("endpoint_unreachables", "reports at servers", "enrp_servers.endpoint_unreachables"),
        _count("endpoint_keep_alives", "endpoint keep-alives", "enrp_servers.keep_alives_sent"),
        _count(
            "endpoint_keep_alive_timeouts",
            "endpoint keep-alive time-outs",
            "enrp_servers.keep_alive_timeouts",
        ),
        Metric(
            "mean_pool_elements",
            "",
            "registered elements",
            "time average of the handlespace's size, fake elements included",
            _mean_pool_elements,
        ),
        Metric(
            "asap_messages_per_s",
            "1/s",
            "ASAP messages",
            "ASAP messages sent by all components, cookies and their echoes left out / time",
            partial(_rate, "network.asap_messages"),
        ),
        Metric(
            "asap_bytes_per_s",
            "B/s",
            "ASAP bytes",
            "bytes of all ASAP messages sent / time",
            partial(_rate, "network.asap_bytes"),
        ),
        Metric(
            "divergence_pct",
            "%",
            "divergence of handlespaces",
            "share of entries that differ from what the element's home has, over elements and "
            "servers, mean over comparisons",
            partial(_observed, "divergence", 100.0),
        ),
        Metric(
            "orphans",
            "",
            "orphaned elements",
            "elements whose home is no server that serves, mean over comparisons",
            partial(_observed, "orphans", 1.0),
        ),
        _count("peers_found_dead", "peers found dead", "enrp_servers.peers_found_dead"),
        _count("takeovers", "takeovers", "enrp_servers.takeovers_won"),
        Metric(
            "takeover_time_s",
            "s",
            "duration of a takeover",
            "mean time from the death being found to the last acknowledgement",
            _takeover_time,
        ),
        _count("elements_taken_over", "elements taken over", "enrp_servers.elements_taken_over"),
        _count("audit_mismatches", "audits that failed", "enrp_servers.audit_mismatches"),
        Metric(
            "enrp_messages_per_s",
            "1/s",
            "ENRP messages",
            "ENRP messages sent by all servers / time",
            partial(_rate, "network.enrp_messages"),
        ),
        Metric(
            "enrp_bytes_per_s",
            "B/s",
            "ENRP bytes",
            "bytes of all ENRP messages sent / time",
            partial(_rate, "network.enrp_bytes"),
        ),
        Metric(
            "updates_per_s",
            "1/s",
            "handle updates",
            "ENRP_HANDLE_UPDATE sent / time",
            partial(_rate, "network.enrp_handle_update"),
        ),
        _count("tables", "pieces of tables", "network.enrp_handle_table_response"),
        _count("resolution_failures", "resolutions that failed", "pool_users.resolution_failures"),
        _count("resolution_timeouts", "resolutions in time-out", "pool_users.resolution_timeouts"),
        _count("homes_adopted", "changes of home by keep-alive", "pool_elements.homes_adopted"),
        Metric(
            "packets_lost_pct",
            "%",
            "packets lost",
            "packets lost on links by loss, full queues and cuts / packets sent",
            _packets_lost,
        ),
        _count("retransmissions", "messages sent again by SCTP", "*.retransmissions"),
        _count("associations_lost", "associations lost", "*.associations_lost"),
        _count("handshakes", "TLS handshakes completed", "*.handshakes"),
        _count("handshakes_refused", "TLS handshakes refused", "*.handshakes_refused"),
        _count("records_refused", "TLS records refused", "*.records_refused"),
        Metric(
            "server_cpu_load_pct",
            "%",
            "CPU load of the ENRP servers",
            "CPU time used by ENRP servers / (time x servers with a CPU model)",
            _server_cpu_load,
        ),
        Metric(
            "server_cpu_wait_s",
            "s",
            "mean wait for an ENRP server's CPU",
            "sum of the waits / messages that had their turn",
            _server_cpu_wait,
        ),
        _count("server_cpu_dropped", "messages dropped by servers", "enrp_servers.cpu_dropped"),
        Metric(
            "attack_messages_per_s",
            "1/s",
            "attack messages",
            "messages sent by attackers / time",
            partial(_rate, "attackers.attack_messages"),
        ),
        Metric(
            "attack_bytes_per_s",
            "B/s",
            "attack bytes",
            "bytes sent by attackers / time",
            partial(_rate, "attackers.attack_bytes"),
        ),
        _count(
            "attacker_ignored_messages",
            "application messages ignored by attackers",
            "attackers.application_messages_ignored",
        ),
    ]
}
"""All metrics by name."""
