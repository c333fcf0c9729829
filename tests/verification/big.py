"""Runs and sweeps that are big or long: what they take, and that nothing grows, drifts or is lost.

Run as `python -m tests.verification.big [NAME...]`; `make big` does all. Each has a process of its
own and prints a line of figures. Exit code 1 if something is not as it should be; times are told
and not judged.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import mean

import psutil

import rsim
from rsim.clock import Clock
from rsim.network import LinkSettings, Network
from rsim.randomness import Streams
from rsim.scenario import Deployment
from tests.verification.big_sweeps import SWEEPS

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400.0
MIB = 1 << 20


def resident() -> int:
    """Octets of memory that this process has."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def deploy(table: dict[str, object]) -> Deployment:
    """A deployment of a scenario under the profile of the RFCs."""
    return Deployment(rsim.scenario({"profile": "rfc", **table}))


def registrations() -> str:
    """A million registrations, each of an element and an association of its own."""
    count, portions, rate = 1_000_000, 4, 1000.0
    deployment = deploy(
        {
            "warm_up": 1,
            "duration": 10_000,
            # All elements stay; a keep-alive to each is another matter.
            "protocol": {"enrp_server": {"keep_alive_interval": "2h"}},
            "attackers": {
                "flood": {"kind": "registration-flood", "interval": 1 / rate, "start": 1.0}
            },
        }
    )
    server = deployment.servers[0][1]
    memory, seconds = [resident()], [time.process_time()]
    for portion in range(1, portions + 1):
        deployment.world.clock.run_until(1.0 + portion * count / portions / rate + 0.1 / rate)
        memory.append(resident())
        seconds.append(time.process_time())
        sent = portion * count // portions
        found = len(server.handlespace)
        # Some draw the 32 bits of an identifier that is another's, and are refused.
        twice = sent**2 / 2**33
        assert abs(found - sent + twice) <= 5 * sqrt(twice) + 2, f"{found:,} of {sent:,} are there"
    grown = [(after - before) * portions / count for before, after in pairwise(memory)]
    each = [(after - before) * portions / count for before, after in pairwise(seconds)]
    # Tables that double make steps; all in all an element takes what it took at first.
    assert (memory[-1] - memory[0]) / count < 1.5 * max(grown[:2]), grown
    pending = len(deployment.world.clock.events)
    assert pending < 1.1 * count + 1000, f"{pending:,} entries are in the queue"
    octets = ", ".join(f"{one:,.0f}" for one in grown)
    microseconds = ", ".join(f"{1e6 * one:.1f}" for one in each)
    return (
        f"{len(server.handlespace):,} elements; {(memory[-1] - memory[0]) / count:,.0f} octets "
        f"each with both ends of its association, by quarter {octets}; by quarter {microseconds} µs"
    )


def renewals() -> str:
    """A million registrations by ten thousand elements: what a renewal takes is given back."""
    elements, rounds = 10_000, 100
    deployment = deploy(
        {
            "warm_up": 1,
            "duration": 40_000,
            "protocol": {"enrp_server": {"keep_alive_interval": "1h"}},
            "pool_elements": {
                "element": {"count": elements, "start": 1.0, "registration_life": 300}
            },
        }
    )
    counters = deployment.elements[0].endpoint.counters
    looks = []
    begin = time.process_time()
    for upto in (10, 40, 70, rounds):
        deployment.world.clock.run_until(1.0 + 280.0 * (upto - 0.5))
        looks.append((resident(), len(deployment.world.clock.events), counters.registrations_sent))
        assert looks[-1][2] == upto * elements, looks
    spent = time.process_time() - begin
    assert len(deployment.servers[0][1].handlespace) == elements
    assert looks[-1][1] < 1.05 * looks[0][1] + 1000, f"entries of the queue grow: {looks}"
    assert looks[-1][0] < looks[0][0] + 8 * MIB, f"memory grows: {looks}"
    return (
        f"{looks[-1][2]:,} registrations, {1e6 * spent / looks[-1][2]:.1f} µs each; MiB at "
        f"10, 40, 70, 100 rounds {', '.join(f'{look[0] / MIB:.1f}' for look in looks)}; entries "
        f"{', '.join(f'{look[1]:,}' for look in looks)}"
    )


