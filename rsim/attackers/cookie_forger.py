"""A pool user that forges the state in cookies (RFC 5355 2.16)."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from rsim.attackers.base import (
    Flooder,
    FlooderSettings,
    PositionSettings,
    Surroundings,
    attacker,
)
from rsim.network import Association, Event, Seen, Tap
from rsim.units import Number, Share
from rsim.wire import (
    PPID_ASAP,
    Cookie,
    CookieEcho,
    HandleResolution,
    HandleResolutionResponse,
    PoolElement,
    receive,
)
from rsim.workload import calcapp


class CookieForgerSettings(FlooderSettings):
    """Shows cookies to pool elements that they should not believe."""

    cookie: Literal["invented", "stolen", "altered", "older"] = Field(
        "invented",
        description="one that it has made up, one that another user got, one of its own with more "
        "work done, or an older one of its own",
    )
    request_size: Number = Field(1e8, gt=0, description="calculations that it asks for")
    claimed: Share = Field(0.99, description="share of them that it claims as done")
    position: PositionSettings = Field(
        PositionSettings(), description="stolen: where it listens for cookies"
    )

    @model_validator(mode="after")
    def _settings_serve(self) -> Self:
        self._belongs("position", "cookie", "stolen")
        return self

    @property
    def listens(self) -> bool:
        """Only who steals cookies stands on a path."""
        return self.cookie == "stolen"


class _CookieTap(Tap):
    def __init__(self, forger: CookieForger) -> None:
        super().__init__()
        self._forger = forger

    def message(self, seen: Seen) -> bytes | None:
        self._forger.overhear(seen)
        return seen.data


@attacker
class CookieForger(Flooder[CookieForgerSettings]):
    """Each action: an element is asked for, shown a cookie, and watched whether it believes it.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "cookie-forger"
    Settings: ClassVar[type[FlooderSettings]] = CookieForgerSettings

    def __init__(self, settings: CookieForgerSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._server: Association | None = None
        self._number = 0
        self._own: bytes | None = None
        self._first: bytes | None = None
        self._stolen: bytes | None = None
        self._honest: Association | None = None
        self._trials: dict[Association, tuple[int, float]] = {}
        links = surroundings.tapped(settings.position) if settings.cookie == "stolen" else []
        if links:
            surroundings.host.network.tap(links, _CookieTap(self))

    def overhear(self, seen: Seen) -> None:
        """Keeps the latest cookie that another user got in clear.

        Parameters: `seen` the message with its addresses.
        """
        if seen.ppid == PPID_ASAP and not seen.protected and seen.data[:1] == b"\x0b":
            message = receive(seen.data, "asap").message
            if isinstance(message, Cookie):
                self._stolen = message.cookie

    def act(self) -> None:
        """Asks for an element."""
        if self._server is None:
            self._server = self.surroundings.connect(self, 0)
        self.send(self._server, HandleResolution(pool_handle=self.surroundings.pool_handle))

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Goes on with whatever comes."""
        message = receive(data, "asap").message if ppid == PPID_ASAP else None
        if isinstance(message, HandleResolutionResponse) and message.pool_elements:
            self._at(message.pool_elements[-1])
        elif isinstance(message, Cookie) and association is self._honest:
            self._first = self._first or message.cookie
            self._own = message.cookie
        elif ppid == calcapp.PPID_CALCAPP:
            self._answered(association, data)

    def _at(self, element: PoolElement) -> None:
        host = self.surroundings.host
        transport = element.user_transport
        association = host.connect(transport.hosts[0], transport.port, self)
        self._number += 1
        needs_own = self.settings.cookie in ("altered", "older")
        if needs_own and self._own is None:
            # First it has to get a cookie in earnest.
            if self._honest is None:
                self._honest = association
                data = calcapp.encode(calcapp.REQUEST, self._number, self.settings.request_size)
                self.send_octets(association, data, calcapp.PPID_CALCAPP)
            return
        cookie = self._forged()
        if cookie is None:
            return
        state = calcapp.decode_cookie(cookie[: calcapp.COOKIE_SIZE])
        number, done = (state.request, state.done) if state is not None else (self._number, 0.0)
        self.counters.forgeries_tried += 1
        self._trials[association] = (number, done)
        self.send(association, CookieEcho(cookie=cookie))

    def _forged(self) -> bytes | None:
        settings = self.settings
        claimed = settings.claimed * settings.request_size
        if settings.cookie == "invented":
            return calcapp.encode_cookie(self._number, settings.request_size, claimed)
        if settings.cookie == "stolen":
            return self._stolen
        if settings.cookie == "older":
            return self._first if self._first != self._own else None
        assert self._own is not None
        size = calcapp.COOKIE_SIZE
        state = calcapp.decode_cookie(self._own[:size])
        if state is None:
            return None
        return calcapp.encode_cookie(state.request, state.size, claimed) + self._own[size:]

    def _answered(self, association: Association, data: bytes) -> None:
        message = calcapp.decode(data)
        if message is None:
            return
        if message.kind == calcapp.KEEP_ALIVE:
            answer = calcapp.encode(calcapp.KEEP_ALIVE_ACK, message.request)
            association.send(calcapp.PPID_CALCAPP, answer)
        elif message.kind == calcapp.ACCEPT and association in self._trials:
            _, done = self._trials.pop(association)
            self.counters.forgeries_accepted += 1
            self.counters.work_forged += done
            association.close()

    def notify(self, association: Association, event: Event) -> None:
        """Forgets what has ended."""
        if event is Event.UP:
            return
        self._trials.pop(association, None)
        if association is self._server:
            self._server = None
        if association is self._honest:
            self._honest = None
