"""Pool users that an ENRP server tells of changes of a pool (RFC 5352 2.2.5, 2.2.6).

Timer: notice, while there are changes to announce.
"""

from __future__ import annotations

from rsim.endpoints.enrp.answers import Answers
from rsim.endpoints.enrp.store import StoreListener
from rsim.endpoints.ports import Channel, ClockPort
from rsim.wire import PPID_ASAP, Cause, ErrorCause

_NOTICE = 1.0
"""Least time in s between two notices, so that a pool that fills up causes few messages."""


class Subscriptions(StoreListener):
    """The subscribers of each pool.

    Parameters: `answers` that list a pool; `clock` of the run.
    """

    def __init__(self, answers: Answers, clock: ClockPort) -> None:
        self._answers = answers
        self._subscribers: dict[bytes, dict[Channel, None]] = {}
        self._changed: dict[bytes, None] = {}
        self._timer = clock.timer(self._expire)

    def stop(self) -> None:
        """Removes all subscriptions."""
        self._timer.stop()
        self._subscribers.clear()
        self._changed.clear()

    def subscribe(self, handle: bytes, channel: Channel) -> None:
        """Subscribes a user to the changes of a pool.

        Parameters: `handle` of the pool; `channel` to the user.
        """
        self._subscribers.setdefault(handle, {})[channel] = None

    def unsubscribe(self, handle: bytes, channel: Channel) -> None:
        """Ends a subscription.

        Parameters: `handle` of the pool; `channel` to the user.
        """
        subscribers = self._subscribers.get(handle)
        if subscribers is not None:
            subscribers.pop(channel, None)
            if not subscribers:
                del self._subscribers[handle]

    def lose_channel(self, channel: Channel) -> None:
        """A subscription lives as long as its association.

        Parameters: `channel` that has ended.
        """
        for handle in list(self._subscribers):
            self.unsubscribe(handle, channel)

    def pool_changed(self, handle: bytes) -> None:
        """Tells the subscribers of a pool, at most once a second.

        Parameters: `handle` of the pool.
        """
        if handle in self._subscribers:
            self._changed[handle] = None
            if not self._timer.running:
                self._timer.start(_NOTICE)

    def _expire(self) -> None:
        changed, self._changed = self._changed, {}
        for handle in changed:
            elements = self._answers.select(handle, None)
            causes = () if elements else (ErrorCause(Cause.UNKNOWN_POOL_HANDLE),)
            answer = self._answers.encode(
                handle, elements, causes=causes, subscribed=bool(elements)
            )
            for channel in self._subscribers.get(handle, {}):
                channel.send(PPID_ASAP, answer)
            if not elements:
                self._subscribers.pop(handle, None)
