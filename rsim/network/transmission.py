"""The sending half of an SCTP association: retransmission, round-trip times, and the paths to the
peer's addresses (RFC 9260 6.3, 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsim.clock import Clock
from rsim.network.counters import SctpCounters
from rsim.network.frame import Chunk, Control, Data, Sack
from rsim.network.path import Path
from rsim.network.settings import SctpSettings
from rsim.randomness import Stream

_FAST_RETRANSMIT = 3
"""SACKs that miss a message before it is sent again at once (RFC 9260 7.2.4)."""
_ROOM = 1500 - 20 - 12
"""Octets of a packet without the headers of IPv4 and SCTP, where the link carries 1500."""


def _nowhere(path: Path, chunks: tuple[Data | Chunk, ...]) -> None:
    pass


def _nothing() -> None:
    pass


@dataclass(slots=True)
class _Sent:
    """A message that is not acknowledged yet."""

    data: Data
    path: Path
    time: float
    again: bool = False
    missing: int = 0
    marked: bool = False


class Transmission:
    """Unacknowledged messages and paths.

    Parameters: `clock` of the run; `settings` of the association; `stream` of draws; `counters` of
    the host; `paths` to the peer's addresses, the primary one first; `transmit` sends chunks on a
    path; `lost` is called when the peer is given up.
    """

    __slots__ = (
        "_answering",
        "_clock",
        "_counters",
        "_equipped",
        "_errors",
        "_lost",
        "_outstanding",
        "_settings",
        "_stream",
        "_transmit",
        "paths",
        "primary",
    )

    def __init__(
        self,
        clock: Clock,
        settings: SctpSettings,
        stream: Stream,
        counters: SctpCounters,
        paths: list[Path],
        transmit: Callable[[Path, tuple[Data | Chunk, ...]], None],
        lost: Callable[[], None],
    ) -> None:
        self.paths = paths
        self.primary = paths[0]
        self._answering: Path | None = None
        self._clock = clock
        self._settings = settings
        self._stream = stream
        self._counters = counters
        self._transmit = transmit
        self._lost = lost
        self._outstanding: dict[int, _Sent] = {}
        self._errors = 0
        self._equipped = False

    def _equip(self) -> None:
        """Timers are made when the first packet wants one: most associations need none."""
        if not self._equipped:
            self._equipped = True
            for path in self.paths:
                self._add_timers(path)

    def _add_timers(self, path: Path) -> None:
        path.t3 = self._clock.timer(lambda: self._t3_expired(path))
        path.beat_timer = self._clock.timer(lambda: self._beat(path))

    def add(self, path: Path) -> None:
        """One more address of the peer has become known.

        Parameters: `path` to the address.
        """
        if self._equipped:
            self._add_timers(path)
        self.paths.append(path)

    @property
    def idle(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._outstanding

    @property
    def unacknowledged(self) -> int:
        """Messages that are not acknowledged."""
        return len(self._outstanding)

    @property
    def first_unacknowledged(self) -> int | None:
        """The lowest TSN that is not acknowledged."""
        return min(self._outstanding, default=None)

    def path_to(self, address: str) -> Path:
        """The path to an address of the peer.

        Parameters: `address` of the peer.
        """
        return next((path for path in self.paths if path.remote == address), self.primary)

    def came_from(self, address: str) -> None:
        """A packet has come from this address: answers go back there.

        Parameters: `address` of the peer.
        """
        self._answering = self.path_to(address)

    @property
    def answering(self) -> Path:
        """The path on which the last packet came, the best one if there is just one."""
        return self._answering or self.best()

    def best(self) -> Path:
        """The primary path, or the first one that works where it does not (RFC 9260 6.4)."""
        if self.primary.active:
            return self.primary
        return next((path for path in self.paths if path.active), self.primary)

    # Sending --------------------------------------------------------------------------------------

    def send(self, messages: tuple[Data, ...], extra: tuple[Chunk, ...] = ()) -> None:
        """Sends new messages in one packet, with control chunks before them."""
        path = self.best()
        self._note(messages, path)
        self._transmit(path, (*extra, *messages))

    def undelivered(self, data: Data, sent_at: float) -> None:
        """A message that was sent as if nothing could go wrong has not arrived."""
        self._equip()
        path = self.best()
        self._outstanding[data.tsn] = _Sent(data, path, sent_at)
        self._outstanding = dict(sorted(self._outstanding.items()))
        if not path.t3.running:
            path.t3.start(max(0.0, sent_at + path.rto - self._clock.now))

    def _note(self, messages: tuple[Data, ...], path: Path) -> None:
        self._equip()
        now = self._clock.now
        for data in messages:
            self._outstanding[data.tsn] = _Sent(data, path, now)
        path.sent_at = now
        if messages and not path.t3.running:
            path.t3.start(path.rto)

    # Acknowledgements (RFC 9260 6.2.1, 6.3.2, 7.2.4) ----------------------------------------------

    def acknowledged(self, sack: Sack) -> None:
        """Forgets what has arrived; sends again at once what three SACKs have missed.

        Parameters: `sack` of the peer.
        """
        now = self._clock.now
        beyond = set(sack.beyond)
        gone = [tsn for tsn in self._outstanding if tsn <= sack.cumulative or tsn in beyond]
        earliest: dict[Path, int] = {}
        for tsn, sent in self._outstanding.items():
            earliest.setdefault(sent.path, tsn)
        paths: dict[Path, bool] = {}
        for tsn in gone:
            sent = self._outstanding.pop(tsn)
            first = sent.path not in paths
            paths[sent.path] = paths.get(sent.path, False) or earliest[sent.path] == tsn
            if first and not sent.again:
                sent.path.measured(now - sent.time, self._settings)
        if gone:
            self._errors = 0
        for path, restart in paths.items():
            path.errors = 0
            path.active = True
            if restart:
                path.t3.stop()
        highest = max(sack.beyond, default=0)
        again = []
        for tsn, sent in self._outstanding.items():
            if tsn < highest:
                sent.missing += 1
                if sent.missing == _FAST_RETRANSMIT:
                    sent.marked = True
            if sent.marked:
                again.append(sent)
            elif not sent.path.t3.running:
                sent.path.t3.start(sent.path.rto)
        if again:
            self._send_again(again, self.best())

    def _t3_expired(self, path: Path) -> None:
        """RFC 9260 6.3.3: back off, mark all that went this way, send the first packet again."""
        path.rto = min(2 * path.rto, self._settings.rto_max)
        waiting = [sent for sent in self._outstanding.values() if sent.path is path]
        if not waiting:
            return
        self._failed(path)
        if not self._outstanding:
            return
        for sent in waiting:
            sent.marked = True
        other = next((p for p in self.paths if p.active and p is not path), path)
        self._send_again(waiting, other if len(self.paths) > 1 else path)

    def _send_again(self, waiting: list[_Sent], path: Path) -> None:
        """The first packet's worth of messages goes out again."""
        packet: list[Data] = []
        room = _ROOM
        for sent in waiting:
            if packet and sent.data.size > room:
                break
            room -= sent.data.size
            packet.append(sent.data)
            sent.path, sent.time, sent.again = path, self._clock.now, True
            sent.marked, sent.missing = False, 0
        self._counters.retransmissions += len(packet)
        path.sent_at = self._clock.now
        path.t3.start(path.rto)
        self._transmit(path, tuple(packet))

    # Errors and heartbeats (RFC 9260 8.1 to 8.3) --------------------------------------------------

    def _failed(self, path: Path) -> None:
        self._errors += 1
        path.errors += 1
        if self._errors > self._settings.association_max_retrans:
            self.stop()
            self._lost()
        elif path.errors > self._settings.path_max_retrans and path.active:
            if len(self.paths) > 1:
                self._counters.path_failures += 1
            path.active = False

    def watch(self) -> None:
        """Begins to send heartbeats on idle paths."""
        interval = self._settings.heartbeat_interval
        if interval is None:
            return
        self._equip()
        for path in self.paths:
            if not path.beat_timer.running:
                path.beat_timer.start(self._beat_interval(path))

    def _beat_interval(self, path: Path) -> float:
        interval = self._settings.heartbeat_interval
        assert interval is not None
        return interval + path.rto * (0.5 + self._stream.uniform())

    def _beat(self, path: Path) -> None:
        """A heartbeat is due, or the answer to the last one has not come within the RTO."""
        interval = self._settings.heartbeat_interval
        assert interval is not None
        if path.beating:
            path.beating = False
            path.rto = min(2 * path.rto, self._settings.rto_max)
            self._failed(path)
            if self._errors > self._settings.association_max_retrans or path.beat_timer.running:
                return
            path.beat_timer.start(self._beat_interval(path))
            return
        idle = self._clock.now - path.sent_at
        if idle < interval and path.active:
            path.beat_timer.start(interval - idle + path.rto)
            return
        path.number += 1
        path.beating = True
        path.sent_at = self._clock.now
        path.beat_timer.start(path.rto)
        self._transmit(path, (Chunk(Control.HEARTBEAT, number=path.number),))

    def heartbeat_answered(self, path: Path, number: int) -> None:
        """The path works, and here is its round-trip time.

        Parameters: `path` on which the answer came; `number` of the heartbeat.
        """
        if not path.beating or number != path.number:
            return
        path.beating = False
        path.measured(self._clock.now - path.sent_at, self._settings)
        path.errors = self._errors = 0
        path.active = True
        path.beat_timer.start(self._beat_interval(path))

    def unwatch(self) -> None:
        """No more heartbeats."""
        if not self._equipped:
            return
        for path in self.paths:
            path.beat_timer.stop()
            path.beating = False

    def stop(self) -> None:
        """Forgets everything; nothing expires any more."""
        self._outstanding.clear()
        if not self._equipped:
            return
        for path in self.paths:
            path.t3.stop()
            path.beat_timer.stop()

    def release(self) -> None:
        """Forgets everything and lets go of the association, which is at its end."""
        self.stop()
        self._transmit = _nowhere
        self._lost = _nothing
        if self._equipped:
            for path in self.paths:
                path.t3.cancel()
                path.beat_timer.cancel()
                path.beating = False
