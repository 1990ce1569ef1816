"""Functions that rearrange, repeat, join, cut and index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.indexing import split_index
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, ShapeError
from adjoint.ops import indexing, reductions, shaping

__all__ = [
    "broadcast_to",
    "concat",
    "flip",
    "getitem",
    "reshape",
    "scatter_add",
    "split",
    "squeeze",
    "stack",
    "sum_to",
    "take",
    "transpose",
    "unsqueeze",
]


def _numbers(what: str, name: str, values: Any) -> tuple[int, ...]:
    """A shape or axes, given as a sequence of whole numbers or as one."""
    numbers = (values,) if isinstance(values, (int, np.integer)) else values
    if not isinstance(numbers, (Sequence, np.ndarray)) or not all(isinstance(n, (int, np.integer)) for n in numbers):
        raise DTypeError(f"{what}: {name} is made of whole numbers, not {values!r}")
    return tuple(int(n) for n in numbers)


def reshape(x: Any, shape: Sequence[int] | int) -> Variable:
    """The same elements, in row-major order, in another shape; one length may be -1.

    >>> print(reshape(Variable([1.0, 2.0]), (2, 1)).shape)
    (2, 1)
    """
    return apply(shaping.reshape, x, shape=_numbers("reshape", "a shape", shape))


def transpose(x: Any, axes: Sequence[int] | int | None = None) -> Variable:
    """The axes in another order; reversed for None.

    >>> print(transpose(Variable([[1.0, 2.0, 3.0]])).shape)
    (3, 1)
    """
    return apply(shaping.transpose, x, axes=None if axes is None else _numbers("transpose", "axes", axes))


def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Variable:
    """The elements in reverse order along `axis`, or along every axis for None.

    >>> print(flip(Variable([1.0, 2.0])))
    variable[2]([2. 1.])
    """
    return apply(reductions.flip, x, axis=axis)


def broadcast_to(x: Any, shape: Sequence[int] | int) -> Variable:
    """x repeated to `shape` by NumPy's rules; its gradient is summed back.

    >>> print(broadcast_to(Variable([1.0, 2.0]), (2, 2)))
    variable[2, 2]([[1. 2.]
     [1. 2.]])
    """
    return apply(shaping.broadcast_to, x, shape=_numbers("broadcast_to", "a shape", shape))


def sum_to(x: Any, shape: Sequence[int] | int) -> Variable:
    """x summed to `shape`, along the axes by which `shape` would be broadcast to x's.

    >>> print(sum_to(Variable([[1.0, 2.0], [3.0, 4.0]]), (1, 2)))
    variable[1, 2]([[4. 6.]])
    """
    return apply(shaping.sum_to, x, shape=_numbers("sum_to", "a shape", shape))


def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Variable:
    """x without the given axes of length 1; without all of them for None.

    Raises:
        ShapeError: for an axis of another length.

    >>> print(squeeze(Variable([[1.0, 2.0]])).shape)
    (2,)
    """
    x = as_variable(x)
    if axis is None:
        return reshape(x, tuple(n for n in x.shape if n != 1))
    axes = {axis_from_zero(a, x.ndim, "squeeze") for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(f"squeeze: axis {a} of shape {x.shape} has length {x.shape[a]}; only 1 can be left out")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


def unsqueeze(x: Any, axis: int) -> Variable:
    """x with a new axis of length 1 at `axis`.

    >>> print(unsqueeze(Variable([1.0, 2.0]), -1).shape)
    (2, 1)
    """
    x = as_variable(x)
    axis = axis_from_zero(axis, x.ndim + 1, "unsqueeze")
    return reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))


def concat(xs: Sequence[Any], axis: int = 0) -> Variable:
    """The arrays of a list joined along `axis`.

    Raises:
        ArgumentError: for an empty list.
        ShapeError: where other axes differ.

    >>> print(concat([Variable([1.0]), Variable([2.0, 3.0])]))
    variable[3]([1. 2. 3.])
    """
    if axis is None:  # for which NumPy joins the elements of all in one row
        raise DTypeError("concat: an axis is a whole number, not None")
    return apply(shaping.concat, *_list_of(xs, "concat"), axis=axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Variable:
    """The arrays of a list, of equal shapes, joined along a new axis.

    Raises:
        ArgumentError: for an empty list.
        ShapeError: where shapes differ.

    >>> print(stack([Variable(1.0), Variable(2.0)]))
    variable[2]([1. 2.])
    """
    return apply(shaping.stack, *_list_of(xs, "stack"), axis=axis)


def _list_of(xs: Any, what: str) -> list[Any]:
    if isinstance(xs, Variable) or not isinstance(xs, Sequence):
        raise DTypeError(f"{what} takes a list of arrays, not {type(xs).__name__}")
    if not xs:
        raise ArgumentError(f"{what} of an empty list")
    return list(xs)


def split(x: Any, sizes: int | Sequence[int], axis: int = 0) -> list[Variable]:
    """x cut along `axis` into parts of the given sizes, or into a number of equal parts.

    Raises:
        ShapeError: where the sizes do not add up to the axis, or it cannot be cut evenly.

    >>> a, b = split(Variable([1.0, 2.0, 3.0]), [1, 2])
    >>> print(a, b)
    variable(1.0) variable[2]([2. 3.])
    """
    x = as_variable(x)
    axis = axis_from_zero(axis, x.ndim, "split")
    length = x.shape[axis]
    if isinstance(sizes, (int, np.integer)):
        if sizes < 1 or length % sizes:
            raise ShapeError(f"split: axis {axis} of length {length} cannot be cut into {sizes} equal parts")
        sizes = (length // sizes,) * int(sizes)
    if not isinstance(sizes, Iterable) or not all(hasattr(size, "__index__") for size in sizes):
        raise DTypeError(f"split takes whole numbers as sizes, not {sizes!r}")
    if any(size < 0 for size in sizes) or sum(sizes) != length:
        raise ShapeError(f"split: sizes {list(sizes)} do not add up to axis {axis} of length {length}")
    return list(apply(shaping.split, x, sizes=tuple(sizes), axis=axis))


def getitem(x: Any, index: Any) -> Variable:
    """x[index], with every form of index that NumPy takes.

    >>> print(getitem(Variable([1.0, 2.0, 3.0]), [2, 0]))
    variable[2]([3. 1.])
    """
    fixed, arrays = split_index(index)
    return apply(indexing.getitem, x, *arrays, index=fixed)


def take(x: Any, indices: Any, axis: int = 0) -> Variable:
    """The slices of x along `axis` at `indices`, whole numbers in an array of any shape.

    Raises:
        OutOfRangeError: for an index beyond the axis.

    >>> print(take(Variable([1.0, 2.0, 3.0]), [2, 0]))
    variable[2]([3. 1.])
    """

    array = array_of(indices)
    if array.dtype.kind not in "iu" and array.size:
        raise DTypeError(f"take: indices are whole numbers, not {array.dtype}")
    x = as_variable(x)
    return apply(indexing.take, x, array.astype(np.intp, copy=False), axis=axis_from_zero(axis, x.ndim, "take"))


def scatter_add(x: Any, index: Any, values: Any) -> Variable:
    """A copy of x with `values` added at `index`; where an element is named twice, both are added.

    >>> print(scatter_add(Variable([1.0, 2.0]), [0, 0], Variable([10.0, 20.0])))
    variable[2]([31.  2.])
    """
    fixed, arrays = split_index(index)
    if isinstance(values, (int, float)):
        values = np.asarray(
            values, np.result_type(getattr(x, "dtype", np.float64), values)
        )  # a number takes the dtype of x
    return apply(indexing.scatter_add, x, values, *arrays, index=fixed)
