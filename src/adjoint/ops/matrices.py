"""Matrices in the last two axes: their triangles, and what the rules of linear algebra share."""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op

MATRICES = "matrices (..., rows, columns)"
SQUARE = "square matrices (..., n, n)"


def transposed(F, x):
    """x with its last two axes exchanged."""
    ndim = len(x.shape)
    if ndim == 2:
        return x.T
    return F.transpose(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


def conjugate(F, x):
    """x̄, which for real numbers is x itself."""
    return F.conj(x) if x.dtype.kind == "c" else x


def adjoint(F, x):
    """xᴴ: conjugated and transposed."""
    return conjugate(F, transposed(F, x))


def swapped(xp, x):
    """As `transposed`, for forwards."""
    ndim = len(x.shape)
    return xp.permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def check_matrices(x):
    """Raises ValueError for fewer than two axes."""
    if len(x.shape) < 2:
        raise ValueError(f"an array of {len(x.shape)} axes is no matrix")


def check_square(x):
    """Raises ValueError for what is not made of square matrices."""
    check_matrices(x)
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(f"matrices of {x.shape[-2]} rows and {x.shape[-1]} columns are not square")


def distances(xp, rows, columns):
    """j − i for each element of a matrix: 0 on the diagonal, negative below it."""

    def numbers(count):
        return xp.cumulative_sum(xp.ones(count, dtype=int), axis=0) - 1

    return xp.reshape(numbers(columns), (1, columns)) - xp.reshape(numbers(rows), (rows, 1))


def _kept(xp, x, keep):
    check_matrices(x)
    return xp.where(keep(distances(xp, *x.shape[-2:])), x, xp.zeros_like(x))


TRIANGLES = (Sample((3, 4), k=0), Sample((2, 3, 2), k=-1), Sample((2, 3), k=1), Sample((0, 2), k=0))
tril = op(
    "tril",
    lambda xp, x, *, k=0: _kept(xp, x, lambda distance: distance <= k),
    vjp=lambda F, g, _y, _x, *, k=0: (F.tril(g, k=k),),
    linear=True,
    samples=TRIANGLES,
    requires=MATRICES,
)
triu = op(
    "triu",
    lambda xp, x, *, k=0: _kept(xp, x, lambda distance: distance >= k),
    vjp=lambda F, g, _y, _x, *, k=0: (F.triu(g, k=k),),
    linear=True,
    samples=TRIANGLES,
    requires=MATRICES,
)
