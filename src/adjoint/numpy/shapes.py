"""NumPy's functions that reshape, reorder and repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.value import raw
from adjoint.errors import ArgumentError, DTypeError
from adjoint.functions import sequences, shapes as F
from adjoint.lifted import Lifted
from adjoint.numpy.registering import as_value, implements, rearranged, run

__all__: list[str] = []


def _row_major(order: str, what: str) -> None:
    if order not in "CKA":
        raise DTypeError(f"{what} in order {order!r} is not recorded; transpose before and after it")


@implements(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: Any = None) -> Any:
    a = as_value(a)
    if copy is not None:
        result = reshape(a, shape, order)
        if copy:
            return run("copy")(result)
        before, after = raw(a), raw(result)
        if isinstance(before, np.ndarray) and not np.may_share_memory(before, after):
            raise ArgumentError("reshape with copy=False: these elements do not lie so in memory; use copy=None")
        return result
    if order == "F" or (order in "AK" and _is_by_columns(raw(a))):
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        return np.transpose(np.reshape(np.transpose(a), shape[::-1]))
    return F.reshape(a, shape)


def _is_by_columns(array: Any) -> bool:
    """Whether an array lies in memory column by column, and not row by row too."""
    if isinstance(array, np.ndarray):
        return array.flags.f_contiguous and not array.flags.c_contiguous
    ndim = array.ndim
    while isinstance(array, Lifted):
        array = array.value  # type: ignore[attr-defined]
    if not isinstance(array, np.ndarray):
        return False
    # An example of a batch: it has the layout that it would have alone, but for a common factor of the steps.
    fronts = array.ndim - ndim
    axes = [(step, n) for step, n in zip(array.strides[fronts:], array.shape[fronts:], strict=True) if n != 1]
    if len(axes) < 2 or array.size == 0:
        return False
    expected = axes[0][0]
    for step, length in axes:
        if step != expected:
            return False
        expected *= length
    return expected > 0


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
        return as_value(m)[...]
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
    results = tuple(grids) if sparse else broadcast_arrays(*grids)
    # What was repeated is a value of its own; the others are views of the arguments.
    if not copy:
        return results
    return tuple(run("copy")(x) if x.size == row.size else x for x, row in zip(results, rows, strict=True))


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
