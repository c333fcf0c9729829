"""No two actors share a stream or a name, whatever groups are called."""

from itertools import combinations

import numpy as np
import pytest

import rsim
from rsim.scenario import Deployment

from ..interpreted import call

ROLES = ("enrp_servers", "pool_elements", "pool_users", "attackers")
EXPONENTIAL = {"distribution": "exponential"}


def table(names, **more):
    groups = dict(zip(ROLES, names, strict=True))
    outages = {"uptime": {**EXPONENTIAL, "mean": 100}, "downtime": {**EXPONENTIAL, "mean": 50}}
    return {
        "warm_up": 0,
        "duration": 60,
        "enrp_servers": {groups["enrp_servers"]: {"count": 3, "outages": outages}},
        "pool_elements": {groups["pool_elements"]: {"count": 3, "start": 1, "outages": outages}},
        "pool_users": {groups["pool_users"]: {"count": 3, "start": 2, "request_interval": 5}},
        "attackers": {
            groups["attackers"]: {
                "kind": "registration-flood",
                "interval": 20,
                "count": 3,
                "start": 5,
            }
        },
        **more,
    }


NAMES = [
    ("node", "node", "node", "node"),
    ("server", "element", "user", "attacker"),
    ("x", "x-1", "x-1-1", "x-1-1-1"),
    ("a", "enrp_servers.a", "a", "pool_users.a"),
    ("network", "pool_elements", "capacities", "link"),
]


def names_of_streams(names):
    """The names that are asked for in a run; from source, as compiled classes have no heirs."""
    asked = []

    class Watched(rsim.scenario.world.Streams):
        def generator(self, actor, *purpose):
            asked.append((actor, *purpose))
            return super().generator(actor, *purpose)

    rsim.scenario.world.Streams = Watched
    Deployment(rsim.scenario(table(names))).run()
    return asked


def states_of_links(deployment, end, step=1.0):
    """Whether the links of each host are up, over time."""
    hosts = [host for group in deployment.world.hosts.values() for host in group]
    hosts = [host for host in hosts if host.actor.split(".")[0] in ROLES[:2]]
    links = {host.actor: deployment.world.network.host_links(host)[0] for host in hosts}
    found = {actor: [] for actor in links}
    for time in np.arange(step, end, step):
        deployment.world.clock.run_until(time)
        for actor, link in links.items():
            found[actor].append(link.up)
    return {actor: np.array(states) for actor, states in found.items()}


@pytest.mark.parametrize("names", NAMES)
def test_hosts_fail_on_their_own_whatever_their_groups_are_called(names):
    states = states_of_links(Deployment(rsim.scenario(table(names))), 2000)
    assert len(states) == 6
    for one, other in combinations(states, 2):
        assert (states[one] == states[other]).mean() < 0.8, (one, other)


@pytest.mark.parametrize("names", NAMES)
def test_hosts_have_names_of_their_own(names):
    deployment = Deployment(rsim.scenario(table(names)))
    hosts = [host for group in deployment.world.hosts.values() for host in group]
    assert len({host.name for host in hosts}) == len(hosts) == 12
    assert len({host.actor for host in hosts}) == 12


def test_a_group_keeps_its_name_where_no_other_has_it():
    deployment = Deployment(rsim.scenario(table(("s", "node", "node", "a"))))
    assert list(deployment.world.hosts) == ["s", "pool_elements.node", "pool_users.node", "a"]
    assert deployment.world.hosts["pool_users.node"][2].name == "pool_users.node-3"


def test_what_others_are_called_changes_no_draw():
    plain = rsim.run(rsim.scenario(table(("s", "e", "node", "a"))))
    clash = rsim.run(rsim.scenario(table(("s", "e", "node", "node"))))
    columns = ("number", "size", "generated")
    for name in columns:
        assert np.array_equal(plain.request_columns[name], clash.request_columns[name])
    assert plain.request_columns["user"][0] == "node-1"
    assert clash.request_columns["user"][0] == "pool_users.node-1"


@pytest.mark.parametrize("names", NAMES)
def test_no_name_of_a_stream_is_asked_for_twice(names):
    asked = call(names_of_streams, names)
    assert len(set(asked)) == len(asked) > 20


@pytest.mark.parametrize(
    ("named", "struck"),
    [("pool_users.node", "pool_users"), ("pool_elements.node", "pool_elements")],
)
def test_an_outage_names_a_group_by_its_role_where_two_have_the_name(named, struck):
    outage = {"site": "lan", "what": "hosts", "groups": [named], "schedule": "down@10s, up@+50s"}
    scenario = rsim.scenario(table(("s", "node", "node", "a"), network={"outages": [outage]}))
    deployment = Deployment(scenario)
    deployment.world.clock.run_until(20)
    for label, hosts in deployment.world.hosts.items():
        assert all(host.up == (label != f"{struck}.node") for host in hosts), label


def test_an_outage_that_could_mean_two_groups_is_refused():
    outage = {"site": "lan", "what": "hosts", "groups": ["node"], "schedule": "down@10s, up@+50s"}
    with pytest.raises(rsim.ScenarioError, match=r"pool_elements\.node or pool_users\.node"):
        rsim.scenario(table(("s", "node", "node", "a"), network={"outages": [outage]}))
