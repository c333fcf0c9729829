"""Messages and parameters of ASAP and ENRP as typed values, and their bytes.

RFC 5352 (ASAP), 5353 (ENRP), 5354 (common parameters), 5356 (policies). Values are immutable,
compare by content and are built with keywords; `encode` and `decode` are native.
"""

from rsim._native import *  # noqa: F403
from rsim._native import __all__ as _values
from rsim.errors import FieldError, WireError
from rsim.wire.codes import (
    ADD_PE,
    ASAP_PORT,
    ASAP_TLS_PORT,
    DEL_PE,
    ENRP_PORT,
    ENRP_TLS_PORT,
    MESSAGE_KINDS,
    PPID_ASAP,
    PPID_ENRP,
    message_name,
)
from rsim.wire.display import add_displays

add_displays()

# It needs what stands above.
from rsim.wire.capture import CaptureWriter, read_capture  # noqa: E402

__all__ = [
    "ADD_PE",
    "ASAP_PORT",
    "ASAP_TLS_PORT",
    "DEL_PE",
    "ENRP_PORT",
    "ENRP_TLS_PORT",
    "MESSAGE_KINDS",
    "PPID_ASAP",
    "PPID_ENRP",
    "CaptureWriter",
    "FieldError",
    "WireError",
    "message_name",
    "read_capture",
    *_values,
]
