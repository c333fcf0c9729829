"""Proof of choice: a pool element serves only users that the policy has sent (RFC 5355 2.17).

The server's answer carries a *grant*, signed by the server:

- For policies that draw at random (random, weighted random, randomized least used) it holds the
  list with the weight of each element, an epoch, and the epoch's nonce, the same for everybody. The
  user's k-th choice of an epoch is laid down by a hash over nonce, user and k. The element that
  gets the proof (grant and k) computes it again.
- For all others, whose answers depend on what went before, it is a *ticket*: it names one element,
  the first of the answer, and the user that got it.

An element refuses what is not signed by a server of the pool, not of this or the last epoch, used
before, beyond the allowance of choices in an epoch, or meant for another element or user. The nonce
is the server's, so users can't pick one; within an epoch asking again gives the same choice.
docs/cheating.md has the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct, pack
from typing import Protocol

from rsim.endpoints.signing import SIGNATURE, Signer, Verifier
from rsim.handlespace import LARGEST, policy_kinds
from rsim.wire import PoolElement

_HEAD = Struct("!BQ16sHH")
_ENTRY = Struct("!IQ")
_COUNTER = Struct("!I")
_DRAW, _TICKET = 1, 2

DRAWN: dict[int, str] = {
    kind.type_code: kind.name
    for kind in policy_kinds().values()
    if kind.name in ("random", "weighted_random", "randomized_least_used")
}
"""Policies that draw at random, by type."""


def weights_of(elements: Sequence[PoolElement]) -> list[int]:
    """Weights by which a policy of chance draws; all 1 where they would all be 0.

    Parameters: `elements` that an answer lists.
    """
    kind = DRAWN.get(elements[0].policy.type) if elements else None
    if kind == "weighted_random":
        weights = [element.policy.weight or 0 for element in elements]
    elif kind == "randomized_least_used":
        weights = [LARGEST - (element.policy.load or 0) for element in elements]
    else:
        weights = [1] * len(elements)
    return weights if any(weights) else [1] * len(elements)


@dataclass(frozen=True, slots=True)
class Grant:
    """A server's grant.

    Parameters: `ticket` whether it names one element; `epoch` number of the period in which it
    holds; `nonce` 16 octets of the server's; `signature` over `signed`; `entries` identifiers and
    weights; `user` that a ticket was given to, empty for draws; `signed` the bytes under the
    signature, without the pool handle.
    """

    ticket: bool
    epoch: int
    nonce: bytes
    entries: tuple[tuple[int, int], ...]
    user: bytes
    signed: bytes
    signature: bytes

    def chosen(self, user: bytes, counter: int) -> int:
        """Index of the entry that a user's choice of that number falls on.

        Parameters: `user` address of the pool user; `counter` number of its choice in the epoch,
        from 0.
        """
        if self.ticket:
            return 0
        name = self.nonce + _COUNTER.pack(counter) + user
        point = int.from_bytes(blake2b(name, digest_size=16).digest())
        place = point * sum(weight for _, weight in self.entries) >> 128
        for index, (_, weight) in enumerate(self.entries):
            place -= weight
            if place < 0:
                return index
        return len(self.entries) - 1

    def encode(self) -> bytes:
        """Its bytes."""
        return self.signed + self.signature

    def proof(self, counter: int) -> bytes:
        """What a user shows an element.

        Parameters: `counter` number of the choice in the epoch, from 0.
        """
        return _COUNTER.pack(counter) + self.encode()


def decode_grant(data: bytes) -> Grant | None:
    """The grant in these bytes, None if they are none.

    Parameters: `data` the octets of an answer's parameter.
    """
    if len(data) < _HEAD.size + SIGNATURE:
        return None
    kind, epoch, nonce, count, length = _HEAD.unpack_from(data)
    size = _HEAD.size + count * _ENTRY.size + length
    if kind not in (_DRAW, _TICKET) or count == 0 or len(data) != size + SIGNATURE:
        return None
    entries = tuple(
        _ENTRY.unpack_from(data, _HEAD.size + number * _ENTRY.size) for number in range(count)
    )
    user = data[size - length : size]
    return Grant(
        kind == _TICKET,
        epoch,
        nonce=nonce,
        entries=entries,
        user=user,
        signed=data[:size],
        signature=data[size:],
    )


class ChoiceAuthority:
    """Gives grants, for one server.

    Parameters: `signer` with the key of the server; `period` of an epoch in s.
    """

    def __init__(self, signer: Signer, period: float) -> None:
        self._signer = signer
        self._period = period
        self._serial = 0

    def grant(self, handle: bytes, elements: Sequence[PoolElement], user: str, now: float) -> bytes:
        """A grant for the elements of an answer.

        Parameters: `handle` of the pool; `elements` that the answer lists; `user` address of the
        pool user; `now` the time in s.
        """
        epoch = int(now / self._period)
        drawn = elements[0].policy.type in DRAWN
        listed = elements if drawn else elements[:1]
        name = b"" if drawn else user.encode()
        self._serial += not drawn
        serial = 0 if drawn else self._serial
        secret = self._signer.sign(pack("!QQ", epoch, serial) + handle)
        nonce = blake2b(secret, digest_size=16).digest()
        entries = zip(listed, weights_of(listed), strict=True)
        signed = _HEAD.pack(_DRAW if drawn else _TICKET, epoch, nonce, len(listed), len(name))
        signed += b"".join(_ENTRY.pack(element.identifier, weight) for element, weight in entries)
        signed += name
        return signed + self._signer.sign(handle + signed)


class ChoiceUser:
    """A pool user's side: chooses as the grant says.

    Parameters: `period` length of an epoch in s; `name` by which elements know the user, its
    address; `allowance` choices that it may make in an epoch.
    """

    def __init__(self, name: str, period: float, allowance: int) -> None:
        self._name = name.encode()
        self._period = period
        self._allowance = allowance
        self._epoch = -1
        self._counter = 0
        self.proof: bytes | None = None

    def wait(self, grant: Grant, now: float) -> float:
        """Time in s until a choice may be made; 0 for at once.

        Parameters: `grant` of the last answer; `now` the time in s.
        """
        if grant.epoch != self._epoch or self._counter < self._allowance or grant.ticket:
            return 0.0
        return max(1e-6, (grant.epoch + 1) * self._period - now)

    def choose(self, grant: Grant, find: Callable[[int], PoolElement | None]) -> PoolElement | None:
        """The element that it is to take, with the proof beside it.

        Parameters: `grant` of the server; `find` gives an element of its answer by identifier.
        """
        if grant.epoch != self._epoch:
            self._epoch, self._counter = grant.epoch, 0
        counter = 0 if grant.ticket else self._counter
        self._counter += 1
        identifier, _ = grant.entries[grant.chosen(self._name, counter)]
        self.proof = grant.proof(counter)
        return find(identifier)


class ChoiceJudge:
    """A pool element's side: checks proofs.

    Parameters: `handle` of the pool; `period` length of an epoch in s; `allowance` choices that a
    user has in an epoch; `servers` public keys of the servers whose grants count, tried in this
    order; `identifier` gives its own present one; `now` the time in s.
    """

    def __init__(
        self,
        handle: bytes,
        servers: tuple[bytes, ...],
        identifier: Callable[[], int],
        period: float,
        allowance: int,
        now: Callable[[], float],
    ) -> None:
        self._handle = handle
        self._servers = servers
        self._identifier = identifier
        self._period = period
        self._allowance = allowance
        self._now = now
        self._verifier = Verifier()
        self._seen: dict[int, set[bytes]] = {}

    @property
    def checks(self) -> int:
        """Signatures that were checked in earnest."""
        return self._verifier.checks

    def objection(self, proof: bytes, user: str) -> str | None:
        """Why a request with this proof is refused, None if it is good.

        Parameters: `proof` the octets that the user shows; `user` its address.
        """
        grant = decode_grant(proof[_COUNTER.size :])
        if grant is None:
            return "no proof"
        (counter,) = _COUNTER.unpack_from(proof)
        epoch = int(self._now() / self._period)
        if not epoch - 1 <= grant.epoch <= epoch:
            return "out of date"
        content = self._handle + grant.signed
        if not any(self._verifier.good(key, content, grant.signature) for key in self._servers):
            return "not signed by a server"
        name = user.encode()
        if grant.ticket and grant.user != name:
            return "another user's ticket"
        if counter >= (1 if grant.ticket else self._allowance):
            return "beyond the allowance"
        identifier, _ = grant.entries[grant.chosen(name, counter)]
        if identifier != self._identifier():
            return "another element was chosen"
        use = blake2b(_COUNTER.pack(counter) + grant.nonce + name, digest_size=12).digest()
        if grant.ticket:
            use = grant.signature
        self._seen = {of: uses for of, uses in self._seen.items() if of >= epoch - 1}
        uses = self._seen.setdefault(grant.epoch, set())
        if use in uses:
            return "used before"
        uses.add(use)
        return None


class Chooser(Protocol):
    """Decides in place of the pool's policy, as cheats do.

    `patience` time in s after which it asks again where it has not liked what it got.
    """

    patience: float

    def choose(
        self, listed: Iterable[PoolElement], honest: PoolElement | None
    ) -> PoolElement | None:
        """The element that it takes; None to ask again. `honest` is the policy's choice.

        Parameters: `listed` elements of the answer.
        """
