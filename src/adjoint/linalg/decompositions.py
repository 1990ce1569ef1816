"""Decompositions of matrices in the last two axes, and the pseudoinverse.

Symmetric stands for Hermitian where numbers are complex. Vectors that belong to equal eigenvalues, or to equal singular
values, can be turned within their space: their derivatives leave that out, and hold for what does not depend on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.functions import matrices
from adjoint.linalg.arguments import as_matrices, conjugate_transposed
from adjoint.ops import decompositions

__all__ = [
    "EigResult",
    "EighResult",
    "QRResult",
    "SVDResult",
    "cholesky",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "pinv",
    "qr",
    "svd",
    "svdvals",
    "symmetric",
]


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors."""

    eigenvalues: Variable
    eigenvectors: Variable


class EighResult(NamedTuple):
    """Eigenvalues and eigenvectors of a symmetric matrix."""

    eigenvalues: Variable
    eigenvectors: Variable


class QRResult(NamedTuple):
    """The factors Q and R."""

    Q: Variable
    R: Variable


class SVDResult(NamedTuple):
    """The factors U, S and Vᴴ."""

    U: Variable
    S: Variable
    Vh: Variable


def cholesky(a: Any, /, *, upper: bool = False) -> Variable:
    """The lower triangular L with a = L Lᴴ.

    The matrix that is decomposed is ½ (a + aᴴ), so the gradient is symmetric too.

    Args:
        a: symmetric positive definite matrices (..., n, n).
        upper: gives Lᴴ instead.

    Raises:
        LinearAlgebraError: for a matrix that is not positive definite.

    >>> print(cholesky(Variable([[4.0, 2.0], [2.0, 5.0]])))
    variable[2, 2]([[2. 0.]
     [1. 2.]])
    """
    lower = apply(decompositions.cholesky, a)
    return conjugate_transposed(lower) if upper else lower


def eigh(a: Any, UPLO: str | None = None) -> EighResult:
    """The eigenvalues w, ascending, and orthonormal eigenvectors V of symmetric matrices: a = V diag(w) Vᴴ.

    Args:
        a: (..., n, n)
        UPLO: "L" or "U" read the lower or upper triangle of a alone, and give it all of the gradient. With None
            the matrix is ½ (a + aᴴ), and the gradient is symmetric.

    Returns:
        `eigenvalues` (..., n) and `eigenvectors` (..., n, n), as columns.

    >>> a = Variable([[2.0, 1.0], [1.0, 2.0]])
    >>> result = eigh(a)
    >>> result.eigenvalues[1].backward()
    >>> print(result.eigenvalues, a.grad)
    variable[2]([1. 3.]) variable[2, 2]([[0.5 0.5]
     [0.5 0.5]])
    """
    return EighResult(*apply(decompositions.eigh, symmetric(a, UPLO, "eigh")))


def symmetric(a: Any, triangle: str | None, what: str) -> Any:
    """A matrix with one of its triangles in the place of the other."""
    if triangle is None:
        return a
    if triangle not in ("L", "U"):
        raise ArgumentError(f"{what}: UPLO is 'L', 'U' or None, not {triangle!r}")
    a = as_matrices(a, what)
    if triangle == "L":
        return matrices.tril(a) + conjugate_transposed(matrices.tril(a, -1))
    return matrices.triu(a) + conjugate_transposed(matrices.triu(a, 1))


def eigvalsh(a: Any, UPLO: str | None = None) -> Variable:
    """The eigenvalues of symmetric matrices, ascending; see `eigh`.

    >>> print(eigvalsh(Variable([[2.0, 1.0], [1.0, 2.0]])))
    variable[2]([1. 3.])
    """
    return eigh(a, UPLO).eigenvalues


def eig(a: Any) -> EigResult:
    """The eigenvalues w and eigenvectors V of any square matrices: a V = V diag(w).

    Both are complex numbers, also where all are real. Each vector has length 1, and its largest element is real.

    Args:
        a: (..., n, n)

    Returns:
        `eigenvalues` (..., n) and `eigenvectors` (..., n, n), as columns.

    >>> print(eig(Variable([[0.0, 2.0], [-2.0, 0.0]])).eigenvalues)
    variable[2]([0.+2.j 0.-2.j])
    """
    return EigResult(*apply(decompositions.eig, a))


