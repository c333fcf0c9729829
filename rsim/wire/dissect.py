"""Messages in a capture or in hex, as rows that a person or a program can read."""

from __future__ import annotations

from collections.abc import Iterator
from errno import ENAMETOOLONG
from pathlib import Path
from typing import Any

from rsim._native import decode
from rsim.errors import CaptureError, WireError, cut
from rsim.wire.capture import Captured, FrameCount, read_capture
from rsim.wire.codes import (
    ASAP_PORT,
    ENRP_PORT,
    PPID_ASAP,
    PPID_ENRP,
    message_name,
)

_SHOWN = 80
"""Most characters of what was given in an error."""

_PROTOCOLS = {PPID_ASAP: "asap", PPID_ENRP: "enrp"}


def dissect(what: str, count: FrameCount | None = None) -> Iterator[dict[str, Any]]:
    """Rows with `departure`, `arrival`, `source`, `destination`, `message`, `fields`, `error`.

    Parameters: `what` a capture file's name, or the bytes of one message in hex; `count` counts
    every frame of a file. Raises CaptureError if it is neither.
    """
    if _exists(what):
        count = FrameCount() if count is None else count
        for captured in read_capture(what, count):
            protocol = _protocol(captured)
            if protocol is not None:
                count.messages += 1
                yield _row(captured.data, protocol, captured)
        return
    try:
        data = bytes.fromhex(what)
    except ValueError:
        data = b""
    if not data:
        raise CaptureError(f"{cut(what, _SHOWN)}: neither a file nor bytes in hex")
    # Without a port nothing tells the protocols apart; the one that can read it has it.
    rows = [_row(data, protocol, None) for protocol in ("asap", "enrp")]
    yield from [row for row in rows if not row["error"]] or rows[:1]


def _exists(what: str) -> bool:
    try:
        Path(what).stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        # Bytes in hex may be longer than a file's name can be.
        return error.errno != ENAMETOOLONG
    except ValueError:
        return False
    return bool(what)


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
