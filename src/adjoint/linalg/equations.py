"""Linear equations, inverses, determinants and powers of matrices in the last two axes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, ShapeError
from adjoint.functions import products, reductions, shapes
from adjoint.linalg.arguments import as_matrices, conjugate
from adjoint.ops import decompositions, linear_algebra

__all__ = [
    "LstsqResult",
    "SlogdetResult",
    "det",
    "inv",
    "lstsq",
    "matrix_power",
    "matrix_rank",
    "slogdet",
    "solve",
    "tensorinv",
    "tensorsolve",
]


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Variable
    logabsdet: Variable


class LstsqResult(NamedTuple):
    """A least squares solution and what is known of it."""

    x: Variable
    residuals: Variable
    rank: int
    s: Variable


def solve(a: Any, b: Any) -> Variable:
    """The solution x of a x = b.

    Args:
        a: regular matrices (..., n, n).
        b: a vector (n,), or matrices (..., n, k).

    Raises:
        LinearAlgebraError: for a singular matrix.

    >>> print(solve(Variable([[2.0, 0.0], [0.0, 4.0]]), Variable([2.0, 2.0])))
    variable[2]([1.  0.5])
    """
    b = as_variable(b)
    if b.ndim != 1:
        return apply(linear_algebra.solve, a, b)
    return apply(linear_algebra.solve, a, shapes.reshape(b, (-1, 1)))[..., 0]


def inv(a: Any) -> Variable:
    """a⁻¹

    Raises:
        LinearAlgebraError: for a singular matrix.

    >>> print(inv(Variable([[2.0, 0.0], [0.0, 4.0]])))
    variable[2, 2]([[0.5  0.  ]
     [0.   0.25]])
    """
    return apply(linear_algebra.inv, a)


def det(a: Any) -> Variable:
    """The determinant. Its first two derivatives are right for singular matrices too; the third needs a regular one.

    >>> a = Variable([[1.0, 2.0], [2.0, 4.0]])
    >>> y = det(a)
    >>> y.backward()
    >>> print(y, a.grad.data.round(6))
    variable(0.0) [[ 4. -2.]
     [-2.  1.]]
    """
    return apply(linear_algebra.det, a)


def slogdet(a: Any) -> SlogdetResult:
    """The sign of the determinant, and ln |det a|, which neither overflows nor underflows.

    Returns:
        `sign`, 1, −1 or 0, and a number of absolute value 1 for complex matrices; and `logabsdet`.

    >>> print(slogdet(Variable([[0.0, 1.0], [1.0, 0.0]])).sign)
    variable(-1.0)
    """
    return SlogdetResult(*apply(linear_algebra.slogdet, a))


def lstsq(a: Any, b: Any, rcond: float | None = None) -> LstsqResult:
    """The x of least length among those with the least |b − a x|². The gradient takes the rank of a as fixed.

    Args:
        a: a matrix (m, n).
        b: a vector (m,) or a matrix (m, k).
        rcond: singular values up to this share of the largest one count as 0; the rounding error times the larger of
            m and n for None, as in NumPy.

    Returns:
        `x` (n,) or (n, k); `residuals`, |b − a x|² for each column, and empty where a has not the rank n or m ≤ n;
        `rank`, a number; `s`, the singular values.

    >>> result = lstsq(Variable([[1.0], [1.0]]), Variable([1.0, 3.0]))
    >>> print(result.x.data.round(6), result.residuals.data.round(6))
    [2.] [2.]
    """
    a, b = as_matrices(a, "lstsq"), as_variable(b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise ShapeError(f"lstsq of shapes {a.shape} and {b.shape}; it takes (m, n) and (m,) or (m, k)")
    rows, columns = a.shape
    if rcond is None:
        rcond = max(rows, columns) * float(np.finfo(np.result_type(a.dtype, np.float32)).eps)
    x = products.matmul(apply(decompositions.pinv, a, rcond=float(rcond)), b)
    _, s, _ = apply(decompositions.svd, a)
    rank = int((s.data > rcond * s.data[:1]).sum())
    rest = b - products.matmul(a, x)
    squares = reductions.sum(rest * conjugate(rest), axis=0, keepdims=b.ndim == 1)
    residuals = squares if rank == columns and rows > columns else squares[:0]
    return LstsqResult(x, residuals, rank, s)


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values that are not small, as a plain number or array: it has no gradient.

    Args:
        A: (..., m, n)
        tol: what is small.
        hermitian: whether A is symmetric, which makes this faster.
        rtol: what is small, as a share of the largest one.

    >>> print(matrix_rank(Variable([[1.0, 2.0], [2.0, 4.0]])))
    1
    """
    return np.linalg.matrix_rank(array_of(A), tol, hermitian, rtol=rtol)


