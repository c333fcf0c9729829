"""A run that is stopped on the way, looked at, and gone on with: `rsim.Simulation`."""

import inspect

import pandas as pd
import pytest

import rsim
from rsim.scenario import (
    AttackerView,
    HostView,
    NetworkView,
    PoolElementView,
    PoolUserView,
    ServerView,
)

TABLE = {
    "warm_up": 60,
    "duration": 240,
    "series_interval": 50,
    "observe_interval": 7,
    "network": {"delay": "10ms"},
    "enrp_servers": {"server": {"count": 2}},
    "pools": {"pool": {"policy": "least_used"}, "other": {}},
    "pool_elements": {"element": {"count": 3, "start": 10, "further_pools": ["other"]}},
    "pool_users": {"user": {"count": 4, "start": 20, "request_interval": 5, "request_size": 2e6}},
    "attackers": {
        "flood": {"kind": "registration-flood", "start": 100, "stop": 105, "interval": 0.5}
    },
}


@pytest.fixture
def simulation():
    return rsim.Simulation(rsim.scenario(TABLE), 7)


def look(simulation):
    """Reads every property of every view, and gives what it has read."""
    views = [
        simulation.network,
        *simulation.servers,
        *simulation.pool_elements,
        *simulation.pool_users,
        *simulation.attackers,
    ]
    return {
        (number, name): getattr(view, name)
        for number, view in enumerate(views)
        for name, _ in inspect.getmembers(type(view), inspect.isdatadescriptor)
        if not name.startswith("_")
    }


def test_a_run_that_is_stopped_and_looked_at_gives_the_result_of_one_that_is_not(simulation):
    whole = rsim.run(simulation.scenario, 7)
    for time in (0, 9.5, 20, 100.25, 110, 299.999):
        simulation.run_until(time)
        look(simulation)
        assert simulation.now == time
    result = simulation.run()
    assert result.digest == whole.digest and result.metrics == pytest.approx(
        whole.metrics, nan_ok=True
    )
    assert [sample.time for sample in result.samples] == [s.time for s in whole.samples]
    assert simulation.now == simulation.end == 300


def test_the_result_is_the_same_one_later(simulation):
    assert simulation.run() is simulation.run()


def test_seed_and_scenario_are_told(simulation):
    assert simulation.seed == 7 and simulation.scenario.duration == 240
    assert rsim.Simulation(simulation.scenario).seed == simulation.scenario.seed


def test_time_may_have_a_unit(simulation):
    simulation.run_until("2min")
    assert simulation.now == 120


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (49, r"49 lies in the past; must be from 50 s, which is now, to 300 s"),
        (-1, r"lies in the past"),
        (300.5, r"lies after the end of the run"),
        (float("nan"), r"is not a time"),
        (float("inf"), r"after the end"),
        ("soon", r"'soon' is not a time such as 600 or '10min'"),
        (None, r"None is not a time"),
        ([1], r"\[1\] is not a time"),
    ],
)
def test_a_time_that_can_not_be_run_to_is_an_error(simulation, time, text):
    simulation.run_until(50)
    with pytest.raises(rsim.SimulationError, match=text):
        simulation.run_until(time)
    assert simulation.now == 50


def test_running_on_after_the_end_is_an_error(simulation):
    simulation.run()
    simulation.run_until(300)
    with pytest.raises(rsim.RsimError, match="after the end"):
        simulation.run_until(301)


def test_a_simulation_that_an_error_has_ended_runs_no_more(simulation, monkeypatch):
    def broken(self):
        raise ZeroDivisionError

    from rsim.workload import CalcAppServer

    monkeypatch.setattr(CalcAppServer, "start", broken)
    with pytest.raises(ZeroDivisionError):
        simulation.run_until(30)
    for go_on in (simulation.run, lambda: simulation.run_until(40)):
        with pytest.raises(rsim.SimulationError, match="an error has ended this simulation"):
            go_on()


@pytest.mark.parametrize("scenario", [{}, None, "scenario.toml"])
def test_what_is_no_scenario_is_an_error(scenario):
    for start in (rsim.Simulation, rsim.run):
        with pytest.raises(
            rsim.ScenarioError, match=r"is not a scenario; make one with rsim\.load\(file\) or"
        ):
            start(scenario)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, 2**64])
def test_what_is_no_seed_is_an_error(seed):
    for start in (rsim.Simulation, rsim.run):
        with pytest.raises(rsim.ScenarioError, match=r"seed: .*must be a whole number from 0"):
            start(rsim.scenario({}), seed)


def test_servers_show_their_handlespace_and_peers(simulation):
    one, other = simulation.servers
    assert one.state == "down" and one.handlespace.empty and one.peers.empty
    simulation.run_until(90)
    assert one.state == "serving" and one.name == "server-1" and one.up
    frame = one.handlespace
    assert list(frame["pool"].value_counts().items()) == [("other", 3), ("pool", 3)]
    assert set(frame["home_server"]) <= {one.identifier, other.identifier}
    pool = frame[frame["pool"] == "pool"]
    elements = simulation.pool_elements
    assert set(pool["identifier"]) == {element.identifier for element in elements}
    assert set(pool["policy"]) == {"least_used"} and pool["load"].notna().all()
    assert {address for row in pool["addresses"] for address in row} == {
        element.addresses[0] for element in elements
    }
    assert one.peers.to_dict("records") == [{"identifier": other.identifier, "state": "active"}]
    assert one.counters["registrations"] + other.counters["registrations"] >= 6


