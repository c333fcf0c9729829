"""Associations that write down what they carry; used only where a capture is asked for."""

from __future__ import annotations

from rsim.network.association import Association
from rsim.wire.capture import CaptureWriter


def captured_by(writer: CaptureWriter) -> type[Association]:
    """A class of associations that writes each message to a capture as it departs."""

    class CapturedAssociation(Association):
        __slots__ = ()

        def send(self, ppid: int, data: bytes) -> None:
            if self.host.up:
                now = self.host.network.clock.now
                writer.message(
                    now,
                    (self.local_address, self.local_port),
                    (self.remote_address, self.remote_port),
                    ppid,
                    data,
                    now + self._delay if self._peer is not None else None,
                )
            super().send(ppid, data)

    return CapturedAssociation
