"""Reductions and scans of tracers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.program.arithmetic import binary
from adjoint.program.elementwise import astype, logical_not
from adjoint.program.operations import broadcast_shapes
from adjoint.program.shapes import axes_of, reshape
from adjoint.program.trace import read

__all__ = ["all", "any", "argmax", "cumulative_sum", "max", "mean", "min", "sum", "sum_to"]

Array = Any
Axis = int | tuple[int, ...] | None


def _reduction(op: str, x: Array, axis: Axis, keepdims: bool) -> Array:
    trace, instruction = read(x)
    axes = axes_of(axis, len(instruction.shape))
    result = trace.add(op, instruction, params=(axes,)) if axes else instruction
    if keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(instruction.shape))
        result = trace.reshaped(result, kept)
    return trace.wrap(result)


def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum over some axes or all."""
    trace, instruction = read(x)
    if instruction.dtype.kind in "bui":  # NumPy adds small integers up in the largest
        wide = np.dtype(np.uint64 if instruction.dtype.kind == "u" else np.int64)
        x = trace.wrap(trace.cast(instruction, wide))
    return _reduction("sum", x, axis, keepdims)


def _extreme(op: str, x: Array, axis: Axis, keepdims: bool) -> Array:
    shape = x.shape
    axes = axes_of(axis, len(shape))
    if math.prod(shape[a] for a in axes) == 0:
        raise ValueError(f"zero-size array to reduction operation {op}imum which has no identity")
    return _reduction(op, x, axis, keepdims)


def max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The greatest element over some axes or all."""
    return _extreme("max", x, axis, keepdims)


def min(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The least element over some axes or all."""
    return _extreme("min", x, axis, keepdims)


def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean over some axes or all."""
    axes = axes_of(axis, len(x.shape))
    total = sum(x, axis=axis, keepdims=keepdims)
    return total / math.prod(x.shape[a] for a in axes)


def any(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether any element over some axes or all is not 0."""
    return sum(astype(x, np.bool_), axis=axis, keepdims=keepdims) != 0


def all(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether all elements over some axes or all are not 0."""
    return sum(logical_not(x), axis=axis, keepdims=keepdims) == 0


def argmax(x: Array, *, axis: Any = None) -> Array:
    """The first place of the greatest element along an axis; for None, among all elements in order."""
    trace, instruction = read(x)
    if axis is None:
        instruction, axis = trace.reshaped(instruction, (instruction.size,)), 0
    (axis,) = axes_of(axis, len(instruction.shape))
    if instruction.shape[axis] == 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    return trace.wrap(trace.add("argmax", instruction, params=(axis,)))


def cumulative_sum(x: Array, *, axis: int) -> Array:
    """The sums of the elements up to each along an axis."""
    trace, instruction = read(x)
    (axis,) = axes_of(axis, len(instruction.shape))
    if instruction.dtype.kind in "bui":
        instruction = trace.cast(instruction, np.dtype(np.uint64 if instruction.dtype.kind == "u" else np.int64))
    one = instruction.op == "broadcast" and len(instruction.shape) == 1 and instruction.inputs[0].op == "constant"
    if one and instruction.inputs[0].params[0] == 1:  # 1, 2, 3, …
        numbers = trace.add("iota", params=(instruction.shape[0], instruction.dtype))
        return binary("add", trace.wrap(numbers), 1)
    return trace.wrap(trace.add("cumsum", instruction, params=(axis,)))


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """x summed over the axes along which it was repeated from `shape`."""
    trace, instruction = read(x)
    if instruction.shape == shape:
        return trace.wrap(instruction)
    extra = len(instruction.shape) - len(shape)
    if extra < 0 or broadcast_shapes(instruction.shape, shape) != instruction.shape:
        raise ValueError(f"cannot sum an array of shape {x.shape} to {shape}")
    stretched = tuple(
        i for i in range(extra, extra + len(shape)) if shape[i - extra] == 1 and instruction.shape[i] != 1
    )
    return reshape(sum(x, axis=tuple(range(extra)) + stretched), shape)
