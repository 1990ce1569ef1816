"""NumPy's quantiles and covariances, and functions applied along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError
from adjoint.functions import shapes, sorting
from adjoint.numpy.registering import as_value, as_values, delivered, implements, in_dtype, plain, run

__all__: list[str] = []

Axis = Any


def _lines(a: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """a with the reduced axes as its last one, and the shape that they leave where they are kept."""
    a = as_value(a)
    axes = tuple(range(a.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    rest = tuple(i for i in range(a.ndim) if i not in axes)
    kept = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    return shapes.transpose(a, rest + axes).reshape((*(a.shape[i] for i in rest), -1)), kept


def _quantile(a: Any, q: Any, axis: Axis, keepdims: bool, of_numbers: bool) -> Any:
    """Between the two elements of a sorted line that are next to the quantile, in proportion."""
    lines, kept = _lines(a, axis)
    q = as_value(q)
    order = raw(run("argsort")(lines, axis=-1))  # NaN come last
    ordered = run("take_along_axis")(lines, order, axis=-1)
    is_nan = np.isnan(ordered)
    count = np.sum(~is_nan, axis=-1) if of_numbers else np.full(ordered.shape[:-1], ordered.shape[-1])
    results = []
    for share in q.reshape(-1):
        position = share * np.maximum(count - 1, 0)
        below = np.floor(raw(position)).astype(np.intp)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        low, high = (run("take_along_axis")(ordered, at[..., None], axis=-1)[..., 0] for at in (below, above))
        result = low + (high - low) * (position - below).astype(low.dtype)
        if not of_numbers:
            result = run("where")(np.any(is_nan, axis=-1), np.nan, result)
        results.append(result.reshape(kept) if keepdims else result)
    return results[0] if q.ndim == 0 else shapes.stack(results).reshape((*q.shape, *results[0].shape))


def _by_method(a: Any, q: Any, axis: Axis, keepdims: bool, method: str, weights: Any) -> Any:
    """A quantile; its gradient in the share is there for the method "linear"."""
    if weights is not None:
        raise DTypeError("a quantile of a Variable takes no weights; or compute with x.data")
    if method == "linear":
        return _quantile(a, q, axis, keepdims, False)
    if method in ("lower", "higher", "midpoint", "nearest"):
        return sorting.quantile(as_value(a), plain(q), axis, keepdims, method=method)
    return _by_shares(a, plain(q), axis, keepdims, method)


def _by_shares(a: Any, q: Any, axis: Axis, keepdims: bool, method: str) -> Any:
    """A quantile as a sum of sorted elements, with the shares that they have by a method of NumPy's."""
    lines, kept = _lines(a, axis)
    count = lines.shape[-1]
    # Of the sorted numbers 0, …, 0, 1, …, 1, the quantile is the sum of the shares from the first 1 on.
    sums = np.quantile(np.tri(count + 1, count, -1)[:, ::-1], q, axis=-1, method=method)  # type: ignore[call-overload]
    shares = np.diff(sums, axis=-1)  # (*q, count), from the last element to the first
    ordered = shapes.flip(np.sort(lines, axis=-1), -1)
    is_taken = shares != 0
    chosen = np.flatnonzero(is_taken.reshape(-1, count).any(axis=0))  # others may be infinite
    result = shapes.take(ordered, chosen, -1) @ np.moveaxis(shares[..., chosen], -1, 0).reshape(len(chosen), -1)
    result = run("where")(np.any(np.isnan(lines), axis=-1, keepdims=True), np.nan, result.astype(lines.dtype))
    shape = kept if keepdims else lines.shape[:-1]
    return np.moveaxis(result, -1, 0).reshape((*np.shape(q), *shape))


def _only_linear(method: str, weights: Any, what: str) -> None:
    if method != "linear" or weights is not None:
        raise DTypeError(f"{what} of a Variable has the method 'linear', and no weights; or compute with x.data")


