"""A flood of 10,000 messages/s for ten simulated minutes: run time, and what grows with it.

Run it with `make bench`; arguments: messages/s, minutes.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from resource import RUSAGE_SELF, getrusage

import rsim
from rsim.scenario import Deployment


def deploy(rate: float, minutes: float, mitigated: bool) -> Deployment:
    """A pool of ten under a flood of resolutions and reports, with and without limits."""
    limits = {"max_resolution_rate": 1.0, "max_report_rate": 1.0, "max_registration_rate": 5.0}
    return Deployment(
        rsim.scenario(
            {
                "warm_up": "3min",
                "duration": 60 * minutes,
                "network": {"delay": "5ms"},
                "protocol": {"enrp_server": limits if mitigated else {}},
                "pool_elements": {"element": {"count": 10, "start": "10s"}},
                "pool_users": {
                    "user": {"count": 30, "start": "1min", "request_size": 5e6}
                    | {"target_utilisation": 0.5}
                },
                "attackers": {
                    "flood": {"kind": "report-flood", "interval": 1 / rate, "start": "3min"}
                },
            },
        )
    )


def main() -> None:
    """Prints a line for each arm."""
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else 10_000.0
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    for mitigated in (True, False):
        deployment = deploy(rate, minutes, mitigated)
        deployment.world.clock.run_until(190.0)
        tracemalloc.start()
        first = tracemalloc.get_traced_memory()[0]
        deployment.world.clock.run_until(195.0)
        grown = tracemalloc.get_traced_memory()[0] - first
        tracemalloc.stop()
        counters = deployment.attackers[0].counters
        before, since = counters.attack_messages, deployment.world.clock.now
        begin = time.perf_counter()
        result = deployment.run()
        spent = time.perf_counter() - begin
        sent = counters.attack_messages - before
        rate_sent = sent / (deployment.world.clock.now - since)
        print(
            f"{'mitigated' if mitigated else 'open':10} {rate_sent:8,.0f} messages/s, "
            f"{spent:6.1f} s run time, {1e6 * spent / max(1, sent):5.1f} µs each, "
            f"{grown / 1024:7.1f} KiB more after 5 s, "
            f"peak {getrusage(RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, "
            f"completed {result.metrics['completed_share_pct']:.0f}%"
        )


if __name__ == "__main__":
    main()
