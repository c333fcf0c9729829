"""Proofs of choice and signed statements: who gets which part of them, and what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from rsim.clock import Clock
from rsim.endpoints import EnrpServer
from rsim.endpoints.choice import ChoiceAuthority, ChoiceJudge, ChoiceUser
from rsim.endpoints.signing import Signer
from rsim.endpoints.statements import Ledger, Penalties, StatementStore
from rsim.scenario.security import SecuritySettings
from rsim.workload import CalcAppClient, CalcAppServer

VERDICTS = (
    "honest_accused",
    "honest_penalised",
    "liars_found",
    "detection_time",
    "signature_checks",
)
"""Names of the totals of what became of accusations."""


class Accountability:
    """Makes what servers, elements and users need.

    Parameters: `settings` of the scenario's security; `clock` of the run.
    """

    def __init__(self, settings: SecuritySettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._servers: list[bytes] = []

    def authority(self, server: str) -> ChoiceAuthority | None:
        """A server's, which gives grants.

        Parameters: `server` name of its host.
        """
        if not self._settings.proof_of_choice:
            return None
        signer = Signer(f"server {server}")
        self._servers.append(signer.public)
        return ChoiceAuthority(signer, self._settings.choice_period)

    def judge(self, handle: bytes, identifier: Callable[[], int]) -> ChoiceJudge | None:
        """An element's, which checks proofs in one pool.

        Parameters: `handle` of the pool; `identifier` gives the element's present one.
        """
        settings = self._settings
        if not settings.proof_of_choice:
            return None
        return ChoiceJudge(
            handle,
            servers=tuple(self._servers),
            identifier=identifier,
            period=settings.choice_period,
            allowance=settings.choice_allowance,
            now=lambda: self._clock.now,
        )

    def choice(self, user: str) -> ChoiceUser | None:
        """A user's, by its address.

        Parameters: `user` its IP address.
        """
        settings = self._settings
        if not settings.proof_of_choice:
            return None
        return ChoiceUser(user, settings.choice_period, settings.choice_allowance)

    def store(self) -> StatementStore | None:
        """A server's statements."""
        return StatementStore() if self._settings.statements else None

    def penalties(self) -> Penalties | None:
        """A server's judgement."""
        settings = self._settings
        if not settings.statements:
            return None
        return Penalties(
            settings.accusers, settings.accusation_memory, settings.penalty, settings.penalty_time
        )

    def ledger(self) -> Ledger | None:
        """A user's books."""
        settings = self._settings
        if not settings.statements:
            return None
        return Ledger(settings.accusation_level, settings.accusation_observations)

    def signer(self, element: str) -> Signer | None:
        """An element's key.

        Parameters: `element` name of its host.
        """
        return Signer(f"element {element}") if self._settings.statements else None

    def verdicts(
        self,
        servers: Sequence[EnrpServer],
        elements: Sequence[CalcAppServer],
        users: Sequence[CalcAppClient],
    ) -> Iterable[tuple[str, float]]:
        """Totals since the run began: who was accused and found guilty, held against who lies.

        Parameters: `servers`, `elements` and `users` of the run.
        """
        liars = {e.host.address: e for e in elements if e.liar is not None}
        penalty_books = [server.penalties for server in servers if server.penalties is not None]
        accused: Counter[str] = sum((one.accusations for one in penalty_books), Counter())
        first: dict[str, float] = {}
        honest = 0
        for penalties in penalty_books:
            for who, time in penalties.verdicts:
                if who in liars:
                    first[who] = min(time, first.get(who, time))
                else:
                    honest += 1
        yield "honest_accused", sum(n for who, n in accused.items() if who not in liars)
        yield "honest_penalised", honest
        yield "liars_found", len(first)
        yield "detection_time", sum(time - liars[who].started_at for who, time in first.items())
        stores = [server.statements for server in servers if server.statements is not None]
        checks = sum(element.signature_checks for element in elements)
        checks += sum(user.endpoint.signature_checks for user in users)
        yield "signature_checks", checks + sum(store.verifier.checks for store in stores)
