"""Numbers that optimizers and hooks are set by: checked, and made a float, whenever they are assigned.

A float of Python's own takes the dtype of the arrays beside it. One of NumPy's, as a schedule made by NumPy
gives, would turn float32 parameters into float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint.errors import ArgumentError, DTypeError

__all__ = ["fraction", "from_zero", "positive"]


class _Setting:
    """An attribute whose values are checked. It is read as any other, from the object's dictionary."""

    def __init__(self, holds: Callable[[float], bool], needs: str) -> None:
        self._holds = holds
        self._needs = needs

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __set__(self, instance: Any, value: Any) -> None:
        try:
            if isinstance(value, (str, bytes)):
                raise TypeError
            number = float(value)
        except (TypeError, ValueError):
            raise DTypeError(f"{self._name} is a number, not {value!r}") from None
        if not self._holds(number):
            raise ArgumentError(f"{self._name} is {self._needs}, not {value}")
        vars(instance)[self._name] = number


def positive(*, finite: bool = True) -> Any:
    """A number above 0; finite unless said otherwise."""
    top = math.inf if finite else math.nan
    return _Setting(lambda x: x > 0 and x != top, "a finite number above 0" if finite else "a number above 0")


def from_zero() -> Any:
    """A finite number, at least 0."""
    return _Setting(lambda x: 0 <= x < math.inf, "a finite number from 0")


def fraction() -> Any:
    """A number that is at least 0 and below 1."""
    return _Setting(lambda x: 0 <= x < 1, "at least 0 and below 1")
