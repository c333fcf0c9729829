"""Captures: messages as Wireshark reads them, written and read."""

from rsim.wire.capture_file import read_names
from rsim.wire.capture_reader import Captured, FrameCount, read_capture
from rsim.wire.capture_writer import CaptureWriter, Endpoint

__all__ = ["CaptureWriter", "Captured", "Endpoint", "FrameCount", "read_capture", "read_names"]