class Receiver:
    """Keeps in order what arrives."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def receive(self, association, ppid, data):
        self.numbers.append(int.from_bytes(data[4:8], "big"))

    def notify(self, association, event):
        pass


def messages() -> str:
    """A hundred thousand messages a second, one packet in a hundred lost, for ten seconds."""
    rate, lasting = 100_000, 10
    clock = Clock()
    network = Network(clock, Streams(1), LinkSettings(delay=0.01, loss=0.01))
    one, two = network.add_host("one", "lan"), network.add_host("two", "lan")
    sender, receiver = Receiver(), Receiver()
    two.listen(7, lambda association: receiver)
    associations = [one.connect(two.address, 7, sender) for _ in range(100)]
    clock.run_until(10.0)
    idle, before = len(clock.events), resident()
    begin = time.process_time()
    message = bytes([5, 0, 0, 8])

    def send(first: int) -> None:
        """One on each association, and the next ones a millisecond later."""
        for number, association in enumerate(associations, first):
            association.send(11, message + number.to_bytes(4, "big"))
        following = first + len(associations)
        if following < rate * lasting:
            clock.call_at(10.0 + following / rate, send, following)

    clock.call_at(10.0, send, 0)
    clock.run_until(10.0 + lasting)
    pending = len(clock.events)
    clock.run_until(200.0 + lasting)
    spent = time.process_time() - begin
    numbers = receiver.numbers
    assert len(numbers) == rate * lasting, f"{len(numbers):,} of {rate * lasting:,} have arrived"
    last: dict[int, int] = {}
    for number in numbers:
        assert last.get(number % 100, -1) < number, "messages change places or come twice"
        last[number % 100] = number
    assert len(clock.events) <= idle + 400, f"{len(clock.events):,} entries are left"
    return (
        f"{len(numbers):,} messages in order and once, {network.packets_lost:,} of "
        f"{network.packets:,} packets lost, {1e6 * spent / len(numbers):.1f} µs each; {pending:,} "
        f"entries at the end of sending, {len(clock.events):,} afterwards, {idle:,} before; "
        f"{(resident() - before) / MIB:.0f} MiB"
    )


def month() -> str:
    """Thirty days of two servers, five elements, ten users: each day is like the others."""
    elements = 5
    groups = {
        f"e{number}": {"start": 10.0 + 7 * number, "registration_life": 300}
        for number in range(elements)
    }
    deployment = deploy(
        {
            "warm_up": DAY,
            "duration": 30 * DAY,
            "enrp_servers": {"server": {"count": 2}},
            "pool_elements": groups,
            "pool_users": {
                "user": {
                    "count": 10,
                    "start": 60.0,
                    "request_size": {"distribution": "exponential", "mean": 1e7},
                    "request_interval": {"distribution": "exponential", "mean": 125},
                }
            },
        }
    )
    clock = deployment.world.clock
    registered = deployment.elements[0].endpoint.counters
    looks: dict[int, dict[str, float]] = {}
    periods: dict[int, list[float]] = {}
    begin = time.process_time()
    for day in (1, 3, 10, 20, 30):
        clock.run_until((day - 1) * DAY + 1000.0)
        before = deployment.world.recorder.totals()
        clock.run_until(day * DAY + 1000.0)
        after = deployment.world.recorder.totals()
        periods[day] = _renewal_times(clock, registered, elements)
        looks[day] = {
            "registrations": after["pool_elements.registrations_sent"]
            - before["pool_elements.registrations_sent"],
            "keep-alives": after["pool_elements.keep_alives_answered"]
            - before["pool_elements.keep_alives_answered"],
            "requests": after["pool_users.requests_generated"]
            - before["pool_users.requests_generated"],
            "heartbeats": after["network.enrp_presence"] - before["network.enrp_presence"],
            "entries": len(clock.events),
            "objects": sys.getallocatedblocks(),
            "MiB": resident() / MIB,
        }
    spent = time.process_time() - begin
    first, last = looks[1], looks[30]
    for look in looks.values():
        # Whole periods of 280 s; draws of intervals and of spreads differ by chance.
        assert abs(look["registrations"] - elements * DAY / 280) <= 2 * elements, looks
        assert abs(look["keep-alives"] / first["keep-alives"] - 1) < 0.01, looks
        assert abs(look["requests"] / (10 * DAY / 125) - 1) < 0.06, looks
        assert abs(look["heartbeats"] / first["heartbeats"] - 1) < 0.01, looks
        assert look["entries"] <= first["entries"] + 50, looks
    rows = deployment.world.requests.columns()["generated"]
    # A request that has ended is a row of 80 octets.
    kept = 80 * len(rows) / MIB
    assert last["MiB"] - first["MiB"] < 2 * kept + 8, (looks, kept)
    assert last["objects"] < 1.1 * first["objects"] + 5000, looks
    worst = max(abs(p - periods[1][0]) for found in periods.values() for p in found)
    # A time of 30 days is exact to half a nanosecond, and a period is the difference of two.
    assert worst < 4e-9, periods
    told = "; ".join(
        f"day {day}: " + ", ".join(f"{value:,.0f} {name}" for name, value in look.items())
        for day, look in looks.items()
    )
    return f"{told}; renewals are {mean(periods[30]):.9f} s apart, {worst:.1e} s off; {spent:.0f} s"


def _renewal_times(clock: Clock, counters: object, elements: int) -> list[float]:
    """Times between registrations of each element, for two of its periods from now on."""
    times: list[float] = []
    count = counters.registrations_sent  # type: ignore[attr-defined]
    while len(times) < 3 * elements:
        clock.step()
        found = counters.registrations_sent  # type: ignore[attr-defined]
        times += [clock.now] * (found - count)
        count = found
    return [after - before for before, after in zip(times, times[elements:], strict=False)]


def users() -> str:
    """A hundred thousand users and ten thousand elements, for a minute."""
    users, elements = 100_000, 10_000
    begin, before = time.process_time(), resident()
    deployment = deploy(
        {
            "warm_up": 0,
            "duration": 60,
            "pool_elements": {"element": {"count": elements, "start": 1.0}},
            "pool_users": {
                "user": {
                    "count": users,
                    "start": 10.0,
                    "request_size": {"distribution": "exponential", "mean": 1e7},
                    "request_interval": {"distribution": "exponential", "mean": 125},
                }
            },
        }
    )
    built, memory = time.process_time(), resident()
    result = deployment.run()
    spent, grown = time.process_time() - built, resident()
    assert len(deployment.servers[0][1].handlespace) == elements
    counters = result.counters
    generated = counters["pool_users.requests_generated"]
    ended = counters["pool_users.requests_completed"]
    rows = deployment.world.requests.columns()
    assert generated > 0.9 * users * 50 / 125 and len(rows["generated"]) == generated
    assert 0 < ended <= generated
    assert (rows["completed"] < 60.0).sum() == ended
    return (
        f"built in {built - begin:.0f} s with {(memory - before) / (users + elements):,.0f} octets "
        f"a host; {counters['network.messages']:,.0f} messages in {spent:.0f} s, "
        f"{1e6 * spent / counters['network.messages']:.1f} µs each; {generated:,.0f} requests, "
        f"{ended:,.0f} completed; {grown / MIB:,.0f} MiB at the end, "
        f"{(grown - before) / (users + elements):,.0f} octets a host"
    )


CASES = {case.__name__: case for case in (registrations, renewals, messages, month, users)} | SWEEPS


def main() -> int:
    """Carries out those named, or all."""
    if sys.argv[1:2] == ["--one"]:
        print(CASES[sys.argv[2]]())
        return 0
    names = sys.argv[1:] or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"{unknown[0]} is none of: {', '.join(CASES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "tests.verification.big", "--one", name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        told = done.stdout.strip() or done.stderr.strip().splitlines()[-1]
        print(f"{name}: {'BROKEN: ' if done.returncode else ''}{told}", flush=True)
        failed += bool(done.returncode)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
