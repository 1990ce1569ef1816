"""NumPy's own functions called on tracers: which primitive each of them is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from adjoint.errors import TraceError
from adjoint.program import complex_numbers, composed, elementwise, matrices, reductions, shapes
from adjoint.program.arithmetic import BINARY_UFUNCS, binary
from adjoint.program.einsums import einsum
from adjoint.program.indexing import take
from adjoint.program.products import dot, matmul
from adjoint.program.tracer import Tracer, is_operand

__all__ = ["apply_function", "apply_ufunc"]

_SAME_NAME = "cos cosh exp expm1 isfinite isnan log log1p logical_not sign sin sinh sqrt square tanh".split()
_COMPOSED = "cbrt ceil copysign exp2 floor hypot log10 log2 logaddexp trunc".split()
_UFUNCS: dict[Any, Callable[..., Any]] = {
    **{getattr(np, name): getattr(elementwise, name) for name in _SAME_NAME},
    **{ufunc: partial(binary, op) for op, ufunc in BINARY_UFUNCS.items()},
    **{getattr(np, name): getattr(composed, name) for name in _COMPOSED},
    np.absolute: elementwise.abs,
    np.arccos: complex_numbers.acos,
    np.arccosh: complex_numbers.acosh,
    np.arcsin: complex_numbers.asin,
    np.arcsinh: complex_numbers.asinh,
    np.arctan: elementwise.atan,
    np.arctan2: composed.atan2,
    np.conj: complex_numbers.conj,
    np.tan: complex_numbers.tan,
    np.arctanh: complex_numbers.atanh,
    np.negative: operator.neg,
    np.invert: operator.invert,
    np.power: lambda a, b: a**b if isinstance(a, Tracer) else binary("pow", a, b),
    np.matmul: matmul,
}
_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{getattr(np, name): getattr(reductions, name) for name in "all any argmax max mean min sum".split()},
    **{getattr(np, name): getattr(elementwise, name) for name in "full_like ones_like where zeros_like".split()},
    **{getattr(np, name): getattr(shapes, name) for name in "broadcast_to flip reshape stack".split()},
    np.concatenate: lambda xs, axis=0: (
        shapes.concat([shapes.reshape(x, -1) for x in xs]) if axis is None else shapes.concat(xs, axis)
    ),
    np.transpose: shapes.permute_dims,
    np.argsort: lambda x, axis=-1, **_: (
        matrices.argsort(shapes.reshape(x, -1), axis=0) if axis is None else matrices.argsort(x, axis=axis)
    ),
    np.clip: lambda x, low=None, high=None: _clip(x, low, high),
    np.searchsorted: lambda points, x, side="left": _searchsorted(points, x, side),
    np.take: lambda x, indices, axis=None: (
        take(shapes.reshape(x, -1), indices) if axis is None else take(x, indices, axis=axis)
    ),
    np.cumsum: lambda x, axis: reductions.cumulative_sum(x, axis=axis),
    np.dot: dot,
    np.einsum: einsum,
    np.real: complex_numbers.real,
    np.imag: complex_numbers.imag,
    np.round: composed.round,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
_POSITIONAL_AXIS = {np.sum, np.mean, np.max, np.min, np.any, np.all, np.argmax, np.take}


def _clip(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else elementwise.maximum(x, low)
    return x if high is None else elementwise.minimum(x, high)


def _searchsorted(points: Any, x: Any, side: str) -> Any:
    """How many points come before: they are compared with all of x, as there is no searching where they are unknown."""
    columns = shapes.reshape(elementwise.asarray(x), (*np.shape(x), 1))
    before = columns > points if side == "left" else columns >= points
    return reductions.sum(elementwise.astype(before, np.dtype(np.intp)), axis=-1)


def apply_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """A NumPy ufunc called on tracers."""
    function = _UFUNCS.get(ufunc)
    if function is None or method != "__call__" or options:
        raise TraceError(f"numpy.{ufunc.__name__} cannot be traced in this form; use adjoint.functions")
    if not all(is_operand(x) for x in inputs):
        return NotImplemented
    return function(*inputs)


def apply_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function called on tracers."""
    known = _FUNCTIONS.get(function)
    if known is None:
        raise TraceError(f"numpy.{function.__name__} cannot be traced; use adjoint.functions")
    if function in _POSITIONAL_AXIS and len(args) == (3 if function is np.take else 2):
        args, kwargs = args[:-1], {**kwargs, "axis": args[-1]}
    try:
        return known(*args, **kwargs)
    except TypeError as error:
        raise TraceError(f"numpy.{function.__name__} cannot be traced with these arguments: {error}") from None