@implements(np.quantile)
def quantile(
    a: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    return delivered(_by_method(a, q, axis, keepdims, method, weights), out)


@implements(np.percentile)
def percentile(
    a: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    share = q / 100.0 if isinstance(q, Variable) else np.asarray(q) / 100.0
    return delivered(_by_method(a, share, axis, keepdims, method, weights), out)


@implements(np.nanquantile)
def nanquantile(
    a: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    _only_linear(method, weights, "nanquantile")
    return delivered(_quantile(a, q, axis, keepdims, True), out)


@implements(np.nanpercentile)
def nanpercentile(
    a: Any, q: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    _only_linear(method, weights, "nanpercentile")
    return delivered(_quantile(a, as_value(q) / 100.0, axis, keepdims, True), out)


@implements(np.median)
def median(a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    return delivered(_quantile(a, 0.5, axis, keepdims, False), out)


@implements(np.nanmedian)
def nanmedian(a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    return delivered(_quantile(a, 0.5, axis, keepdims, True), out)


@implements(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    rows = in_dtype(_variables_in_rows(m, rowvar), dtype)
    if y is not None:
        rows = shapes.concat([rows, _variables_in_rows(y, rowvar)])
    ddof = (0 if bias else 1) if ddof is None else ddof
    if fweights is None and aweights is None:
        rows, weighted, count = rows - np.mean(rows, axis=1, keepdims=True), None, rows.shape[1] - ddof
    else:
        counts, importance = (np.ones(rows.shape[1]) if w is None else as_value(w) for w in (fweights, aweights))
        weights = counts * importance
        total = np.sum(weights)
        rows = rows - np.sum(rows * weights, axis=1, keepdims=True) / total
        weighted = rows * weights
        count = total - (ddof if aweights is None else ddof * np.sum(weights * importance) / total)
    other = run("conj")(rows) if rows.dtype.kind == "c" else rows
    return shapes.squeeze(((rows if weighted is None else weighted) @ other.T) / count)


def _variables_in_rows(m: Any, rowvar: bool) -> Any:
    m = np.atleast_2d(as_value(m))
    return m if rowvar or m.shape[0] == 1 else m.T


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    spread = run("sqrt")(run("real")(np.diagonal(c)) if c.dtype.kind == "c" else np.diagonal(c))
    return c / spread[:, None] / spread[None, :]


@implements(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    a = np.moveaxis(as_value(arr), axis, -1)
    around = a.shape[:-1]
    results = [as_value(func1d(line, *args, **kwargs)) for line in a.reshape((-1, a.shape[-1]))]
    whole: Any = shapes.stack(results).reshape(around + results[0].shape)
    count = results[0].ndim
    begin = axis % a.ndim
    return np.moveaxis(whole, tuple(range(-count, 0)), tuple(range(begin, begin + count)))


@implements(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    a = as_value(a)
    for axis in (axes,) if isinstance(axes, int) else plain(axes):
        result = as_value(func(a, axis))
        a = result if result.ndim == a.ndim else np.expand_dims(result, axis)
    return a


@implements(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    start, stop = np.broadcast_arrays(*(x * 1.0 for x in as_values(start, stop)))
    count = num - 1 if endpoint else num
    step = (stop - start) / count if count else (stop - start) * np.nan
    numbers = np.arange(num, dtype=start.dtype).reshape((-1, *(1,) * start.ndim))
    values: Any = start + numbers * step if count else shapes.broadcast_to(start, (num, *start.shape))
    values = np.moveaxis(values if dtype is None else values.astype(dtype), 0, axis)
    return (values, step) if retstep else values


@implements(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    values = np.power(base, linspace(start, stop, num, endpoint, axis=axis))
    return values if dtype is None else values.astype(dtype)


@implements(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    start, stop = as_value(start), as_value(stop)
    sign = np.sign(start)
    values = sign * np.exp(linspace(run("log")(start * sign), run("log")(stop * sign), num, endpoint, axis=axis))
    return values if dtype is None else values.astype(dtype)
