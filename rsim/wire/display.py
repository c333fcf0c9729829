"""How messages look in notebooks: name, length, and fields."""

from __future__ import annotations

from html import escape
from typing import Any, get_args

from rsim._native import Message
from rsim.wire.codes import message_name


def _html(message: Any) -> str:
    fields = message.to_dict()
    del fields["message"]
    rows = "".join(
        f"<tr><td>{escape(field)}</td><td>{escape(str(value))}</td></tr>"
        for field, value in fields.items()
    )
    return f"<b>{message_name(message)}</b>, {len(message.encode())} bytes<table>{rows}</table>"


def add_displays() -> None:
    """Gives all messages a display for notebooks."""
    for kind in get_args(Message):
        setattr(kind, "_repr_html_", _html)  # noqa: B010
