"""A run that can be stopped on the way, looked at, and gone on with."""

from __future__ import annotations

import warnings

from rsim.errors import RsimWarning, SimulationError, shown
from rsim.results import Result
from rsim.scenario.deployment import Deployment
from rsim.scenario.model import Scenario
from rsim.scenario.views import (
    AttackerView,
    NetworkView,
    PoolElementView,
    PoolUserView,
    ServerView,
)
from rsim.units import seconds


class Simulation:
    """A run of a scenario that you can stop, look at, and go on with.

    Parameters: `scenario` what to run; `seed` of all random draws, from 0, None: the scenario's
    own. Raises ScenarioError if either is none.

    The views show what is there at the moment at which you read them. Looking changes nothing: the
    result is that of `rsim.run`.

    >>> import rsim
    >>> simulation = rsim.Simulation(rsim.scenario({
    ...     "warm_up": 0,
    ...     "duration": "10min",
    ...     "pool_elements": {"element": {"count": 3, "start": "1min"}},
    ...     "pool_users": {"user": {"count": 3, "start": "2min"}},
    ... }))
    >>> simulation.run_until("5min")
    >>> simulation.now
    300.0
    >>> len(simulation.servers[0].handlespace)
    3
    >>> result = simulation.run()
    >>> result.digest == rsim.run(simulation.scenario).digest
    True
    """

    def __init__(self, scenario: Scenario, seed: int | None = None) -> None:
        self._deployment = Deployment(scenario, seed)
        self._result: Result | None = None
        self._failed = False

    @property
    def scenario(self) -> Scenario:
        """The scenario that runs."""
        return self._deployment.scenario

    @property
    def seed(self) -> int:
        """Seed of all random draws."""
        return self._deployment.seed

    @property
    def now(self) -> float:
        """Simulated time in s."""
        return float(self._deployment.world.clock.now)

    @property
    def end(self) -> float:
        """Simulated time in s at which the run ends."""
        return self._deployment.end

    # Running --------------------------------------------------------------------------------------

    def run_until(self, time: float | str) -> None:
        """Runs to `time` and stops before what is due at that very time.

        Parameters: `time` in s, or with a unit such as "10min"; from the present time to the end of
        the run. Raises SimulationError for any other, and after an error has ended the run.
        """
        due = self._checked(time)
        if self._failed:
            raise SimulationError("an error has ended this simulation; begin a new one")
        try:
            self._deployment.run_until(due)
        except BaseException:
            self._failed = True
            raise

    def _checked(self, time: float | str) -> float:
        try:
            due = float(seconds(time))
        except (TypeError, ValueError):
            raise SimulationError(f"{shown(time)} is not a time such as 600 or '10min'") from None
        if not self.now <= due <= self.end:
            why = "lies in the past" if due < self.now else "lies after the end of the run"
            why = why if due == due else "is not a time"
            raise SimulationError(
                f"{shown(time)} {why}; must be from {self.now:g} s, which is now, to {self.end:g} s"
            )
        return due

    def run(self) -> Result:
        """Runs to the end and gives the result, equal to that of `rsim.run`; later the same again.

        An RsimWarning tells what in the scenario had no effect. Raises ScenarioError where the
        scenario can't be measured, and SimulationError after an error has ended the run.
        """
        if self._result is None:
            self.run_until(self.end)
            self._result = self._deployment.run()
            for text in self._result.warnings:
                warnings.warn(text, RsimWarning, stacklevel=2)
        return self._result

    # Looking --------------------------------------------------------------------------------------

    @property
    def servers(self) -> tuple[ServerView, ...]:
        """The ENRP servers, in the scenario's order."""
        return tuple(ServerView(place.host, server) for place, server in self._deployment.servers)

    @property
    def pool_elements(self) -> tuple[PoolElementView, ...]:
        """The pool elements, in the scenario's order; those with a service of your own are last."""
        calcapp = map(PoolElementView, self._deployment.elements)
        return (*calcapp, *map(PoolElementView, self._deployment.services))

    @property
    def pool_users(self) -> tuple[PoolUserView, ...]:
        """The pool users, in the scenario's order; those with a workload of your own are last."""
        calcapp = map(PoolUserView, self._deployment.users)
        return (*calcapp, *map(PoolUserView, self._deployment.workloads))

    @property
    def attackers(self) -> tuple[AttackerView, ...]:
        """The attackers, in the scenario's order."""
        return tuple(map(AttackerView, self._deployment.attackers))

    @property
    def network(self) -> NetworkView:
        """The network: hosts, links and traffic."""
        world = self._deployment.world
        return NetworkView(world.network, world.hosts)

    def __repr__(self) -> str:
        return f"<Simulation of {self.scenario.name}, seed {self.seed}, at {self.now:g} s>"
