"""Topologies, graphs and the way through them."""

import os
from pathlib import Path

import networkx as nx
import pytest

from rsim.clock import Clock
from rsim.network import LinkSettings, Network, topology
from rsim.randomness import Streams

ZOO = Path(__file__).parent / "data" / "zoo.graphml"


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
        ("none.csv", None, "no such file"),
        (
            "g.csv",
            "from,to,latency\na,b,1\n",
            "there is no column 'latency'; choose one of from, to, delay,",
        ),
        ("g.csv", "from,to,delay\na,b,0.01\nb,c,1\nb,a,0.1\n", "line 4: joins 'b' and 'a' again"),
        ("g.csv", "from,to\na,b\n", "edge 'a' - 'b': has no delay; its attributes are none"),
        ("g.csv", "from,to,delay\na,b,\n", "has no delay"),
        ("g.csv", "from,to,delay\na,,1\n", "line 2: a path joins two sites"),
        ("g.csv", "from,to,delay\na,b,1,2\n", "line 2: has 4 values for 3 columns"),
        ("g.csv", "from,to,delay,delay\na,b,1,2\n", "column 'delay' is there twice"),
        ("g.csv", b"from,to,delay\n\xff,b,1\n", "can't decode"),
        ("g.csv", 'from,to,delay\n"a,b,1\n', "unexpected end"),
        ("g.gml", "graph [ node [ id 0 ]", "g.gml: "),
    ],
)
def test_graph_files_that_are_none(tmp_path, name, content, message):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        topology.read_graph(tmp_path / name)


def written(graph, folder):
    nx.write_graphml(graph, folder / "g.graphml")
    return folder / "g.graphml"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"label": "l"}, "edge 'x' - 'y': has no delay; its attributes are label"),
        ({"delay": 0.1, "latency": 0.1}, "edge 'x' - 'y': attribute 'latency': choose one of"),
        ({"delay": 0.1, "LinkSpeed": "1"}, "edge 'x' - 'y': has LinkSpeed without LinkSpeedUnits"),
        ({"delay": 0.1, "LinkSpeedRaw": "fast"}, "LinkSpeedRaw: 'fast' is not a positive number"),
        ({"delay": 0.1, "LinkSpeedRaw": 0.0}, "LinkSpeedRaw: 0.0 is not a positive number"),
        (
            {"delay": 0.1, "LinkSpeed": "1", "LinkSpeedUnits": "furlongs"},
            "LinkSpeedUnits: there is no unit 'furlongs'; choose one of K, M, G, T",
        ),
        (
            {"delay": 0.1, "bandwidth": 1e6, "LinkSpeedRaw": 1e6},
            "has a bandwidth and LinkSpeedRaw; must have one",
        ),
        ({"delay": 0.1, "los": 0.5}, "attribute 'los': did you mean 'loss'"),
        ({"Delay": 0.1}, "attribute 'Delay': did you mean 'delay'"),
    ],
)
def test_what_looks_like_a_mistyped_attribute_is_refused(tmp_path, attributes, message):
    graph = nx.Graph()
    graph.add_edge("x", "y", **attributes)
    with pytest.raises(ValueError, match=message):
        topology.read_graph(written(graph, tmp_path))


def test_of_parallel_edges_the_shortest_is_taken(tmp_path):
    graph = nx.MultiGraph()
    graph.add_edge("x", "y", delay=0.1, loss=0.5)
    graph.add_edge("y", "x", delay=0.01, bandwidth=1e6)
    graph.add_edge("y", "x", delay=0.01, bandwidth=2e6)
    graph.add_edge("x", "y", delay=0.05)
    paths = topology.read_graph(written(graph, tmp_path))["paths"]
    assert paths == ({"sites": ("x", "y"), "delay": 0.01, "bandwidth": 2e6},)


def test_what_cannot_be_a_delay_is_not_hidden_by_a_parallel_edge():
    graph = nx.MultiGraph()
    graph.add_edge("x", "y", delay=0.1)
    graph.add_edge("x", "y", delay="soon")
    assert topology.from_graph(graph)["paths"][0]["delay"] == "soon"


def test_a_graph_that_joins_nothing_is_refused():
    graph = nx.empty_graph(3)
    with pytest.raises(ValueError, match="joins none of its 3 nodes; must have edges"):
        topology.from_graph(graph)


def test_a_graph_of_topology_zoo_gives_delays_and_bandwidths():
    found = topology.read_graph(ZOO, "coordinates")
    assert found["sites"] == ("0", "1", "2", "3")
    bandwidths = {path["sites"]: path.get("bandwidth") for path in found["paths"]}
    assert bandwidths == {
        ("0", "1"): 2.5e9,
        ("0", "2"): 155e6,
        ("1", "2"): None,
    }
    # Vienna and Graz are 145 km apart.
    assert found["paths"][0]["delay"] == pytest.approx(145e3 / 199_861_639, rel=0.01)


