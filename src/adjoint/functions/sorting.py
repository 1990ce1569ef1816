"""Functions that sort, and those of sorted elements: medians and quantiles.

`axis` counts from the last axis where it is negative. A permutation has no derivative: the elements keep theirs, and
take it along.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, AxisError, DTypeError, ShapeError
from adjoint.functions import elementwise, shapes
from adjoint.ops import indexing, sorting

__all__ = ["argsort", "median", "percentile", "quantile", "sort", "take_along_axis"]

Axis = Any
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _in_one_row(x: Any, axis: int | None, what: str) -> tuple[Variable, int]:
    """x and an axis from 0; for None, x in one row."""
    x = as_variable(x)
    if axis is None:
        return shapes.reshape(x, -1), 0
    return x, axis_from_zero(axis, x.ndim, what)


def argsort(x: Any, axis: int | None = -1) -> Any:
    """The places of the elements along `axis` in ascending order, as a plain array; of all in one row for None.

    Equal elements keep their order, and NaN comes last.

    >>> print(argsort(Variable([3.0, 1.0, 2.0])))
    [1 2 0]
    """
    x, axis = _in_one_row(x, axis, "argsort")
    return apply(sorting.argsort, x, axis=axis).data


def sort(x: Any, axis: int | None = -1) -> Variable:
    """The elements along `axis` in ascending order; all in one row for None.

    The gradient of an element is that of its place. Equal elements keep their order, and NaN comes last.

    >>> x = Variable([3.0, 1.0, 2.0])
    >>> y = sort(x)
    >>> y[0].backward()
    >>> print(y, x.grad)
    variable[3]([1. 2. 3.]) variable[3]([0. 1. 0.])
    """
    x, axis = _in_one_row(x, axis, "sort")
    return apply(sorting.reorder, x, apply(sorting.argsort, x, axis=axis), axis=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Variable:
    """The elements of x at `indices` along `axis`, each index in its own line; of all in one row for None.

    Args:
        x: an array.
        indices: whole numbers, with as many axes as x. Its other axes are x's, or can be broadcast to them.
        axis: the axis that the indices count along.

    Raises:
        OutOfRangeError: for an index beyond the axis.
        ShapeError: for indices of another shape.

    >>> print(take_along_axis(Variable([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1))
    variable[2, 1]([[2.]
     [3.]])
    """
    numbers = array_of(indices)
    if numbers.dtype.kind not in "iu":
        raise DTypeError(f"take_along_axis: indices are whole numbers, not {numbers.dtype}")
    if axis is None and numbers.ndim != 1:
        raise ShapeError(f"take_along_axis: indices into one row have one axis, not {numbers.ndim}")
    x, axis = _in_one_row(x, axis, "take_along_axis")
    return apply(sorting.take_along_axis, x, numbers, axis=axis)


def _sorted_lines(x: Any, axis: Axis, what: str) -> tuple[Variable, tuple[int, ...]]:
    """x sorted, with the axes to reduce joined as the last one, and the shape that is left, with 1 for each of them."""
    x = as_variable(x)
    if x.dtype.kind not in "fiub":
        raise DTypeError(f"{what}: {x.dtype} has no order")
    axes = range(x.ndim) if axis is None else (axis if isinstance(axis, (tuple, list)) else (axis,))
    reduced = [axis_from_zero(a, x.ndim, what) for a in axes]
    if len(set(reduced)) < len(reduced):
        raise AxisError(f"{what}: {axis} names an axis twice")
    kept = [a for a in range(x.ndim) if a not in reduced]
    lengths = tuple(x.shape[a] for a in kept)
    count = math.prod(x.shape[a] for a in reduced)
    if count == 0:
        raise ShapeError(f"{what} of no elements: shape {x.shape}, axis {axis}")
    lines = shapes.reshape(shapes.transpose(x, (*kept, *reduced)), (*lengths, count))
    return sort(lines), tuple(1 if a in reduced else n for a, n in enumerate(x.shape))


def _without(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """A shape without reduced axes, which are there with length 1."""
    if axis is None:
        return ()
    reduced = {a % len(shape) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    return tuple(n for a, n in enumerate(shape) if a not in reduced)


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The element in the middle of the sorted ones, or the mean of the two in the middle. NaN where there is one.

    >>> x = Variable([4.0, 1.0, 2.0, 9.0])
    >>> y = median(x)
    >>> y.backward()
    >>> print(y, x.grad)
    variable(3.0) variable[4]([0.5 0.  0.5 0. ])
    """
    lines, kept = _sorted_lines(x, axis, "median")
    middle, odd = divmod(lines.shape[-1], 2)
    result = lines[..., middle] if odd else 0.5 * (lines[..., middle - 1] + lines[..., middle])
    if odd and result.dtype.kind != "f":
        result = result * 1.0
    result = _or_nan(result, lines[..., -1])
    return shapes.reshape(result, kept if keepdims else _without(kept, axis))


def _or_nan(result: Variable, last: Variable) -> Variable:
    """NaN where the last of the sorted elements is one."""
    return elementwise.where(last != last, last, result) if last.dtype.kind == "f" else result


def quantile(x: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear") -> Variable:
    """The value below which a share q of the sorted elements lies. NaN where there is one.

    Args:
        x: an array.
        q: a share from 0 to 1, or an array of them, whose axes come first in the result. It gets no gradient.
        axis: the axes to reduce; None for all.
        keepdims: keeps these axes with length 1.
        method: what is taken between two elements: "linear", "lower", "higher", "midpoint" or "nearest".

    Raises:
        ArgumentError: for another share or method.

    >>> x = Variable([1.0, 2.0, 4.0])
    >>> y = quantile(x, 0.75)
    >>> y.backward()
    >>> print(y, x.grad)
    variable(3.0) variable[3]([0.  0.5 0.5])
    """
    if isinstance(q, Variable):
        raise DTypeError("quantile has no gradient in q; give a number or an array")
    shares = np.asarray(q, np.float64)
    if not np.all((shares >= 0.0) & (shares <= 1.0)):
        raise ArgumentError(f"quantile: shares are from 0 to 1, not {q!r}")
    if method not in _METHODS:
        raise ArgumentError(f"quantile: the method is one of {', '.join(_METHODS)}, not {method!r}")
    lines, kept = _sorted_lines(x, axis, "quantile")
    if lines.dtype.kind != "f":
        lines = lines * 1.0
    lower, upper, weight = _between(shares.reshape(-1), lines.shape[-1], method)
    low = apply(indexing.take, lines, lower, axis=-1)
    result = low + (apply(indexing.take, lines, upper, axis=-1) - low) * weight.astype(lines.dtype)
    result = shapes.transpose(_or_nan(result, lines[..., -1:]), (result.ndim - 1, *range(result.ndim - 1)))
    return shapes.reshape(result, (*shares.shape, *(kept if keepdims else _without(kept, axis))))


def _between(shares: Any, count: int, method: str) -> tuple[Any, Any, Any]:
    """The places of the elements at or around each share, and the weight of the second one."""
    places = shares * (count - 1)
    lower = np.floor(places).astype(np.intp)
    if method == "nearest":
        lower = np.round(places).astype(np.intp)
    if method in ("lower", "nearest"):
        return lower, lower, np.zeros_like(places)
    upper = np.ceil(places).astype(np.intp)
    if method == "higher":
        return upper, upper, np.zeros_like(places)
    return lower, upper, places - lower if method == "linear" else np.full_like(places, 0.5)


def percentile(x: Any, q: Any, axis: Axis = None, keepdims: bool = False, *, method: str = "linear") -> Variable:
    """The value below which q percent of the sorted elements lie: `quantile` of q / 100.

    >>> print(percentile(Variable([1.0, 2.0, 4.0]), [50.0, 100.0]))
    variable[2]([2. 4.])
    """
    if isinstance(q, Variable):
        raise DTypeError("percentile has no gradient in q; give a number or an array")
    percents = np.asarray(q, np.float64)
    if not np.all((percents >= 0.0) & (percents <= 100.0)):
        raise ArgumentError(f"percentile: percents are from 0 to 100, not {q!r}")
    return quantile(x, percents / 100.0, axis, keepdims, method=method)
