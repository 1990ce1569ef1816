"""Checks of arguments that several parts of the package take."""

from __future__ import annotations

from typing import Any

from adjoint.errors import ArgumentError, DTypeError

__all__ = ["check_size"]


def check_size(what: str, size: Any) -> int:
    """`size` as a number of units or examples, which is a whole number from 1."""
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise DTypeError(f"{what} is a whole number, not {size!r}")
    if size < 1:
        raise ArgumentError(f"{what} is at least 1, not {size}")
    return int(size)
