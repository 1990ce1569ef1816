"""NumPy's running sums and products, differences, and integrals."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.errors import ArgumentError
from adjoint.functions import reductions as F
from adjoint.numpy.registering import as_value, as_values, delivered, implements, in_dtype, run

__all__: list[str] = []


@implements(np.cumsum)
def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return delivered(F.cumsum(in_dtype(a, dtype), axis), out)


@implements(np.cumprod)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    return delivered(F.cumprod(in_dtype(a, dtype), axis), out)


@implements(np.nancumsum)
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    a = as_value(a)
    return cumsum(run("where")(np.isnan(a), 0.0, a), axis, dtype, out)


@implements(np.nancumprod)
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    a = as_value(a)
    return cumprod(run("where")(np.isnan(a), 1.0, a), axis, dtype, out)


@implements(np.cumulative_sum)
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    return delivered(_with_initial(cumsum(x, _only_axis(x, axis), dtype), axis, include_initial, 0), out)


@implements(np.cumulative_prod)
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    return delivered(_with_initial(cumprod(x, _only_axis(x, axis), dtype), axis, include_initial, 1), out)


def _only_axis(x: Any, axis: int | None) -> int | None:
    if axis is None and np.ndim(x) > 1:
        raise ArgumentError("for arrays with several axes, the axis is needed")
    return axis


def _with_initial(x: Any, axis: int | None, include_initial: bool, initial: int) -> Any:
    if not include_initial:
        return x
    axis = 0 if axis is None else axis
    shape = tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape))
    return np.concatenate([np.full(shape, initial, x.dtype), x], axis=axis)


def _along(axis: int, part: slice) -> tuple[Any, ...]:
    """The index of a part along an axis counted from 0."""
    return (*(slice(None),) * axis, part)


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    a = as_value(a)
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    ends = [_as_slice(end, a.shape, axis) for end in (prepend, append)]
    if any(end is not None for end in ends):
        a = np.concatenate([part for part in (ends[0], a, ends[1]) if part is not None], axis=axis)
    if n < 0:
        raise ArgumentError(f"diff of order {n}; it is 0 or more")
    later, earlier = _along(axis, slice(1, None)), _along(axis, slice(None, -1))
    for _ in range(n):
        a = a[later] - a[earlier]
    return a


def _as_slice(end: Any, shape: tuple[int, ...], axis: int) -> Any:
    if end is None or end is np._NoValue:
        return None
    end = as_value(end)
    return np.broadcast_to(end, (*shape[:axis], 1, *shape[axis + 1 :])) if end.ndim == 0 else end


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    row = as_value(ary).reshape(-1)
    parts = [to_begin, row[1:] - row[:-1], to_end]
    return np.concatenate([in_dtype(part, row.dtype).reshape(-1) for part in parts if part is not None])


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = as_value(f)
    axes = tuple(range(f.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if len(varargs) not in (0, 1, len(axes)):
        raise ArgumentError(f"gradient along {len(axes)} axes takes as many spacings, or one, not {len(varargs)}")
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    results = [_gradient(f, as_values(h, f)[0], a % f.ndim, edge_order) for h, a in zip(spacings, axes, strict=True)]
    return results[0] if len(results) == 1 else tuple(results)


def _gradient(f: Any, h: Any, axis: int, edge_order: int) -> Any:
    """Second-order differences along an axis, one-sided ones at its ends; h is a spacing, or coordinates."""
    length = f.shape[axis]
    if length < edge_order + 1:
        raise ArgumentError(f"gradient along an axis of length {length}; at least {edge_order + 1} are needed")
    steps = h[1:] - h[:-1] if h.ndim else np.broadcast_to(h, (length - 1,))
    steps = steps.reshape((length - 1, *(1,) * (f.ndim - axis - 1)))

    def at(*part: Any) -> Any:
        return f[_along(axis, slice(*part))]

    before, after = steps[:-1], steps[1:]
    slopes = (at(1, None) - at(None, -1)) / steps
    middle = (slopes[_along(axis, slice(1, None))] * before + slopes[_along(axis, slice(None, -1))] * after) / (
        before + after
    )
    first, last = slopes[_along(axis, slice(None, 1))], slopes[_along(axis, slice(-1, None))]
    if edge_order == 2:
        # The slope of the parabola through the three points at the end.
        bend = slopes[_along(axis, slice(1, 2))] - first
        first = first - bend * steps[:1] / (steps[:1] + steps[1:2])
        bend = last - slopes[_along(axis, slice(-2, -1))]
        last = last + bend * steps[-1:] / (steps[-1:] + steps[-2:-1])
    found = np.concatenate([first, middle, last], axis=axis)
    return in_dtype(found, f.dtype) if f.dtype.kind in "fc" else found


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = as_value(y)
    axis = axis % y.ndim
    if x is None:
        steps = dx
    else:
        x = as_value(x)
        if x.ndim == 1:
            steps = (x[1:] - x[:-1]).reshape((-1, *(1,) * (y.ndim - axis - 1)))
        else:
            steps = diff(x, axis=axis)
    pairs = y[_along(axis, slice(1, None))] + y[_along(axis, slice(None, -1))]
    return F.sum(pairs * steps, axis) / 2.0
