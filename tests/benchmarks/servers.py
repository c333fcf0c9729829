"""16 ENRP servers, 10,000 pool elements, and the takeover of a server that owns 1,000.

Run as `python tests/benchmarks/servers.py`. The server that fails stands at a site of its own with
the elements that it is home of.
"""

from __future__ import annotations

import resource
import time

import rsim
from rsim.scenario import Deployment

SCENARIO = {
    "name": "large takeover",
    "network": {
        "delay": "1ms",
        "sites": ["main", "edge"],
        "topology": "mesh",
        "wan": {"delay": "10ms"},
    },
    "protocol": {
        "enrp_server": {"keep_alive_interval": "30s"},
        "pool_element": {"hunt_attempts": 16},
    },
    "enrp_servers": {
        "server": {"count": 15, "site": "main"},
        "victim": {"site": "edge", "failures": {"schedule": "down@300s"}},
    },
    "pool_elements": {
        "main": {"count": 9000, "site": "main", "start": "30s", "registration_life": 3600},
        "edge": {"count": 1000, "site": "edge", "start": "30s", "registration_life": 3600},
    },
}


def main() -> None:
    """Prints a line for each phase."""
    start = time.process_time()
    deployment = Deployment(rsim.scenario(SCENARIO))
    servers = [server for _, server in deployment.servers]
    victim = servers[-1]
    owned = 0

    def phase(name: str, until: float) -> None:
        nonlocal start
        before = dict(deployment._traffic())
        deployment.world.clock.run_until(until)
        after = dict(deployment._traffic())
        now = time.process_time()
        asap, enrp = (after[k] - before[k] for k in ("asap_messages", "enrp_messages"))
        print(f"{name:<44}{now - start:8.1f} s {asap:>10,} ASAP {enrp:>10,} ENRP messages")
        start = now

    phase("building, start, registration (to 60 s)", 60)
    phase("steady state (60 to 290 s)", 290)
    owned = victim.handlespace.owned(victim.identifier)
    phase("death to its discovery (290 to 360 s)", 360)
    phase("takeover and its claims (360 to 450 s)", 450)
    living = servers[:-1]
    winners = [server for server in living if server.counters.takeovers_won]
    print(f"owned by the victim: {owned:,}; taken over by {len(winners)}:", end=" ")
    print(f"{sum(server.counters.elements_taken_over for server in winners):,}")
    sizes = {len(server.handlespace) for server in living}
    sums = {server.handlespace.checksum(winners[0].identifier) for server in living}
    print(f"elements at each server: {sizes}; checksums of the winner's elements agree: ", end="")
    print(len(sums) == 1)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
