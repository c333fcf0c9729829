"""The pool element's ASAP side: registration and its renewal (RFC 5352 3.1, 3.2, 3.4).

Timers: T2 while a registration response is awaited, T3 while a deregistration response is, T4
between registrations; T5 of the server hunt (server_hunt.py), which is on while there is no home
server or it does not answer.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from rsim.endpoints.counters import PoolElementCounters
from rsim.endpoints.element_states import ELEMENT_STATES, ElementEvent, ElementState
from rsim.endpoints.pool_user import PoolUserEndpoint
from rsim.endpoints.ports import Address, Channel, ClockPort, count_sent
from rsim.endpoints.server_hunt import ServerHunt, ServerList
from rsim.endpoints.settings import PoolElementSettings
from rsim.endpoints.waits import Waits
from rsim.network import Event
from rsim.wire import (
    PPID_ASAP,
    Cause,
    Deregistration,
    DeregistrationResponse,
    Dialect,
    EndpointKeepAlive,
    EndpointKeepAliveAck,
    HandleResolutionResponse,
    Policy,
    PoolElement,
    Registration,
    RegistrationResponse,
    Transport,
    receive,
)

_LATE = 1.0
"""Time in s above which a registration counts as late (RFC 5355 2.1 as an experiment)."""
_MOST_SERVERS = 64
"""Servers whose keep-alives are counted; the oldest are forgotten."""


def _nothing(*_: object) -> None:
    pass


class PoolElementEndpoint:
    """A pool element as a state machine, registered in one pool.

    Parameters: `pool_handle` of the pool; `settings` of the element; `clock` of the run; `dialect`
    of what it sends; `servers` that it may turn to; `connect` begins an association with one;
    `life` in s, -1 for ever; `user` its side as a pool user, which asks the same server (RFC 5352
    3.3, 4); `local_port` at which it is heard. `t4` is the time between registrations in s (RFC
    5352 7.1). `on_registered` is called when the first registration is granted, `on_deregistered`
    when the deregistration is, `on_refused` with the causes of a refusal, `on_given_up` after more
    than MAX-REG-ATTEMPT failures; `state_policy` signs a statement for each registration, if set;
    `waits` are the times from each start to the first registration granted.
    """

    def __init__(
        self,
        pool_handle: bytes,
        life: int,
        settings: PoolElementSettings,
        clock: ClockPort,
        servers: ServerList,
        connect: Callable[[PoolElementEndpoint, Address], Channel],
        dialect: Dialect = Dialect.RFC,
        user: PoolUserEndpoint | None = None,
        local_port: int = 0,
    ) -> None:
        # What each message reads is copied here: settings are slower to read.
        self._t2 = clock.timer(self._t2_expired)
        self._policy: Policy | None = None
        self._policy_changed = False
        self.state = ELEMENT_STATES.initial
        self._home: Channel | None = None
        self._attempts = 0
        self.counters = PoolElementCounters()
        self.pool_handle = pool_handle
        self.identifier = 0
        self.life = life
        self._transport: Transport | None = None
        self._dialect = int(dialect)
        self.state_policy: Callable[[PoolElement], bytes] | None = None
        self._t4 = clock.timer(self._register)
        self._t2_registration = settings.t2_registration
        self.t4 = settings.time_between(life)
        self.settings = settings
        self._hunt = ServerHunt(clock, settings, servers, self)
        self.clock = clock
        self.servers = servers
        self._connect = connect
        self.user = user
        self.local_port = local_port
        self.on_registered: Callable[[], None] = _nothing
        self.on_deregistered: Callable[[], None] = _nothing
        self.on_refused: Callable[[tuple[int, ...]], None] = _nothing
        self.on_given_up: Callable[[], None] = _nothing
        self.waits = Waits()
        self._changed_home_at = -inf
        self._allowances: dict[str, tuple[float, float]] = {}
        self._t3 = clock.timer(self._t3_expired)
        if user is not None:
            # The home does not answer what the element asks as a pool user (RFC 5352 3.7.2).
            user.on_silence = self._look_for_another

    @property
    def deregistering(self) -> bool:
        """Whether it has asked to leave the pool, and is waited for."""
        return self.state is ElementState.DEREGISTERING

    def _enter(self, event: ElementEvent) -> None:
        registering = self.state is ElementState.REGISTERING
        self.state = ELEMENT_STATES.after(self.state, event)
        if registering:
            self.waits.end(self.clock.now, self.state is ElementState.REGISTERED)

    def _settle(self, home: Channel | None) -> None:
        """Has a home server from now on, or none."""
        self._home = home
        if self.user is not None:
            self.user.use(home)

    # From the application -------------------------------------------------------------------------

    def register(self, identifier: int, transport: Transport, policy: Policy) -> None:
        """Joins the pool (RFC 5352 3.1).

        Parameters: `identifier` 32 bits; `transport` where users find it; `policy` with its values.
        """
        self.identifier = identifier
        self._transport = transport
        self._policy = policy
        self._enter(ElementEvent.REGISTER)
        self._stop_timers()
        self.waits.begin(self.clock.now)
        self.register_again()

    def register_again(self) -> None:
        """Registers as before, after it has given up, unless it has left since."""
        if self.state in (ElementState.REGISTERING, ElementState.REGISTERED):
            self._attempts = 0
            self._register()

    def update_policy(self, policy: Policy) -> None:
        """Registers again with new policy values, now or after the response that is awaited.

        Parameters: `policy` with its new values.
        """
        self._policy = policy
        if self._t2.running:
            self._policy_changed = True
        elif self.state is ElementState.REGISTERED:
            self._register()

    def deregister(self) -> None:
        """Leaves the pool (RFC 5352 3.2); an element that is down has left already."""
        if self.state is ElementState.DOWN:
            return
        self._enter(ElementEvent.DEREGISTER)
        self._stop_timers()
        self._attempts = 0
        if self._home is None:
            self._hunt.start()
        else:
            self._send_deregistration()

    def vanish(self) -> None:
        """Enters DOWN silently, as when the process dies."""
        self._enter(ElementEvent.FAIL)
        self._stop_timers()
        self._hunt.stop()
        if self._home is not None:
            self._home.discard()
            self._settle(None)

    # Home server (RFC 5352 3.6) -------------------------------------------------------------------

    def reach(self, address: Address) -> Channel:
        """Begins an association with a server."""
        return self._connect(self, address)

    def found(self, channel: Channel) -> None:
        """A server answers: it is the home from now on."""
        if self._home is not None:
            self._home.discard()
        self._settle(channel)
        if self.state is ElementState.DEREGISTERING:
            self._send_deregistration()
        elif self.state is not ElementState.DOWN:
            self._register()

    def notify(self, channel: Channel, event: Event) -> None:
        """The association with the home server has ended: RFC 5352 3.7.1, look for another."""
        if self._hunt.notify(channel, event):
            return
        if channel is not self._home or event is Event.UP:
            return
        self._settle(None)
        if self._t2.running:
            self._t2.stop()
            self._t2_expired()
        elif self._t3.running:
            self._t3.stop()
            self._t3_expired()
        elif self.state is ElementState.REGISTERED:
            self._hunt.start()

    def _look_for_another(self) -> None:
        if self.state is ElementState.REGISTERED:
            self._hunt.start()

    # Registration ---------------------------------------------------------------------------------

    def _register(self) -> None:
        if self._home is None:
            self._hunt.start()
            return
        assert self._transport is not None and self._policy is not None
        self._policy_changed = False
        self._attempts += 1
        element = PoolElement(
            identifier=self.identifier,
            registration_life=self.life,
            user_transport=self._transport,
            policy=self._policy,
        )
        statement = self.state_policy(element) if self.state_policy is not None else None
        message = Registration(
            pool_handle=self.pool_handle, pool_element=element, statement=statement
        )
        data = message.encode(self._dialect)
        self._t4.stop()
        self._t2.start(self._t2_registration)
        self._home.send(PPID_ASAP, data)
        count_sent(self._home, self._count_registration)

    def _count_registration(self) -> None:
        self.counters.registrations_sent += 1

    def _t2_expired(self) -> None:
        self.counters.registration_timeouts += 1
        self._try_elsewhere()

    def _try_elsewhere(self) -> None:
        """Hunts; beyond MAX-REG-ATTEMPT attempts, gives up and tells its user (RFC 5352 3.1)."""
        if self._attempts > self.settings.max_reg_attempt:
            if self._home is not None:
                self._home.discard()
                self._settle(None)
            self.on_given_up()
        else:
            self._hunt.start()

    def _registration_response(self, channel: Channel, message: RegistrationResponse) -> None:
        if not self._t2.running and not self._hunt.running:
            return
        if self.state is ElementState.DEREGISTERING:
            # The answer to a registration from before: the element leaves all the same.
            return
        self._t2.stop()
        if message.reject:
            self.counters.registrations_refused += 1
            self._hunt.stop()
            self._refused(message)
            return
        # A late answer counts: the home is there after all.
        self._hunt.stop()
        if channel is not self._home:
            self._settle(channel)
        self._attempts = 0
        first = self.state is ElementState.REGISTERING
        if first:
            self._enter(ElementEvent.GRANT)
        if self._policy_changed:
            self._register()
        else:
            self._t4.start(self.t4)
        if first:
            self.counters.first_registrations += 1
            self.counters.first_registration_time += self.waits.last
            self.counters.registrations_late += self.waits.last > _LATE
            self.on_registered()

    def _refused(self, message: RegistrationResponse) -> None:
        """The same again is ruled out (RFC 5352 3.1), unless another server may have room."""
        causes = tuple(cause.code for cause in message.error_causes)
        no_room = causes == (Cause.LACK_OF_RESOURCES,) and len(self.servers.present()) > 1
        if no_room and self.settings.register_elsewhere:
            self._try_elsewhere()
            return
        self._enter(ElementEvent.REFUSE)
        self._stop_timers()
        self.on_refused(causes)

    # Deregistration -------------------------------------------------------------------------------

    def _send_deregistration(self) -> None:
        assert self._home is not None
        self._attempts += 1
        message = Deregistration(pool_handle=self.pool_handle, pe_identifier=self.identifier)
        self._t3.start(self.settings.t3_deregistration)
        self._home.send(PPID_ASAP, message.encode(self._dialect))

    def _t3_expired(self) -> None:
        if self._attempts > self.settings.max_reg_attempt:
            self._leave()
        else:
            self._hunt.start()

    def _leave(self) -> None:
        self._enter(ElementEvent.LEAVE)
        self._hunt.stop()
        home = self._home
        self._settle(None)
        if home is not None:
            home.close()
        self.on_deregistered()

    # Messages -------------------------------------------------------------------------------------

    def receive(self, channel: Channel, ppid: int, data: bytes) -> None:
        """Takes one message from a server."""
        if self.state is ElementState.DOWN or ppid != PPID_ASAP:
            return
        received = receive(data, "asap")
        message = received.message
        if self.user is not None and isinstance(message, HandleResolutionResponse):
            if channel is self._home and self.state is ElementState.REGISTERED:
                self._hunt.stop()
            # What is unknown in it is reported there.
            self.user.receive(channel, ppid, data)
            return
        if received.reply is not None:
            channel.send(PPID_ASAP, received.reply.encode(self._dialect))
        if isinstance(message, EndpointKeepAlive):
            self._keep_alive(channel, message)
        elif isinstance(message, RegistrationResponse | DeregistrationResponse):
            if (message.pool_handle, message.pe_identifier) != (self.pool_handle, self.identifier):
                return
            if isinstance(message, RegistrationResponse):
                self._registration_response(channel, message)
            elif self.state is ElementState.DEREGISTERING:
                self._t3.stop()
                self._leave()
            elif self.state is ElementState.REGISTERED and channel is self._home:
                # The registration has lapsed (RFC 5352 2.2.4).
                self._register()

    def _keep_alive(self, channel: Channel, message: EndpointKeepAlive) -> None:
        """RFC 5352 3.4: KA1 drops a wrong handle, before H is looked at; then answer."""
        if message.pool_handle != self.pool_handle:
            return
        if message.pe_identifier not in (None, self.identifier):
            return
        if not self._heeds(channel):
            self.counters.keep_alives_ignored += 1
            return
        adopted = message.home and channel is not self._home
        interval = self.settings.min_home_change_interval
        if adopted and self.clock.now - self._changed_home_at < interval:
            self.counters.keep_alives_ignored += 1
            return
        if adopted:
            self._changed_home_at = self.clock.now
            self._hunt.stop()
            self._settle(channel)
            self.counters.homes_adopted += 1
        self.counters.keep_alives_answered += 1
        answer = EndpointKeepAliveAck(pool_handle=self.pool_handle, pe_identifier=self.identifier)
        channel.send(PPID_ASAP, answer.encode(self._dialect))
        if adopted and self.state is ElementState.REGISTERED and not self._t2.running:
            if self.settings.register_on_adoption:
                self._register()
            elif not self._t4.running:
                self._t4.start(self.t4)

    def _heeds(self, channel: Channel) -> bool:
        """At most so many keep-alives of a server are answered (RFC 5355 2.14)."""
        rate = self.settings.max_keep_alive_rate
        if rate is None:
            return True
        now = self.clock.now
        allowed, since = self._allowances.get(channel.remote_address, (1.0, now))
        allowed = min(1.0, allowed + (now - since) * rate)
        if len(self._allowances) >= _MOST_SERVERS:
            del self._allowances[next(iter(self._allowances))]
        heeded = allowed >= 1.0
        self._allowances[channel.remote_address] = (allowed - heeded, now)
        return heeded

    def _stop_timers(self) -> None:
        for timer in (self._t2, self._t3, self._t4):
            timer.stop()
