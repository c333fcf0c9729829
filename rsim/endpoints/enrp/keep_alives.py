"""Whether the elements that an ENRP server is home of live (RFC 5352 3.4, 3.5).

Timer of each element: the interval until the next ASAP_ENDPOINT_KEEP_ALIVE, and then the time-out
for its acknowledgement.
"""

from __future__ import annotations

from rsim.endpoints.enrp.counters import ServerCounters
from rsim.endpoints.enrp.node import Node
from rsim.endpoints.enrp.store import ElementStore, OwnElement, StoreListener
from rsim.endpoints.ports import Channel, ClockPort, Uniform, count_sent
from rsim.endpoints.settings import ServerSettings
from rsim.wire import PPID_ASAP, EndpointKeepAlive, EndpointKeepAliveAck, SctpTransport


class KeepAlives(StoreListener):
    """Asks elements whether they live, and removes those that do not answer.

    Parameters: `node` the server; `store` of its elements; `settings` of it; `clock` of the run;
    `counters` of the server; `random` for the spread of the intervals.
    """

    def __init__(
        self,
        node: Node,
        store: ElementStore,
        *,
        settings: ServerSettings,
        clock: ClockPort,
        counters: ServerCounters,
        random: Uniform,
    ) -> None:
        self._node = node
        self._store = store
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._random = random

    def make_own(
        self,
        handle: bytes,
        identifier: int,
        channel: Channel | None,
        asap_transport: SctpTransport | None,
    ) -> OwnElement:
        """What a server keeps of an element, with the timer of its keep-alives.

        Parameters: `handle` of its pool; `identifier` its PE identifier; `channel` its association,
        None while there is none; `asap_transport` where it takes ASAP.
        """
        # By its key: an element that its timer held would outlive its end.
        timer = self._clock.timer(lambda: self._expire(handle, identifier))
        return OwnElement(
            handle, identifier, channel=channel, asap_transport=asap_transport, timer=timer
        )

    def element_disowned(self, own: OwnElement) -> None:
        """Stops the keep-alives of an element.

        Parameters: `own` element that the server is no longer home of.
        """
        own.timer.stop()

    def schedule(self, own: OwnElement) -> None:
        """Starts the timer of the next keep-alive; the interval is spread at random.

        Parameters: `own` that has registered or answered.
        """
        settings = self._settings
        interval = settings.keep_alive_interval
        if settings.keep_alive_spread > 0:
            interval *= 1 + settings.keep_alive_spread * (2 * self._random.uniform() - 1)
        own.waiting = False
        own.timer.start(interval)

    def claim(self, own: OwnElement, delay: float) -> None:
        """Tells an element with the next keep-alive that this server is its home (RFC 5352 3.4).

        Parameters: `own` that has a new home; `delay` in s until that keep-alive.
        """
        own.claiming = True
        own.waiting = False
        own.timer.start(delay)

    def claim_spread(self, own: OwnElement) -> None:
        """The same within an interval, at a random time as all keep-alives (RFC 5352 3.5).

        Parameters: `own` that has a new home.
        """
        self.claim(own, self._settings.keep_alive_interval * self._random.uniform())

    def probe(self, own: OwnElement) -> None:
        """Asks an element at once whether it lives.

        Parameters: `own` that may be gone.
        """
        node = self._node
        message = EndpointKeepAlive(
            server_identifier=node.identifier,
            pool_handle=own.handle,
            pe_identifier=own.identifier,
            home=own.claiming,
        )
        own.waiting = True
        own.probed_at = self._clock.now
        own.timer.start(self._settings.keep_alive_timeout)
        channel = own.channel
        if channel is None:
            if own.asap_transport is None:
                return
            channel = node.connect_element(own.asap_transport)
            self._store.set_channel(own, channel)
        channel.send(PPID_ASAP, message.encode(node.dialect))
        count_sent(channel, self._count)

    def _count(self) -> None:
        self._counters.keep_alives_sent += 1

    def just_answered(self, own: OwnElement) -> bool:
        """Whether an element has answered so lately that a report says nothing new.

        Parameters: `own` that somebody has reported.
        """
        settings = self._settings
        if own.waiting or not settings.limit_probes or not settings.verify_unreachable:
            return False
        return self._clock.now - own.probed_at < settings.keep_alive_interval / 2

    def _expire(self, handle: bytes, identifier: int) -> None:
        """The interval is over: probe. The time-out is over: the element is gone."""
        own = self._store.own(handle, identifier)
        if own is None:
            return
        if own.waiting:
            self._counters.keep_alive_timeouts += 1
            self._store.remove_own(own)
        else:
            self.probe(own)

    def acknowledge(self, channel: Channel, message: EndpointKeepAliveAck) -> None:
        """Takes an acknowledgement: the element lives, and knows its home.

        Parameters: `channel` it came on; `message` with handle and identifier of the element.
        """
        if channel.tcp:
            return
        own = self._store.own(message.pool_handle, message.pe_identifier)
        if own is None or not own.waiting:
            return
        own.claiming = False
        if self._settings.reset_reports_on_keep_alive_ack:
            self._store.handlespace.clear_reports(own.handle, own.identifier)
        self.schedule(own)

    def lose_channel(self, channel: Channel) -> None:
        """An association has ended: its elements are asked over a new one, or are gone.

        Parameters: `channel` that has ended.
        """
        for own in self._store.owned_over(channel):
            self._store.set_channel(own, None)
            if own.waiting:
                self._counters.keep_alive_timeouts += 1
                self._store.remove_own(own)
            else:
                self.probe(own)
