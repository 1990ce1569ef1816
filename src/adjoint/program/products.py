"""Products of tracers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.errors import TraceError
from adjoint.program.arithmetic import result_dtype
from adjoint.program.operations import broadcast_shapes
from adjoint.program.trace import trace_of

__all__ = ["dot", "matmul"]

Array = Any


def matmul(a: Array, b: Array) -> Array:
    """The product of matrices, or of stacks of them, as a @ b."""
    trace = trace_of(a, b)
    dtype = result_dtype(a, b)
    left, right = trace.read(a, dtype), trace.read(b, dtype)
    if not left.shape or not right.shape:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    rows, columns = left.shape, right.shape
    if len(rows) == 1:
        left = trace.reshaped(left, (1, *rows))
    if len(columns) == 1:
        right = trace.reshaped(right, (*columns, 1))
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul: Input operands have a mismatch in their core dimensions: {rows} and {columns}")
    stack = broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if len(right.shape) == 2 and len(left.shape) > 2:  # one product of all rows
        left = trace.reshaped(left, (math.prod(left.shape[:-1]), left.shape[-1]))
    result = trace.add("matmul", left, right)
    shape = (*stack, *rows[-2:-1], *(columns[-1:] if len(columns) > 1 else ()))
    return trace.wrap(trace.reshaped(result, shape))


def dot(a: Array, b: Array) -> Array:
    """numpy.dot, for at most two axes on the right."""
    if not (np.ndim(a) and np.ndim(b)):
        return a * b
    if np.ndim(b) > 2:
        raise TraceError("numpy.dot of an array with more than two axes cannot be traced; use @ or numpy.einsum")
    return matmul(a, b)
