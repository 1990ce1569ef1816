"""What functions make of their arguments before an op sees them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import AxisError, DTypeError

__all__ = ["as_variable", "axis_from_zero", "plain_of_plain"]

P = ParamSpec("P")


def plain_of_plain(function: Callable[P, Any]) -> Callable[P, Any]:
    """A function whose result is an array where no argument is a Variable, as that of NumPy's and SciPy's functions."""

    @functools.wraps(function)
    def of_its_kind(*args: P.args, **kwargs: P.kwargs) -> Any:
        result = function(*args, **kwargs)
        has_variable = any(isinstance(x, Variable) for x in args) or any(
            isinstance(x, Variable) for x in kwargs.values()
        )
        return result if has_variable else raw(result)

    return of_its_kind


def as_variable(x: Any) -> Variable:
    """x itself if it is a Variable, else a new one on it."""
    return x if isinstance(x, Variable) else Variable(x)


def axis_from_zero(axis: int, ndim: int, what: str) -> int:
    """An axis counted from the first one. Raises AxisError where there is none, for the function `what`."""
    if not hasattr(axis, "__index__"):
        raise DTypeError(f"{what}: an axis is a whole number, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise AxisError(f"{what}: axis {axis} is not among the {ndim} there are; axes go from {-ndim} to {ndim - 1}")
    return axis % ndim
