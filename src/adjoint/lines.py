"""The user's own lines: where in a program something was asked for, however deep inside the package it happens."""

from __future__ import annotations

import linecache
import os
import sys
from types import FrameType

__all__ = ["line_at", "user_position"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_position() -> tuple[str, int] | None:
    """The file and the number of the innermost line outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def line_at(position: tuple[str, int] | None) -> str | None:
    """A line of a program, as ``file.py:12: z = x + y``."""
    if position is None:
        return None
    filename, number = position
    source = linecache.getline(filename, number).strip()
    return f"{filename}:{number}: {source}" if source else f"{filename}:{number}"
