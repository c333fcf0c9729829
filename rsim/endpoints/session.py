"""Sessions of a pool user with a pool: one pool element at a time (RFC 5352 3.8, 3.9).

On the control channel, which elements with a user transport of use "data and control" have: the
latest cookie is kept, unread, and goes to the next element ahead of everything else; business cards
name the elements to be preferred. There are no timers: the application judges how long is too long.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import auto
from typing import Final, Protocol

from rsim.endpoints.pool_user import PoolUserEndpoint
from rsim.endpoints.ports import Channel, count_sent
from rsim.network import Event
from rsim.states import RoleEvent, RoleState, StateTable
from rsim.wire import (
    PPID_ASAP,
    BusinessCard,
    Cookie,
    CookieEcho,
    PoolElement,
    SctpTransport,
    Transport,
    receive,
)

DATA_ONLY, CONTROL = 0, 1
"""Transport uses of a user transport: data alone, or control as well (RFC 5354 3.1)."""


def has_control_channel(transport: Transport) -> bool:
    """Whether ASAP goes beside the data: over SCTP alone, where the element says so (RFC 5354 3.4).

    Parameters: `transport` at which an element serves.
    """
    return isinstance(transport, SctpTransport) and transport.use == CONTROL


class SessionUser(Protocol):
    """The application on top of a session."""

    def connect(self, session: Session, element: PoolElement) -> Channel:
        """Begins an association with an element, for the session.

        Parameters: `session` that receives; `element` to connect to.
        """

    def choosing(self, element: PoolElement, failover: bool) -> bool:
        """An element is about to be used, before the first byte goes to it; False refuses it.

        With `failover` it takes over from another one: here the application sets up trust anew, or
        refuses to go on (RFC 5355 2.9).

        Parameters: `element` that is next.
        """

    def no_element(self) -> None:
        """The pool has no element, or none that is not refused."""

    def opened(self, element: PoolElement, echoed: bool) -> None:
        """Messages may be sent; `echoed` whether a cookie has gone ahead of them.

        Parameters: `element` that is used.
        """

    def cookie(self, content: bytes) -> None:
        """The element has sent a cookie.

        Parameters: `content` of the cookie.
        """

    def message(self, ppid: int, data: bytes) -> None:
        """The element has sent an application message.

        Parameters: `ppid` payload protocol identifier; `data` its octets.
        """

    def lost(self, event: Event) -> None:
        """The network tells that the element is gone.

        Parameters: `event` what has happened.
        """


class SessionState(RoleState):
    """States of a session."""

    CLOSED = auto()
    RESOLVING = auto()
    """An element is looked for."""
    OPEN = auto()
    """Messages go over the association with an element."""


class SessionEvent(RoleEvent):
    """What changes the state of a session."""

    RESOLVE = auto()
    """The application starts, goes on, or fails over."""
    OPEN = auto()
    """An element is found, and the application takes it."""
    CLOSE = auto()
    """No element is found, the element has failed, or the application ends the session."""


_S, _E = SessionState, SessionEvent

SESSION_STATES = StateTable(
    "session of a pool user",
    _S.CLOSED,
    [
        (_S.CLOSED, _E.RESOLVE, _S.RESOLVING, "RFC 5352 3.3, 3.9"),
        (_S.RESOLVING, _E.OPEN, _S.OPEN, "RFC 5352 3.8"),
        (_S.CLOSED, _E.CLOSE, _S.CLOSED, "RFC 5352 6.6"),
        (_S.RESOLVING, _E.CLOSE, _S.CLOSED, "RFC 5352 6.6"),
        (_S.OPEN, _E.CLOSE, _S.CLOSED, "RFC 5352 3.5, 6.6"),
    ],
)


# Read for each request: compiled code finds what is Final at once.
_STATES: Final = SESSION_STATES
_CLOSE: Final = SessionEvent.CLOSE
_OPEN: Final = SessionEvent.OPEN
_RESOLVE: Final = SessionEvent.RESOLVE
_RESOLVING: Final = SessionState.RESOLVING


class Session:
    """One session of a pool user.

    Parameters: `handle` of the pool; `endpoint` finds elements; `user` is the application on top.
    `preamble` gives an application message that goes before everything, if there is one.
    """

    def __init__(
        self,
        endpoint: PoolUserEndpoint,
        handle: bytes,
        user: SessionUser,
    ) -> None:
        self._channel: Channel | None = None
        self._user = user
        self.state = SESSION_STATES.initial
        self.element: PoolElement | None = None
        self.cookie: bytes | None = None
        self.preferred: tuple[PoolElement, ...] = ()
        self.use_cookies = True
        self.use_cards = True
        self.preamble: Callable[[], tuple[int, bytes] | None] | None = None
        self._failover = False
        self.endpoint = endpoint
        self.handle = handle

    def _enter(self, event: SessionEvent) -> None:
        self.state = _STATES.after(self.state, event)

    # From the application -------------------------------------------------------------------------

    def start(self) -> None:
        """CLOSED -> RESOLVING: a new session, without a cookie of an earlier one."""
        self.cookie = None
        self.preferred = ()
        self._failover = False
        self._next()

    def go_on(self) -> None:
        """CLOSED -> RESOLVING: the same session with whichever element is next."""
        self._next()

    def send(self, ppid: int, data: bytes) -> None:
        """Sends an application message to the element in use."""
        if self._channel is not None:
            self._channel.send(ppid, data)

    def when_sent(self, sent: Callable[[], None]) -> None:
        """Calls `sent` when the message that was sent last leaves."""
        if self._channel is not None:
            count_sent(self._channel, sent)

    def close(self) -> None:
        """To CLOSED: the element is not used any more."""
        self._enter(_CLOSE)
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def turned_down(self) -> None:
        """To CLOSED: the element can't take it, so another one comes next; it has not failed."""
        self.close()
        if self.element is not None:
            self.endpoint.forget(self.handle, self.element.identifier)
            self._not_preferred(self.element.identifier)

    def failed(self) -> None:
        """To CLOSED: the element does not answer, which is reported (RFC 5352 3.5)."""
        self.close()
        if self.element is not None:
            self.endpoint.report_unreachable(self.handle, self.element.identifier)
            self._not_preferred(self.element.identifier)

    def fail_over(self) -> None:
        """CLOSED -> RESOLVING: the next element takes over from the one that has failed."""
        self._failover = True
        self._next()

    # The next element -----------------------------------------------------------------------------

    def _not_preferred(self, identifier: int) -> None:
        if self.preferred:
            self.preferred = tuple(e for e in self.preferred if e.identifier != identifier)

    def _next(self) -> None:
        self._enter(_RESOLVE)
        if self.preferred:
            # The order of the newest card guides the choice (RFC 5352 3.9).
            self._resolved(self.preferred[0])
        else:
            self.endpoint.resolve(self.handle, self._resolved)

    def _resolved(self, element: PoolElement | None) -> None:
        if self.state is not _RESOLVING:
            return
        if element is None:
            self._enter(_CLOSE)
            self._user.no_element()
            return
        self.element = element
        if not self._user.choosing(element, self._failover):
            self.turned_down()
            self._user.no_element()
            return
        self._enter(_OPEN)
        channel = self._channel = self._user.connect(self, element)
        echo = self.use_cookies and self.cookie is not None
        echo = echo and has_control_channel(element.user_transport)
        if self.preamble is not None:
            first = self.preamble()
            if first is not None:
                channel.send(*first)
        if echo and self.cookie is not None:
            channel.send(PPID_ASAP, CookieEcho(cookie=self.cookie).encode())
        self._failover = False
        self._user.opened(element, echo)

    # From the network -----------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message of the element in use."""
        if channel is not self._channel:
            return
        if ppid != PPID_ASAP:
            self._user.message(ppid, data)
            return
        received = receive(data, "asap")
        if received.reply is not None:
            channel.send(PPID_ASAP, received.reply.encode())
        message = received.message
        if isinstance(message, Cookie):
            self.cookie = message.cookie
            self._user.cookie(message.cookie)
        elif isinstance(message, BusinessCard) and self.use_cards:
            self._card(message)

    def _card(self, card: BusinessCard) -> None:
        """The element names those that should take over from it (RFC 5352 3.9)."""
        if not self.endpoint.has_cached(card.pool_handle):
            self.endpoint.populate(card.pool_handle)
        if card.pool_handle == self.handle:
            present = self.element.identifier if self.element is not None else 0
            self.preferred = tuple(e for e in card.pool_elements if e.identifier != present)

    def notify(self, channel: Channel, event: Event) -> None:
        """The network tells that the element is gone: no time-out need be awaited."""
        if channel is self._channel and event is not Event.UP:
            self._user.lost(event)
