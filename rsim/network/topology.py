"""Topologies: which sites are joined, and the way from one to another."""

from __future__ import annotations

import csv
from collections.abc import Callable, Container, Iterable, Mapping
from io import BytesIO, StringIO
from itertools import combinations, pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rsim.errors import cut, shown
from rsim.network.settings import LinkSettings
from rsim.reading import read_regular
from rsim.suggestions import suggestion, unknown

if TYPE_CHECKING:
    import networkx as nx

Kind = Literal["row", "star", "mesh"]
"""Each site with the next; the first with each other; each with each."""

DelaySource = Literal["attribute", "coordinates"]
"""The attribute `delay` of each edge; the distance between the coordinates of its nodes."""
MOST_PATHS = 200_000
"""Paths between sites; more would not fit into memory."""
_ATTRIBUTES = (
    *("delay", "jitter", "loss", "mtu", "bandwidth"),
    *("queue", "queue_packets", "discipline", "fair"),
)
_SPEED_RAW, _SPEED, _SPEED_UNITS = "LinkSpeedRaw", "LinkSpeed", "LinkSpeedUnits"
_SPEEDS = (_SPEED_RAW, _SPEED, _SPEED_UNITS)
"""Bandwidths as Topology Zoo writes them: in bit/s, or as a number with a unit."""
_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_HARMLESS = frozenset(
    (
        *("id", "key", "label", "labels", "name", "type", "note", "comment"),
        *("color", "colour", "style", "directed", "zorder", "network"),
        *("linklabel", "linktype", "linknote", "linkstatus"),
    )
)
"""Attributes of edges, in lower case, that tell people about a path and change nothing."""
_MOST_NAMED = 5
"""Nodes without coordinates that an error names."""
_LARGEST_GRAPH = 16 << 20
"""Octets of a file."""
_LATITUDE = ("latitude", "lat")
_LONGITUDE = ("longitude", "lon", "long", "lng")
_EARTH = 6_371_008.8
"""Mean radius in m."""
_SIGNAL = 299_792_458 * 2 / 3
"""Speed in m/s of a signal in fibre, where light is a third slower."""


def pairs(kind: Kind, sites: tuple[str, ...]) -> list[tuple[str, str]]:
    """The pairs of sites that a topology joins.

    Parameters: `kind` of topology; `sites` by name.
    """
    if kind == "row":
        return list(pairwise(sites))
    if kind == "star":
        return [(sites[0], site) for site in sites[1:]]
    return list(combinations(sites, 2))


def next_hops(
    sites: Iterable[str], paths: Mapping[tuple[str, str], LinkSettings]
) -> Callable[..., tuple[str, ...]]:
    """Gives the shortest way by mean delay between two sites, both included, () if there is none.

    What it returns takes the two sites, and pairs of neighbours, the first before the second,
    between which the way may not go. Of two ways with the same delay it takes that with fewer hops.

    Parameters: `sites` by name; `paths` the pairs that are joined.
    """
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sites)
    for (a, b), link in paths.items():
        # Hops count where delays are equal; a nanosecond is below any delay that matters.
        graph.add_edge(a, b, weight=link.delay.mean + 1e-9)

    def way(here: str, there: str, down: Container[tuple[str, str]] = ()) -> tuple[str, ...]:
        def weight(a: str, b: str, edge: dict[str, float]) -> float | None:
            return None if (a, b) in down else edge["weight"]

        try:
            return tuple(nx.shortest_path(graph, here, there, weight=weight))
        except nx.NetworkXNoPath:
            return ()

    return way


def regions(sites: Iterable[str], paths: Iterable[tuple[str, str]]) -> dict[str, int]:
    """A number for each site, the same for all those between which there is a way.

    Without any path all sites are neighbours.

    Parameters: `sites` by name; `paths` the pairs that are joined.
    """
    neighbours: dict[str, list[str]] = {site: [] for site in sites}
    joined = list(paths)
    if not joined:
        return dict.fromkeys(neighbours, 0)
    for a, b in joined:
        neighbours[a].append(b)
        neighbours[b].append(a)
    found: dict[str, int] = {}
    for number, first in enumerate(neighbours):
        waiting = [first] if first not in found else []
        while waiting:
            site = waiting.pop()
            if site not in found:
                found[site] = number
                waiting += neighbours[site]
    return found


