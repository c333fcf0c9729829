"""The truth about the elements that users are sent to: living, dead, insecure or an attacker's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from rsim.network import Host, Network
from rsim.scenario.model import Scenario
from rsim.wire import PoolElement


class Verdict(Enum):
    """What an entry of the handlespace leads to."""

    LIVING = auto()
    INSECURE = auto()
    DEAD = auto()
    ROGUE = auto()


@dataclass(slots=True)
class AuditorCounters:
    """Selections by pool users since the run began, as numbers that only grow.

    Parameters: `selections` all of them; `selections_insecure` of elements without a credential;
    `selections_dead` of addresses at which nobody is; `selections_rogue` of attackers.
    """

    selections: int = 0
    selections_insecure: int = 0
    selections_dead: int = 0
    selections_rogue: int = 0


class Auditor:
    """Judges elements by the address that they name.

    Parameters: `network` that has the hosts; `secured` whether elements should protect what they
    do: those on hosts without a credential are insecure then.
    """

    def __init__(self, network: Network, secured: bool) -> None:
        self.counters = AuditorCounters()
        self._network = network
        self._secured = secured
        self._rogues: set[str] = set()
        self._elements: list[Host] = []
        self.hosts: list[Host] = []
        """All hosts of actors."""

    def add(self, host: Host, role: str) -> None:
        """Notes a host and its role.

        Parameters: `host` of an actor; `role` table of the scenario that it is from.
        """
        self.hosts.append(host)
        if role == "attackers":
            self._rogues.update(host.addresses)
        elif role == "pool_elements":
            self._elements.append(host)

    @property
    def elements(self) -> int:
        """Hosts of pool elements, whatever their state."""
        return len(self._elements)

    def judge(self, element: PoolElement) -> Verdict:
        """What is at the element's user transport at this moment.

        Parameters: `element` an entry of a handlespace.
        """
        transport = element.user_transport
        addresses = transport.hosts
        if not self._rogues.isdisjoint(addresses):
            return Verdict.ROGUE
        for address in addresses:
            host = self._network.host_at(address)
            if host is not None and host.up and host.hears(transport.port, False):
                insecure = self._secured and host.credentials.key is None
                return Verdict.INSECURE if insecure else Verdict.LIVING
        return Verdict.DEAD

    def count_selection(self, element: PoolElement) -> None:
        """A pool user is about to turn to an element.

        Parameters: `element` that was selected.
        """
        verdict = self.judge(element)
        counters = self.counters
        counters.selections += 1
        if verdict is Verdict.ROGUE:
            counters.selections_rogue += 1
        elif verdict is Verdict.DEAD:
            counters.selections_dead += 1
        elif verdict is Verdict.INSECURE:
            counters.selections_insecure += 1


def audits(scenario: Scenario) -> bool:
    """Whether selections in this `scenario` can lead elsewhere than to a living, secured element.

    Where they can't, nobody need judge them.
    """
    failing = any(
        group.failures.uptime is not None or group.failures.schedule
        for group in scenario.pool_elements.values()
    )
    return bool(
        failing
        or scenario.attackers
        or scenario.network.outages
        or scenario.security.used
        or scenario.observe_interval
    )
