"""What the network has carried, as totals for the recorder."""

from __future__ import annotations

from collections.abc import Iterator

from rsim.network import Network
from rsim.wire import MESSAGE_KINDS, PPID_ASAP, PPID_ENRP, Cookie, CookieEcho

TRAFFIC = (
    "asap_messages",
    "asap_octets",
    "enrp_messages",
    "enrp_octets",
    *(kind.lower() for kind in MESSAGE_KINDS.values()),
    "messages",
    "octets",
    "packets",
    "packets_lost",
)
"""Names of the totals."""


def traffic_totals(network: Network) -> Iterator[tuple[str, float]]:
    """Names and totals since the run began: messages, octets and packets that `network` carried.

    Cookies travel as ASAP messages, but belong to the application: `asap_messages` leaves them out.
    """
    traffic = network.traffic
    messages, octets = traffic.messages, traffic.octets
    asap = messages[PPID_ASAP]
    cookies = asap[Cookie.type_code] + asap[CookieEcho.type_code]
    yield "asap_messages", sum(asap) - cookies
    yield "asap_octets", octets[PPID_ASAP]
    yield "enrp_messages", sum(messages[PPID_ENRP])
    yield "enrp_octets", octets[PPID_ENRP]
    for (protocol, code), kind in MESSAGE_KINDS.items():
        yield kind.lower(), messages[protocol][code]
    yield "messages", sum(map(sum, messages.values()))
    yield "octets", sum(octets.values())
    yield "packets", network.packets
    yield "packets_lost", network.packets_lost
