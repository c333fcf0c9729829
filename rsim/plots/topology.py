"""The network of a scenario: its sites, what joins them, and who is there."""

from __future__ import annotations

from matplotlib.axes import Axes

from rsim.plots.style import COLOURS, axes_or_new
from rsim.scenario import Scenario
from rsim.scenario.fields import ACTORS


def plot_topology(scenario: Scenario, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draws the sites with their hosts, and the paths between them with delay and loss.

    Parameters: `scenario` with sites; `title` above the figure; `axes` to draw on, None: new ones.
    """
    import networkx as nx

    axes = axes_or_new(axes)
    network = scenario.network
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(network.sites)
    links = network.links()
    graph.add_edges_from(links)
    places = nx.circular_layout(graph)
    for here, there in graph.edges:
        link = links.get((here, there)) or links[there, here]
        (x, y), (u, v) = places[here], places[there]
        axes.plot([x, u], [y, v], color="0.6", lw=1.2, zorder=1)
        text = f"{1e3 * link.delay.mean:g} ms"
        text += f", {100 * link.loss:g}% lost" if link.loss else ""
        axes.annotate(text, ((x + u) / 2, (y + v) / 2), fontsize=7, ha="center")
    for site in network.sites:
        x, y = places[site]
        axes.scatter([x], [y], s=1400, color="0.93", edgecolor="0.5", zorder=2)
        axes.annotate(site, (x, y), ha="center", va="center", weight="bold", zorder=4)
    for number, section in enumerate(ACTORS):
        counts: dict[str, int] = {}
        for group in getattr(scenario, section).values():
            for host in range(group.count):
                for site in group.sites(host):
                    counts[site] = counts.get(site, 0) + 1
        for site, count in counts.items():
            x, y = places[site]
            axes.annotate(
                f"{count} {section.replace('_', ' ').replace('enrp', 'ENRP')}",
                (x, y),
                xytext=(34, 15 - 10 * number),
                textcoords="offset points",
                color=COLOURS[number],
                fontsize=8,
                zorder=4,
            )
    axes.margins(0.35)
    axes.set_axis_off()
    axes.set_title(title)
    return axes
