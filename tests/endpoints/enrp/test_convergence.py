"""After random histories of faults all servers agree on one handlespace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import World

LIFE, T4, T2, RETRAN_MAX = 120, 100, 30, 60
HEARTBEAT, LAST_HEARD, NO_RESPONSE, RTO_MAX = 30, 61, 5, 60

BOUND = (
    # A message may wait for SCTP's longest time-out, both ways.
    2 * RTO_MAX
    # An element notices that its home is gone at T4, hunts, and may have to pause once.
    + (T4 + 3 * T2 + RETRAN_MAX)
    # A peer is found dead and taken over, with the guard of one takeover that failed.
    + (LAST_HEARD + 3 * NO_RESPONSE + 3 * NO_RESPONSE)
    # Two audits: one finds the difference, one the difference that the first one made.
    + 2 * (HEARTBEAT + 2 * NO_RESPONSE)
)
"""Time in s after which everything must be in order again."""

PAUSES = st.floats(0.1, 60)


@st.composite
def histories(draw):
    """Faults with the pauses after them."""
    kinds = [
        "crash",
        "restart",
        "kill",
        "start",
        "element down",
        "element up",
        "leave",
        "return",
        "cut",
        "join",
    ]
    events = draw(
        st.lists(
            st.tuples(PAUSES, st.sampled_from(kinds), st.integers(0, 11)), min_size=1, max_size=14
        )
    )
    return events


def play(world, events, check):
    """Carries the faults out that make sense, and lets at least one server live."""
    down, dead = set(), set()
    gone, cut = set(), set()
    most = len(world.servers) - 1
    for pause, kind, number in events:
        world.run(pause)
        server = number % len(world.servers)
        element = number % len(world.elements)
        site = "abc"[number % 3]
        can_fail = server not in down | dead and len(down | dead) < most
        if kind == "crash" and can_fail:
            world.crash_server(server)
            down.add(server)
        elif kind == "kill" and can_fail:
            world.kill_process(server)
            dead.add(server)
        elif kind == "restart" and server in down:
            world.restart_server(server)
            down.discard(server)
        elif kind == "start" and server in dead:
            world.start_process(server)
            dead.discard(server)
        elif kind == "element down" and element not in gone | world.absent:
            world.crash_element(element)
            gone.add(element)
        elif kind == "element up" and element in gone:
            world.restart_element(element)
            gone.discard(element)
        elif kind == "leave" and element not in gone | world.absent:
            world.leave(element)
        elif kind == "return" and element in world.absent - gone:
            world.come_back(element)
        elif kind == "cut" and site not in cut:
            world.partition(site)
            cut.add(site)
        elif kind == "join" and site in cut:
            cut.discard(site)
            world.partition(site, up=True)
            for other in cut:
                world.partition(other)
        check()


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.integers(2, 5), st.sampled_from([0, 0.02, 0.2]), histories())
def test_all_servers_converge_after_the_last_fault(seed, servers, loss, events):
    world = World(servers=servers, elements=6, seed=seed, loss=loss, life=LIFE)
    world.run(60)
    play(world, events, world.check_checksums)
    world.calm()
    world.run(BOUND)
    world.check_converged()


@pytest.mark.parametrize("servers", [1, 2, 3, 8])
def test_a_quiet_start_converges_at_once(servers):
    world = World(servers=servers, elements=6)
    world.run(90)
    world.check_converged()
    assert sum(server.counters.audit_mismatches for server in world.servers) == 0
