"""Your own workloads: what a pool user does, or what a pool element offers.

Either is registered by name and takes a table of settings and its surroundings:

- a generator function, which runs as a SimPy process from the group's start on;
- a class with a method `start`.

A scenario names the Python file under `code` and the workload as `workload` or `service`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

import simpy

from rsim.clock import Clock
from rsim.endpoints import (
    CONTROL,
    ElementHandle,
    Messenger,
    PoolElementEndpoint,
    PoolUserEndpoint,
    TransportAddress,
)
from rsim.handlespace import policy_with
from rsim.network import Association, Event, Host
from rsim.randomness import Stream, Streams
from rsim.registrations import note
from rsim.wire import PoolElement, SctpTransport
from rsim.workload.calcapp_client import ClientCounters
from rsim.workload.counters import ElementCounters
from rsim.workload.requests import RequestLog


@dataclass
class UserSurroundings:
    """What a pool user's workload can use.

    Parameters: `name` of the user; `host` it runs on; `clock` of the run; `streams` of its random
    numbers; `pool` handle of the pool; `endpoint` that resolves handles; `messenger` that sends by
    handle; `record` takes requests (`rsim.workload.Request`) for the results (call its method
    `ended` when one has ended); `counters` those of CalcApp, to be counted up where they fit;
    `inbox` what elements send: who, payload protocol, bytes.
    """

    name: str
    host: Host
    clock: Clock
    streams: Streams
    pool: bytes
    endpoint: PoolUserEndpoint
    messenger: Messenger
    record: RequestLog
    counters: ClientCounters = field(default_factory=ClientCounters)
    inbox: simpy.Store = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = simpy.Store(self.clock)
        self.messenger.on_message = self._arrived

    def stream(self, *purpose: str) -> Stream:
        """Draws of this user alone, for one purpose.

        Parameters: `purpose` of the draws, one name or several.
        """
        return self.streams.stream(self.host.actor, *purpose)

    def _arrived(self, who: ElementHandle | TransportAddress, ppid: int, data: bytes) -> None:
        self.inbox.put((who, ppid, data))

    def resolution(self) -> simpy.Event:
        """An event that gives an element of the pool, or None if there is none."""
        event = self.clock.event()

        def answered(element: PoolElement | None) -> None:
            event.succeed(element)

        self.endpoint.resolve(self.pool, answered)
        return event

    def send(self, ppid: int, data: bytes) -> None:
        """Sends a message to an element that the pool's policy selects."""
        self.messenger.send(self.pool, ppid, data)


@dataclass
class ElementSurroundings:
    """What a pool element's service finds.

    Parameters: `name` of the element; `host` it runs on; `clock` of the run; `streams` of its
    random numbers; `policy` of the pool by name; `capacity` in calculations per s; `endpoint` its
    ASAP side; `counters` those of CalcApp; `inbox` what users send: association, payload protocol,
    bytes.
    """

    name: str
    host: Host
    clock: Clock
    streams: Streams
    policy: str
    capacity: float
    endpoint: PoolElementEndpoint
    counters: ElementCounters = field(default_factory=ElementCounters)
    inbox: simpy.Store = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = simpy.Store(self.clock)

    def stream(self, *purpose: str) -> Stream:
        """Draws of this element alone, for one purpose.

        Parameters: `purpose` of the draws, one name or several.
        """
        return self.streams.stream(self.host.actor, *purpose)

    def register(self, **values: int) -> None:
        """Listens at a new port and registers with these policy values, 0 for those left out.

        Parameters: `values` of the policy by name, whole numbers from 0 to 4294967295.
        """
        port = self.host.new_port()
        self.host.listen(port, lambda association: self)
        transport = SctpTransport(port=port, addresses=self.host.addresses, use=CONTROL)
        identifier = self.stream("identifiers").identifier()
        self.endpoint.register(identifier, transport, policy_with(self.policy, values))

    def update(self, **values: int) -> None:
        """Tells the server new policy values."""
        self.endpoint.update_policy(policy_with(self.policy, values))

    def receive(self, association: Association, ppid: int, data: bytes) -> None:
        """Takes one message of a pool user."""
        self.inbox.put((association, ppid, data))

    def notify(self, association: Association, event: Event) -> None:
        """Users come and go."""


UserWorkload = Callable[[UserSurroundings, Mapping[str, Any]], Any]
ElementService = Callable[[ElementSurroundings, Mapping[str, Any]], Any]

_WORKLOADS: dict[str, UserWorkload] = {}
_SERVICES: dict[str, ElementService] = {}


def workload(name: str) -> Callable[[UserWorkload], UserWorkload]:
    """Registers what pool users can do, under a name.

    Parameters: `name` under which a scenario names it.
    """

    def register(function: UserWorkload) -> UserWorkload:
        _WORKLOADS[name] = function
        note("workload", name, function)
        return function

    return register


def service(name: str) -> Callable[[ElementService], ElementService]:
    """Registers what pool elements can offer, under a name.

    Parameters: `name` under which a scenario names it.
    """

    def register(function: ElementService) -> ElementService:
        _SERVICES[name] = function
        note("service", name, function)
        return function

    return register


def workloads() -> dict[str, UserWorkload]:
    """Registered workloads of pool users by name."""
    return dict(_WORKLOADS)


def services() -> dict[str, ElementService]:
    """Registered services of pool elements by name."""
    return dict(_SERVICES)


def begin(clock: Clock, what: Any) -> None:
    """Starts a workload: a generator as a SimPy process, anything else by its `start`.

    Parameters: `clock` of the run; `what` has been made of the user's code.
    """
    if isinstance(what, Generator):
        clock.process(what)
    else:
        what.start()
