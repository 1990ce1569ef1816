"""NumPy's sums, extremes and moments along axes, with its options; those of the numbers among NaN as well."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.core.value import raw
from adjoint.errors import ArgumentError
from adjoint.functions import reductions as F
from adjoint.numpy.registering import as_value, delivered, implements, in_dtype, plain, run

__all__: list[str] = []

Axis = Any
_where = run("where")


def _chosen(x: Any, where: Any, neutral: Any) -> Any:
    """x, with what leaves a reduction as it is where `where` is false."""
    return x if where is True else _where(plain(where), x, x.dtype.type(neutral))


def _is_number(initial: Any, neutral: int) -> bool:
    """Whether an initial value is the default."""
    return isinstance(initial, int) and initial == neutral


@implements(np.sum)
def sum(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 0,
    where: Any = True,
) -> Any:  # fmt: skip
    result = F.sum(_chosen(in_dtype(a, dtype), where, 0), axis, keepdims)
    return delivered(result if _is_number(initial, 0) else result + initial, out)


@implements(np.prod)
def prod(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 1,
    where: Any = True,
) -> Any:  # fmt: skip
    result = F.prod(_chosen(in_dtype(a, dtype), where, 1), axis, keepdims)
    return delivered(result if _is_number(initial, 1) else result * initial, out)


@implements(np.max, np.amax)
def max(
    a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return delivered(_extreme("max", as_value(a), axis, keepdims, initial, where), out)


@implements(np.min, np.amin)
def min(
    a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return delivered(_extreme("min", as_value(a), axis, keepdims, initial, where), out)


def _extreme(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    if x.dtype.kind == "c":
        return _extreme_of_complex(name, x, axis, keepdims, initial, where)
    if initial is None or initial is np._NoValue:
        if where is not True:
            raise ArgumentError(f"{name} with where needs an initial value, which it has where nothing is chosen")
        return getattr(F, name)(x, axis, keepdims)
    x = _chosen(x, where, raw(initial))
    if x.size == 0:
        return as_value(np.full(raw(np.sum(x, axis=axis, keepdims=keepdims)).shape, raw(initial), x.dtype))
    return run("maximum" if name == "max" else "minimum")(getattr(F, name)(x, axis, keepdims), initial)


def _extreme_of_complex(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    """The last or the first, where numbers are compared by real parts, and by imaginary parts if those are equal."""
    if where is not True or not (initial is None or initial is np._NoValue):
        raise ArgumentError(f"{name} of complex numbers takes no where and no initial value")
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    lines = np.transpose(x, rest + tuple(axes)).reshape((*(x.shape[i] for i in rest), -1))
    places = (np.argmax if name == "max" else np.argmin)(lines, axis=-1)
    result = run("take_along_axis")(lines, np.expand_dims(places, -1), axis=-1)[..., 0]
    return np.expand_dims(result, tuple(axes)) if keepdims else result


@implements(np.ptp)
def ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False) -> Any:
    a = as_value(a)
    return delivered(F.max(a, axis, keepdims) - F.min(a, axis, keepdims), out)


def _count(x: Any, axis: Axis, where: Any) -> Any:
    """How many elements a reduction takes in, for every line."""
    flags = np.broadcast_to(plain(where), x.shape)
    return flags.sum(axis=axis, keepdims=True)


@implements(np.mean)
def mean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    x = in_dtype(a, dtype)
    if where is True:
        return delivered(F.mean(x, axis, keepdims), out)
    result = F.sum(_chosen(x, where, 0), axis, keepdims=True) / _count(x, axis, where).astype(x.dtype)
    return delivered(_dropped(result, axis, keepdims), out)


def _dropped(x: Any, axis: Axis, keepdims: bool) -> Any:
    """A result whose reduced axes were kept, as it is to be."""
    if keepdims:
        return x
    return x.reshape(()) if axis is None else np.squeeze(x, axis)


def _variance(x: Any, axis: Axis, ddof: float, keepdims: bool, where: Any, middle: Any) -> Any:
    """Σ |x − mean|² / (n − ddof)"""
    if middle is None:
        middle = mean(x, axis, keepdims=True, where=where)
    centered = _chosen(x - middle, where, 0)
    square = run("real")(centered * run("conj")(centered)) if x.dtype.kind == "c" else run("square")(centered)
    count = math.prod(x.shape) if axis is None else _count(x, axis, True).flat[0] if x.size else 0
    divisor = float(count - ddof) if where is True else (_count(x, axis, where) - ddof).astype(x.real.dtype)
    return _dropped(F.sum(square, axis, keepdims=True) / divisor, axis, keepdims)


def _ddof(ddof: float, correction: Any) -> float:
    return ddof if correction is None or correction is np._NoValue else correction


@implements(np.var)
def var(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    x = in_dtype(a, dtype)
    return delivered(_variance(x, axis, _ddof(ddof, correction), keepdims, where, mean), out)


@implements(np.std)
def std(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    x = in_dtype(a, dtype)
    return delivered(run("sqrt")(_variance(x, axis, _ddof(ddof, correction), keepdims, where, mean)), out)


@implements(np.average)
def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    a = as_value(a)
    if weights is None:
        weights = np.ones((), a.dtype)
        result = F.mean(a, axis, keepdims)
        total: Any = result * 0.0 + a.size / (result.size or 1)
        return (result, total) if returned else result
    weights = as_value(weights)
    if weights.shape != a.shape:  # one for each element along the axis
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        lengths = [1] * a.ndim
        for position, along in enumerate(axes):
            lengths[along] = weights.shape[position]
        order = sorted(range(len(axes)), key=lambda position: axes[position] % a.ndim)
        weights = np.transpose(weights, order).reshape(tuple(lengths))
    total = F.sum(np.broadcast_to(weights, a.shape), axis, keepdims)
    result = F.sum(a * weights, axis, keepdims) / total
    return (result, total) if returned else result


# Of the elements that are not NaN


@implements(np.nansum)
def nansum(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 0,
    where: Any = True,
) -> Any:  # fmt: skip
    return sum(a, axis, dtype, out, keepdims, initial, _numbers(a, where))


@implements(np.nanprod)
def nanprod(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = 1,
    where: Any = True,
) -> Any:  # fmt: skip
    return prod(a, axis, dtype, out, keepdims, initial, _numbers(a, where))


@implements(np.nanmean)
def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    return mean(a, axis, dtype, out, keepdims, where=_numbers(a, where))


@implements(np.nanvar)
def nanvar(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    return var(a, axis, dtype, out, ddof, keepdims, where=_numbers(a, where), mean=mean, correction=correction)


@implements(np.nanstd)
def nanstd(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    return std(a, axis, dtype, out, ddof, keepdims, where=_numbers(a, where), mean=mean, correction=correction)


@implements(np.nanmax)
def nanmax(
    a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return delivered(_extreme_of_numbers("max", a, axis, keepdims, initial, where), out)


@implements(np.nanmin)
def nanmin(
    a: Any, axis: Axis = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    return delivered(_extreme_of_numbers("min", a, axis, keepdims, initial, where), out)


def _numbers(x: Any, where: Any) -> Any:
    """Where x is no NaN, among what `where` says."""
    return ~np.isnan(as_value(x)) & plain(where)


def _extreme_of_numbers(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    x = as_value(x)
    numbers = _numbers(x, where)
    if initial is not None and initial is not np._NoValue:
        return _extreme(name, x, axis, keepdims, initial, numbers)
    least = -math.inf if name == "max" else math.inf
    result = getattr(F, name)(_chosen(x, numbers, least), axis, keepdims)
    return _where(np.any(numbers, axis=axis, keepdims=bool(keepdims)), result, math.nan)
