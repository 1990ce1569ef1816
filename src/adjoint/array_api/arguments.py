"""What the functions of the standard make of their arguments and results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy

from adjoint.arrays import NUMBERS
from adjoint.core.apply import apply
from adjoint.core.nesting import holds_variables, stacked
from adjoint.core.value import Value, raw
from adjoint.core.variable import Variable
from adjoint.ops import TABLE

__all__ = ["as_array", "as_operand", "constant", "named", "np", "run"]

# NumPy's functions, which hand Variables over to this package; its types know nothing of that.
np: Any = numpy


def run(name: str) -> Callable[..., Any]:
    """The op of this name as a function."""
    return partial(apply, TABLE[name])


def as_array(x: Any) -> Variable:
    """x itself if it is a Variable, else a new one on it; lists that hold Variables are stacked."""
    if isinstance(x, Variable):
        return x
    return stacked(apply, x) if holds_variables(x) else Variable(x)


def as_operand(x: Any) -> Any:
    """As `as_array`, but a Python number as it is: it takes the dtype of the array beside it."""
    return x if type(x) in NUMBERS else as_array(x)


def constant(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Variable:
    """What a NumPy function without a derivative gives for the arrays of Variables."""
    result = function(*map(raw, args), **kwargs)
    return result if isinstance(result, Value) else Variable(result)  # type: ignore[return-value]


def named(function: Any, name: str, text: str) -> Any:
    """A function of a table, with its name and what it computes."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    function.__module__ = "adjoint.array_api"
    return function
