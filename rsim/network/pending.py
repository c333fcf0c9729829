"""Messages that wait until an association can send them."""

from __future__ import annotations

from collections.abc import Callable

from rsim.network.records import Flight

ROOM = 1500 - 20 - 12 - 100
"""Octets of a packet that chunks may take."""

Message = tuple[int, bytes, int, bool, Flight | None, Callable[[], None] | None]
"""Payload protocol, bytes, stream, whether unordered, the handshake flight if it is one, and who is
told when it leaves."""
