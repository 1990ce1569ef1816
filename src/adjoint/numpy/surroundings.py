"""NumPy's `pad` and windows: arrays with more around them, and parts of them side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.value import Value
from adjoint.errors import ArgumentError
from adjoint.functions import shapes as F
from adjoint.numpy.registering import as_value, implements, rearranged
from adjoint.ops import TABLE

__all__: list[str] = []

Ends = tuple[Any, Any]
_STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "median": np.median,
    "maximum": np.max,
    "minimum": np.min,
}


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    a = as_value(array)
    if mode in ("edge", "reflect", "symmetric", "wrap") and kwargs.get("reflect_type", "even") == "even":
        return rearranged(a, lambda numbers: np.pad(numbers, pad_width, mode))
    widths = _widths(pad_width, a.ndim)
    if mode in ("constant", "empty"):
        values = kwargs.get("constant_values", 0)
        if not isinstance(values, Value) and not np.any(values):
            shape = tuple(n + before + after for n, (before, after) in zip(a.shape, widths, strict=True))
            index = tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths, strict=True))
            return apply(TABLE["unindex"], a, index=index, shape=shape)
        pairs = F.broadcast_to(as_value(values), (a.ndim, 2))
        return _around(a, widths, lambda a, axis: (pairs[axis, 0], pairs[axis, 1]))
    if mode in _STATISTICS:
        lengths = _widths(kwargs.get("stat_length"), a.ndim)
        return _around(a, widths, lambda a, axis: _statistics(a, axis, _STATISTICS[mode], lengths[axis]))
    if mode == "linear_ramp":
        pairs = F.broadcast_to(as_value(kwargs.get("end_values", 0)), (a.ndim, 2))
        return _around(a, widths, lambda a, axis: _ramps(a, axis, widths[axis], pairs[axis]))
    if mode in ("reflect", "symmetric"):
        for axis, pair in enumerate(widths):
            a = _reflected(a, axis, pair, mode)
        return a
    raise ArgumentError(
        f"pad in mode {mode!r}; there are constant, edge, reflect, symmetric, wrap, linear_ramp, empty, "
        f"{', '.join(_STATISTICS)}"
    )


def _widths(pad_width: Any, ndim: int) -> list[Any]:
    """A pair for each axis."""
    if isinstance(pad_width, dict):
        pairs = [pad_width.get(i, pad_width.get(i - ndim, 0)) for i in range(ndim)]
        pad_width = [(pair, pair) if isinstance(pair, int) else pair for pair in pairs]
    if pad_width is None:
        return [(None, None)] * ndim
    pairs = np.broadcast_to(pad_width, (ndim, 2)).tolist()
    return pairs


def _part(axis: int, start: Any, stop: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


def _around(a: Any, widths: list[Any], ends_of: Callable[[Any, int], Ends]) -> Any:
    """a with values before and after it, axis by axis; they may depend on what was put around the earlier axes."""
    for axis, pair in enumerate(widths):
        shapes = [(*a.shape[:axis], n, *a.shape[axis + 1 :]) for n in pair]
        before, after = (
            F.broadcast_to(as_value(end), shape).astype(a.dtype)
            for end, shape in zip(ends_of(a, axis), shapes, strict=True)
        )
        a = F.concat([before, a, after], axis)
    return a


def _statistics(a: Any, axis: int, function: Callable[..., Any], lengths: Any) -> Ends:
    """A statistic of the first and of the last elements along an axis."""
    count = a.shape[axis]
    first, last = (count if length is None else min(length, count) for length in lengths)
    return (
        function(a[_part(axis, None, first)], axis=axis, keepdims=True),
        function(a[_part(axis, count - last, None)], axis=axis, keepdims=True),
    )


def _ramps(a: Any, axis: int, widths: Any, ends: Any) -> Ends:
    """Even steps from the end values to the edges."""
    tail = (1,) * (a.ndim - axis - 1)
    shares = [(np.arange(n) / max(n, 1)).astype(a.dtype).reshape(-1, *tail) for n in widths]
    before = ends[0] + (a[_part(axis, None, 1)] - ends[0]) * shares[0]
    after = ends[1] + (a[_part(axis, -1, None)] - ends[1]) * np.flip(shares[1], 0)
    return before, after


def _reflected(a: Any, axis: int, widths: Any, mode: Any) -> Any:
    """Reflected in the edges, and turned over: a product with a matrix that NumPy finds from the unit vectors."""
    count = a.shape[axis]
    matrix = np.pad(np.eye(count, dtype=a.dtype), (tuple(widths), (0, 0)), mode, reflect_type="odd")
    return np.moveaxis(np.tensordot(matrix, a, (1, axis)), 0, axis)


@implements(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    window: Any = np.lib.stride_tricks.sliding_window_view
    return rearranged(x, lambda numbers: window(numbers, window_shape, axis))
