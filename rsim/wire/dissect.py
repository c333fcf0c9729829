"""Messages in a capture or in hex, as rows that a person or a program can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsim._native import decode
from rsim.errors import CaptureError, WireError
from rsim.wire.capture import Captured, read_capture
from rsim.wire.codes import (
    ASAP_PORT,
    ENRP_PORT,
    PPID_ASAP,
    PPID_ENRP,
    message_name,
)

_PROTOCOLS = {PPID_ASAP: "asap", PPID_ENRP: "enrp"}


def dissect(what: str) -> Iterator[dict[str, Any]]:
    """Rows with `departure`, `arrival`, `source`, `destination`, `message`, `fields`, `error`.

    Parameters: `what` a capture file's name, or the bytes of one message in hex. Raises
    CaptureError if it is neither.
    """
    if Path(what).exists():
        for captured in read_capture(what):
            protocol = _protocol(captured)
            if protocol is not None:
                yield _row(captured.data, protocol, captured)
        return
    try:
        data = bytes.fromhex(what)
    except ValueError:
        raise CaptureError(f"{what}: neither a file nor bytes in hex") from None
    # Without a port nothing tells the protocols apart; the one that can read it has it.
    rows = [_row(data, protocol, None) for protocol in ("asap", "enrp")]
    yield from [row for row in rows if not row["error"]] or rows[:1]


def _protocol(captured: Captured) -> str | None:
    if captured.ppid is not None:
        return _PROTOCOLS.get(captured.ppid)
    ports = (captured.source[1], captured.destination[1])
    if ASAP_PORT in ports:
        return "asap"
    return "enrp" if ENRP_PORT in ports else None


def _row(data: bytes, protocol: str, captured: Captured | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "departure": captured.departure if captured else None,
        "arrival": captured.arrival if captured else None,
        "source": "{}:{}".format(*captured.source) if captured else "",
        "destination": "{}:{}".format(*captured.destination) if captured else "",
        "message": f"({protocol.upper()} type {data[0]})" if data else "(empty)",
        "fields": {},
        "error": "",
    }
    try:
        message = decode(data, protocol)
    except WireError as error:
        row["error"] = str(error)
        return row
    fields = message.to_dict()
    del fields["message"]
    row["message"] = message_name(message)
    row["fields"] = fields
    return row