def matrix_power(a: Any, n: int) -> Variable:
    """aⁿ for a whole number n, by repeated squaring; of the inverse for a negative one.

    Raises:
        LinearAlgebraError: for a negative n and a singular matrix.

    >>> print(matrix_power(Variable([[1.0, 1.0], [0.0, 1.0]]), 5))
    variable[2, 2]([[1. 5.]
     [0. 1.]])
    """
    if not hasattr(n, "__index__"):
        raise DTypeError(f"matrix_power: the exponent is a whole number, not {n!r}")
    a = as_matrices(a, "matrix_power")
    if a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"matrix_power of shape {a.shape}; it takes square matrices")
    if n == 0:
        return a * 0.0 + np.eye(a.shape[-1], dtype=a.dtype)
    square = a if n > 0 else inv(a)
    result = None
    left = abs(int(n))
    while True:
        if left % 2:
            result = square if result is None else products.matmul(result, square)
        left //= 2
        if not left:
            break
        square = products.matmul(square, square)
    assert result is not None
    return result


def tensorinv(a: Any, ind: int = 2) -> Variable:
    """The inverse of the linear map from the axes after the first `ind` to these.

    Raises:
        ShapeError: where the two do not have as many elements.

    >>> print(tensorinv(Variable([[[2.0], [0.0]], [[0.0], [4.0]]]), ind=1).shape)
    (2, 1, 2)
    """
    a = as_variable(a)
    if ind < 1:
        raise ArgumentError(f"tensorinv: the number of axes is at least 1, not {ind}")
    left, right = a.shape[:ind], a.shape[ind:]
    if math.prod(left) != math.prod(right):
        raise ShapeError(f"tensorinv of shape {a.shape}, ind={ind}: {left} and {right} have not as many elements")
    inverse = inv(shapes.reshape(a, (math.prod(left), math.prod(right))))
    return shapes.reshape(inverse, (*right, *left))


def tensorsolve(a: Any, b: Any, axes: tuple[int, ...] | None = None) -> Variable:
    """The x with Σ a_…ij x_ij = b, summed over all axes of x.

    Args:
        a: an array whose first axes are those of b.
        b: an array.
        axes: axes of a that are moved to its end first.

    Raises:
        LinearAlgebraError: for a singular map.
        ShapeError: where b and x do not have as many elements.

    >>> print(tensorsolve(Variable([[[2.0], [0.0]], [[0.0], [4.0]]]), Variable([2.0, 2.0])))
    variable[2, 1]([[1. ]
     [0.5]])
    """
    a, b = as_variable(a), as_variable(b)
    if axes is not None:
        moved = [axis_from_zero(axis, a.ndim, "tensorsolve") for axis in axes]
        a = shapes.transpose(a, (*(axis for axis in range(a.ndim) if axis not in moved), *moved))
    shape = a.shape[b.ndim :]
    if math.prod(shape) != b.size or a.size != b.size**2:
        raise ShapeError(
            f"tensorsolve of shapes {a.shape} and {b.shape}: {shape} and {b.shape} have not as many elements"
        )
    x = solve(shapes.reshape(a, (b.size, b.size)), shapes.reshape(b, -1))
    return shapes.reshape(x, shape)
