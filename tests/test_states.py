"""Tables of states: one for each role, with its sources, and the code goes along all of them."""

import re
import warnings

import pytest

from rsim.endpoints import ROLES
from rsim.errors import RsimWarning, StateError
from rsim.network import changes_of_associations
from rsim.scenario import run
from rsim.states import RoleEvent, RoleState, StateTable
from tests.endpoints.enrp.world import World

by_role = pytest.mark.parametrize("table", ROLES, ids=lambda table: table.role)


class Light(RoleState):
    RED = 1
    GREEN = 2


class Change(RoleEvent):
    GO = 1


def test_a_table_gives_the_next_state_and_tells_who_listens():
    table = StateTable("light", Light.RED, [(Light.RED, Change.GO, Light.GREEN, "RFC 5352 1")])
    seen = []
    table.listeners.append(lambda *change: seen.append(change))
    assert table.after(Light.RED, Change.GO) is Light.GREEN
    assert seen == [(Light.RED, Change.GO, Light.GREEN)]
    with pytest.raises(StateError, match=r"^light: GO is not possible in state GREEN$"):
        table.after(Light.GREEN, Change.GO)


def test_a_table_has_one_row_for_a_state_and_an_event():
    row = (Light.RED, Change.GO, Light.GREEN, "RFC 5352 1")
    with pytest.raises(AssertionError, match="two rows of light"):
        StateTable("light", Light.RED, [row, row])


@by_role
def test_each_state_can_be_reached_and_each_row_names_its_source(table):
    reached = {table.initial}
    for _ in table.rows:
        reached |= {after for state, _, after, _ in table.rows if state in reached}
    assert reached == set(type(table.initial))
    assert {event for _, event, _, _ in table.rows} == set(type(table.rows[0][1]))
    for _, _, _, section in table.rows:
        assert re.match(r"RFC (5352|5353|5246|5355|8446|9260) \d", section)


def test_there_is_one_table_for_each_role():
    assert len({table.role for table in ROLES}) == len(ROLES) == 9


class _Watch:
    """The rows that the code takes while it is on."""

    def __init__(self):
        self.rows = {table.role: set() for table in ROLES}

    def __enter__(self):
        for table in ROLES:
            table.listeners.append(lambda *change, at=table.role: self.rows[at].add(change[:2]))
        return self

    def __exit__(self, *_):
        for table in ROLES:
            table.listeners.pop()


def test_servers_that_fail_and_part_take_the_rows_of_servers_peers_and_takeovers():
    with _Watch() as watch:
        world = World(servers=3, elements=6).run(120)
        world.partition("a")
        world.run(300)
        world.calm()
        world.run(300)
        world.crash_server(0)
        world.leave(1)
        world.crash_element(2)
        world.run(300)
        world.restart_server(0)
        world.restart_element(2)
        world.come_back(1)
        world.run(200)
    taken = {role: {(s.name, e.name) for s, e in rows} for role, rows in watch.rows.items()}
    assert {("DOWN", "START"), ("STARTING", "LEARN"), ("SERVING", "FAIL")} <= taken["ENRP server"]
    peers = taken["peer of an ENRP server"]
    assert {("ACTIVE", "ASK"), ("ASKED", "SUSPEND")} <= peers
    assert {("WAITING", "COMPLETE")} <= taken["takeover"]
    assert {("IDLE", "ASK"), ("LIST", "DOWNLOAD"), ("TABLE", "END")} <= taken[
        "start of an ENRP server"
    ]
    assert {
        ("DOWN", "REGISTER"),
        ("REGISTERING", "GRANT"),
        ("REGISTERED", "DEREGISTER"),
        ("DEREGISTERING", "LEAVE"),
        ("REGISTERED", "FAIL"),
    } <= taken["pool element"]


def test_random_deployments_never_leave_the_tables():
    import rsim
    from tests.verification.determinism import drawn

    before = changes_of_associations()
    with _Watch() as watch, warnings.catch_warnings():
        warnings.simplefilter("ignore", RsimWarning)
        for table in drawn(3, 24):
            run(rsim.scenario(table))
    # The native half of associations counts for itself, and raises StateError like the tables.
    taken = zip(before, changes_of_associations(), strict=True)
    assert sum(after > count for count, after in taken) > 8
    for role in ("TLS session", "pool element", "session of a pool user"):
        assert len(watch.rows[role]) > 1
    rows = {table.role: {row[:2] for row in table.rows} for table in ROLES}
    assert all(taken <= rows[role] for role, taken in watch.rows.items())