def test_nodes_without_coordinates_are_all_named(tmp_path):
    text = ZOO.read_text()
    for key in ("Latitude", "Longitude"):
        text = text.replace(f'attr.name="{key}"', f'attr.name="Old{key}"')
    (tmp_path / "g.graphml").write_text(text)
    with pytest.raises(ValueError, match="nodes '0', '1', '2': need a latitude") as caught:
        topology.read_graph(tmp_path / "g.graphml", "coordinates")
    assert "\n" not in str(caught.value)


def test_sites_that_nothing_joins_have_no_way():
    paths = {("a", "b"): LinkSettings(delay=0.1), ("c", "d"): LinkSettings(delay=0.1)}
    way = topology.next_hops("abcd", paths)
    assert way("a", "c") == ()
    net = Network(Clock(), Streams(1), paths=paths, next_hops=way)
    one, two, far = (net.add_host(site, site) for site in "abc")
    seen = []
    for host in (two, far):
        host.listen_datagrams(9, lambda source, data: seen.append(data))
        one.send_datagram(9, (host.address, 9), host.name.encode())
    net.clock.run_until(10)
    assert seen == [b"b"]
    assert net.packets_lost == 1


def test_sites_without_any_path_are_neighbours():
    assert set(topology.regions("abc", []).values()) == {0}
    assert topology.regions("abcd", [("a", "b"), ("d", "b")]) == {"a": 0, "b": 0, "c": 2, "d": 0}


def places():
    graph = nx.Graph()
    graph.add_node("Paris", Latitude=48.8566, Longitude=2.3522, Country="France")
    graph.add_node("London", Latitude=51.5074, Longitude=-0.1278, Country="Britain")
    graph.add_edge("Paris", "London", LinkLabel="under the sea")
    return graph


def test_delays_follow_from_coordinates(tmp_path):
    found = topology.read_graph(written(places(), tmp_path), "coordinates")
    # 343.5 km of great circle at two thirds of the speed of light.
    assert found["paths"][0]["delay"] == pytest.approx(343.5e3 / 199_861_639, rel=1e-3)
    assert found["sites"] == ("Paris", "London")


def test_the_way_round_the_earth_is_half_its_circumference_at_most():
    graph = nx.Graph()
    graph.add_node("a", lat=0, lon=0)
    graph.add_node("b", lat="0", lon="180")
    graph.add_edge("a", "b")
    path = topology.from_graph(graph, "coordinates")["paths"][0]
    assert path["delay"] == pytest.approx(20_015_115 / 199_861_639, rel=1e-6)


def test_coordinates_that_are_none_are_named(tmp_path):
    graph = places()
    graph.add_edge("Paris", "nowhere")
    with pytest.raises(ValueError, match="node 'nowhere': needs a latitude"):
        topology.read_graph(written(graph, tmp_path), "coordinates")
    graph.nodes["nowhere"]["Latitude"] = 91.0
    with pytest.raises(ValueError, match=r"node 'nowhere': Latitude: 91.* is not a latitude"):
        topology.from_graph(graph, "coordinates")
    graph = places()
    graph.edges["Paris", "London"]["delay"] = 0.1
    with pytest.raises(ValueError, match="has a delay, so that coordinates don't say it"):
        topology.from_graph(graph, "coordinates")


@pytest.mark.parametrize("ending", ["csv", "gml", "graphml"])
def test_special_files_are_not_read(tmp_path, ending):
    os.mkfifo(tmp_path / f"pipe.{ending}")
    with pytest.raises(ValueError, match="is a FIFO, must be a regular file"):
        topology.read_graph(tmp_path / f"pipe.{ending}")
    (tmp_path / f"folder.{ending}").mkdir()
    with pytest.raises(ValueError, match="is a folder, must be a regular file"):
        topology.read_graph(tmp_path / f"folder.{ending}")


def test_files_say_mtu_and_queue(tmp_path):
    columns = "from,to,delay,mtu,bandwidth,queue_packets,discipline,fair"
    (tmp_path / "g.csv").write_text(f"{columns}\nx,y,0.1,1400,1e6,50,codel,true\ny,z,0.1,,,,,\n")
    first, second = topology.read_graph(tmp_path / "g.csv")["paths"]
    settings = LinkSettings(**{key: value for key, value in first.items() if key != "sites"})
    assert (settings.mtu, settings.queue_packets) == (1400, 50)
    assert (settings.discipline, settings.fair) == ("codel", True)
    assert second == {"sites": ("y", "z"), "delay": 0.1}
