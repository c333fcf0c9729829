"""Holds the native codec against its plain-Python twin on mutated messages.

Run as `python -m tests.fuzz.codec_twin 1000000`.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import Any

from rsim import wire
from tests.wire import foreign, twin


def _extended() -> list[tuple[str, bytes]]:
    """Messages with rsim's own extensions."""
    element = wire.PoolElement(
        identifier=1,
        user_transport=wire.SctpTransport(port=80, addresses=["10.0.0.1"]),
        policy=wire.Policy("random"),
    )
    handle = b"calc"
    messages = (
        wire.Registration(pool_handle=handle, pool_element=element, statement=b"said"),
        wire.HandleResolution(pool_handle=handle, evidence=b"seen"),
        wire.HandleResolutionResponse(
            pool_handle=handle, pool_elements=[element], statements=b"said", choice_grant=b"odd"
        ),
    )
    return [("asap", message.encode()) for message in messages for _ in range(10)]


def corpus() -> list[tuple[str, bytes]]:
    """Messages to start from: all foreign vectors, the broken ones too, and rsim's own."""
    names = ("rsplib_messages.json", "rfc_only_messages.json", "malformed.json")
    vectors = [vector for name in names for vector in foreign.load(name)]
    foreigners = [(v["protocol"].lower(), bytes.fromhex(v["hex"])) for v in vectors]
    return foreigners + _extended()


_INTERESTING = [
    bytes.fromhex(h)
    for h in (
        "ffff",
        "0000",
        "0004",
        "7f00",
        "bf00",
        "ff00",
        "803f",
        *(f"804{n}" for n in range(4)),
    )
]


def mutate(data: bytes, source: random.Random) -> bytes:
    """A copy with some bytes changed, cut, repeated or spliced, often with a fitting length."""
    work = bytearray(data)
    for _ in range(source.randrange(1, 4)):
        if not work:
            break
        at = source.randrange(len(work))
        match source.randrange(6):
            case 0:
                work[at] = source.randrange(256)
            case 1:
                work[at] ^= 1 << source.randrange(8)
            case 2:
                at -= at % 4
                work[at : at + 2] = source.choice(_INTERESTING)
            case 3:
                del work[at : at + source.randrange(1, 9)]
            case 4:
                at -= at % 4
                work[at:at] = work[at : at + 4 * source.randrange(1, 6)]
            case _:
                work += bytes(source.randrange(1, 9))
    if len(work) >= 4 and source.random() < 0.7:
        work[2:4] = len(work).to_bytes(2)
    return bytes(work)


def outcome(received: wire.Received) -> tuple[Any, list[tuple[int, bytes]]]:
    """What the native codec did, in the twin's terms."""
    causes = received.reply.error_causes if received.reply else ()
    told = [(cause.code, cause.information) for cause in causes]
    return (received.message.to_dict() if received.message else None), told


def disagreement(data: bytes, protocol: str) -> str | None:
    """How the two codecs differ on these bytes, or None."""
    message, causes = outcome(wire.receive(data, protocol))
    expected, expected_causes = twin.receive(data, protocol)
    if message != expected:
        return f"{protocol} {data.hex()}: {message} but twin says {expected}"
    if causes != expected_causes:
        return f"{protocol} {data.hex()}: causes {causes} but twin says {expected_causes}"
    if message is not None:
        again = wire.decode(data, protocol).encode()
        if again != twin.encode(message):
            return (
                f"{protocol} {data.hex()}: encoded {again.hex()}, twin {twin.encode(message).hex()}"
            )
    return None


def run(count: int, seed: int) -> Counter[str]:
    """Compares on `count` inputs; raises AssertionError at the first difference."""
    source = random.Random(seed)
    messages = corpus()
    kinds: Counter[str] = Counter()
    for _ in range(count):
        protocol, data = source.choice(messages)
        data = mutate(data, source)
        difference = disagreement(data, protocol)
        assert difference is None, difference
        received = wire.receive(data, protocol)
        kinds["accepted" if received.message else "refused"] += 1
        kinds["reported"] += received.reply is not None
    return kinds


def main() -> None:
    """Prints how many inputs were compared and what became of them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    kinds = run(count, seed=int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print(f"{count:,} inputs, no difference: {dict(kinds)}")


if __name__ == "__main__":
    main()
