"""Arrays of lists that hold Variables, and NumPy's functions for them: what NumPy itself does not hand over."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.nesting import holds_variables, stacked
from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.core.value import Value
from adjoint.errors import DTypeError
from adjoint.functions import shapes
from adjoint.numpy.registering import in_dtype, run

__all__ = ["array", "asanyarray", "asarray", "ascontiguousarray", "c_", "full", "full_like", "r_", "taking_lists"]

# Those that take a list of arrays, which need not have one shape.
_TAKE_SEVERAL = frozenset(
    "append block broadcast_arrays choose column_stack concat concatenate dstack einsum hstack meshgrid multi_dot "
    "piecewise select stack vstack".split()
)


def array(object: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0, **kwargs: Any) -> Any:
    """An array; a Variable, which is recorded, of a Variable or of lists that hold Variables.

    >>> import adjoint as ad
    >>> x = ad.Variable(2.0)
    >>> y = array([x, 1.0, x * x])
    >>> y.sum().backward()
    >>> print(y, x.grad)
    variable[3]([2. 1. 4.]) variable(5.0)
    """
    if isinstance(object, Value):
        result: Any = run("copy")(object) if copy else object
    elif holds_variables(object):
        result = stacked(apply, object)
    else:
        return np.array(object, dtype, copy=copy, ndmin=ndmin, **kwargs)
    result = in_dtype(result, dtype)
    return result.reshape((*(1,) * (ndmin - result.ndim), *result.shape)) if ndmin > result.ndim else result


def asarray(a: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """As `array`, but a Variable as it is.

    >>> import adjoint as ad
    >>> x = ad.Variable([2.0])
    >>> asarray(x) is x
    True
    """
    if isinstance(a, Value) or holds_variables(a):
        return array(a, dtype, copy=None)
    return np.asarray(a, dtype, **kwargs)


asanyarray = ascontiguousarray = asarray


def full(shape: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """An array of one value, which may be a Variable.

    >>> import adjoint as ad
    >>> x = ad.Variable(2.0)
    >>> full(3, x).sum().backward()
    >>> print(x.grad)
    variable(3.0)
    """
    if isinstance(fill_value, Value):
        return run("copy")(shapes.broadcast_to(in_dtype(fill_value, dtype), shape))
    return np.full(shape, fill_value, dtype, **kwargs)


def full_like(a: Any, fill_value: Any, dtype: Any = None, **kwargs: Any) -> Any:
    """An array of the shape of `a` and of one value, which may be a Variable.

    >>> import adjoint as ad
    >>> x = ad.Variable(2.0)
    >>> full_like(np.zeros(3), x).sum().backward()
    >>> print(x.grad)
    variable(3.0)
    """
    function = FUNCTIONS[np.full_like] if isinstance(fill_value, Value) else np.full_like
    return function(a, fill_value, dtype, **kwargs)


class _Joining:
    """``np.r_[…]`` and ``np.c_[…]``, also of Variables."""

    def __init__(self, of_numpy: Any, *, columns: bool) -> None:
        self._of_numpy = of_numpy
        self._columns = columns

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not any(isinstance(part, Value) or holds_variables(part) for part in parts):
            return self._of_numpy[key]
        if isinstance(parts[0], str):
            raise DTypeError(f"{parts[0]!r} in r_ or c_ of Variables is not recorded; use numpy.concatenate")
        values = [np.r_[part] if isinstance(part, slice) else asarray(part) for part in parts]
        if self._columns:
            return shapes.concat([_as_columns(x) for x in values], -1)
        ndim = max(np.ndim(x) for x in values)
        return shapes.concat([np.reshape(x, (*(1,) * (max(ndim, 1) - np.ndim(x)), *np.shape(x))) for x in values], 0)


def _as_columns(x: Any) -> Any:
    return x if np.ndim(x) > 1 else np.reshape(x, (-1, 1))


r_ = _Joining(np.r_, columns=False)
c_ = _Joining(np.c_, columns=True)


def _stacked(x: Any) -> Any:
    return stacked(apply, x) if holds_variables(x) else x


def taking_lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """A NumPy function that takes lists which hold Variables for arrays, as it takes lists of numbers."""
    if function not in FUNCTIONS:
        return function
    takes_several = function.__name__ in _TAKE_SEVERAL

    @functools.wraps(function)
    def with_lists(*args: Any, **kwargs: Any) -> Any:
        if any(map(holds_variables, args)) or any(map(holds_variables, kwargs.values())):
            if takes_several:
                return FUNCTIONS[function](*args, **kwargs)
            args = tuple(_stacked(x) for x in args)
            kwargs = {name: _stacked(x) for name, x in kwargs.items()}
        return function(*args, **kwargs)

    return with_lists
