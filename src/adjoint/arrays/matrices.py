"""Decompositions and equations of NumPy matrices, in the last two axes; and the order of elements along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["argsort", "cholesky", "eig", "eigh", "known_inverse", "qr", "slogdet", "solve", "svd"]

Array = Any

cholesky = np.linalg.cholesky  # lower
solve = np.linalg.solve  # with matrices on the right


def argsort(x: Array, *, axis: int) -> Array:
    """The numbers of the elements along an axis in ascending order, in which equal ones keep theirs."""
    return np.argsort(x, axis=axis, stable=True)


def known_inverse(x: Array) -> Array | None:
    """The inverses of square matrices, if their values are known and each of them is far from singular; else None.

    Far is a condition number that costs a third of the digits: 165,000 in float64. What is not finite gives no inverse
    that is, and no decomposition either: there it is NaN.
    """
    if type(x) is not np.ndarray or x.dtype.kind not in "fc":
        return None
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(x).all():
        return inverse
    sizes = [np.abs(part).sum(axis=-2).max(axis=-1, initial=0.0) for part in (x, inverse)]
    return inverse if np.all(sizes[0] * sizes[1] < np.finfo(x.dtype).eps ** (-1 / 3)) else None


# Plain tuples for NumPy's named ones, which apply would not take for several outputs


def eig(x: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of square matrices, as complex numbers whatever their values are."""
    values, vectors = np.linalg.eig(x)
    dtype = np.result_type(values, np.complex64)
    return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)


def eigh(x: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices."""
    values, vectors = np.linalg.eigh(x)
    return values, vectors


def qr(x: Array) -> tuple[Array, Array]:
    """x = Q R, reduced."""
    q, r = np.linalg.qr(x)
    return q, r


def slogdet(x: Array) -> tuple[Array, Array]:
    """The sign of the determinant, and the logarithm of its absolute value."""
    sign, logarithm = np.linalg.slogdet(x)
    return sign, logarithm


def svd(x: Array) -> tuple[Array, Array, Array]:
    """x = U S Vᵀ, reduced: U, the singular values, Vᵀ."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return u, s, vh
