"""What happens in a run, event by event, for a second computation of all metrics.

The run behind a trace knows of no warm-up: it is one long run in which every change of a counter
is logged with its time, every message as it is sent, and state that metrics integrate over time is
read after each event. It watches objects as only interpreted code lets it: `tests.interpreted`.
"""

from __future__ import annotations

import pandas as pd

from rsim.scenario import Deployment
from rsim.wire import PPID_ASAP, PPID_ENRP
from tests.scenario.comparison import compare, lead


class Traffic:
    """Logs messages instead of counting them."""

    def __init__(self, clock):
        self._clock = clock
        self.log = []
        self.messages = {PPID_ASAP: [0] * 256, PPID_ENRP: [0] * 256}
        self.octets = {PPID_ASAP: 0, PPID_ENRP: 0}

    def count(self, ppid, data):
        if ppid in self.messages:
            self.log.append((self._clock.now, ppid, data[0], len(data)))


def _logging(counters, role, clock, log):
    """Has an object of counters log its changes."""
    cls = type(counters)

    def changed(self, name, value):
        log.append((clock.now, f"{role}.{name}", value - getattr(self, name)))
        cls.__setattr__(self, name, value)

    body = {"__slots__": (), "__setattr__": changed}
    counters.__class__ = type(cls.__name__, (cls,), body)


class Trace:
    """A scenario traced; sums and integrals over what is measured.

    Parameters: `scenario` with its warm-up in s.
    """

    def __init__(self, scenario, seed):
        self.begin = scenario.warm_up
        self.end = scenario.warm_up + scenario.duration
        self.groups = list(scenario.pool_users.values())
        whole = scenario.model_copy(update={"warm_up": 0.0, "duration": self.end})
        deployment = Deployment(whole, seed)
        clock = deployment.world.clock
        self._log, self._states = [], {}
        for (role, _), of_kind in deployment.world.recorder._counters.items():
            for counters in of_kind:
                _logging(counters, role, clock, self._log)
        network = deployment.world.network
        traffic = network.traffic = network.core.traffic = Traffic(clock)
        self.elements = [
            {"capacity": e.settings.capacity, "liar": e.liar is not None}
            for e in deployment.elements
        ]
        self._read(deployment)
        before = None
        while clock.peek() < self.end:
            if before is None and clock.peek() >= self.begin:
                before = self._totals(deployment)
            clock.step()
            self._read(deployment)
        after = self._totals(deployment)
        self._gauges = {name: after[name] - (before or {}).get(name, 0) for name in after}
        self.messages = traffic.log
        self.requests = pd.DataFrame(deployment.world.requests.columns()).to_dict("records")
        self.queued = sum(user.queue_length for user in deployment.users)

    def _totals(self, deployment):
        """Totals that no counter holds."""
        network = deployment.world.network
        found = {
            "network.packets": network.packets,
            "network.packets_lost": network.packets_lost,
        }
        penalties = deployment.world.accountability.verdicts(
            [server for _, server in deployment.servers], deployment.elements, deployment.users
        )
        return {**found, **{f"penalties.{name}": value for name, value in penalties}}

    def _read(self, deployment):
        now = deployment.world.clock.now
        for number, element in enumerate(deployment.elements):
            self._note(("busy", number), now, element._processor.tasks > 0)
            self._note(("in service", number), now, element.running)
            for one in element.memberships:
                state = one.endpoint.state.name
                self._note(("registration", (number, one.endpoint.pool_handle)), now, state)
        for number, (ports, server) in enumerate(deployment.servers):
            initiated = frozenset(server.takeovers._initiated)
            won = frozenset(server.takeovers._won.items())
            self._note(("takeovers", number), now, (initiated, won, server.serving))
            self._note(("entries", number), now, len(server.handlespace))
            if ports.host.cpu is not None:
                # What it counts itself, at the time at which it happens.
                ports.host.cpu.settle()
                self._note(("cpu", number), now, True)
        self._note(("queued", 0), now, sum(user.queue_length for user in deployment.users))
        if deployment.scenario.observe_interval is not None:
            servers = [server for _, server in deployment.servers]
            divergence, orphans, _ = compare(servers)
            genuine, false = lead(servers, deployment.world.auditor)
            self._note(("divergence", 0), now, divergence)
            self._note(("orphans", 0), now, orphans)
            self._note(("genuine", 0), now, genuine)
            self._note(("false", 0), now, false)

        tally = deployment.world._tallies["enrp_servers"]
        tally.settle()
        for name, level in zip(
            ("half-open", "associations", "memory"), tally.core.levels, strict=True
        ):
            self._note((name, 0), now, level)

    def _note(self, what, now, value):
        states = self._states.setdefault(what, [])
        if not states or states[-1][1] != value:
            states.append((now, value))

    # Sums and integrals ---------------------------------------------------------------------------

    @property
    def duration(self):
        return self.end - self.begin

    def total(self, *names):
        """Sum of what counters have grown by; `*.name` over all roles."""
        found = 0.0
        for name in names:
            if name in self._gauges:
                found += self._gauges[name]
            for time, changed, by in self._log:
                same = changed.endswith(name[1:]) if name[0] == "*" else changed == name
                if same and time >= self.begin:
                    found += by
        return found

    def integrals(self, what):
        """Integral over the measured time of each state of a kind."""
        found = []
        for (kind, _), states in sorted(self._states.items()):
            if kind == what:
                times = [time for time, _ in states[1:]] + [self.end]
                found.append(
                    sum(
                        value * max(0.0, until - max(since, self.begin))
                        for (since, value), until in zip(states, times, strict=True)
                    )
                )
        return found

    def outages(self):
        """Begin and end of each time in the measured one in which an element does not run."""
        found = []
        for number in range(len(self.elements)):
            states = self._states["in service", number]
            times = [time for time, _ in states[1:]] + [self.end]
            spans = [
                (max(since, self.begin), min(until, self.end))
                for (since, runs), until in zip(states, times, strict=True)
                if not runs
            ]
            found.append([(since, until) for since, until in spans if since < until])
        return found

    def registrations(self):
        """Begin, end (None: not yet) and success of each time in which an element registers."""
        for (kind, _), states in self._states.items():
            if kind == "registration":
                following = [*states[1:], (None, "")]
                for (since, state), (until, after) in zip(states, following, strict=True):
                    if state == "REGISTERING":
                        yield since, until, after == "REGISTERED"

    def takeovers(self):
        """The same of each takeover, but for those of servers that turned out to live."""
        for (kind, _), states in self._states.items():
            if kind != "takeovers":
                continue
            open_since = {}
            before = (frozenset(), frozenset(), True)
            for time, state in states:
                for target in state[0] - before[0]:
                    open_since[target] = time
                for target in before[0] - state[0]:
                    since = open_since.pop(target)
                    won = (target, time) in state[1]
                    if won or not state[2]:
                        yield since, time, won
                # One that nobody has to acknowledge is won at once.
                for target, time_won in state[1] - before[1]:
                    if target not in before[0]:
                        yield time_won, time_won, True
                before = state
            for since in open_since.values():
                yield since, None, False

    def sent(self, ppid, *codes):
        """Number of messages sent, of these types or of all."""
        return sum(
            1
            for time, protocol, code, _ in self.messages
            if time >= self.begin and protocol == ppid and (not codes or code in codes)
        )

    def octets(self, ppid):
        """Bytes of the messages sent."""
        return sum(
            n for time, protocol, _, n in self.messages if time >= self.begin and protocol == ppid
        )

    def measured(self, event):
        """The requests to which something happened in the measured time."""
        return [one for one in self.requests if self.begin <= one[event] < self.end]
