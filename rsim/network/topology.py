"""Topologies: which sites are joined, and the way from one to another."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from io import BytesIO, StringIO
from itertools import combinations, pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rsim.errors import shown
from rsim.network.settings import LinkSettings
from rsim.reading import read_regular
from rsim.suggestions import nearest, unknown

if TYPE_CHECKING:
    import networkx as nx

Kind = Literal["row", "star", "mesh"]
"""Each site with the next; the first with each other; each with each."""

DelaySource = Literal["attribute", "coordinates"]
"""The attribute `delay` of each edge; the distance between the coordinates of its nodes."""
MOST_PATHS = 200_000
"""Paths between sites; more would not fit into memory."""
_ATTRIBUTES = ("delay", "jitter", "loss", "bandwidth", "queue")
_LARGEST_GRAPH = 16 << 20
"""Bytes of a file."""
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
    sites: Iterable[str], paths: dict[tuple[str, str], LinkSettings]
) -> Callable[[str, str], tuple[str, ...]]:
    """The shortest way by mean delay between two sites; sites that nothing joins are neighbours.

    Parameters: `sites` by name; `paths` the pairs that are joined. Of two ways with the same delay
    the one with fewer hops is taken.
    """
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sites)
    for (a, b), link in paths.items():
        # Hops count where delays are equal; a nanosecond is below any delay that matters.
        graph.add_edge(a, b, weight=link.delay.mean + 1e-9)

    def way(here: str, there: str) -> tuple[str, ...]:
        if not nx.has_path(graph, here, there):
            return (here, there)
        return tuple(nx.shortest_path(graph, here, there, weight="weight"))

    return way


def read_graph(path: str | Path, delay_from: DelaySource = "attribute") -> dict[str, Any]:
    """Sites and paths, as a scenario's `network` table holds them, from a file.

    Reads GraphML (.graphml), GML (.gml) and CSV with columns `from`, `to`, `delay` and any of
    jitter, loss, bandwidth, queue. Parameters: `path` of the file; `delay_from` see `from_graph`.
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

    Parameters: `graph` of networkx; `delay_from` `attribute`: each edge has its `delay`;
    `coordinates`: nodes have a latitude and a longitude, and the delay is that of a signal in fibre
    along the great circle. Further attributes of nodes and edges are left aside. Raises ValueError
    where a delay is missing, an attribute looks like a mistyped one, or parallel edges differ.
    """
    paths: dict[frozenset[str], dict[str, Any]] = {}
    for a, b, attributes in graph.edges(data=True):
        ends = (str(a), str(b))
        where = f"edge {shown(ends[0])} - {shown(ends[1])}"
        for key in attributes:
            _check_attribute(where, str(key))
        link = {
            key: value
            for key, value in attributes.items()
            if key in _ATTRIBUTES and value == value and value is not None
        }
        if delay_from == "coordinates":
            if "delay" in link:
                raise ValueError(f"{where}: has a delay, so that coordinates don't say it")
            link["delay"] = _distance(graph, a, b) / _SIGNAL
        elif "delay" not in link:
            names = ", ".join(map(str, attributes)) or "none"
            raise ValueError(
                f"{where}: has no delay; its attributes are {names} (delay_from = 'coordinates' "
                "takes the nodes' latitudes and longitudes)"
            )
        known = paths.setdefault(frozenset(ends), {"sites": ends, **link})
        if {**known, "sites": ends} != {"sites": ends, **link}:
            raise ValueError(f"{where}: is there twice, with different attributes")
    if len(paths) > MOST_PATHS:
        raise ValueError(f"has {len(paths)} paths, at most {MOST_PATHS}")
    return {"sites": tuple(map(str, graph.nodes)), "paths": tuple(paths.values())}


def _check_attribute(where: str, name: str) -> None:
    """Raises ValueError for what looks like the attribute of a link, but is none."""
    if name in _ATTRIBUTES:
        return
    close = nearest(name, _ATTRIBUTES, likeness=0.75)
    if close is not None:
        raise ValueError(f"{where}: attribute {shown(name)}: did you mean '{close}'?")


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
