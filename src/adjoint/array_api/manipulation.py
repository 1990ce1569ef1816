"""The functions of the standard that reshape, join and read at indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.array_api.arguments import as_array, np, run
from adjoint.core.arguments import axis_from_zero
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, AxisError
from adjoint.functions import shapes

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "tril",
    "triu",
    "unstack",
]

Axes = int | tuple[int, ...]
Shape = tuple[int, ...]


def broadcast_arrays(*arrays: Any) -> tuple[Variable, ...]:
    """The arrays in the shape that they have together.

    >>> [x.shape for x in broadcast_arrays(Variable([1.0, 2.0]), Variable(3.0))]
    [(2,), (2,)]
    """
    return tuple(np.broadcast_arrays(*map(as_array, arrays)))


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that shapes have together.

    Raises:
        ArgumentError: for shapes that do not go together.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ArgumentError(f"broadcast_shapes of {', '.join(map(str, shapes))}: {error}") from None


def broadcast_to(x: Any, /, shape: Shape) -> Variable:
    """The array repeated along new axes and those of length 1.

    >>> broadcast_to(Variable([1.0, 2.0]), (3, 2)).shape
    (3, 2)
    """
    return shapes.broadcast_to(as_array(x), shape)


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Variable:
    """The arrays one after the other along an axis; all elements in one row for None.

    >>> print(concat([Variable([1.0]), Variable([2.0])]))
    variable[2]([1. 2.])
    """
    return np.concat(tuple(map(as_array, arrays)), axis=axis)


def expand_dims(x: Any, /, axis: Axes) -> Variable:
    """With new axes of length 1.

    Raises:
        AxisError: for axes that do not exist, or twice the same.

    >>> expand_dims(Variable([1.0, 2.0]), 0).shape
    (1, 2)
    """
    x = as_array(x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    places = {axis_from_zero(one, x.ndim + len(axes), "expand_dims") for one in axes}
    if len(places) < len(axes):
        raise AxisError(f"expand_dims: the axes {axes} are not all different")
    return np.expand_dims(x, axes)


def flip(x: Any, /, *, axis: Axes | None = None) -> Variable:
    """In reverse order along some axes, or along all.

    >>> print(flip(Variable([1.0, 2.0])))
    variable[2]([2. 1.])
    """
    return shapes.flip(as_array(x), axis)


def moveaxis(x: Any, source: Axes, destination: Axes, /) -> Variable:
    """With axes at other places.

    >>> moveaxis(Variable([[1.0, 2.0]]), 0, 1).shape
    (2, 1)
    """
    return np.moveaxis(as_array(x), source, destination)


def permute_dims(x: Any, /, axes: Shape) -> Variable:
    """The axes in another order.

    >>> permute_dims(Variable([[1.0, 2.0]]), (1, 0)).shape
    (2, 1)
    """
    return shapes.transpose(as_array(x), axes)


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Variable:
    """Each element, or each part along an axis, several times.

    >>> print(repeat(Variable([1.0, 2.0]), 2))
    variable[4]([1. 1. 2. 2.])
    """
    return np.repeat(as_array(x), raw(repeats), axis=axis)


def reshape(x: Any, /, shape: Shape, *, copy: bool | None = None) -> Variable:
    """The same elements in another shape.

    Args:
        x: an array.
        shape: one length may be -1.
        copy: True for new memory, False for that of x, None for new memory where it is needed.

    Raises:
        ArgumentError: where memory cannot be shared that `copy` wants shared.

    >>> reshape(Variable([1.0, 2.0]), (2, 1)).shape
    (2, 1)
    """
    x = as_array(x)
    result = shapes.reshape(run("copy")(x) if copy else x, shape)
    if copy is False and isinstance(x.data, np.ndarray) and not np.shares_memory(result.data, x.data) and x.size:
        raise ArgumentError(f"reshape of {x.shape} to {shape} needs new memory; leave copy out")
    return result


def roll(x: Any, /, shift: Axes, *, axis: Axes | None = None) -> Variable:
    """With elements moved on along axes; those beyond the end come first.

    >>> print(roll(Variable([1.0, 2.0, 3.0]), 1))
    variable[3]([3. 1. 2.])
    """
    return np.roll(as_array(x), shift, axis=axis)


def squeeze(x: Any, /, axis: Axes) -> Variable:
    """Without axes of length 1.

    Raises:
        ShapeError: for an axis of another length.

    >>> squeeze(Variable([[1.0, 2.0]]), 0).shape
    (2,)
    """
    return shapes.squeeze(as_array(x), axis)


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Variable:
    """Arrays of one shape along a new axis.

    >>> stack([Variable([1.0, 2.0]), Variable([3.0, 4.0])]).shape
    (2, 2)
    """
    return np.stack(tuple(map(as_array, arrays)), axis=axis)


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Variable:
    """The parts along an axis at indices; the axis may be left out where there is one.

    >>> print(take(Variable([1.0, 2.0, 3.0]), Variable([2, 0])))
    variable[2]([3. 1.])
    """
    x = as_array(x)
    if axis is None:
        if x.ndim != 1:
            raise ArgumentError(f"take from {x.ndim} axes needs to know along which; give axis")
        axis = 0
    return shapes.take(x, raw(indices), axis)


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Variable:
    """The elements along an axis at the indices of each line.

    >>> print(take_along_axis(Variable([[1.0, 2.0]]), Variable([[1]])))
    variable(2.0)
    """
    return np.take_along_axis(as_array(x), raw(indices), axis)


def tile(x: Any, repetitions: Shape, /) -> Variable:
    """The whole array several times along each axis.

    >>> print(tile(Variable([1.0, 2.0]), (2,)))
    variable[4]([1. 2. 1. 2.])
    """
    return np.tile(as_array(x), repetitions)


def tril(x: Any, /, *, k: int = 0) -> Variable:
    """With zeros above the k-th diagonal of the last two axes.

    >>> print(tril(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[1. 0.]
     [3. 4.]])
    """
    return np.tril(as_array(x), k)


def triu(x: Any, /, *, k: int = 0) -> Variable:
    """With zeros below the k-th diagonal of the last two axes.

    >>> print(triu(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[1. 2.]
     [0. 4.]])
    """
    return np.triu(as_array(x), k)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Variable, ...]:
    """The parts along an axis, without it.

    >>> [str(part) for part in unstack(Variable([1.0, 2.0]))]
    ['variable(1.0)', 'variable(2.0)']
    """
    return tuple(np.moveaxis(as_array(x), axis, 0))
