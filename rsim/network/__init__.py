"""The modelled network: sites, hosts, and associations that carry bytes between them."""

from rsim.network.association import Association, Receiver
from rsim.network.capture import captured_by
from rsim.network.network import Host, Network, Traffic

__all__ = ["Association", "Host", "Network", "Receiver", "Traffic", "captured_by"]
