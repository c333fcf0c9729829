"""Metrics of links and associations, and of the hosts that servers run on."""

from __future__ import annotations

from functools import partial

from rsim.results.metric import Metric, count, ratio
from rsim.results.observation import Observation


def _packets_lost(observation: Observation) -> float:
    lost = observation.counter("network.packets_lost")
    return 100.0 * ratio(lost, observation.counter("network.packets"))


def _server_cpu_load(observation: Observation) -> float:
    time = observation.counter("enrp_servers.cpu_time")
    return 100.0 * ratio(observation.counter("enrp_servers.cpu_busy"), time)


def _server_cpu_wait(observation: Observation) -> float:
    waited = observation.counter("enrp_servers.cpu_waited")
    return ratio(waited, observation.counter("enrp_servers.cpu_jobs"))


def _mean_over_time(observation: Observation, counter: str) -> float:
    """The mean of what a counter adds up over time."""
    return ratio(observation.counter(counter), observation.duration)


HOST_METRICS = [
    Metric(
        "packets_lost_pct",
        "%",
        label="packets lost",
        formula="packets lost on links by loss, full queues and cuts / packets sent",
        better="lower",
        compute=_packets_lost,
    ),
    count("retransmissions", "messages sent again by SCTP", "*.retransmissions", better="lower"),
    count("associations_lost", "associations lost", "*.associations_lost", better="lower"),
    count("handshakes", "TLS handshakes completed", "*.handshakes"),
    count("handshakes_refused", "TLS handshakes refused", "*.handshakes_refused", better="lower"),
    count("records_refused", "TLS records refused", "*.records_refused"),
    Metric(
        "server_cpu_load_pct",
        "%",
        label="CPU load of the ENRP servers",
        formula="CPU time used by ENRP servers / (time x servers with a CPU model)",
        better="lower",
        compute=_server_cpu_load,
    ),
    Metric(
        "server_cpu_wait_s",
        "s",
        label="mean wait for an ENRP server's CPU",
        formula="sum of the waits / messages that had their turn",
        better="lower",
        compute=_server_cpu_wait,
    ),
    Metric(
        "server_half_open",
        "associations",
        label="half-open associations of the ENRP servers",
        formula="half-open associations added up over time / time",
        better="lower",
        low=0.0,
        compute=partial(_mean_over_time, counter="enrp_servers.half_open_seconds"),
    ),
    Metric(
        "server_associations",
        "associations",
        label="open associations of the ENRP servers",
        formula="open associations added up over time / time",
        low=0.0,
        compute=partial(_mean_over_time, counter="enrp_servers.association_seconds"),
    ),
    Metric(
        "server_memory_octets",
        "octets",
        label="memory of the ENRP servers for their peers",
        formula="octets of associations, TLS sessions and receive buffers added up over time "
        "/ time",
        better="lower",
        low=0.0,
        compute=partial(_mean_over_time, counter="enrp_servers.memory_octet_seconds"),
    ),
    count("server_inits_refused", "INITs dropped by servers", "enrp_servers.inits_refused"),
    count(
        "server_cpu_dropped",
        "messages dropped by servers",
        "enrp_servers.cpu_dropped",
        better="lower",
    ),
]
"""In the order in which they are shown."""
