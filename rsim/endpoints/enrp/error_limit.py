"""How often an ENRP server answers what it cannot understand (RFC 5354 3.12)."""

from __future__ import annotations

from math import inf

from rsim.endpoints.ports import ClockPort

_MOST_ADDRESSES = 4096
"""Addresses for which the server keeps the time of its last error. A flood from forged addresses
fills some 300 KiB, and further addresses get no errors."""


class ErrorLimit:
    """Limits the rate of errors to an address, so that they cannot be used for amplification.

    Parameters: `interval` least time in s between two errors to an address, 0 for no limit; `clock`
    of the run.
    """

    def __init__(self, interval: float, clock: ClockPort) -> None:
        self._interval = interval
        self._clock = clock
        self._sent: dict[str, float] = {}

    def allow(self, address: str) -> bool:
        """Whether an error may be sent now; if so, it is taken to be sent.

        Parameters: `address` that would get it.
        """
        interval, now = self._interval, self._clock.now
        if interval <= 0:
            return True
        if now - self._sent.get(address, -inf) < interval:
            return False
        if len(self._sent) >= _MOST_ADDRESSES:
            self._sent = {a: t for a, t in self._sent.items() if now - t < interval}
            if len(self._sent) >= _MOST_ADDRESSES:
                return False
        self._sent[address] = now
        return True
