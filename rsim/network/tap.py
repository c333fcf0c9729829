"""Taps see, drop, delay, alter and inject packets on a path or at a host.

Your own tap is a subclass of `Tap` that overrides `message` (one user message at a time) or
`frame` (whole packets). Attach it with `Network.tap`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from rsim.clock import Clock
from rsim.network.frame import AnyChunk, Data, Endpoint, Frame


@dataclass(frozen=True, slots=True)
class Seen:
    """A user message or datagram that passes a tap.

    Parameters: `source` and `destination` address and port; `time` in s; `ppid` is None for
    datagrams; `data` the bytes as they travel, opaque where `protected`.
    """

    time: float
    source: Endpoint
    destination: Endpoint
    ppid: int | None
    data: bytes
    protected: bool


class TapNetwork(Protocol):
    """What a tap needs of the network whose links it stands on."""

    clock: Clock

    def reach(self, frame: Frame) -> None:
        """Hands a packet to the host that it is for.

        Parameters: `frame` for the host.
        """

    def inject(self, source: Endpoint, destination: Endpoint, ppid: int, data: bytes) -> None:
        """Puts a message into an association.

        Parameters: `source` and `destination` address and port; `ppid` payload protocol; `data` the
        octets.
        """


class Tap:
    """Lets everything pass; subclasses don't."""

    def __init__(self) -> None:
        self.network: TapNetwork | None = None

    def message(self, seen: Seen) -> bytes | None:
        """The bytes that go on in place of those seen; None: nothing does."""
        return seen.data

    def frame(self, frame: Frame) -> Frame | None:
        """The packet that goes on in place of the one that arrived; None: none does.

        By default each user message goes through `message`, and control chunks pass.

        Parameters: `frame` that passes.
        """
        assert self.network is not None
        now = self.network.clock.now
        if not frame.chunks:
            seen = Seen(
                now,
                frame.source,
                destination=frame.destination,
                ppid=None,
                data=frame.data,
                protected=False,
            )
            data = self.message(seen)
            return None if data is None else replace(frame, data=data)
        kept: list[AnyChunk] = []
        changed = False
        for chunk in frame.chunks:
            if not isinstance(chunk, Data):
                kept.append(chunk)
                continue
            seen = Seen(
                now,
                frame.source,
                destination=frame.destination,
                ppid=chunk.ppid,
                data=chunk.data,
                protected=chunk.protection is not None,
            )
            data = self.message(seen)
            if data == chunk.data:
                kept.append(chunk)
                continue
            changed = True
            if data is not None:
                kept.append(replace(chunk, data=data, protection=None))
        if not changed:
            return frame
        return frame.with_chunks(tuple(kept)) if kept else None

    def hold(self, frame: Frame) -> float:
        """Time in s by which a packet that goes on is held back.

        Parameters: `frame` that goes on.
        """
        return 0.0

    def inject(
        self, source: Endpoint, destination: Endpoint, ppid: int | None, data: bytes
    ) -> None:
        """Puts a message into the association that has these two sides, or sends a datagram.

        Who can do this stands on the path and so knows the sequence numbers; that it also renumbers
        what follows is taken for granted. The message reaches the receiver at once.
        """
        assert self.network is not None
        if ppid is None:
            self.network.reach(Frame(source, destination, data=data))
        else:
            self.network.inject(source, destination, ppid, data)


class RecordingTap(Tap):
    """Keeps what it sees, for reading or for sending it again.

    Parameters: `limit` most messages that it keeps, the oldest go first; None: all.
    """

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit
        self.seen: list[Seen] = []

    def message(self, seen: Seen) -> bytes | None:
        """Notes the message and lets it pass."""
        self.seen.append(seen)
        if self.limit is not None and len(self.seen) > self.limit:
            del self.seen[0]
        return seen.data

    def replay(self, index: int) -> None:
        """Sends a recorded message once more, to the same association.

        Parameters: `index` of the message in `seen`.
        """
        old = self.seen[index]
        self.inject(old.source, old.destination, old.ppid, old.data)
