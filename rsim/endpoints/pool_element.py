"""The pool element's ASAP side: registration and its renewal (RFC 5352 3.1, 3.2, 3.4).

States: DOWN; REGISTERING until the first registration is granted; REGISTERED; DEREGISTERING.

Timers: T2 while a registration response is awaited, T3 while a deregistration response is, T4
between registrations, retry between two rounds of attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from rsim.endpoints.ports import Channel, ClockPort
from rsim.endpoints.settings import PoolElementSettings
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    Deregistration,
    DeregistrationResponse,
    Dialect,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    Policy,
    PoolElement,
    Registration,
    RegistrationResponse,
    Transport,
    receive,
)


class State(Enum):
    """States of a pool element."""

    DOWN = auto()
    REGISTERING = auto()
    REGISTERED = auto()
    DEREGISTERING = auto()


@dataclass(slots=True)
class PoolElementCounters:
    """What a pool element has done since it began, as numbers that only grow."""

    registrations_sent: int = 0
    registrations_refused: int = 0
    registration_timeouts: int = 0
    keep_alives_answered: int = 0


def _nothing() -> None:
    pass


class PoolElementEndpoint:
    """A pool element as a state machine, registered in one pool.

    Parameters: `connect` gives an association with the next server to try; `life` in s, -1 for
    ever. `on_registered` is called when the first registration is granted, `on_deregistered` when
    the withdrawal is.
    """

    def __init__(
        self,
        pool_handle: bytes,
        life: int,
        settings: PoolElementSettings,
        clock: ClockPort,
        connect: Callable[[PoolElementEndpoint], Channel],
        dialect: Dialect = Dialect.RFC,
    ) -> None:
        self.pool_handle = pool_handle
        self.identifier = 0
        self.life = life
        self.settings = settings
        self.clock = clock
        self.state = State.DOWN
        self.counters = PoolElementCounters()
        self._connect = connect
        self._dialect = int(dialect)
        self.on_registered: Callable[[], None] = _nothing
        self.on_deregistered: Callable[[], None] = _nothing
        self._home: Channel | None = None
        self._transport: Transport | None = None
        self._policy: Policy | None = None
        self._policy_changed = False
        self._attempts = 0
        self._t2 = clock.timer(self._t2_expired)
        self._t3 = clock.timer(self._t3_expired)
        self._t4 = clock.timer(self._register)
        self._retry = clock.timer(self._start_over)

    @property
    def t4(self) -> float:
        """Time between registrations in s (RFC 5352 7.1; half the life if that is 20 s or less)."""
        if self.settings.t4_reregistration is not None:
            return self.settings.t4_reregistration
        if self.life < 0:
            return 600.0
        if self.life <= 20:
            return max(1.0, self.life / 2)
        return min(600.0, self.life - 20.0)

    # From the application -------------------------------------------------------------------------

    def register(self, identifier: int, transport: Transport, policy: Policy) -> None:
        """DOWN -> REGISTERING: joins the pool under an identifier (RFC 5352 3.1)."""
        self.identifier = identifier
        self._transport = transport
        self._policy = policy
        self.state = State.REGISTERING
        self._start_over()

    def update_policy(self, policy: Policy) -> None:
        """Registers again with new policy values, now or after the response that is awaited."""
        self._policy = policy
        if self._t2.running:
            self._policy_changed = True
        elif self.state is State.REGISTERED:
            self._register()

    def deregister(self) -> None:
        """REGISTERED -> DEREGISTERING: leaves the pool (RFC 5352 3.2)."""
        self.state = State.DEREGISTERING
        self._stop_timers()
        self._attempts = 1
        self._send_deregistration()

    def vanish(self) -> None:
        """To DOWN without a word, as when the process dies."""
        self.state = State.DOWN
        self._stop_timers()
        if self._home is not None:
            self._home.discard()
            self._home = None

    # Registration ---------------------------------------------------------------------------------

    def _start_over(self) -> None:
        self._attempts = 0
        self._home = self._connect(self)
        self._register()

    def _register(self) -> None:
        assert self._home is not None and self._transport is not None and self._policy is not None
        self._policy_changed = False
        self._attempts += 1
        self.counters.registrations_sent += 1
        element = PoolElement(
            identifier=self.identifier,
            registration_life=self.life,
            user_transport=self._transport,
            policy=self._policy,
        )
        message = Registration(pool_handle=self.pool_handle, pool_element=element)
        self._t4.stop()
        self._t2.start(self.settings.t2_registration)
        self._home.send(PPID_ASAP, message.encode(self._dialect))

    def _t2_expired(self) -> None:
        """No response: try another server; after MAX-REG-ATTEMPT more, pause (RFC 5352 3.1)."""
        self.counters.registration_timeouts += 1
        if self._attempts > self.settings.max_reg_attempt:
            self._retry.start(self.settings.retran_max)
        else:
            self._home = self._connect(self)
            self._register()

    def _registration_response(self, message: RegistrationResponse) -> None:
        if not self._t2.running:
            return
        self._t2.stop()
        if message.reject:
            self.counters.registrations_refused += 1
            self._retry.start(self.settings.retran_max)
            return
        self._attempts = 0
        first = self.state is State.REGISTERING
        self.state = State.REGISTERED
        if self._policy_changed:
            self._register()
        else:
            self._t4.start(self.t4)
        if first:
            self.on_registered()

    # Deregistration -------------------------------------------------------------------------------

    def _send_deregistration(self) -> None:
        assert self._home is not None
        message = Deregistration(pool_handle=self.pool_handle, pe_identifier=self.identifier)
        self._t3.start(self.settings.t3_deregistration)
        self._home.send(PPID_ASAP, message.encode(self._dialect))

    def _t3_expired(self) -> None:
        if self._attempts > self.settings.max_reg_attempt:
            self.state = State.DOWN
            self.on_deregistered()
        else:
            self._attempts += 1
            self._home = self._connect(self)
            self._send_deregistration()

    def _deregistration_response(self) -> None:
        if self.state is State.DEREGISTERING:
            self._t3.stop()
            self.state = State.DOWN
            self.on_deregistered()

    # Messages -------------------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a server."""
        if self.state is State.DOWN or ppid != PPID_ASAP:
            return
        received = receive(data, "asap")
        if received.reply is not None:
            channel.send(PPID_ASAP, received.reply.encode(self._dialect))
        message = received.message
        if isinstance(message, EndpointKeepAlive):
            self._keep_alive(channel, message)
        elif isinstance(message, RegistrationResponse | DeregistrationResponse):
            if (message.pool_handle, message.pe_identifier) != (self.pool_handle, self.identifier):
                return
            if isinstance(message, RegistrationResponse):
                self._registration_response(message)
            else:
                self._deregistration_response()

    def notify(self, channel: Channel, event: Event) -> None:
        """The association with the home server has ended: RFC 5352 3.7.2, look for another."""
        if channel is not self._home or event is Event.UP:
            return
        # While a response is awaited, its time-out leads on.
        if self.state is State.REGISTERED and not self._t2.running:
            self._start_over()

    def _keep_alive(self, channel: Channel, message: EndpointKeepAlive) -> None:
        """RFC 5352 3.4: KA1 drops a wrong handle, before H is looked at; then answer."""
        if message.pool_handle != self.pool_handle:
            return
        if message.pe_identifier not in (None, self.identifier):
            return
        if message.home:
            self._home = channel
        self.counters.keep_alives_answered += 1
        answer = EndpointKeepAliveAck(pool_handle=self.pool_handle, pe_identifier=self.identifier)
        channel.send(PPID_ASAP, answer.encode(self._dialect))

    def _stop_timers(self) -> None:
        for timer in (self._t2, self._t3, self._t4, self._retry):
            timer.stop()
