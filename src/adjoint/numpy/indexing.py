"""NumPy's functions that read at indices, sort, and assign."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.creation import container
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError
from adjoint.functions import matrices, shapes as F, sorting
from adjoint.numpy.registering import as_value, delivered, implements, in_dtype, on_data, plain, run

__all__: list[str] = []


@implements(np.take)
def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    a = as_value(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    if mode != "raise":
        numbers = np.arange(a.shape[axis])
        indices = np.take(numbers, plain(indices), mode=mode)  # type: ignore[call-overload]
    return delivered(F.take(a, plain(indices), axis), out)


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    return sorting.take_along_axis(as_value(arr), plain(indices), axis)


@implements(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    return take(a, np.flatnonzero(plain(condition)), axis, out)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return take(arr, np.flatnonzero(np.ravel(plain(condition))))


@implements(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    x = as_value(filt)
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    index = [slice(None)] * x.ndim
    nonzero = np.nonzero(x)
    for along in axes:
        places = nonzero[along]
        start = places.min() if len(places) else x.shape[along]
        stop = places.max() + 1 if len(places) else x.shape[along]
        index[along] = slice(start if "f" in trim.lower() else None, stop if "b" in trim.lower() else None)
    return x[tuple(index)]


@implements(np.sort)
def sort(
    a: Any,
    axis: int | None = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: Any = None,
    descending: bool = False,
) -> Any:
    a = as_value(a)
    if descending:
        rising = sort(a, axis, stable=stable)
        return np.flip(rising, -1 if axis is None else axis) if a.ndim or axis is None else a
    if a.dtype.kind == "c":  # by their real parts, and by the imaginary ones of equal real parts
        a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
        return run("take_along_axis")(a, np.argsort(a, axis), axis=axis)
    return sorting.sort(a, axis) if a.ndim or axis is None else a


@implements(np.partition)
def partition(a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Any:
    a = as_value(a)
    if axis is None:
        a, axis = a.reshape(-1), -1
    return run("take_along_axis")(a, np.argpartition(a, kth, axis), axis=axis)


@implements(np.unique)
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, sorted: bool = True,
) -> Any:  # fmt: skip
    a = as_value(ar)
    unique_of = on_data(np.unique)
    _, index, *rest = unique_of(a, True, return_inverse, return_counts, axis, equal_nan=equal_nan)
    values = take(a, index, axis)
    extra = ([index] if return_index else []) + rest
    return (values, *extra) if extra else values


# Diagonals and triangles


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return matrices.diagonal(as_value(a), offset, axis1, axis2)


@implements(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    return matrices.diag(as_value(v), k)


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Any:
    return matrices.diag(as_value(v).reshape(-1), k)


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return delivered(matrices.trace(in_dtype(a, dtype), offset, axis1, axis2), out)


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Any:
    return matrices.tril(_matrix(m), k)


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Any:
    return matrices.triu(_matrix(m), k)


def _matrix(m: Any) -> Any:
    """A row is repeated for each of its elements."""
    m = as_value(m)
    return m if m.ndim > 1 else F.broadcast_to(m, m.shape * 2)


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    numbers = plain(x)
    counts = np.bincount(numbers, minlength=minlength)
    if weights is None:
        return counts
    return F.scatter_add(np.zeros(len(counts)), numbers, weights)


# Assignment


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    delivered(as_value(src), dst, where)


@implements(np.putmask)
def putmask(a: Any, mask: Any, values: Any) -> None:
    values = as_value(values)
    _assign(a, run("where")(plain(mask), np.resize(values, np.shape(a)), a), "putmask")


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    chosen = np.asarray(plain(mask)).astype(bool)
    new = arr.copy()
    new[chosen] = np.resize(vals, (int(chosen.sum()),))
    _assign(arr, new, "place")


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    places = np.take(np.arange(np.size(a)), plain(ind), mode=mode).ravel()  # type: ignore[call-overload]
    row = a.reshape(-1).copy()
    row[places] = np.resize(v, places.shape)
    _assign(a, row.reshape(np.shape(a)), "put")


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    numbers = np.arange(np.size(arr)).reshape(np.shape(arr) if axis is not None else -1)
    places = np.take_along_axis(numbers, plain(indices), 0 if axis is None else axis)
    row = arr.reshape(-1).copy()
    row[places] = values
    _assign(arr, row.reshape(np.shape(arr)), "put_along_axis")


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    flags = np.zeros(np.shape(a), np.bool_)
    np.fill_diagonal(flags, True, wrap)
    new = a.copy()
    new[flags] = np.resize(val, (int(flags.sum()),)) if np.ndim(val) else val
    _assign(a, new, "fill_diagonal")


def _assign(target: Any, value: Any, what: str) -> None:
    if not isinstance(target, Variable):
        raise DTypeError(f"{what} into a NumPy array would lose the gradient; make the array by ad.zeros")
    target[...] = value


# Filled like another


@implements(np.zeros_like, np.empty_like)
def zeros_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
    return _filled(a, 0, dtype, shape)


@implements(np.ones_like)
def ones_like(a: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
    return _filled(a, 1, dtype, shape)


@implements(np.full_like)
def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any
) -> Any:
    if isinstance(fill_value, Variable):
        value = fill_value.astype(as_value(a).dtype if dtype is None else dtype)
        return run("copy")(F.broadcast_to(value, np.shape(a) if shape is None else shape))
    return _filled(a, fill_value, dtype, shape)


def _filled(a: Any, value: Any, dtype: Any, shape: Any) -> Any:
    array = np.full(np.shape(a) if shape is None else shape, value, a.dtype if dtype is None else dtype)
    return container(array)