def eigvals(a: Any) -> Variable:
    """The eigenvalues of any square matrices, as complex numbers; see `eig`.

    >>> print(eigvals(Variable([[3.0, 1.0], [0.0, 2.0]])))
    variable[2]([3.+0.j 2.+0.j])
    """
    return eig(a).eigenvalues


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:  # noqa: ARG001
    """The singular value decomposition a = U diag(S) Vᴴ, with S descending.

    Args:
        a: (..., m, n); k is the smaller of the two.
        full_matrices: must be False for matrices that are not square: the other columns of U or rows of Vᴴ are any
            that complete them, and have no derivative.
        compute_uv: whether U and Vᴴ are wanted.
        hermitian: taken as in NumPy, and of no effect.

    Returns:
        `U` (..., m, k), `S` (..., k) and `Vh` (..., k, n); S alone without `compute_uv`.

    Raises:
        ArgumentError: for full matrices where they are not square.

    >>> a = Variable([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    >>> print(svd(a, full_matrices=False).S)
    variable[2]([4. 3.])
    """
    x = as_matrices(a, "svd")
    if not compute_uv:
        return svdvals(x)
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise ArgumentError(
            f"svd of {x.shape[-2]} by {x.shape[-1]} matrices: vectors beyond the smaller number have no derivative; "
            "pass full_matrices=False"
        )
    return SVDResult(*apply(decompositions.svd, x))


def svdvals(x: Any, /) -> Variable:
    """The singular values, descending.

    >>> print(svdvals(Variable([[3.0, 0.0], [0.0, 4.0]])))
    variable[2]([4. 3.])
    """
    _, values, _ = apply(decompositions.svd, x)
    return values


def qr(a: Any, mode: str = "reduced") -> Any:
    """a = Q R, where the columns of Q are orthonormal and R is upper triangular.

    Args:
        a: (..., m, n); k is the smaller of the two. For the gradient the first k columns must be linearly independent.
        mode: "reduced"; "r" for R alone; "complete" where that is the same, for m ≤ n.

    Returns:
        `Q` (..., m, k) and `R` (..., k, n).

    Raises:
        ArgumentError: for another mode.

    >>> q, r = qr(Variable([[0.0, 2.0], [1.0, 0.0]]))
    >>> print(q @ r)
    variable[2, 2]([[0. 2.]
     [1. 0.]])
    """
    x = as_matrices(a, "qr")
    if mode not in ("reduced", "r", "complete"):
        raise ArgumentError(f"qr: the mode is 'reduced', 'r' or 'complete', not {mode!r}")
    if mode == "complete" and x.shape[-2] > x.shape[-1]:
        raise ArgumentError(
            f"qr of {x.shape[-2]} by {x.shape[-1]} matrices: columns of Q beyond the {x.shape[-1]} have no derivative; "
            "take the mode 'reduced'"
        )
    result = QRResult(*apply(decompositions.qr, x))
    return result.R if mode == "r" else result


def pinv(
    a: Any,
    rcond: float | None = None,
    hermitian: bool = False,  # noqa: ARG001
    *,
    rtol: float | None = None,
) -> Variable:
    """The pseudoinverse V diag(1/S) Uᴴ, where small singular values count as 0. The gradient takes the rank as fixed.

    Args:
        a: (..., m, n)
        rcond: what is small, as a share of the largest one; 1e-15 for None.
        hermitian: taken as in NumPy, and of no effect.
        rtol: another name of `rcond`.

    >>> print(pinv(Variable([[2.0, 0.0], [0.0, 0.0]])))
    variable[2, 2]([[0.5 0. ]
     [0.  0. ]])
    """
    if rcond is not None and rtol is not None:
        raise ArgumentError("pinv: rcond and rtol are the same; give one of them")
    share = next((value for value in (rcond, rtol) if value is not None), 1e-15)
    return apply(decompositions.pinv, a, rcond=float(share))
