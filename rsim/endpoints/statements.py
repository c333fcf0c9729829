"""Signed policy statements: what an element says of itself, so that it can be held to it
(RFC 5355 2.17).

A statement names pool, identifier, policy values, capacity and the most requests at once, with a
sequence number and the time. The server checks and stores it, hands it on with its answers, and
can't change it unnoticed. Users compare what was stated with how they are served (`Ledger`), and
tell the server when an element is slower than it says, beyond chance; the server acts when enough
users that are different have said so (`Penalties`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, log, sqrt
from statistics import median
from struct import Struct, error
from typing import Literal

from rsim.endpoints.signing import SIGNATURE, Signer, Verifier
from rsim.handlespace import LARGEST, policy_with
from rsim.wire import Policy, PoolElement

_HEAD = Struct("!32sIQddIH")
_EVIDENCE = Struct("!Id")


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy statement.

    Parameters: `identifier` of the element; `sequence` number that grows with each statement;
    `signature` by the element's key; `public` key of the element; `policy` bytes of its policy
    parameter; `capacity` in calculations/s; `limit` most requests at once; `time` in s.
    """

    public: bytes
    identifier: int
    sequence: int
    time: float
    capacity: float
    limit: int
    policy: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes under the signature, without the pool handle."""
        head = _HEAD.pack(
            self.public,
            self.identifier,
            self.sequence,
            self.time,
            self.capacity,
            self.limit,
            len(self.policy),
        )
        return head + self.policy

    def encode(self) -> bytes:
        """Its bytes."""
        return self.signed + self.signature


def make_statement(
    signer: Signer,
    handle: bytes,
    element: PoolElement,
    sequence: int,
    time: float,
    capacity: float,
    limit: int,
) -> Statement:
    """An element's statement of its present policy values.

    Parameters: `signer` with the element's key; `handle` of the pool; `element` as it registers;
    `sequence` number of the statement; `time` in s; `capacity` in calculations per s; `limit`
    requests at once.
    """
    policy = element.policy.encode()
    unsigned = Statement(
        signer.public,
        element.identifier,
        sequence=sequence,
        time=time,
        capacity=capacity,
        limit=limit,
        policy=policy,
        signature=b"",
    )
    signature = signer.sign(handle + unsigned.signed)
    return Statement(
        signer.public,
        element.identifier,
        sequence=sequence,
        time=time,
        capacity=capacity,
        limit=limit,
        policy=policy,
        signature=signature,
    )


def decode_statement(data: bytes) -> tuple[Statement, bytes] | None:
    """The first statement in some bytes and what follows it, None if there is none.

    Parameters: `data` octets that begin with a statement.
    """
    try:
        public, identifier, sequence, time, capacity, limit, length = _HEAD.unpack_from(data)
    except error:
        return None
    end = _HEAD.size + length
    if len(data) < end + SIGNATURE or time != time or not 0 < capacity < inf or limit < 1:
        return None
    policy, signature = data[_HEAD.size : end], data[end : end + SIGNATURE]
    one = Statement(
        public,
        identifier,
        sequence=sequence,
        time=time,
        capacity=capacity,
        limit=limit,
        policy=policy,
        signature=signature,
    )
    return one, data[end + SIGNATURE :]


def decode_statements(data: bytes) -> list[Statement]:
    """All statements in some bytes, as far as they are whole.

    Parameters: `data` octets of statements, one after the other.
    """
    found = []
    while data:
        first = decode_statement(data)
        if first is None:
            break
        statement, data = first
        found.append(statement)
    return found


def consistent(statement: Statement, handle: bytes, element: PoolElement, judge: Verifier) -> bool:
    """Whether a statement is the element's, and says what the element's entry says.

    Parameters: `statement` of the element; `handle` of the pool; `element` as an answer lists it;
    `judge` of signatures.
    """
    return (
        statement.identifier == element.identifier
        and statement.policy == element.policy.encode()
        and judge.good(statement.public, handle + statement.signed, statement.signature)
    )


class StatementStore:
    """The statements that a server has: the newest of each element that is good.

    An identifier stays bound to the key of its first statement, even after the element has left.
    """

    def __init__(self) -> None:
        self.verifier = Verifier()
        self._known: dict[tuple[bytes, int], Statement] = {}

    def take(self, handle: bytes, element: PoolElement, data: bytes | None) -> bool:
        """Takes the statement that came with a registration; False if it does not hold.

        Parameters: `handle` of the pool; `element` as it registers; `data` octets of the statement,
        None without one.
        """
        found = decode_statement(data) if data is not None else None
        if found is None:
            return False
        statement, _ = found
        key = (handle, element.identifier)
        before = self._known.get(key)
        stale = before is not None and (
            before.public != statement.public or before.sequence >= statement.sequence
        )
        if stale or not consistent(statement, handle, element, self.verifier):
            return False
        self._known[key] = statement
        return True

    def of(self, handle: bytes, elements: Iterable[PoolElement]) -> bytes:
        """The statements of some elements, one after the other.

        Parameters: `handle` of the pool; `elements` of an answer.
        """
        found = (self._known.get((handle, element.identifier)) for element in elements)
        return b"".join(one.encode() for one in found if one is not None)


_MEDIAN = 1.57
"""Variance of a median over that of a mean, for normal values."""


_MOST_SCORES = 50
"""Observations of an element that a user keeps."""


class Ledger:
    """A user's books: what elements have stated against how they have served.

    Stated is a speed of capacity / (requests at once + 1), with the requests that the stated load
    amounts to. The logarithm of stated by observed speed is noisy, as loads change meanwhile, but
    alike for honest elements; one whose mean is higher than the median of the others' by more than
    `level` standard errors is accused. Looks overlap and loads are correlated, so false alarms are
    more frequent than a normal distribution has them.

    Parameters: `least` observations before an element is judged.
    """

    def __init__(self, level: float, least: int) -> None:
        self._level = level
        self._least = least
        self._scores: dict[int, deque[float]] = {}
        self._statements: dict[int, tuple[Statement, float]] = {}

    def hear(self, statement: Statement, load: float | None) -> None:
        """Notes what an element states; `load` from 0 to 1, None where the policy has none.

        Parameters: `statement` of the element.
        """
        self._statements[statement.identifier] = (statement, load or 0.0)
        if len(self._statements) > 1000:
            gone = next(iter(self._statements))
            del self._statements[gone]
            self._scores.pop(gone, None)

    def served(self, identifier: int, size: float, time: float) -> float | None:
        """Notes a request of a size (calculations) that took a time in s; the z-score if it is
        enough for an accusation.

        Parameters: `identifier` of the element; `size` of the request in calculations; `time` in s
        that it took.
        """
        known = self._statements.get(identifier)
        if known is None or time <= 0 or size <= 0:
            return None
        statement, load = known
        stated = statement.capacity / (load * statement.limit + 1.0)
        own = self._scores.setdefault(identifier, deque(maxlen=_MOST_SCORES))
        own.append(log(stated * time / size))
        return self._judge(identifier, own)

    def _judge(self, identifier: int, own: deque[float]) -> float | None:
        if len(own) < self._least:
            return None
        others = [
            theirs for other, theirs in self._scores.items() if other != identifier and theirs
        ]
        number = sum(map(len, others))
        if number < 2 * self._least or len(others) < 2:
            return None
        mean, spread = _moments(own)
        moments = [(len(scores), *_moments(scores)) for scores in others]
        # The middle of the others: a minority that lies, either way, does not move it far.
        rest = median(middle for _, middle, _ in moments)
        width = sum(count * around for count, _, around in moments) / number
        deviation = sqrt(spread / len(own) + _MEDIAN * width / number)
        z = (mean - rest) / deviation if deviation > 0 else 0.0
        if z <= self._level:
            return None
        # The books are opened anew: each accusation rests on observations of its own.
        own.clear()
        return z


def _moments(values: Sequence[float] | deque[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
    return mean, spread


def encode_evidence(cases: Iterable[tuple[int, float]]) -> bytes:
    """Identifiers of elements and z-scores as bytes.

    Parameters: `cases` identifiers of elements and z-scores.
    """
    return b"".join(_EVIDENCE.pack(identifier, z) for identifier, z in cases)


def decode_evidence(data: bytes) -> list[tuple[int, float]]:
    """Identifiers and z-scores.

    Parameters: `data` octets of the parameter.
    """
    count = len(data) // _EVIDENCE.size
    return [_EVIDENCE.unpack_from(data, n * _EVIDENCE.size) for n in range(count)]


def worst_policy(policy: Policy) -> Policy:
    """The same policy with the values that make an element the last choice.

    Parameters: `policy` of an element.
    """
    name = policy.name
    if name is None:
        return policy
    last = dict.fromkeys(("load", "load_degradation", "distance"), LARGEST)
    return policy_with(name, {**last, "weight": 1, "priority": 0})


Penalty = Literal["quarantine", "worst", "evict"]


class Penalties:
    """A server's judgement of elements that users accuse.

    Parameters: `accusers` different users that it takes; `memory` time in s for which an accusation
    counts; `penalty`: `quarantine` refuses the element for `duration` s, `evict` for ever, `worst`
    lists it with the worst policy values. `accusations` has how often who was accused, `verdicts`
    all that were found guilty, and when.
    """

    def __init__(self, accusers: int, memory: float, penalty: Penalty, duration: float) -> None:
        self.penalty = penalty
        self._accusers = accusers
        self._memory = memory
        self._duration = duration
        self.verdicts: list[tuple[str, float]] = []
        self.accusations: Counter[str] = Counter()
        self._cases: dict[str, dict[str, float]] = {}
        self._until: dict[str, float] = {}

    def accuse(self, who: str, reporter: str, now: float) -> bool:
        """Records an accusation of an address; True if that is enough for a penalty.

        Parameters: `who` address of the accused; `reporter` address of the accuser; `now` the time
        in s.
        """
        self.accusations[who] += 1
        case = {
            user: time
            for user, time in self._cases.get(who, {}).items()
            if now - time <= self._memory
        }
        case[reporter] = now
        self._cases[who] = case
        if len(case) < self._accusers or self.punished(who, now):
            return False
        del self._cases[who]
        self.verdicts.append((who, now))
        self._until[who] = now + (inf if self.penalty == "evict" else self._duration)
        return True

    def punished(self, who: str, now: float) -> bool:
        """Whether an address is under a penalty.

        Parameters: `who` address of the element; `now` the time in s.
        """
        return now < self._until.get(who, -inf)
