"""Cost of encoding and decoding from Python, beside the cost of a SimPy timeout."""

from __future__ import annotations

import timeit

from yardstick import timeout

from rsim import wire

NUMBER = 100_000


def element(identifier: int, asap: bool = False) -> wire.PoolElement:
    """An element with one IPv4 address, as the yardstick's messages have it."""
    return wire.PoolElement(
        identifier=identifier,
        registration_life=300,
        user_transport=wire.SctpTransport(port=80, addresses=["10.0.0.1"]),
        policy=wire.Policy("least_used", load=7),
        asap_transport=wire.SctpTransport(port=81, addresses=["10.0.0.1"]) if asap else None,
    )


MESSAGES = {
    "registration": wire.Registration(pool_handle=b"benchmark", pool_element=element(1)),
    "resolution response, 4 elements": wire.HandleResolutionResponse(
        pool_handle=b"benchmark", pool_elements=[element(i) for i in range(4)]
    ),
    "handle update": wire.HandleUpdate(
        sender=1,
        receiver=0,
        update_action=0,
        pool_handle=b"benchmark",
        pool_element=element(1, asap=True),
    ),
}


def nanoseconds(function) -> float:
    """Least time of one call over some batches."""
    return min(timeit.repeat(function, number=NUMBER, repeat=5)) / NUMBER * 1e9


def main() -> None:
    """Prints a table."""
    yardstick = min(timeout() for _ in range(3)) * 1e9
    print(f"{'SimPy timeout':34}{yardstick:8.0f} ns")
    print(f"{'from Python':34}{'encode':>8}{'decode':>8}  in timeouts")
    for name, message in MESSAGES.items():
        protocol = "enrp" if isinstance(message, wire.HandleUpdate) else "asap"
        data = message.encode()
        encode = nanoseconds(message.encode)
        decode = nanoseconds(lambda data=data, protocol=protocol: wire.decode(data, protocol))
        ratios = f"{encode / yardstick:.2f} {decode / yardstick:.2f}"
        print(f"{name:34}{encode:8.0f}{decode:8.0f}  {ratios}")


if __name__ == "__main__":
    main()
