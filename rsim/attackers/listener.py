"""Attackers that listen on the path: eavesdroppers and replayers (RFC 5355 2.8, 2.9, 2.11)."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

from pydantic import Field

from rsim.attackers.base import (
    AttackCounters,
    Attacker,
    AttackerSettings,
    Flooder,
    FlooderSettings,
    MessagePatterns,
    PositionSettings,
    Surroundings,
    attacker,
)
from rsim.network import Association, Event, Seen, Tap
from rsim.units import SomeCount
from rsim.wire import (
    MESSAGE_KINDS,
    PPID_ASAP,
    PPID_ENRP,
    HandleResolutionResponse,
    HandleTableResponse,
    HandleUpdate,
    PoolElement,
    Registration,
    receive,
)
from rsim.workload import calcapp

_PROTOCOLS = {PPID_ASAP: "asap", PPID_ENRP: "enrp", None: "asap"}


class _ListeningTap(Tap):
    """Hands what passes to a function."""

    def __init__(self, heard: Any) -> None:
        super().__init__()
        self._heard = heard

    def message(self, seen: Seen) -> bytes | None:
        self._heard(seen)
        return seen.data


class EavesdropperSettings(AttackerSettings):
    """Reads what passes."""

    position: PositionSettings = Field(PositionSettings(), description="where it stands")


@dataclass(slots=True)
class KnowledgeCounters(AttackCounters):
    """What an eavesdropper knows besides.

    Parameters: `elements_known` pool elements whose identifier has been read; `addresses_known`
    addresses of elements; `pools_known` pool handles; `loads_learned` policy values that change
    with the load; `elements_guessed` elements told apart in protected traffic by addresses and
    sizes alone.
    """

    elements_known: int = 0
    addresses_known: int = 0
    pools_known: int = 0
    loads_learned: int = 0
    elements_guessed: int = 0


@attacker
class Eavesdropper(Attacker[EavesdropperSettings]):
    """Learns identifiers, addresses, pools and loads; of what is protected only sizes.

    From the sizes it guesses how many elements an answer lists: 40 octets each beside 16.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "eavesdropper"
    Settings: ClassVar[type[AttackerSettings]] = EavesdropperSettings

    def __init__(self, settings: EavesdropperSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self.counters: KnowledgeCounters = KnowledgeCounters()
        self._elements: set[tuple[bytes, int]] = set()
        self._addresses: set[str] = set()
        self._pools: set[bytes] = set()
        self._listening = False
        links = surroundings.tapped(settings.position)
        if links:
            surroundings.host.network.tap(links, _ListeningTap(self.heard))

    def start(self) -> None:
        """Starts listening."""
        self._listening = True

    def stop(self) -> None:
        """Stops listening, but keeps what it has heard."""
        self._listening = False

    def heard(self, seen: Seen) -> None:
        """Takes what passes.

        Parameters: `seen` the message with its addresses.
        """
        if not self._listening:
            return
        counters = self.counters
        counters.octets_seen += len(seen.data)
        if seen.protected:
            self._guess(seen)
            return
        counters.octets_read += len(seen.data)
        protocol = _PROTOCOLS.get(seen.ppid)
        if protocol is None:
            if seen.ppid == calcapp.PPID_CALCAPP:
                counters.application_octets_read += len(seen.data)
            return
        message = receive(seen.data, protocol).message
        if isinstance(message, Registration | HandleUpdate):
            self._learn(message.pool_handle, message.pool_element)
        elif isinstance(message, HandleResolutionResponse):
            for element in message.pool_elements:
                self._learn(message.pool_handle, element)
        elif isinstance(message, HandleTableResponse):
            for pool in message.pools:
                for element in pool.pool_elements:
                    self._learn(pool.pool_handle, element)

    def _learn(self, handle: bytes, element: PoolElement) -> None:
        counters = self.counters
        self._pools.add(handle)
        self._elements.add((handle, element.identifier))
        self._addresses.update(element.user_transport.hosts)
        counters.loads_learned += 1
        counters.elements_known = len(self._elements)
        counters.addresses_known = len(self._addresses)
        counters.pools_known = len(self._pools)

    def _guess(self, seen: Seen) -> None:
        # Answers of a server are the large records; an element adds 40 octets to one.
        if seen.ppid == PPID_ASAP and seen.source[1] < 49152:
            guess = round((len(seen.data) - 16) / 40)
            self.counters.elements_guessed = max(self.counters.elements_guessed, guess)


class ReplayerSettings(FlooderSettings):
    """Records messages, and sends them again."""

    position: PositionSettings = Field(PositionSettings(), description="where it stands")
    messages: MessagePatterns = Field(
        ("ASAP_DEREGISTRATION",), description="names of messages that it records (* and ? match)"
    )
    mode: Literal["own", "inject"] = Field(
        "own",
        description="sends them over an association of its own, or puts them into the one from "
        "which it has them",
    )
    most_recorded: SomeCount = Field(10_000, description="messages kept; the oldest are forgotten")
    repeat: bool = Field(True, description="begins anew when all have been sent")


@attacker
class Replayer(Flooder[ReplayerSettings]):
    """Records from the run's beginning on; from its start on it replays, one message at a time.

    Protected records it can't tell apart: it records and replays all that go to a server.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "replayer"
    Settings: ClassVar[type[FlooderSettings]] = ReplayerSettings

    def __init__(self, settings: ReplayerSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._recorded: list[Seen] = []
        self._tap = _ListeningTap(self._heard)
        self._turn = 0
        self._associations: dict[int, Association] = {}
        links = surroundings.tapped(settings.position)
        if links:
            surroundings.host.network.tap(links, self._tap)

    def _heard(self, seen: Seen) -> None:
        if seen.ppid not in (PPID_ASAP, PPID_ENRP) or not seen.data:
            return
        if seen.protected:
            wanted = seen.data[0] == 0x17 and seen.destination[1] < 49152
        else:
            name = MESSAGE_KINDS.get((seen.ppid, seen.data[0]), "")
            wanted = any(fnmatchcase(name, pattern) for pattern in self.settings.messages)
        if wanted:
            self._recorded.append(seen)
            if len(self._recorded) > self.settings.most_recorded:
                del self._recorded[0]

    def act(self) -> None:
        """Sends the next recorded message once more."""
        if self._turn >= len(self._recorded):
            if not self.settings.repeat or not self._recorded:
                return
            self._turn = 0
        seen = self._recorded[self._turn]
        self._turn += 1
        assert seen.ppid is not None
        if self.settings.mode == "inject":
            self.counters.attack_messages += 1
            self.counters.attack_octets += len(seen.data)
            self._tap.inject(seen.source, seen.destination, seen.ppid, seen.data)
            return
        association = self._associations.get(seen.ppid)
        if association is None:
            if seen.ppid == PPID_ASAP:
                association = self.surroundings.connect(self, 0)
            else:
                addresses, port = self.surroundings.enrp_servers[0]
                association = self.surroundings.host.connect(addresses[0], port, self)
            self._associations[seen.ppid] = association
        self.send_octets(association, seen.data, seen.ppid)

    def notify(self, association: Association, event: Event) -> None:
        """Begins anew where an association has ended."""
        if event is not Event.UP:
            for ppid in [p for p, one in self._associations.items() if one is association]:
                del self._associations[ppid]
