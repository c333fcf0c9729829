"""Topologies, graphs and the way through them."""

import networkx as nx
import pytest

from rsim.clock import Clock
from rsim.network import LinkSettings, Network, topology
from rsim.randomness import Streams


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("row", [("a", "b"), ("b", "c"), ("c", "d")]),
        ("star", [("a", "b"), ("a", "c"), ("a", "d")]),
        ("mesh", [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]),
    ],
)
def test_pairs_of_a_topology(kind, expected):
    assert topology.pairs(kind, ("a", "b", "c", "d")) == expected


def network(kind, sites, delay=0.1):
    paths = dict.fromkeys(topology.pairs(kind, sites), LinkSettings(delay=delay))
    return Network(Clock(), Streams(1), paths=paths, next_hops=topology.next_hops(sites, paths))


def test_delays_add_up_along_the_way():
    sites = ("a", "b", "c", "d")
    assert network("row", sites).delay("a", "d") == pytest.approx(0.3)
    assert network("star", sites).delay("b", "d") == pytest.approx(0.2)
    assert network("mesh", sites).delay("b", "d") == pytest.approx(0.1)


def test_the_shortest_way_is_taken():
    paths = {
        ("a", "b"): LinkSettings(delay=0.1),
        ("b", "c"): LinkSettings(delay=0.1),
        ("a", "c"): LinkSettings(delay=0.5),
    }
    way = topology.next_hops("abc", paths)
    assert way("a", "c") == ("a", "b", "c")
    assert way("c", "b") == ("c", "b")


def test_packets_take_every_link_of_the_way():
    net = network("row", ("a", "b", "c"))
    one, two = net.add_host("one", "a"), net.add_host("two", "c")
    seen = []
    two.listen_datagrams(9, lambda source, data: seen.append(net.clock.now))
    one.send_datagram(9, (two.address, 9), b"x")
    net.clock.run_until(1)
    assert seen == [pytest.approx(0.2)]
    assert net.packets == 2
    net.cut(net.path_links("b", "c"))
    one.send_datagram(9, (two.address, 9), b"x")
    net.clock.run_until(2)
    assert len(seen) == 1


EXPECTED = {
    "sites": ("x", "y", "z"),
    "paths": (
        {"sites": ("x", "y"), "delay": 0.1},
        {"sites": ("y", "z"), "delay": 0.2, "loss": 0.01},
    ),
}


@pytest.fixture
def graph():
    graph = nx.Graph()
    graph.add_edge("x", "y", delay=0.1, colour="blue")
    graph.add_edge("y", "z", delay=0.2, loss=0.01)
    return graph


def test_a_graph_becomes_sites_and_paths(graph):
    assert topology.from_graph(graph) == EXPECTED


def test_graph_files(graph, tmp_path):
    nx.write_graphml(graph, tmp_path / "g.graphml")
    nx.write_gml(graph, tmp_path / "g.gml")
    (tmp_path / "g.csv").write_text("from,to,delay,loss\nx,y,0.1,\ny,z,0.2,0.01\n")
    for name in ("g.graphml", "g.gml", "g.csv"):
        assert topology.read_graph(tmp_path / name) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g.txt", "x", "must end in"),
        ("g.csv", "a,b\n1,2\n", "column from and to is missing"),
        ("g.graphml", "<nonsense", "g.graphml: "),
        ("none.csv", None, "can't be read"),
    ],
)
def test_graph_files_that_are_none(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        topology.read_graph(tmp_path / name)
