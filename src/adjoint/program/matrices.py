"""Decompositions and equations of tracers' matrices, and the order of elements along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.program import matrix_operations as matrix_operations
from adjoint.program.arithmetic import result_dtype
from adjoint.program.complex_numbers import real
from adjoint.program.indexing import getitem
from adjoint.program.instruction import Instruction
from adjoint.program.shapes import axes_of, permute_dims
from adjoint.program.trace import Trace, read, trace_of

__all__ = ["argsort", "cholesky", "eig", "eigh", "qr", "slogdet", "solve", "svd"]

Array = Any


def argsort(x: Array, *, axis: int) -> Array:
    """The numbers of the elements along an axis in ascending order."""
    trace, instruction = read(x)
    (axis,) = axes_of(axis, len(instruction.shape))
    return trace.wrap(trace.add("argsort", instruction, params=(axis,)))


def _computed(trace: Trace, x: Array, dtype: Any) -> Instruction:
    """x in the dtype in which NumPy computes."""
    if dtype.name == "float16":
        raise TypeError("array type float16 is unsupported in linalg")
    return trace.read(x, dtype if dtype.kind in "fc" else np.dtype(np.float64))


def _of_one(op: str, x: Array) -> Array:
    trace = trace_of(x)
    return trace.wrap(trace.add(op, _computed(trace, x, x.dtype)))


def _below(packed: Array, *begins: int) -> list[Array]:
    """The parts of an array that begin at these rows."""
    ends = (*begins[1:], packed.shape[-2])
    return [getitem(packed, (..., slice(*bounds), slice(None))) for bounds in zip(begins, ends, strict=True)]


def _turned(x: Array) -> Array:
    ndim = len(x.shape)
    return permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def cholesky(x: Array) -> Array:
    """The lower triangular L with x = L Lᵀ."""
    return _of_one("cholesky", x)


def solve(a: Array, b: Array) -> Array:
    """The solution of a x = b, with matrices on the right."""
    trace = trace_of(a, b)
    dtype = result_dtype(a, b)
    return trace.wrap(trace.add("solve", _computed(trace, a, dtype), _computed(trace, b, dtype)))


def slogdet(x: Array) -> tuple[Array, Array]:
    """The sign of the determinant, and the logarithm of its absolute value."""
    both = _of_one("slogdet", x)
    return getitem(both, (..., 0)), real(getitem(both, (..., 1)))


def eig(x: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of square matrices, as complex numbers."""
    w, v = _below(_of_one("eig", x), 0, 1)
    return getitem(w, (..., 0, slice(None))), v


def eigh(x: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    w, v = _below(_of_one("eigh", x), 0, 1)
    return real(getitem(w, (..., 0, slice(None)))), v


def svd(x: Array) -> tuple[Array, Array, Array]:
    """x = U S Vᵀ, reduced."""
    rows = x.shape[-2]
    u, s, v = _below(_of_one("svd", x), 0, rows, rows + 1)
    return u, real(getitem(s, (..., 0, slice(None)))), _turned(v)


def qr(x: Array) -> tuple[Array, Array]:
    """x = Q R, reduced."""
    q, r = _below(_of_one("qr", x), 0, x.shape[-2])
    return q, _turned(r)
