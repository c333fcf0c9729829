"""What an attacker's false pool elements have in common: policy values that win, and a service."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rsim.attackers.base import AttackCounters
from rsim.clock import Clock
from rsim.handlespace import LARGEST, load_value, policy_with
from rsim.network import Association, Event, Host
from rsim.units import Model, Number, Share
from rsim.wire import PPID_ASAP, CookieEcho, Policy, receive
from rsim.workload import calcapp


class LureSettings(Model):
    """Policy values that false elements state, and what they do with users that come."""

    load: Share = Field(0.0, description="load that the false elements state")
    load_degradation: Share = Field(0.25, description="load degradation they state")
    weight: int = Field(LARGEST, ge=0, le=LARGEST, description="weight they state")
    priority: int = Field(LARGEST, ge=0, le=LARGEST, description="priority they state")
    service: Literal["ignore", "serve"] = Field(
        "ignore", description="ignores requests, or serves them and reads what is in them"
    )
    service_capacity: Number = Field(
        1e6, gt=0, description="calculations/s for each request that it serves"
    )


def lure(policy: str, settings: LureSettings) -> Policy:
    """The policy parameter of a false element.

    Parameters: `policy` of the pool by name; `settings` with the values to state.
    """
    offered = {
        "load": load_value(settings.load),
        "load_degradation": load_value(settings.load_degradation),
        "weight": settings.weight,
        "priority": settings.priority,
    }
    return policy_with(policy, offered)


class FalseService:
    """Listens where the false elements are said to be.

    Parameters: `clock` of the run; `host` on which it listens; `settings` of the attacker; `port`
    of the attacker's host; `counters` of the attacker.
    """

    def __init__(
        self, clock: Clock, host: Host, port: int, settings: LureSettings, counters: AttackCounters
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._counters = counters
        host.listen(port, lambda association: self)

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes what a pool user believes to tell a pool element."""
        counters = self._counters
        counters.octets_received += len(data)
        number, size, done = 0, 0.0, 0.0
        if ppid == PPID_ASAP:
            echo = receive(data, "asap").message
            state = calcapp.decode_cookie(echo.cookie) if isinstance(echo, CookieEcho) else None
            if state is None:
                counters.application_messages_ignored += 1
                return
            number, size, done = state.request, state.size, state.done
        else:
            message = calcapp.decode(data)
            if message is not None and message.kind == calcapp.KEEP_ALIVE:
                if self._settings.service == "serve":
                    self._answer(association, calcapp.KEEP_ALIVE_ACK, message.request)
                return
            if message is None or message.kind != calcapp.REQUEST:
                counters.application_messages_ignored += 1
                return
            number, size = message.request, message.calculations
        counters.requests_received += 1
        if self._settings.service == "ignore":
            counters.application_messages_ignored += 1
            return
        self._answer(association, calcapp.ACCEPT, number)
        due = self._clock.now + (size - done) / self._settings.service_capacity
        self._clock.call_at(due, self._answer, association, calcapp.COMPLETE, number, size)

    @staticmethod
    def _answer(association: Association, kind: int, number: int, size: float = 0.0) -> None:
        association.send(calcapp.PPID_CALCAPP, calcapp.encode(kind, number, size))

    def notify(self, association: Association, event: Event) -> None:
        """Users come and go."""
