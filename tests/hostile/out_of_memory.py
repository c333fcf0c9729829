"""Fills the memory that it may have with one kind of the native objects, as its argument says.

Prints `MemoryError` when that has come up, after it has tried the operation again and again without
memory; a crash is what its exit code tells.
"""

import resource
import sys
from pathlib import Path

from rsim import wire
from rsim.clock import Clock
from rsim.handlespace import Handlespace

MORE = 48 << 20
"""Bytes of memory beside what is there at the beginning."""

ELEMENT = wire.PoolElement(
    identifier=1,
    user_transport=wire.SctpTransport(port=1, addresses=["2001:db8::1"] * 20),
    policy=wire.Policy(0x80000001, data=bytes(400)),
    asap_transport=wire.SctpTransport(port=1, addresses=["2001:db8::1"] * 20),
)
UPDATE = wire.HandleUpdate(
    sender=1, receiver=2, update_action=0, pool_handle=bytes(100), pool_element=ELEMENT
)
CARD = wire.BusinessCard(pool_handle=b"pool", pool_elements=[ELEMENT] * 3, policy=ELEMENT.policy)
PRESENCE = wire.Presence(
    sender=1,
    receiver=2,
    server_information=wire.ServerInformation(
        server_identifier=1, transport=wire.SctpTransport(port=1, addresses=["2001:db8::1"] * 20)
    ),
)
BYTES = CARD.encode(wire.Dialect.RSPLIB)


def attributes(held):
    held.append(ELEMENT.policy)
    held.append(ELEMENT.user_transport)
    held.append(UPDATE.pool_element)
    held.append(CARD.policy)
    held.append(CARD.pool_elements)
    held.append(PRESENCE.server_information)
    held.append(ELEMENT.policy.data)


def messages(held):
    held.append(wire.BusinessCard(pool_handle=b"pool", pool_elements=[ELEMENT] * 9))
    held.append(ELEMENT.replace(identifier=5))
    held.append(UPDATE.replace(sender=3).encode())
    held.append(hash(CARD))


def decode(held):
    held.append(wire.decode(BYTES, "asap"))
    held.append(wire.receive(BYTES, "asap").message)


HANDLESPACE = Handlespace()


def handlespace(held):
    number = len(HANDLESPACE) + 1
    own = wire.PoolElement(
        identifier=number, user_transport=ELEMENT.user_transport, policy=wire.Policy("random")
    )
    HANDLESPACE.add(b"%d" % (number // 3), own, float(number))
    HANDLESPACE.report(b"%d" % (number // 3), number, 1)
    held.append(HANDLESPACE.table(limit=20, octets=100000))


CLOCK = Clock()


def queue(held):
    timer = CLOCK.timer(print)
    timer.start(1.0)
    timer.start(0.5)
    CLOCK.call_at(1.0, print, 1, 2, 3)
    CLOCK.call_method_at(2.0, "name", held, 1)
    timer.stop()


def fill(operation):
    held = []
    raised = 0
    while raised < 500:
        try:
            operation(held)
        except MemoryError:
            raised += 1
            if raised % 50 == 0:
                for _ in range(len(held) // 2):
                    held.pop()
    held.clear()


def main():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE, resource.RLIM_INFINITY))
    operation = globals()[sys.argv[1]]
    fill(operation)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("MemoryError")


if __name__ == "__main__":
    main()
