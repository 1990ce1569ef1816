"""NumPy's functions that join arrays and cut them into parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.config import RECORDING
from adjoint.core.apply import apply
from adjoint.functions import shapes as F
from adjoint.numpy.registering import as_value, delivered, implements, in_dtype
from adjoint.ops import shaping

__all__: list[str] = []


def _values(arrays: Any, dtype: Any = None) -> list[Any]:
    return [in_dtype(x, dtype) for x in arrays]


@implements(np.concatenate, np.concat)
def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Any:
    values = _values(arrays, dtype)
    if axis is None:
        values, axis = [x.reshape(-1) for x in values], 0
    return delivered(F.concat(values, axis), out)


@implements(np.stack)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return delivered(F.stack(_values(arrays, dtype), axis), out)


@implements(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    return tuple(np.moveaxis(as_value(x), axis, 0))


@implements(np.vstack)
def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    return F.concat([np.atleast_2d(x) for x in _values(tup, dtype)], 0)


@implements(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Any:
    values = [np.atleast_1d(x) for x in _values(tup, dtype)]
    return F.concat(values, 0 if values and values[0].ndim == 1 else 1)


@implements(np.dstack)
def dstack(tup: Any) -> Any:
    return F.concat([np.atleast_3d(x) for x in _values(tup)], 2)


@implements(np.column_stack)
def column_stack(tup: Any) -> Any:
    return F.concat([x if x.ndim > 1 else x.reshape((-1, 1)) for x in _values(tup)], 1)


@implements(np.block)
def block(arrays: Any) -> Any:
    depth = _depth(arrays)
    return _joined(arrays, depth, max(depth, _most_axes(arrays)))


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _most_axes(arrays: Any) -> int:
    return max(map(_most_axes, arrays)) if isinstance(arrays, list) else int(np.ndim(arrays))


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    """The innermost lists are joined along the last axis, those around them along the one before, …"""
    if not isinstance(arrays, list):
        x = as_value(arrays)
        return x.reshape((*(1,) * (ndim - x.ndim), *x.shape))
    return F.concat([_joined(part, depth - 1, ndim) for part in arrays], -depth)


@implements(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return concatenate([as_value(arr), as_value(values)], axis=axis)


@implements(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    a, values = as_value(arr), as_value(values)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    # Where each of the old and of the new parts goes is found with their numbers: the new ones count on.
    length = a.shape[axis]
    numbers = np.insert(np.arange(length), obj, -1)
    added = len(numbers) - length
    places = np.insert(np.arange(length), obj, length + np.arange(added) if np.ndim(obj) or added > 1 else length)
    if np.size(obj) == 1 and not isinstance(obj, slice) and np.asarray(obj).dtype.kind != "b":
        if np.ndim(obj):
            obj, values = np.ravel(obj)[0], values[None] if values.ndim < a.ndim and values.ndim else values
            values = np.moveaxis(values, axis, 0) if values.ndim == a.ndim else values
        values = np.moveaxis(np.atleast_1d(values), 0, axis) if values.ndim == a.ndim else values
        if values.ndim == a.ndim and values.shape[axis] != added:  # several parts at one place
            added = values.shape[axis]
            places = np.insert(np.arange(length), [obj] * added, length + np.arange(added))
        elif values.ndim < a.ndim and values.ndim:
            values = np.expand_dims(np.broadcast_to(values, a.shape[:axis] + a.shape[axis + 1 :]), axis)
    shape = (*a.shape[:axis], added, *a.shape[axis + 1 :])
    new = F.broadcast_to(values, shape).astype(a.dtype)
    return F.take(F.concat([a, new], axis), places, axis)


@implements(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    a = as_value(arr)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    return F.take(a, np.delete(np.arange(a.shape[axis]), obj), axis)


@implements(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return _parts(ary, indices_or_sections, axis, np.array_split)


@implements(np.split)
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    return _parts(ary, indices_or_sections, axis, np.split)


@implements(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 1 if np.ndim(ary) > 1 else 0)


@implements(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 0)


@implements(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    return split(ary, indices_or_sections, 2)


def _parts(a: Any, cuts: Any, axis: int, cut: Any) -> list[Any]:
    a = as_value(a)
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    parts: Sequence[Any] = cut(np.arange(a.shape[axis]), cuts)
    sizes = tuple(len(part) for part in parts)
    if RECORDING.get() and sum(sizes) == a.shape[axis]:
        return list(apply(shaping.split, a, sizes=sizes, axis=axis))
    # Cuts that overlap: each part is a run of elements all the same. Without a graph, only what is read at an index is
    # known to be a view.
    before = (slice(None),) * axis
    return [a[(*before, slice(part[0], part[-1] + 1) if len(part) else slice(0, 0))] for part in parts]
