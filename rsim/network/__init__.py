"""The modelled network: sites, links, hosts, and associations that carry bytes between them."""

from rsim.network import topology
from rsim.network.association import (
    Association,
    Event,
    Receiver,
    changes_of_associations,
)
from rsim.network.capture import PacketCapture
from rsim.network.cpu import Cpu
from rsim.network.credentials import (
    Authority,
    Certificate,
    Credentials,
    Key,
    Principal,
    Refusal,
)
from rsim.network.fabric import Direction
from rsim.network.frame import Chunk, Control, Endpoint, Frame
from rsim.network.host import Host
from rsim.network.instant import InstantAssociation
from rsim.network.link import Link, LinkCounters
from rsim.network.network import Network
from rsim.network.outages import Outage
from rsim.network.profiles import PROFILES, Profile
from rsim.network.schedule import parse_schedule
from rsim.network.sctp import SctpAssociation
from rsim.network.settings import (
    ETHERNET_MTU,
    LEAST_IPV6_MTU,
    CodelSettings,
    CpuSettings,
    Credential,
    HostSettings,
    LinkSettings,
    OutageSettings,
    RedSettings,
    SctpSettings,
    StackSettings,
)
from rsim.network.stack_counters import StackCounters, StackTally
from rsim.network.tap import RecordingTap, Seen, Tap

__all__ = [
    "ETHERNET_MTU",
    "LEAST_IPV6_MTU",
    "PROFILES",
    "Association",
    "Authority",
    "Certificate",
    "Chunk",
    "CodelSettings",
    "Control",
    "Cpu",
    "CpuSettings",
    "Credential",
    "Credentials",
    "Direction",
    "Endpoint",
    "Event",
    "Frame",
    "Host",
    "HostSettings",
    "InstantAssociation",
    "Key",
    "Link",
    "LinkCounters",
    "LinkSettings",
    "Network",
    "Outage",
    "OutageSettings",
    "PacketCapture",
    "Principal",
    "Profile",
    "Receiver",
    "RecordingTap",
    "RedSettings",
    "Refusal",
    "SctpAssociation",
    "SctpSettings",
    "Seen",
    "StackCounters",
    "StackSettings",
    "StackTally",
    "Tap",
    "changes_of_associations",
    "parse_schedule",
    "topology",
]