def read_graph(path: str | Path, delay_from: DelaySource = "attribute") -> dict[str, Any]:
    """Sites and paths, as a scenario's `network` table holds them, from a file.

    Reads GraphML (.graphml), GML (.gml) and CSV with columns `from`, `to`, `delay` and any of
    jitter, loss, mtu, bandwidth, queue, queue_packets, discipline, fair. Parameters: `path` of the
    file; `delay_from` see `from_graph`.
    Raises ValueError with the reason where it can't.
    """
    import networkx as nx

    path = Path(path)
    readers = {
        ".graphml": lambda data: nx.read_graphml(BytesIO(data)),
        ".gml": lambda data: nx.read_gml(BytesIO(data)),
        ".csv": _from_csv,
    }
    try:
        if path.suffix not in readers:
            raise ValueError("must end in .graphml, .gml or .csv")
        graph: nx.Graph[Any] = readers[path.suffix](read_regular(path, _LARGEST_GRAPH))
        return from_graph(graph, delay_from)
    except RecursionError:
        raise ValueError(f"{path}: is nested too deep") from None
    except Exception as error:
        raise ValueError(f"{path}: {error}") from None


def _from_csv(data: bytes) -> nx.Graph[str]:
    """The graph of a table with a row for each path. Raises ValueError, which names the row."""
    import networkx as nx

    rows = csv.reader(StringIO(data.decode(), newline=""), strict=True)
    columns = [column.strip() for column in next(rows, [])]
    missing = [column for column in ("from", "to") if column not in columns]
    if missing:
        raise ValueError(f"column {' and '.join(missing)} is missing")
    known = ("from", "to", *_ATTRIBUTES)
    for number, column in enumerate(columns):
        if column not in known:
            raise ValueError(unknown("column", column, known))
        if column in columns[:number]:
            raise ValueError(f"column '{column}' is there twice")
    graph: nx.Graph[str] = nx.Graph()
    seen: dict[frozenset[str], int] = {}
    for values in rows:
        line = rows.line_num
        if not values:
            continue
        if len(values) != len(columns):
            raise ValueError(f"line {line}: has {len(values)} values for {len(columns)} columns")
        row = {
            key: text for key, value in zip(columns, values, strict=True) if (text := value.strip())
        }
        ends = [row.pop(end, "") for end in ("from", "to")]
        if not all(ends):
            raise ValueError(f"line {line}: a path joins two sites")
        before = seen.setdefault(frozenset(ends), line)
        if before != line:
            raise ValueError(
                f"line {line}: joins {shown(ends[0])} and {shown(ends[1])} again, as line {before}"
            )
        graph.add_edge(ends[0], ends[1], **{key: _value(text) for key, text in row.items()})
    return graph


def _value(text: str) -> float | str:
    """A number, or text such as 10ms."""
    try:
        return float(text)
    except ValueError:
        return text


def from_graph(graph: nx.Graph[Any], delay_from: DelaySource = "attribute") -> dict[str, Any]:
    """Sites and paths from a networkx graph, whose edges have the attributes of a link.

    `LinkSpeedRaw` in bit/s, or `LinkSpeed` with `LinkSpeedUnits`, is a bandwidth, too. Of parallel
    edges the one with the smallest mean delay is taken, of those the one with the largest
    bandwidth. Further attributes of nodes are left aside, and those of edges that only describe.

    Parameters: `graph` of networkx; `delay_from` `attribute`: each edge has its `delay`;
    `coordinates`: nodes have a latitude and a longitude, and the delay is that of a signal in fibre
    along the great circle. Raises ValueError where a delay is missing, an edge has an attribute
    that is unknown, or nothing joins the nodes.
    """
    if delay_from == "coordinates":
        _check_coordinates(graph)
    paths: dict[frozenset[str], dict[str, Any]] = {}
    for a, b, attributes in graph.edges(data=True):
        ends = (str(a), str(b))
        where = f"edge {shown(ends[0])} - {shown(ends[1])}"
        link = _link(where, attributes)
        if delay_from == "coordinates":
            if "delay" in link:
                raise ValueError(f"{where}: has a delay, so that coordinates don't say it")
            link["delay"] = _distance(graph, a, b) / _SIGNAL
        elif "delay" not in link:
            names = cut(", ".join(map(str, attributes)) or "none", 80)
            raise ValueError(
                f"{where}: has no delay; its attributes are {names} (delay_from = 'coordinates' "
                "takes the nodes' latitudes and longitudes)"
            )
        known = paths.get(frozenset(ends))
        if known is None or _rank(link) < _rank(known):
            paths[frozenset(ends)] = {"sites": ends, **link}
    if len(paths) > MOST_PATHS:
        raise ValueError(f"has {len(paths)} paths, at most {MOST_PATHS}")
    if not paths and len(graph) > 1:
        raise ValueError(f"joins none of its {len(graph)} nodes; must have edges")
    return {"sites": tuple(map(str, graph.nodes)), "paths": tuple(paths.values())}


