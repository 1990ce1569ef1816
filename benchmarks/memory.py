"""The memory that this process holds, and the most that it held."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


def _field(name: str) -> int:
    """A field of the process's status, in bytes. Linux alone has it."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return 1024 * int(line.split()[1])
    raise LookupError(name)


def is_measurable() -> bool:
    """Whether the system tells: Linux, but not every sandbox."""
    return sys.platform == "linux" and os.access(_CLEAR, os.W_OK) and "VmHWM:" in _STATUS.read_text()


def resident() -> int:
    """What is resident now."""
    return _field("VmRSS")


def peak() -> int:
    """The high-water mark since the last `reset_peak`."""
    return _field("VmHWM")


def reset_peak() -> None:
    """Sets the high-water mark to what is resident now."""
    _CLEAR.write_text("5")
