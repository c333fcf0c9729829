"""Proofs of choice and signed statements in a scenario: who gets which part of them."""

from __future__ import annotations

from collections.abc import Callable

from rsim.clock import Clock
from rsim.endpoints.choice import ChoiceAuthority, ChoiceJudge, ChoiceUser
from rsim.endpoints.signing import Signer
from rsim.endpoints.statements import Ledger, StatementStore, Tribunal
from rsim.scenario.network import SecuritySettings


class Accountability:
    """Makes what servers, elements and users need."""

    def __init__(self, settings: SecuritySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._servers: set[bytes] = set()

    def authority(self, server: str) -> ChoiceAuthority | None:
        """A server's, which gives grants."""
        if not self._settings.proof_of_choice:
            return None
        signer = Signer(f"server {server}")
        self._servers.add(signer.public)
        return ChoiceAuthority(signer, self._settings.choice_period)

    def judge(self, handle: bytes, identifier: Callable[[], int]) -> ChoiceJudge | None:
        """An element's, which checks proofs in one pool."""
        settings = self._settings
        if not settings.proof_of_choice:
            return None
        return ChoiceJudge(
            handle,
            frozenset(self._servers),
            identifier,
            settings.choice_period,
            settings.choice_allowance,
            lambda: self._clock.now,
        )

    def choice(self, user: str) -> ChoiceUser | None:
        """A user's, by its address."""
        settings = self._settings
        if not settings.proof_of_choice:
            return None
        return ChoiceUser(user, settings.choice_period, settings.choice_allowance)

    def store(self) -> StatementStore | None:
        """A server's statements."""
        return StatementStore() if self._settings.statements else None

    def tribunal(self) -> Tribunal | None:
        """A server's judgement."""
        settings = self._settings
        if not settings.statements:
            return None
        return Tribunal(
            settings.accusers, settings.accusation_memory, settings.penalty, settings.penalty_time
        )

    def ledger(self) -> Ledger | None:
        """A user's books."""
        settings = self._settings
        if not settings.statements:
            return None
        return Ledger(settings.accusation_level, settings.accusation_observations)

    def signer(self, element: str) -> Signer | None:
        """An element's key."""
        return Signer(f"element {element}") if self._settings.statements else None
