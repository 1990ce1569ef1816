"""Primitives on tracers that move elements to other places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.program.arithmetic import result_dtype
from adjoint.program.trace import read, trace_of

__all__ = ["axes_of", "broadcast_to", "concat", "flip", "permute_dims", "reshape", "stack"]

Array = Any
Axis = int | tuple[int, ...] | None


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` as axes from 0, each once. Raises numpy.exceptions.AxisError and ValueError as NumPy does."""
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and 0 <= axis < ndim:
        return (axis,)
    return np.lib.array_utils.normalize_axis_tuple(axis, ndim)


def broadcast_to(x: Array, shape: Sequence[int]) -> Array:
    """x repeated to fill a shape."""
    trace, instruction = read(x)
    return trace.view(trace.broadcast(instruction, tuple(int(n) for n in shape)))


def reshape(x: Array, shape: Any) -> Array:
    """x in another shape of as many elements, of which one length may be -1."""
    trace, instruction = read(x)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    if -1 in shape:
        rest = math.prod(n for n in shape if n != -1)
        if shape.count(-1) > 1:
            raise ValueError("can only specify one unknown dimension")
        if rest == 0 or instruction.size % rest:
            raise ValueError(f"cannot reshape array of size {instruction.size} into shape {shape}")
        shape = tuple(instruction.size // rest if n == -1 else n for n in shape)
    if math.prod(shape) != instruction.size or any(n < 0 for n in shape):
        raise ValueError(f"cannot reshape array of size {instruction.size} into shape {shape}")
    return trace.view(trace.reshaped(instruction, shape))


def permute_dims(x: Array, axes: Any = None) -> Array:
    """x with its axes in another order, the reverse one for None."""
    trace, instruction = read(x)
    ndim = len(instruction.shape)
    axes = tuple(reversed(range(ndim))) if axes is None else tuple(axes)
    if len(axes) != ndim:
        raise ValueError("axes don't match array")
    axes = axes_of(axes, ndim)
    if axes == tuple(range(ndim)):
        return trace.view(instruction)
    return trace.view(trace.add("permute", instruction, params=(axes,)))


def flip(x: Array, axis: Axis = None) -> Array:
    """x from its end to its begin, along some axes or all."""
    trace, instruction = read(x)
    axes = axes_of(axis, len(instruction.shape))
    ranges = tuple((n - 1, n, -1) if i in axes and n else (0, n, 1) for i, n in enumerate(instruction.shape))
    return trace.view(trace.add("slice", instruction, params=(ranges,)))


def concat(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Arrays one after the other along an axis."""
    trace = trace_of(*arrays)
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    dtype = result_dtype(*arrays)
    parts = [trace.read(x, dtype) for x in arrays]
    ndim = len(parts[0].shape)
    if ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    (axis,) = axes_of(axis, ndim)
    for part in parts:
        if len(part.shape) != ndim or any(
            n != m for i, (n, m) in enumerate(zip(part.shape, parts[0].shape, strict=True)) if i != axis
        ):
            raise ValueError(f"all the input array dimensions except for {axis} must match exactly")
    return trace.wrap(parts[0] if len(parts) == 1 else trace.add("concat", *parts, params=(axis,)))


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Arrays of one shape along a new axis."""
    if not arrays:
        raise ValueError("need at least one array to stack")
    shapes = {tuple(x.shape) if hasattr(x, "shape") else () for x in arrays}
    if len(shapes) != 1:
        raise ValueError("all input arrays must have the same shape")
    shape = shapes.pop()
    (axis,) = axes_of(axis, len(shape) + 1)
    return concat([reshape(x, (*shape[:axis], 1, *shape[axis:])) for x in arrays], axis)