def test_elements_and_users_show_their_states(simulation):
    simulation.run_until(90)
    element, user = simulation.pool_elements[0], simulation.pool_users[0]
    assert element.pool == "pool" and element.state == "registered"
    assert list(element.memberships["pool"]) == ["pool", "other"]
    assert set(element.memberships["state"]) == {"registered"}
    assert element.memberships["identifier"][0] == element.identifier
    assert not element.lies and element.capacity == 1e6
    assert user.state in {"idle", "resolving", "requesting", "processing", "pausing"}
    assert sum(one.counters["requests_generated"] for one in simulation.pool_users) > 0
    assert sum(one.counters["accepts"] for one in simulation.pool_elements) > 0
    assert user.queued >= 0 and user.site == "lan"


def test_attackers_and_the_network_show_what_they_have_done(simulation):
    [attacker] = simulation.attackers
    simulation.run_until(99)
    assert attacker.kind == "registration-flood" and attacker.counters["attack_messages"] == 0
    before = simulation.network.traffic
    simulation.run_until(110)
    assert attacker.counters["attack_messages"] > 0
    assert simulation.network.traffic["asap_messages"] > before["asap_messages"] > 0
    hosts = simulation.network.hosts
    assert len(hosts) == 10 and list(hosts["group"].unique()) == [
        "server",
        "element",
        "user",
        "flood",
    ]
    links = simulation.network.links
    assert links["up"].all() and links["packets"].sum() == simulation.network.traffic["packets"] > 0


def test_links_show_what_their_queues_do():
    """A narrow path between users and the rest: users fill it, and it drops."""
    sites = {"sites": ["lan", "far"], "topology": "row"}
    narrow = {"bandwidth": 4000, "queue_packets": 1, "fair": True}
    changes = {"network": {**sites, "wan": narrow}, "pool_users.user.site": "far"}
    simulation = rsim.Simulation(rsim.scenario(TABLE, changes))
    simulation.run_until(200)
    links = simulation.network.links.set_index("name")
    path = links.loc["far -> lan"]
    assert path["packets_overflowed"] > 0 and path["waiting_time"] > 0
    assert path["packets_lost"] == path["packets_dropped_early"] == 0
    assert links.loc["lan", "packets_overflowed"] == links.loc["lan", "waiting_time"] == 0


def test_a_host_that_is_struck_is_down():
    outage = {"site": "lan", "what": "hosts", "groups": ["element"], "schedule": "down@50s"}
    simulation = rsim.Simulation(rsim.scenario(TABLE, {"network.outages": [outage]}))
    simulation.run_until(51)
    assert not any(element.up for element in simulation.pool_elements)
    assert {element.state for element in simulation.pool_elements} == {"down"}
    assert all(server.up for server in simulation.servers)


def test_views_are_read_only(simulation):
    for view in (simulation.servers[0], simulation.pool_users[0], simulation.network):
        for name in ("state", "hosts", "counters", "absent"):
            with pytest.raises(AttributeError):
                setattr(view, name, 1)
    simulation.servers[0].counters["registrations"] = 99
    assert simulation.servers[0].counters["registrations"] == 0
    with pytest.raises(AttributeError):
        simulation.now = 5


def test_a_frame_stays_as_it_is_when_the_simulation_goes_on(simulation):
    simulation.run_until(5)
    before = simulation.servers[0].handlespace
    simulation.run_until(90)
    assert before.empty and len(simulation.servers[0].handlespace) == 6


def test_a_policy_of_ones_own_shows_its_values():
    from rsim.handlespace import SelectionPolicy, policy

    @policy
    class Named(SelectionPolicy):
        name = "named_in_views"
        type_code = 0x8000ABCD
        values = ("weight", "priority")

        def __init__(self):
            self.known = []

        def insert(self, element):
            self.known.append(element.identifier)

        def remove(self, identifier):
            self.known.remove(identifier)

        def update(self, element):
            pass

        def select(self, count, draws):
            return self.known[:count]

    simulation = rsim.Simulation(rsim.scenario(TABLE, {"pools.pool.policy": "named_in_views"}))
    simulation.run_until(90)
    frame = simulation.servers[0].handlespace
    own = frame[frame["policy"] == "named_in_views"]
    assert len(own) == 3 and set(own["weight"]) == {1_000_000} and set(own["priority"]) == {0}


@pytest.mark.parametrize(
    "view", [HostView, ServerView, PoolElementView, PoolUserView, AttackerView, NetworkView]
)
def test_all_that_a_view_shows_is_typed_and_documented(view):
    for name, member in inspect.getmembers(view, lambda member: isinstance(member, property)):
        assert member.__doc__, name
        assert "return" in inspect.get_annotations(member.fget), name


def test_an_effect_that_is_missing_is_told_once():
    simulation = rsim.Simulation(
        rsim.scenario({"warm_up": 0, "duration": 5, "pool_users": {"u": {}}})
    )
    with pytest.warns(rsim.RsimWarning):
        result = simulation.run()
    assert result.warnings and isinstance(result.requests, pd.DataFrame)


def test_elements_and_users_with_your_own_code_are_shown_as_well():
    from rsim.workload import service, workload

    @service("waits_in_views")
    def waits(element, settings):
        element.register(load=0)
        yield element.clock.timeout(1000)

    @workload("sleeps_in_views")
    def sleeps(user, settings):
        yield user.clock.timeout(1000)

    table = {
        "warm_up": 0,
        "duration": 60,
        "pool_elements": {"element": {"start": 1, "service": "waits_in_views", "capacity": 5}},
        "pool_users": {"user": {"start": 2, "workload": "sleeps_in_views"}},
    }
    simulation = rsim.Simulation(rsim.scenario(table))
    simulation.run_until(30)
    [element], [user] = simulation.pool_elements, simulation.pool_users
    assert element.state == "registered" and element.capacity == 5 and not element.lies
    assert list(simulation.servers[0].handlespace["identifier"]) == [element.identifier]
    assert user.state == "own" and user.queued == 0 and user.counters["requests_generated"] == 0
