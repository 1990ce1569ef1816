"""How a function of this package comes to stand for one of NumPy's, and what all of them do with their arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from adjoint.config import RECORDING
from adjoint.core.apply import apply
from adjoint.core.nesting import holds_variables, stacked
from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.core.value import Value, raw
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError, GradientError
from adjoint.lifted import on_data as lifted_on_data
from adjoint.ops import TABLE

__all__ = [
    "as_value",
    "as_values",
    "delivered",
    "implements",
    "in_dtype",
    "on_data",
    "plain",
    "rearranged",
    "refused",
    "run",
    "with_out",
]

Function = TypeVar("Function", bound=Callable[..., Any])


def implements(*functions: Any) -> Callable[[Function], Function]:
    """Makes a function stand for some of NumPy's when they are called with Variables."""

    def register(function: Function) -> Function:
        FUNCTIONS.update(dict.fromkeys(functions, function))
        return function

    return register


def run(name: str) -> Callable[..., Any]:
    """The op of this name as a function."""
    return partial(apply, TABLE[name])


def as_value(x: Any) -> Any:
    """What an op takes: a Variable or an array; lists that hold Variables are stacked."""
    if holds_variables(x):
        return stacked(apply, x)
    return x if isinstance(x, Value) else Variable(x)


def as_values(*xs: Any) -> list[Any]:
    """What an op takes of each; Python's numbers in the dtype that they have beside the arrays."""
    dtypes = [as_value(x).dtype for x in xs if not isinstance(x, (int, float, complex))]
    return [
        np.asarray(x, np.result_type(x, *dtypes)) if dtypes and type(x) in (int, float, complex) else as_value(x)
        for x in xs
    ]


def plain(value: Any) -> Any:
    """A value without Variables: their arrays in their place, also inside of lists, tuples and dictionaries."""
    if isinstance(value, Value):
        return raw(value)
    if isinstance(value, (list, tuple)) and holds_variables(value):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def on_data(function: Any) -> Callable[..., Any]:
    """A NumPy function of which the data matters and no derivative: its results are plain."""

    def constant(*args: Any, **kwargs: Any) -> Any:
        return lifted_on_data(function, tuple(map(plain, args)), plain(kwargs))

    return constant


def refused(function: Any, way_out: str) -> Callable[..., Any]:
    """What raises an error for a NumPy function that is not supported, and says what to do instead."""
    name = f"numpy.{function.__name__}"

    def refuse(*_: Any, **__: Any) -> Any:
        raise DTypeError(f"{name} is not recorded for a Variable; {way_out}, or compute with x.data")

    return refuse


def rearranged(x: Any, move: Callable[[Any], Any]) -> Variable:
    """What a function does that only moves elements: it is tried on their numbers, by which they are read."""
    x = as_value(x)
    places = move(np.arange(x.size).reshape(x.shape))
    result: Variable = x.reshape(-1)[places]
    return result


def in_dtype(x: Any, dtype: Any) -> Any:
    """x, in a dtype if one is given."""
    x = as_value(x)
    return x if dtype is None or np.dtype(dtype) == x.dtype else x.astype(dtype)


def delivered(result: Any, out: Any, where: Any = True) -> Any:
    """The result of a function, written to `out` if there is one, where `where` is true.

    Raises:
        GradientError: for a result that has a gradient, and an array that cannot keep it.
    """
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return result
    if isinstance(out, Variable):
        before = out if out.creator is not None else raw(out)
        out[...] = result if where is True else apply(TABLE["where"], plain(where), result, before)
        return out
    if getattr(result, "creator", None) is not None and RECORDING.get():
        raise GradientError(
            "the result is to be written to a NumPy array, which would lose the graph, as in `array += x`; write "
            "`array = array + x`, or make the array by ad.zeros"
        )
    np.copyto(out, plain(result), where=plain(where))
    return out


def with_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function with NumPy's `out`, which it lacks."""

    def function_with_out(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        return delivered(function(*args, **kwargs), out)

    return function_with_out
