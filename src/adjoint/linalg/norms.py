"""Norms of vectors and of matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, AxisError, ShapeError
from adjoint.functions import elementwise, reductions, shapes
from adjoint.linalg.arguments import as_matrices
from adjoint.linalg.decompositions import svdvals
from adjoint.linalg.equations import inv
from adjoint.ops import arithmetic

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]

Order = float | str | None


def norm(x: Any, ord: Order = None, axis: Any = None, keepdims: bool = False) -> Variable:
    """The norm of vectors along one axis, or of matrices in two; see `vector_norm` and `matrix_norm`.

    Args:
        x: an array.
        ord: the order; for None, the square root of the sum of all squares.
        axis: a number for vectors, two for matrices. For None, all of x: a vector or a matrix by its axes, and any
            array for the order None.
        keepdims: keeps these axes with length 1.

    Raises:
        ArgumentError: for an order that is not there.

    >>> print(norm(Variable([[3.0, 0.0], [0.0, 4.0]])), norm(Variable([[3.0, 0.0], [0.0, 4.0]]), 2))
    variable(5.0) variable(4.0)
    """
    x = as_variable(x)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    if axis is None and x.ndim not in (1, 2):
        raise ShapeError(f"norm of order {ord} of shape {x.shape}; say which axes hold the vectors or matrices")
    axes = tuple(range(x.ndim)) if axis is None else (tuple(axis) if isinstance(axis, (tuple, list)) else (axis,))
    if len(axes) == 1:
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise AxisError(f"norm: one axis or two, not {axis}")
    rows, columns = (axis_from_zero(a, x.ndim, "norm") for a in axes)
    if rows == columns:
        raise AxisError(f"norm: {axis} names an axis twice")
    kept = tuple(1 if a in (rows, columns) else n for a, n in enumerate(x.shape))
    others = [a for a in range(x.ndim) if a not in (rows, columns)]
    result = matrix_norm(shapes.transpose(x, (*others, rows, columns)), ord="fro" if ord is None else ord)
    return shapes.reshape(result, kept) if keepdims else result


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Order = 2) -> Variable:
    """(Σ |x|^ord)^(1/ord); the largest |x| for inf, the smallest for −inf, the number of x ≠ 0 for 0.

    The gradient at x = 0 is 0.

    Args:
        x: an array.
        axis: a number, or several as a tuple, for vectors along these together; None for all.
        keepdims: keeps these axes with length 1.
        ord: any number.

    >>> print(vector_norm(Variable([3.0, -4.0])), vector_norm(Variable([3.0, -4.0]), ord=1))
    variable(5.0) variable(7.0)
    """
    if not isinstance(ord, (int, float)):
        raise ArgumentError(f"vector_norm: the order is a number, not {ord!r}")
    x = as_variable(x)
    if ord == 2:
        return reductions.norm(x, axis=axis, keepdims=keepdims)
    size = elementwise.abs(x)
    if ord == math.inf:
        return reductions.max(size, axis, keepdims)
    if ord == -math.inf:
        return reductions.min(size, axis, keepdims)
    if ord == 0:
        counted = elementwise.where(x.data != 0, 1.0, 0.0).astype(size.dtype if size.dtype.kind == "f" else float)
        return reductions.sum(counted, axis, keepdims).detach()
    if ord == 1:
        return reductions.sum(size, axis, keepdims)
    total = reductions.sum(size**ord, axis, keepdims)
    nothing = total.data == 0
    root = apply(arithmetic.power, elementwise.where(nothing, 1.0, total), power=1.0 / ord)
    return elementwise.where(nothing, 0.0, root)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Order = "fro") -> Variable:
    """The norm of the matrices in the last two axes.

    Args:
        x: (..., m, n)
        keepdims: keeps the two axes with length 1.
        ord: "fro", the square root of the sum of squares; "nuc", the sum of the singular values; 2 and −2, the
            largest and the smallest of them; 1 and −1, the largest and smallest sum of |x| in a column; inf and −inf,
            in a row.

    Raises:
        ArgumentError: for another order.

    >>> print(matrix_norm(Variable([[3.0, 0.0], [0.0, 4.0]]), ord="nuc"))
    variable(7.0)
    """
    x = as_matrices(x, "matrix_norm")
    result = _matrix_norm(x, ord)
    return shapes.reshape(result, (*x.shape[:-2], 1, 1)) if keepdims else result


def _matrix_norm(x: Variable, ord: Order) -> Variable:
    if ord == "fro":
        return reductions.norm(x, axis=(-2, -1))
    if ord == "nuc":
        return reductions.sum(svdvals(x), -1)
    if ord in (2, -2):
        return svdvals(x)[..., 0 if ord == 2 else -1]
    if ord in (1, -1, math.inf, -math.inf):
        sums = reductions.sum(elementwise.abs(x), -2 if ord in (1, -1) else -1)
        return reductions.max(sums, -1) if ord in (1, math.inf) else reductions.min(sums, -1)
    raise ArgumentError(f"matrix_norm: the order is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {ord!r}")


def cond(x: Any, p: Order = None) -> Variable:
    """The condition number |x| |x⁻¹| of matrices, in the norm of order p.

    Args:
        x: (..., m, n); square for orders other than None, 2 and −2.
        p: an order of `matrix_norm`; None is 2, for which this is the largest singular value over the smallest one, and
            infinite where that is 0.

    Raises:
        LinearAlgebraError: for a singular matrix and another order than these.

    >>> print(cond(Variable([[2.0, 0.0], [0.0, 4.0]])))
    variable(2.0)
    """
    x = as_matrices(x, "cond")
    if p not in (None, 2, -2):
        return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)
    values = svdvals(x)
    largest, smallest = values[..., 0], values[..., -1]
    if p == -2:
        return smallest / largest
    singular = smallest.data == 0
    return elementwise.where(singular, math.inf, largest / elementwise.where(singular, 1.0, smallest))
