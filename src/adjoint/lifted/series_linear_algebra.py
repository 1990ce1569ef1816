"""Taylor series of linear equations and of the decompositions of matrices, in the last two axes.

The formulas hold for the first derivative, and so for every order (see `adjoint.lifted.tangents`). Vectors that belong
to equal eigenvalues or singular values have no derivative within their space: that part is left out, as in the reverse
mode. M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.lifted.lifted import LIFTED as xp
from adjoint.lifted.series import Series, coefficients_of, in_shape_of, order_of
from adjoint.lifted.tangents import by_tangent

__all__ = ["LINEAR_ALGEBRA_RULES"]


def _transposed(x: Any) -> Any:
    ndim = len(x.shape)
    return xp.permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def _conjugate(x: Any) -> Any:
    return xp.conj(x) if x.dtype.kind == "c" else x


def _adjoint(x: Any) -> Any:
    return _conjugate(_transposed(x))


def _real_dtype(x: Any) -> Any:
    return np.empty(0, x.dtype).real.dtype


def _diagonal(x: Any) -> Any:
    """The diagonals (..., n) of matrices (..., n, n)."""
    return xp.sum(xp.where(np.eye(x.shape[-1], dtype=bool), x, 0.0), axis=-1)


def _half_lower(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return x * (np.tri(n, dtype=_real_dtype(x)) - 0.5 * np.eye(n, dtype=_real_dtype(x)))


def _strictly_lower(x: Any) -> Any:
    return x * np.tri(x.shape[-1], k=-1, dtype=_real_dtype(x))


def _solve(level: int, a: Any, b: Any) -> Any:
    """A₀ Xₖ = Bₖ − Σ Aⱼ Xₖ₋ⱼ   for j = 1 … k"""
    order = order_of(level, (a, b))
    left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)
    found = [xp.solve(left[0], right[0])]
    for k in range(1, order + 1):
        total = right[k]
        for j in range(1, k + 1):
            if left[j] is not None and found[k - j] is not None:
                product = xp.matmul(left[j], found[k - j])
                total = -product if total is None else total - product
        found.append(None if total is None else in_shape_of(found[0], xp.solve(left[0], total)))
    return Series(level, found)


def _cholesky(lower: Any, xs: Any, ts: Any) -> Any:
    """L Φ(L⁻¹ A' L⁻ᴴ), where Φ takes the lower triangle with half of the diagonal."""
    inner = xp.solve(lower, _adjoint(xp.solve(lower, ts[0])))
    return xp.matmul(lower, _half_lower(inner))


def _slogdet(y: Any, xs: Any, ts: Any) -> Any:
    """Re tr(A⁻¹ A') for the logarithm. A real sign is constant; a complex one turns by the imaginary part."""
    trace = xp.sum(_diagonal(xp.solve(xs[0], ts[0])), axis=-1)
    if y[0].dtype.kind != "c":
        return None, trace
    return xp.imag(trace) * y[0] * 1j, xp.real(trace)  # 1j times a scalar of NumPy would be Python's


def _rounding(values: Any) -> float:
    """The relative distance of neighbouring numbers, of the dtype of `values`."""
    return 2.0**-23 if values.dtype.itemsize < 8 else 2.0**-52


def _reciprocal(x: Any, values: Any) -> Any:
    """1/x, and 0 where x is 0 up to the rounding of `values`, from which it was computed."""
    bound = _rounding(values) * xp.sum(xp.abs(values), axis=-1, keepdims=True)
    if len(x.shape) > len(values.shape):
        bound = xp.reshape(bound, (*bound.shape, 1))
    none = xp.abs(x) <= bound
    return xp.where(none, 0.0, 1.0 / xp.where(none, 1.0, x))


def _differences(values: Any) -> Any:
    """values_j − values_i at (i, j)"""
    return values[..., None, :] - values[..., :, None]


def _eigh(y: Any, xs: Any, ts: Any) -> Any:
    """w' = diag(Vᴴ A' V),  V' = V (E ∘ Vᴴ A' V) with E_ij = 1 / (w_j − w_i)"""
    w, v = y
    inner = xp.matmul(xp.matmul(_adjoint(v), ts[0]), v)
    of_w = _diagonal(inner)
    return xp.real(of_w) if of_w.dtype.kind == "c" else of_w, xp.matmul(v, _reciprocal(_differences(w), w) * inner)


def _eig(y: Any, xs: Any, ts: Any) -> Any:
    """w' = diag(V⁻¹ A' V),  V' = V (E ∘ V⁻¹ A' V), less what would change the lengths."""
    w, v = y
    inner = xp.solve(v, xp.matmul(xp.astype(ts[0], v.dtype), v))
    turned = xp.matmul(v, _reciprocal(_differences(w), w) * inner)
    return _diagonal(inner), _at_fixed_length(turned, v)


def _at_fixed_length(turned: Any, v: Any) -> Any:
    """The derivative of vectors that keep the length 1, and whose largest element is real."""
    longer = xp.sum(xp.real(_conjugate(v) * turned), axis=-2, keepdims=True)
    squares = xp.real(v * _conjugate(v))
    largest = (squares == xp.max(squares, axis=-2, keepdims=True)) & (xp.imag(v) == 0.0)
    phases = xp.where(largest, xp.imag(turned) / xp.where(largest, xp.real(v), 1.0), 0.0)
    return turned - v * (longer + 1j * xp.sum(phases, axis=-2, keepdims=True))


def _svd(y: Any, xs: Any, ts: Any) -> Any:
    """With P = Uᴴ A' V and E_ij = 1 / (s_j² − s_i²):

    S' = Re diag P,  U' = U (E ∘ (P S + S Pᴴ)) + (1 − U Uᴴ) A' V S⁻¹,  V' = V (E ∘ (S P + Pᴴ S)) + (1 − V Vᴴ) A'ᴴ U S⁻¹

    Complex vectors may be turned by a phase, together with their partners: the phase is left to U.
    """
    u, s, vh = y
    v = _adjoint(vh)
    image, other = xp.matmul(ts[0], v), xp.matmul(_adjoint(ts[0]), u)
    p = xp.matmul(_adjoint(u), image)
    p_turned = _adjoint(p)
    columns, rows = s[..., None, :], s[..., :, None]
    e = _reciprocal(_differences(s), s) * _reciprocal(columns + rows, s)
    inverse = _reciprocal(s, s)
    of_u = xp.matmul(u, e * (p * columns + rows * p_turned))
    of_v = xp.matmul(v, e * (rows * p + p_turned * columns))
    if u.shape[-2] > u.shape[-1]:
        of_u = of_u + (image - xp.matmul(u, p)) * inverse[..., None, :]
    if v.shape[-2] > v.shape[-1]:
        of_v = of_v + (other - xp.matmul(v, p_turned)) * inverse[..., None, :]
    of_s = _diagonal(p)
    if u.dtype.kind == "c":
        of_u = of_u + u * (1j * xp.imag(of_s) * inverse)[..., None, :]
        of_s = xp.real(of_s)
    return of_u, of_s, _adjoint(of_v)


def _qr(y: Any, xs: Any, ts: Any) -> Any:
    """Q' = A' R⁻¹ − Q (C − W),  R' = (C − W) R, with C = Qᴴ A' R⁻¹ and W its strictly lower part less the adjoint.

    A wide matrix is (X, Y) with X = Q R₁ and Y = Q R₂, where R₂' = Q'ᴴ Y + Qᴴ Y'.
    """
    q, r = y
    change = ts[0]
    rows, columns = xs[0].shape[-2:]
    square = change if columns <= rows else change[..., :rows]
    r_square = r if columns <= rows else r[..., :rows]
    scaled = _transposed(xp.solve(_transposed(r_square), _transposed(square)))  # A' R⁻¹
    c = xp.matmul(_adjoint(q), scaled)
    lower = _strictly_lower(c)
    w = lower - _adjoint(lower)
    if c.dtype.kind == "c":
        w = w + 1j * xp.imag(c) * np.eye(c.shape[-1], dtype=_real_dtype(c))
    of_q = scaled - xp.matmul(q, c - w)
    of_r = xp.matmul(c - w, r_square)
    if columns > rows:
        rest = xp.matmul(_adjoint(of_q), xs[0][..., rows:]) + xp.matmul(_adjoint(q), change[..., rows:])
        of_r = xp.concat([of_r, rest], axis=-1)
    return of_q, of_r


LINEAR_ALGEBRA_RULES: dict[str, Callable[..., Any]] = {
    "cholesky": by_tangent(xp.cholesky, _cholesky),
    "eig": by_tangent(xp.eig, _eig),
    "eigh": by_tangent(xp.eigh, _eigh),
    "qr": by_tangent(xp.qr, _qr),
    "slogdet": by_tangent(xp.slogdet, _slogdet),
    "solve": _solve,
    "svd": by_tangent(xp.svd, _svd),
}
