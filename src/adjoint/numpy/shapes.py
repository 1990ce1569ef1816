"""NumPy's functions that reshape, reorder and repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.value import raw
from adjoint.errors import DTypeError
from adjoint.functions import sequences, shapes as F
from adjoint.numpy.registering import as_value, implements, rearranged, run

__all__: list[str] = []


def _row_major(order: str, what: str) -> None:
    if order not in "CKA":
        raise DTypeError(f"{what} in order {order!r} is not recorded; transpose before and after it")


@implements(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    a = as_value(a)
    if order == "F" or (order in "AK" and _is_by_columns(raw(a))):
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        return np.transpose(np.reshape(np.transpose(a), shape[::-1]))
    return F.reshape(a, shape)


def _is_by_columns(array: Any) -> bool:
    """Whether an array lies in memory column by column, and not row by row too."""
    return isinstance(array, np.ndarray) and array.flags.f_contiguous and not array.flags.c_contiguous


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, order)


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> Any:
    return F.squeeze(as_value(a), axis)


@implements(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Any:
    a = as_value(a)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    ndim = a.ndim + len(axes)
    places = {np.lib.array_utils.normalize_axis_index(one, ndim) for one in axes}
    lengths = iter(a.shape)
    return a.reshape(tuple(1 if i in places else next(lengths) for i in range(ndim)))


@implements(np.transpose, np.permute_dims)
def transpose(a: Any, axes: Any = None) -> Any:
    return F.transpose(a, axes)


@implements(np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    return swapaxes(x, -1, -2)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    return _moved(a, lambda x: np.swapaxes(x, axis1, axis2))


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    return _moved(a, lambda x: np.moveaxis(x, source, destination))


@implements(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    return _moved(a, lambda x: np.rollaxis(x, axis, start))


def _moved(a: Any, move: Any) -> Any:
    """The axes in the order that NumPy gives them: it moves the axes of an array whose lengths are their numbers."""
    a = as_value(a)
    order = move(np.broadcast_to(0, tuple(range(1, a.ndim + 1)))).shape
    return F.transpose(a, tuple(number - 1 for number in order))


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> Any:
    return F.flip(m, axis)


@implements(np.fliplr)
def fliplr(m: Any) -> Any:
    return F.flip(m, 1)


@implements(np.flipud)
def flipud(m: Any) -> Any:
    return F.flip(m, 0)


@implements(np.rot90)
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    first, second = axes
    k = k % 4
    if k == 0:
        return run("copy")(m)
    if k == 2:
        return F.flip(m, (first, second))
    return swapaxes(F.flip(m, second), first, second) if k == 1 else F.flip(swapaxes(m, first, second), second)


@implements(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    return sequences.roll(as_value(a), shift, axis)


@implements(np.tile)
def tile(A: Any, reps: Any) -> Any:
    a = as_value(A)
    counts = (reps,) if isinstance(reps, (int, np.integer)) else tuple(reps)
    ndim = max(a.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - a.ndim) + a.shape
    spread = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    apart = tuple(n for length in shape for n in (1, length))
    repeated = F.broadcast_to(a.reshape(apart), spread)
    return repeated.reshape(tuple(count * length for count, length in zip(counts, shape, strict=True)))


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a = as_value(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    return F.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis)


@implements(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    return rearranged(a, lambda numbers: np.resize(numbers, new_shape))


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return F.broadcast_to(as_value(array), shape)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    values = [as_value(x) for x in args]
    shape = np.broadcast_shapes(*(x.shape for x in values))
    return tuple(x if x.shape == shape else F.broadcast_to(x, shape) for x in values)


@implements(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    rows = [as_value(x).reshape(-1) for x in xi]
    count = len(rows)
    grids = [row.reshape((1,) * i + (-1,) + (1,) * (count - i - 1)) for i, row in enumerate(rows)]
    if indexing == "xy" and count > 1:
        grids = [swapaxes(grid, 0, 1) for grid in grids]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


def _at_least(ndim: int, shape_of: Any) -> Any:
    def function(*arys: Any) -> Any:
        results = [x if x.ndim >= ndim else x.reshape(shape_of(x.shape)) for x in map(as_value, arys)]
        return results[0] if len(results) == 1 else tuple(results)

    return function


atleast_1d = implements(np.atleast_1d)(_at_least(1, lambda shape: (1,)))
atleast_2d = implements(np.atleast_2d)(_at_least(2, lambda shape: (1, *shape, *(1,) * (1 - len(shape)))))
atleast_3d = implements(np.atleast_3d)(
    _at_least(3, lambda shape: (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1))
)
