"""Topologies: which sites are joined, and the way from one to another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rsim.network.settings import LinkSettings

if TYPE_CHECKING:
    import networkx as nx

Kind = Literal["row", "star", "mesh"]
"""Each site with the next; the first with each other; each with each."""

_ATTRIBUTES = ("delay", "jitter", "loss", "bandwidth", "queue")


def pairs(kind: Kind, sites: tuple[str, ...]) -> list[tuple[str, str]]:
    """The pairs of sites that a topology joins."""
    if kind == "row":
        return list(pairwise(sites))
    if kind == "star":
        return [(sites[0], site) for site in sites[1:]]
    return list(combinations(sites, 2))


def next_hops(
    sites: Iterable[str], paths: dict[tuple[str, str], LinkSettings]
) -> Callable[[str, str], tuple[str, ...]]:
    """The shortest way by mean delay between two sites; sites that nothing joins are neighbours.

    Parameters: `paths` the pairs that are joined. Of two ways with the same delay the one with
    fewer hops is taken.
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


def read_graph(path: str | Path) -> dict[str, Any]:
    """Sites and paths, as a scenario's `network` table holds them, from a file.

    Reads GraphML (.graphml), GML (.gml) and CSV with columns `from`, `to` and any of delay,
    jitter, loss, bandwidth, queue. Raises ValueError with the reason where it can't.
    """
    import networkx as nx
    import pandas as pd

    path = Path(path)
    try:
        if path.suffix == ".graphml":
            graph = nx.read_graphml(path)
        elif path.suffix == ".gml":
            graph = nx.read_gml(path)
        elif path.suffix == ".csv":
            frame = pd.read_csv(path)
            missing = {"from", "to"} - set(frame.columns)
            if missing:
                raise ValueError(f"column {' and '.join(sorted(missing))} is missing")
            graph = nx.from_pandas_edgelist(frame, "from", "to", edge_attr=True)
        else:
            raise ValueError("must end in .graphml, .gml or .csv")
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from None
    except Exception as error:
        raise ValueError(f"{path}: {error}") from None
    return from_graph(graph)


def from_graph(graph: nx.Graph[Any]) -> dict[str, Any]:
    """Sites and paths from a networkx graph, whose edges may have the attributes of a link."""
    paths = []
    for a, b, attributes in graph.edges(data=True):
        link = {
            key: value
            for key, value in attributes.items()
            if key in _ATTRIBUTES and value == value and value is not None
        }
        paths.append({"sites": (str(a), str(b)), **link})
    return {"sites": tuple(map(str, graph.nodes)), "paths": tuple(paths)}