def _link(where: str, attributes: dict[Any, Any]) -> dict[str, Any]:
    """What the attributes of an edge say of a link. Raises ValueError for those that are none."""
    for key in attributes:
        _check_attribute(where, str(key))
    said = {key: value for key, value in attributes.items() if value == value and value is not None}
    link = {key: _typed(key, value) for key, value in said.items() if key in _ATTRIBUTES}
    speeds = {key: said[key] for key in _SPEEDS if said.get(key, "") != ""}
    if not speeds:
        return link
    if "bandwidth" in link:
        raise ValueError(f"{where}: has a bandwidth and {next(iter(speeds))}; must have one")
    if _SPEED_RAW in speeds:
        link["bandwidth"] = _speed(where, _SPEED_RAW, speeds[_SPEED_RAW])
        return link
    if len(speeds) < 2:
        missing = _SPEED_UNITS if _SPEED in speeds else _SPEED
        raise ValueError(f"{where}: has {next(iter(speeds))} without {missing}")
    unit = str(speeds[_SPEED_UNITS])
    if unit.upper() not in _UNITS:
        raise ValueError(f"{where}: {_SPEED_UNITS}: {unknown('unit', unit, list(_UNITS)[1:])}")
    link["bandwidth"] = _speed(where, _SPEED, speeds[_SPEED]) * _UNITS[unit.upper()]
    return link


def _typed(key: str, value: Any) -> Any:
    """A value as settings take it: CSV and GML don't tell whole numbers and truth values apart."""
    if key in ("mtu", "queue_packets") and isinstance(value, float) and value.is_integer():
        return int(value)
    if key == "fair":
        return {"true": True, "false": False, "1": True, "0": False}.get(
            str(value).lower().removesuffix(".0"), value
        )
    return value


def _speed(where: str, key: str, value: Any) -> float:
    number = _value(str(value))
    if not isinstance(number, float) or not 0 < number < float("inf"):
        raise ValueError(f"{where}: {key}: {shown(value)} is not a positive number")
    return number


def _rank(link: dict[str, Any]) -> tuple[float, float]:
    """The order of parallel edges: what can't be read comes first, so that it is reported."""
    try:
        settings = LinkSettings(**{key: value for key, value in link.items() if key != "sites"})
    except ValueError:
        return (-1.0, 0.0)
    return (settings.delay.mean, -(settings.bandwidth or float("inf")))


def _check_attribute(where: str, name: str) -> None:
    """Raises ValueError for what is no attribute of an edge."""
    if name in _ATTRIBUTES or name in _SPEEDS or name.lower() in _HARMLESS:
        return
    known = (*_ATTRIBUTES, *_SPEEDS)
    raise ValueError(f"{where}: attribute {shown(name)}: {suggestion(name, known)}")


def _check_coordinates(graph: nx.Graph[Any]) -> None:
    """Raises ValueError where nodes that edges join have no coordinates, or some that are none."""
    joined = [node for node in graph.nodes if graph.degree(node)]
    for names, most in ((_LATITUDE, 90), (_LONGITUDE, 180)):
        without = [
            shown(str(node))
            for node in joined
            if not any(str(key).lower() in names for key in graph.nodes[node])
        ]
        if without:
            rest = len(without) - _MOST_NAMED
            more = f" and {rest} more" if rest > 0 else ""
            one = len(without) == 1
            named = f"{cut(', '.join(without[:_MOST_NAMED]), 150)}{more}"
            raise ValueError(f"node{'' if one else 's'} {named}: need{'s' * one} a {names[0]}")
        for node in joined:
            _coordinate(graph, node, names, most)


def _distance(graph: nx.Graph[Any], a: Any, b: Any) -> float:
    """Metres between two nodes along the great circle."""
    latitudes = [radians(_coordinate(graph, node, _LATITUDE, 90)) for node in (a, b)]
    longitudes = [radians(_coordinate(graph, node, _LONGITUDE, 180)) for node in (a, b)]
    height = sin((latitudes[1] - latitudes[0]) / 2) ** 2
    width = sin((longitudes[1] - longitudes[0]) / 2) ** 2
    chord = height + cos(latitudes[0]) * cos(latitudes[1]) * width
    return 2 * _EARTH * asin(min(1.0, sqrt(chord)))


def _coordinate(graph: nx.Graph[Any], node: Any, names: tuple[str, ...], most: float) -> float:
    """A node's coordinate in degrees."""
    for key, value in graph.nodes[node].items():
        if str(key).lower() in names:
            number = _value(str(value))
            if not isinstance(number, float) or not -most <= number <= most:
                raise ValueError(
                    f"node {shown(str(node))}: {key}: {shown(value)} is not a {names[0]}"
                )
            return number
    raise ValueError(f"node {shown(str(node))}: needs a {names[0]}")
