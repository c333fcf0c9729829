"""Attackers on the path: they drop, alter, break and delay (RFC 5355 2.7, 2.10, 2.12)."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rsim.attackers.base import (
    Attacker,
    AttackerSettings,
    MessagePatterns,
    PositionSettings,
    Surroundings,
    attacker,
)
from rsim.attackers.false_element import FalseService, LureSettings, lure
from rsim.network import Frame, Seen, Tap
from rsim.units import Seconds, Share
from rsim.wire import (
    DEL_PE,
    MESSAGE_KINDS,
    PPID_ASAP,
    PPID_ENRP,
    Cause,
    ErrorCause,
    HandleResolutionResponse,
    HandleTableResponse,
    HandleUpdate,
    Message,
    PoolElement,
    PoolEntry,
    Presence,
    Registration,
    RegistrationResponse,
    SctpTransport,
    receive,
)

_PORT = 9997

Alteration = Literal[
    "divert", "deny", "delete", "values", "address", "refuse", "checksum", "entries"
]
"""What becomes of a message: elements at the attacker's address, an error instead of an answer, an
update that deletes, policy values that lure, the attacker's address in a registration or update, a
registration response that refuses, a wrong checksum, a table without entries."""


class OnPathSettings(AttackerSettings, LureSettings):
    """Stands on a path and does something to the messages that pass."""

    position: PositionSettings = Field(PositionSettings(), description="where it stands")
    messages: MessagePatterns = Field(
        ("*",), description="names of messages that it cares about (* and ? match)"
    )
    action: Literal["drop", "alter", "delay", "cut"] = Field(
        "alter",
        description="drops messages, alters them, holds packets back, or lets no packet pass",
    )
    alteration: Alteration = Field("divert", description="how it alters messages")
    probability: Share = Field(1.0, description="share of these messages")
    break_protected: bool = Field(
        False, description="breaks TLS records, whatever is in them: it can't tell"
    )
    delay: Seconds = Field(1.0, description="time by which packets are held back")

    @property
    def acts(self) -> bool:
        """Whether it changes or drops the messages that it overhears."""
        return self.action in ("alter", "drop") and self.probability > 0

    @model_validator(mode="after")
    def _settings_serve(self) -> Self:
        self._belongs("alteration", "action", "alter")
        self._belongs("delay", "action", "delay")
        return self


class _Stand(Tap):
    """The tap: asks the attacker."""

    def __init__(self, attacker: OnPath) -> None:
        super().__init__()
        self._attacker = attacker

    def message(self, seen: Seen) -> bytes | None:
        return self._attacker.passes(seen)

    def frame(self, frame: Frame) -> Frame | None:
        attacker = self._attacker
        if attacker.active and attacker.settings.action == "cut":
            attacker.counters.messages_dropped += len(frame.messages)
            return None
        return super().frame(frame)

    def hold(self, frame: Frame) -> float:
        attacker = self._attacker
        waits = attacker.active and attacker.settings.action == "delay"
        return attacker.settings.delay if waits else 0.0


@attacker
class OnPath(Attacker[OnPathSettings]):
    """Sees, drops, alters and delays.

    Parameters: `settings` of the group; `surroundings` what it finds there.
    """

    kind: ClassVar[str] = "on-path"
    Settings: ClassVar[type[AttackerSettings]] = OnPathSettings

    def __init__(self, settings: OnPathSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self.active = False
        self._stream = surroundings.stream("choice")
        host = surroundings.host
        FalseService(
            surroundings.clock, host, port=_PORT, settings=settings, counters=self.counters
        )
        self._transport = SctpTransport(port=_PORT, addresses=(host.address,), use=1)
        self._policy = lure(surroundings.policy, settings)
        self._alter: Callable[[Any], Message | None] = getattr(self, f"_{settings.alteration}")
        links = surroundings.tapped(settings.position)
        if links:
            host.network.tap(links, _Stand(self))

    def start(self) -> None:
        """From now on it acts."""
        self.active = True

    def stop(self) -> None:
        """Everything passes."""
        self.active = False

    def passes(self, seen: Seen) -> bytes | None:
        """What goes on in place of a message.

        Parameters: `seen` the message with its addresses.
        """
        counters = self.counters
        counters.octets_seen += len(seen.data)
        if not self.active or not seen.data:
            return seen.data
        if seen.protected:
            breaks = self.settings.break_protected and seen.data[0] == 0x17
            if not breaks or not self._chosen():
                return seen.data
            if self.settings.action == "drop":
                counters.messages_dropped += 1
                return None
            counters.messages_altered += 1
            return seen.data[:-1] + bytes([seen.data[-1] ^ 1])
        protocols = {11: PPID_ASAP, 12: PPID_ENRP, None: PPID_ASAP}
        ppid = protocols.get(seen.ppid)
        name = MESSAGE_KINDS.get((ppid, seen.data[0]), "") if ppid is not None else ""
        if name:
            counters.octets_read += len(seen.data)
        if not name or not any(fnmatchcase(name, wanted) for wanted in self.settings.messages):
            return seen.data
        if not self._chosen():
            return seen.data
        if self.settings.action == "drop":
            counters.messages_dropped += 1
            return None
        if self.settings.action != "alter":
            return seen.data
        message = receive(seen.data, "asap" if ppid == PPID_ASAP else "enrp").message
        changed = self._alter(message) if message is not None else None
        if changed is None:
            return seen.data
        counters.messages_altered += 1
        return changed.encode(self.surroundings.dialect)

    def _chosen(self) -> bool:
        share = self.settings.probability
        return share >= 1.0 or self._stream.uniform() < share

    # Alterations: the message in place of the one given, None to leave it alone ------------------

    def _mine(self, element: PoolElement) -> PoolElement:
        return element.replace(user_transport=self._transport)

    def _divert(self, message: Message) -> Message | None:
        if isinstance(message, HandleResolutionResponse) and message.pool_elements:
            elements = [self._mine(element) for element in message.pool_elements]
            # What the attacker has not signed does not fit its elements: it goes.
            return message.replace(pool_elements=elements, statements=None, choice_grant=None)
        return None

    def _deny(self, message: Message) -> Message | None:
        if isinstance(message, HandleResolutionResponse):
            cause = ErrorCause(Cause.UNKNOWN_POOL_HANDLE)
            return HandleResolutionResponse(pool_handle=message.pool_handle, error_causes=[cause])
        return None

    def _delete(self, message: Message) -> Message | None:
        if isinstance(message, HandleUpdate):
            return message.replace(update_action=DEL_PE)
        return None

    def _with_values(self, element: PoolElement) -> PoolElement:
        return element.replace(policy=self._policy)

    def _values(self, message: Message) -> Message | None:
        return self._with_elements(message, self._with_values)

    def _address(self, message: Message) -> Message | None:
        return self._with_elements(message, self._mine)

    def _with_elements(
        self, message: Message, change: Callable[[PoolElement], PoolElement]
    ) -> Message | None:
        if isinstance(message, Registration):
            # The element's statement would give the change away.
            return message.replace(pool_element=change(message.pool_element), statement=None)
        if isinstance(message, HandleUpdate):
            return message.replace(pool_element=change(message.pool_element))
        if isinstance(message, HandleTableResponse):
            return message.replace(pools=self._pools(message, change))
        return None

    @staticmethod
    def _pools(
        message: HandleTableResponse, change: Callable[[PoolElement], PoolElement]
    ) -> list[PoolEntry]:
        return [
            PoolEntry(
                pool_handle=pool.pool_handle, pool_elements=[change(e) for e in pool.pool_elements]
            )
            for pool in message.pools
        ]

    def _refuse(self, message: Message) -> Message | None:
        if isinstance(message, RegistrationResponse):
            cause = ErrorCause(Cause.INVALID_VALUES)
            return message.replace(reject=True, error_causes=[cause])
        return None

    def _checksum(self, message: Message) -> Message | None:
        if isinstance(message, Presence) and message.pe_checksum is not None:
            return message.replace(pe_checksum=message.pe_checksum ^ 1)
        return None

    def _entries(self, message: Message) -> Message | None:
        if isinstance(message, HandleTableResponse):
            return message.replace(pools=[])
        return None
