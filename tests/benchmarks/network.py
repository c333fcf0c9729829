"""Messages per second over the modelled network, with each of its parts in turn.

Run as `python tests/benchmarks/network.py`. One association carries questions and answers; the
second table sets up an association for each question. Ratios are to the cost of a SimPy timeout.
"""

from __future__ import annotations

from yardstick import cpu_seconds, timeout

from rsim.clock import Clock
from rsim.network import (
    PROFILES,
    Cpu,
    CpuSettings,
    Credentials,
    Key,
    LinkSettings,
    Network,
    Tap,
)
from rsim.randomness import Streams

COUNT = 20_000
REPEATS = 3
PROFILE = PROFILES["psk-aes128-cbc"]


class Client:
    """Asks anew on each answer."""

    def __init__(self, count):
        self.left = count
        self.again = None

    def receive(self, association, ppid, data):
        self.left -= 1
        if self.left > 0:
            self.again(association)

    def notify(self, association, event):
        pass


class Server:
    """Answers."""

    def receive(self, association, ppid, data):
        association.send(ppid, data)

    def notify(self, association, event):
        pass


def scene(count, new_each_time=False, delay=0.01, instant=False, **parts):
    """A network with two hosts, and the function that runs it to its end."""
    clock = Clock()
    lan = LinkSettings(delay=delay, loss=parts.get("loss", 0.0))
    network = Network(clock, Streams(1), lan, instant=instant)
    one, two = network.add_host("one", "lan"), network.add_host("two", "lan")
    profile = PROFILE if parts.get("tls") else None
    if profile:
        key = Key("one", "secret")
        one.credentials = Credentials(key)
        two.credentials = Credentials(keys={"one": key})
    if parts.get("cpu"):
        settings = CpuSettings(service_time=1e-6)
        for host in (one, two):
            host.cpu = Cpu(clock, settings, Streams(1).stream(host.name, "cpu"))
    if parts.get("tap"):
        network.tap(network.path_links("lan", "lan"), Tap())
    client, server = Client(count), Server()
    two.listen(7, lambda association: server, (PROFILE,) if profile else ())
    message = bytes([5]) + bytes(39)

    def connect():
        association = one.connect(two.address, 7, client, profile=profile)
        association.send(11, message)

    def once_more(association):
        if new_each_time:
            association.close()
            connect()
        else:
            association.send(11, message)

    client.again = once_more
    connect()

    def run():
        while client.left > 0:
            clock.run_until(clock.now + 100)

    return run


VARIANTS = {
    "instant transport": {"instant": True},
    "SCTP, no delay": {"delay": 0},
    "SCTP": {},
    "SCTP, 1% loss": {"loss": 0.01},
    "SCTP, TLS": {"tls": True},
    "SCTP, CPU": {"cpu": True},
    "SCTP, tap": {"tap": True},
}


def table(title, unit, count, per_question, **options):
    """Prints one table."""
    print(f"{title:<36}{unit:>14}{'in timeouts':>14}")
    for name, parts in VARIANTS.items():
        best = min(
            (cpu_seconds(scene(count, **parts, **options)) / count / per_question, timeout())
            for _ in range(REPEATS)
        )
        print(f"{name:<36}{1 / best[0]:>14,.0f}{best[0] / best[1]:>14.2f}")


def main() -> None:
    """Prints both tables."""
    table("one association", "messages/s", COUNT, 2)
    print()
    table("an association for each question", "associations/s", COUNT // 4, 1, new_each_time=True)


if __name__ == "__main__":
    main()
