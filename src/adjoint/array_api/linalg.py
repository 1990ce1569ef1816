"""The extension `linalg` of the standard: the functions of `adjoint.linalg` with its signatures."""

from __future__ import annotations

from typing import Any

from adjoint import linalg
from adjoint.array_api.arguments import as_array, constant, np
from adjoint.array_api.manipulation import concat, stack
from adjoint.array_api.statistics import sum
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.linalg import (
    cholesky as cholesky,
    cross as cross,
    diagonal as diagonal,
    matmul as matmul,
    matrix_norm as matrix_norm,
    matrix_transpose as matrix_transpose,
    outer as outer,
    svdvals as svdvals,
    tensordot as tensordot,
    vector_norm as vector_norm,
)
from adjoint.linalg.decompositions import EighResult, EigResult, QRResult, SVDResult
from adjoint.linalg.equations import SlogdetResult

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def det(x: Any, /) -> Variable:
    """The determinant.

    >>> print(det(Variable([[2.0, 0.0], [0.0, 3.0]])))
    variable(6.0)
    """
    return linalg.det(x)


def eig(x: Any, /) -> EigResult:
    """The eigenvalues and eigenvectors of any square matrices, as complex numbers.

    >>> print(eig(Variable([[3.0, 1.0], [0.0, 2.0]])).eigenvalues)
    variable[2]([3.+0.j 2.+0.j])
    """
    return linalg.eig(x)


def eigh(x: Any, /) -> EighResult:
    """The eigenvalues, ascending, and eigenvectors of symmetric matrices.

    >>> print(eigh(Variable([[2.0, 1.0], [1.0, 2.0]])).eigenvalues)
    variable[2]([1. 3.])
    """
    return linalg.eigh(x)


def eigvals(x: Any, /) -> Variable:
    """The eigenvalues of any square matrices, as complex numbers.

    >>> print(eigvals(Variable([[3.0, 1.0], [0.0, 2.0]])))
    variable[2]([3.+0.j 2.+0.j])
    """
    return linalg.eigvals(x)


def eigvalsh(x: Any, /) -> Variable:
    """The eigenvalues of symmetric matrices, ascending.

    >>> print(eigvalsh(Variable([[2.0, 1.0], [1.0, 2.0]])))
    variable[2]([1. 3.])
    """
    return linalg.eigvalsh(x)


def inv(x: Any, /) -> Variable:
    """x⁻¹

    >>> print(inv(Variable([[2.0, 0.0], [0.0, 4.0]])))
    variable[2, 2]([[0.5  0.  ]
     [0.   0.25]])
    """
    return linalg.inv(x)


def matrix_power(x: Any, n: int, /) -> Variable:
    """xⁿ for a whole number n.

    >>> print(matrix_power(Variable([[1.0, 1.0], [0.0, 1.0]]), 5))
    variable[2, 2]([[1. 5.]
     [0. 1.]])
    """
    return linalg.matrix_power(x, n)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Variable:
    """The number of singular values that are larger than `rtol` times the largest one.

    >>> print(matrix_rank(Variable([[1.0, 2.0], [2.0, 4.0]])))
    variable(1)
    """
    return constant(np.linalg.matrix_rank, as_array(x), rtol=raw(rtol))


def pinv(x: Any, /, *, rtol: Any = None) -> Variable:
    """The pseudoinverse, for which singular values up to `rtol` times the largest one count as 0.

    Args:
        x: (..., m, n)
        rtol: a number, or an array (...) with one for each matrix; else the rounding error times the larger of m and n.

    >>> print(pinv(Variable([[2.0], [0.0]])))
    variable[1, 2]([[0.5 0. ]])
    """
    x = as_array(x)
    if rtol is None:
        return linalg.pinv(x, rtol=max(x.shape[-2:]) * float(np.finfo(x.dtype).eps))
    shares = np.broadcast_to(raw(rtol), x.shape[:-2])
    if shares.ndim == 0:
        return linalg.pinv(x, rtol=float(shares))
    *around, rows, columns = x.shape
    if shares.size == 0:
        return matrix_transpose(x)
    parts = x.reshape((-1, rows, columns))
    each = [linalg.pinv(part, rtol=float(share)) for part, share in zip(parts, shares.flat, strict=True)]
    return stack(each).reshape((*around, columns, rows))


