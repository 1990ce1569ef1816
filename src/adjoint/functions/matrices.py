"""Triangles and diagonals of matrices, and the products of arrays that NumPy has beside `matmul`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import AxisError, ShapeError
from adjoint.functions import shapes
from adjoint.ops import indexing, matrices, products, reductions

__all__ = ["diag", "diagonal", "inner", "kron", "outer", "tensordot", "trace", "tril", "triu"]


def tril(x: Any, k: int = 0) -> Variable:
    """The lower triangle of the matrices in the last two axes, up to the k-th diagonal, with zeros above it.

    >>> print(tril(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[1. 0.]
     [3. 4.]])
    """
    return apply(matrices.tril, x, k=k)


def triu(x: Any, k: int = 0) -> Variable:
    """The upper triangle of the matrices in the last two axes, from the k-th diagonal, with zeros below it.

    >>> print(triu(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[1. 2.]
     [0. 4.]])
    """
    return apply(matrices.triu, x, k=k)


def _diagonal_slice(rows: int, columns: int, offset: int) -> slice:
    """The places of a diagonal among the elements of a matrix in one row."""
    count = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    start = offset if offset >= 0 else -offset * columns
    return slice(start, start + count * (columns + 1), columns + 1) if count else slice(0, 0)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """The elements x[i, i + offset], as the last axis of the result.

    Args:
        x: an array with two axes or more.
        offset: which diagonal: above the main one if positive, below it if negative.
        axis1: the axis of the rows.
        axis2: the axis of the columns.

    >>> print(diagonal(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2]([1. 4.])
    """
    x = as_variable(x)
    first, second = (axis_from_zero(axis, x.ndim, "diagonal") for axis in (axis1, axis2))
    if first == second:
        raise AxisError(f"diagonal: axis1 and axis2 are both {first}; a diagonal needs two axes")
    kept = [axis for axis in range(x.ndim) if axis not in (first, second)]
    rows, columns = x.shape[first], x.shape[second]
    stack = tuple(x.shape[axis] for axis in kept)
    flat = shapes.reshape(shapes.transpose(x, (*kept, first, second)), (*stack, rows * columns))
    return flat[..., _diagonal_slice(rows, columns, offset)]


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Variable:
    """The sum of the elements x[i, i + offset].

    >>> print(trace(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable(5.0)
    """
    x = as_variable(x)
    if x.ndim < 2:
        raise ShapeError(f"trace of shape {x.shape}; it takes an array with two axes or more")
    return apply(reductions.sum, diagonal(x, offset, axis1, axis2), axis=-1)


def diag(x: Any, k: int = 0) -> Variable:
    """The matrix with a vector as its k-th diagonal, and zeros elsewhere; of a matrix, its k-th diagonal.

    Raises:
        ShapeError: for an array with another number of axes.

    >>> print(diag(Variable([1.0, 2.0])))
    variable[2, 2]([[1. 0.]
     [0. 2.]])
    """
    x = as_variable(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag of shape {x.shape}; it takes a vector or a matrix")
    n = x.shape[0] + abs(k)
    flat = apply(indexing.unindex, x, index=_diagonal_slice(n, n, k), shape=(n * n,))
    return shapes.reshape(flat, (n, n))


def outer(a: Any, b: Any) -> Variable:
    """a_i b_j, of the elements of each array in one row.

    >>> print(outer(Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable[2, 2]([[3. 4.]
     [6. 8.]])
    """
    return shapes.reshape(a, (-1, 1)) * shapes.reshape(b, (1, -1))


def inner(a: Any, b: Any) -> Variable:
    """Σ a_…k b_…k, over the last axis of both; the product where one of them is a number.

    Raises:
        ShapeError: where the last axes differ.

    >>> print(inner(Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable(11.0)
    """
    a, b = as_variable(a), as_variable(b)
    return a * b if not (a.ndim and b.ndim) else tensordot(a, b, (-1, -1))


def tensordot(a: Any, b: Any, axes: int | tuple[Any, Any] | list[Any] = 2) -> Variable:
    """The sum of products over some axes of a and as many of b; the axes that are left are a's, then b's.

    Args:
        a: an array.
        b: an array.
        axes: a number n, for the last n axes of a and the first n of b; or the axes of a and those of b, each a
            number or several.

    Raises:
        ShapeError: where the lengths of these axes differ.

    >>> print(tensordot(Variable([[1.0, 2.0]]), Variable([[3.0], [4.0]]), 1))
    variable(11.0)
    """
    a, b = as_variable(a), as_variable(b)
    of_a, of_b = _summed_axes(axes, a.ndim, b.ndim)
    if len(of_a) != len(of_b) or any(a.shape[i] != b.shape[j] for i, j in zip(of_a, of_b, strict=True)):
        raise ShapeError(f"tensordot of shapes {a.shape} and {b.shape}: axes {of_a} and {of_b} have other lengths")
    left = [axis for axis in range(a.ndim) if axis not in of_a]
    right = [axis for axis in range(b.ndim) if axis not in of_b]
    length = math.prod(a.shape[axis] for axis in of_a)
    rows = shapes.reshape(shapes.transpose(a, (*left, *of_a)), (math.prod(a.shape[i] for i in left), length))
    columns = shapes.reshape(shapes.transpose(b, (*of_b, *right)), (length, math.prod(b.shape[i] for i in right)))
    product = apply(products.matmul, rows, columns)
    return shapes.reshape(product, (*(a.shape[i] for i in left), *(b.shape[i] for i in right)))


def _summed_axes(axes: Any, ndim_a: int, ndim_b: int) -> tuple[list[int], list[int]]:
    if hasattr(axes, "__index__"):
        count = int(axes)
        if not 0 <= count <= min(ndim_a, ndim_b):
            raise ShapeError(f"tensordot over {count} axes of arrays with {ndim_a} and {ndim_b}")
        return list(range(ndim_a - count, ndim_a)), list(range(count))
    of_a, of_b = (list(part) if isinstance(part, Sequence) else [part] for part in axes)
    return (
        [axis_from_zero(axis, ndim_a, "tensordot") for axis in of_a],
        [axis_from_zero(axis, ndim_b, "tensordot") for axis in of_b],
    )


def kron(a: Any, b: Any) -> Variable:
    """The Kronecker product: b times each element of a, as blocks at the element's place.

    >>> print(kron(Variable([1.0, 10.0]), Variable([1.0, 2.0])))
    variable[4]([ 1.  2. 10. 20.])
    """
    a, b = as_variable(a), as_variable(b)
    ndim = max(a.ndim, b.ndim)
    of_a, of_b = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    # (n₁, 1, n₂, 1, …) · (1, m₁, 1, m₂, …)
    spread = shapes.reshape(a, [length for n in of_a for length in (n, 1)])
    blocks = shapes.reshape(b, [length for n in of_b for length in (1, n)])
    return shapes.reshape(spread * blocks, tuple(n * m for n, m in zip(of_a, of_b, strict=True)))
