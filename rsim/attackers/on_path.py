"""Attackers on the path: they drop, alter, break and delay (RFC 5355 2.7, 2.10, 2.12)."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

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
from rsim.network import Direction, Endpoint, Frame, Seen, Tap
from rsim.units import Seconds, Share
from rsim.wire import (
    ASAP_PORT,
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


_ALTERED: dict[str, tuple[str, ...]] = {
    "divert": ("ASAP_HANDLE_RESOLUTION_RESPONSE",),
    "deny": ("ASAP_HANDLE_RESOLUTION_RESPONSE",),
    "delete": ("ENRP_HANDLE_UPDATE",),
    "values": ("ASAP_REGISTRATION", "ENRP_HANDLE_UPDATE", "ENRP_HANDLE_TABLE_RESPONSE"),
    "address": ("ASAP_REGISTRATION", "ENRP_HANDLE_UPDATE", "ENRP_HANDLE_TABLE_RESPONSE"),
    "refuse": ("ASAP_REGISTRATION_RESPONSE",),
    "checksum": ("ENRP_PRESENCE",),
    "entries": ("ENRP_HANDLE_TABLE_RESPONSE",),
}
"""Kinds of messages that each alteration changes."""

Port = Annotated[int, Field(ge=1, le=65535)]
Protocol = Literal["sctp", "tcp", "udp"]
_ANY = ("*",)
_BY_MESSAGE = ("drop", "alter", "delay")
"""Actions that can tell messages apart; what is cut is cut as a whole."""


class OnPathSettings(AttackerSettings, LureSettings):
    """Stands on a path and does something to the messages that pass."""

    position: PositionSettings = Field(PositionSettings(), description="where it stands")
    messages: MessagePatterns = Field(
        _ANY, description="names of messages that it cares about (* and ? match)"
    )
    ports: tuple[Port, ...] = Field(
        (), description="ports, of either end, whose packets it cares about; none: all"
    )
    protocols: tuple[Protocol, ...] = Field(
        (), description="protocols whose packets it cares about: sctp, tcp, udp; none: all"
    )
    direction: Direction = Field(
        "both",
        description="packets that it cares about: towards or from the hosts of position.at, or the "
        "second site of position.between",
    )
    action: Literal["drop", "alter", "delay", "cut"] = Field(
        "alter",
        description="drops messages, alters them, holds packets back, or lets no packet pass",
    )
    alteration: Alteration = Field("divert", description="how it alters messages")
    probability: Share = Field(1.0, description="share of these messages or packets")
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
        self._belongs("break_protected", "action", "drop", "alter")
        self._belongs("messages", "action", *_BY_MESSAGE)
        for name in ("ports", "protocols"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: names one twice")
        if len(self.protocols) == len(get_args(Protocol)):
            raise ValueError("protocols: names all there are, as if none were named")
        altered = _ALTERED[self.alteration]
        if (
            self.action == "alter"
            and not self.break_protected
            and not any(map(self.cares, altered))
        ):
            raise ValueError(
                f"messages: '{self.alteration}' alters only {', '.join(altered)}, which they "
                "don't name"
            )
        return self

    def cares(self, name: str) -> bool:
        """Whether it cares about messages with a name.

        Parameters: `name` of the kind of message.
        """
        return any(fnmatchcase(name, wanted) for wanted in self.messages)

    def takes(self, source: Endpoint, destination: Endpoint) -> bool:
        """Whether it cares about what goes between two ports.

        Parameters: `source` and `destination` address and port.
        """
        return not self.ports or source[1] in self.ports or destination[1] in self.ports


def _kind(ppid: int | None, port: int, data: bytes) -> str:
    """The name of the message in the clear, "" if it is none of ASAP or ENRP."""
    if ppid is None:
        protocol = PPID_ASAP if port == ASAP_PORT else PPID_ENRP
    else:
        protocol = {11: PPID_ASAP, 12: PPID_ENRP}.get(ppid, 0)
    return MESSAGE_KINDS.get((protocol, data[0]), "") if data else ""


class _Stand(Tap):
    """The tap: asks the attacker."""

    def __init__(self, attacker: OnPath) -> None:
        super().__init__()
        self._attacker = attacker

    def message(self, seen: Seen) -> bytes | None:
        return self._attacker.passes(seen)

    def frame(self, frame: Frame) -> Frame | None:
        attacker = self._attacker
        action = attacker.settings.action
        if action == "cut" and attacker.picks(frame):
            attacker.counters.messages_dropped += len(frame.messages) or not frame.chunks
            return None
        if action in ("drop", "alter") and not attacker.speaks(frame):
            return frame
        return super().frame(frame)

    def hold(self, frame: Frame) -> float:
        attacker = self._attacker
        held = attacker.settings.action == "delay" and attacker.picks(frame)
        return attacker.settings.delay if held else 0.0


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
        links = surroundings.tapped(settings.position, settings.direction)
        if links:
            host.network.tap(links, _Stand(self))

    def start(self) -> None:
        """From now on it acts."""
        self.active = True

    def stop(self) -> None:
        """Everything passes."""
        self.active = False

    def speaks(self, frame: Frame) -> bool:
        """Whether a packet is of a protocol that it cares about.

        Parameters: `frame` that passes.
        """
        protocol = "udp" if not frame.chunks else "tcp" if frame.tcp else "sctp"
        return not self.settings.protocols or protocol in self.settings.protocols

    def picks(self, frame: Frame) -> bool:
        """Whether it does something to a packet as a whole.

        Parameters: `frame` that passes.
        """
        settings = self.settings
        if not self.active or not settings.takes(frame.source, frame.destination):
            return False
        return self.speaks(frame) and self._names(frame) and self._chosen()

    def _names(self, frame: Frame) -> bool:
        """Whether a message in a packet is one that it cares about; all packets if it is any."""
        if self.settings.messages == _ANY:
            return True
        port = frame.destination[1]
        if not frame.chunks:
            return self.settings.cares(_kind(None, port, frame.data))
        return any(
            chunk.begins
            and chunk.protection is None
            and self.settings.cares(_kind(chunk.ppid, port, chunk.data))
            for chunk in frame.messages
        )

    def passes(self, seen: Seen) -> bytes | None:
        """What goes on in place of a message.

        Parameters: `seen` the message with its addresses.
        """
        counters = self.counters
        counters.octets_seen += len(seen.data)
        settings = self.settings
        cares = self.active and settings.takes(seen.source, seen.destination)
        if not cares or not seen.data:
            return seen.data
        if seen.protected:
            breaks = settings.break_protected and seen.data[0] == 0x17
            if not breaks or not self._chosen():
                return seen.data
            if settings.action == "drop":
                counters.messages_dropped += 1
                return None
            counters.messages_altered += 1
            return seen.data[:-1] + bytes([seen.data[-1] ^ 1])
        name = _kind(seen.ppid, seen.destination[1], seen.data)
        if name:
            counters.octets_read += len(seen.data)
        if settings.action == "delay" or not name or not settings.cares(name):
            return seen.data
        if not self._chosen():
            return seen.data
        if settings.action == "drop":
            counters.messages_dropped += 1
            return None
        message = receive(seen.data, "asap" if name.startswith("ASAP") else "enrp").message
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