def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """x = Q R, where the columns of Q are orthonormal and R is upper triangular.

    Args:
        x: (..., m, n); k is the smaller of the two.
        mode: "reduced" for Q (..., m, k) and R (..., k, n); "complete" for Q (..., m, m) and R (..., m, n). The columns
            beyond k are any that complete Q; only what does not depend on which has a derivative.

    >>> qr(Variable([[3.0], [4.0]]), mode="complete").Q.shape
    (2, 2)
    """
    x = as_array(x)
    rows, columns = x.shape[-2:]
    if mode != "complete" or rows <= columns:
        return linalg.qr(x, mode)
    q, r = linalg.qr(x)
    below = np.zeros((*x.shape[:-2], rows - columns, columns), r.dtype)
    return QRResult(_completed(q), concat([r, below], axis=-2))


def slogdet(x: Any, /) -> SlogdetResult:
    """The sign of the determinant, and ln |det x|.

    >>> print(slogdet(Variable([[0.0, 1.0], [1.0, 0.0]])).sign)
    variable(-1.0)
    """
    return linalg.slogdet(x)


def solve(x1: Any, x2: Any, /) -> Variable:
    """The solution x of x1 x = x2, for a vector or matrices x2.

    >>> print(solve(Variable([[2.0, 0.0], [0.0, 4.0]]), Variable([2.0, 2.0])))
    variable[2]([1.  0.5])
    """
    return linalg.solve(x1, x2)


def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decomposition x = U diag(S) Vᴴ, with S descending.

    Args:
        x: (..., m, n); k is the smaller of the two.
        full_matrices: True for U (..., m, m) and Vᴴ (..., n, n), False for U (..., m, k) and Vᴴ (..., k, n). The
            vectors beyond k are any that complete them; only what does not depend on which has a derivative.

    >>> svd(Variable([[3.0], [4.0]])).U.shape
    (2, 2)
    """
    x = as_array(x)
    u, s, vh = linalg.svd(x, full_matrices=False)
    rows, columns = x.shape[-2:]
    if full_matrices and rows > columns:
        u = _completed(u)
    elif full_matrices and columns > rows:
        vh = matrix_transpose(_completed(matrix_transpose(vh)))
    return SVDResult(u, s, vh)


def _completed(q: Variable) -> Variable:
    """Orthonormal columns (..., m, k) and others that complete them to a basis.

    N, orthonormal columns that complete the values of Q, are constants. Those of (1 − Q Qᴴ) N stay orthogonal to Q as Q
    changes; made orthonormal again, they span the complement of Q with derivatives of every order.
    """
    others = np.linalg.qr(raw(q), mode="complete")[0][..., q.shape[-1] :]
    rest = others - q @ (matrix_transpose(np.conj(q)) @ others)
    return concat([q, linalg.qr(rest).Q], axis=-1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Variable:
    """The sum of the diagonal of the matrices in the last two axes.

    >>> print(trace(Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable(5.0)
    """
    return sum(diagonal(as_array(x), offset=offset), axis=-1, dtype=dtype)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Variable:
    """Σ x̄1 x2 along an axis, for vectors that are broadcast.

    >>> print(vecdot(Variable([1.0, 2.0]), Variable([3.0, 4.0])))
    variable(11.0)
    """
    x1, x2 = as_array(x1), as_array(x2)
    result, dtype = linalg.vecdot(x1, x2, axis=axis), np.result_type(x1.dtype, x2.dtype)
    return result if result.dtype == dtype else result.astype(dtype)
