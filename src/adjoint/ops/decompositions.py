"""Decompositions of matrices in the last two axes, and the pseudoinverse.

The rule of Cholesky's: I. Murray, "Differentiation of the Cholesky decomposition" (2016); the others: M. Seeger et
al., "Auto-differentiating linear algebra" (2017). Eigenvectors of an eigenvalue that stands several times, and singular
vectors likewise, can be turned within their space and have no derivative there: the rules leave that part out.
"""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op
from adjoint.ops.matrices import MATRICES, SQUARE, adjoint, check_matrices, check_square, conjugate, swapped

# Symmetric, with eigenvalues well apart, all positive
POSITIVE = [[2.0, 0.5, -0.3], [0.5, 3.5, 0.4], [-0.3, 0.4, 1.0]]
OTHER_POSITIVE = [[1.0, -0.4, 0.2], [-0.4, 2.0, 0.6], [0.2, 0.6, 4.0]]
SYMMETRIC = (
    Sample((3, 3), arrays={0: POSITIVE}),
    Sample((2, 3, 3), arrays={0: [POSITIVE, OTHER_POSITIVE]}),
    Sample((0, 0)),
)
# Of complex numbers, where no vectors may be turned by any phase
HERMITIAN = [[2.0, 0.5 + 0.2j, -0.3j], [0.5 - 0.2j, 3.5, 0.4], [0.3j, 0.4, 1.0]]
COMPLEX_TALL = [[2.0 + 0.3j, 0.3], [-0.4j, 0.8 - 0.5j], [0.5, 0.6 + 0.1j]]
COMPLEX_WIDE = [[2.0, -0.4 + 0.2j, 0.5], [0.3 + 0.1j, 0.8 - 0.4j, 0.6j]]
COMPLEX = (
    Sample((3, 2), arrays={0: COMPLEX_TALL}, complex=True),
    Sample((2, 3), arrays={0: COMPLEX_WIDE}, complex=True),
)
# Singular values and the diagonal of R well apart from 0 and from each other
TALL = [[2.0, 0.3], [-0.4, 0.8], [0.5, 0.6]]
OTHER_TALL = [[0.3, 1.9], [0.7, -0.2], [0.4, 0.5]]
WIDE = [[2.0, -0.4, 0.5], [0.3, 0.8, 0.6]]
LARGE = [[3.0, 0.5, -0.3], [0.4, 1.7, 0.6], [-0.7, 0.2, 0.7]]
RECTANGULAR = (
    Sample((3, 2), arrays={0: TALL}),
    Sample((2, 3), arrays={0: WIDE}),
    Sample((2, 3, 2), arrays={0: [TALL, OTHER_TALL]}),
    Sample((3, 3), arrays={0: LARGE}),
)


def _symmetric(xp, x):
    """½ (A + Aᴴ), of which only symmetric derivatives come back."""
    check_square(x)
    return 0.5 * (x + conjugate(xp, swapped(xp, x)))


# The rules hold for cotangents ḡ, and give such: for complex numbers the conjugates of what the engine hands around.


def _symmetric_cotangent(F, g):
    return conjugate(F, 0.5 * (g + adjoint(F, g)))


def _half_lower(F, x):
    """The lower triangle with half of the diagonal."""
    return 0.5 * (F.tril(x, k=0) + F.tril(x, k=-1))


def _cholesky_rule(F, g, y, _x):
    """L⁻ᴴ Φ(Lᴴ g) L⁻¹, where Φ takes the lower triangle with half of the diagonal."""
    turned = adjoint(F, y)
    left = F.solve(turned, _half_lower(F, F.matmul(turned, conjugate(F, g))))
    return (_symmetric_cotangent(F, F.solve(turned, adjoint(F, left))),)


cholesky = op(
    "cholesky",
    lambda xp, x: xp.cholesky(_symmetric(xp, x)),
    vjp=_cholesky_rule,
    samples=(*SYMMETRIC, Sample((3, 3), arrays={0: HERMITIAN}, complex=True)),
    requires="symmetric positive definite matrices (..., n, n)",
)


def _rounding(values):
    """The relative distance of neighbouring numbers, of the dtype of `values`."""
    return 2.0**-23 if values.dtype.itemsize < 8 else 2.0**-52


def _reciprocal(F, x, values):
    """1/x, and 0 where x is 0 up to the rounding of `values`, from which it was computed."""
    bound = _rounding(values) * F.sum(F.abs(values), axis=-1, keepdims=True)
    if len(x.shape) > len(values.shape):
        bound = F.reshape(bound, shape=(*bound.shape, 1))
    none = F.abs(x) <= bound
    return F.where(none, 0.0, 1.0 / F.where(none, 1.0, x))


def _differences(values):
    """values_j − values_i at (i, j)"""
    return values[..., None, :] - values[..., :, None]


def _eigh_rule(F, g, y, _x):
    """V (diag(g_w) + E ∘ Vᴴ g_v) Vᴴ with E_ij = 1 / (w_j − w_i)"""
    g_w, g_v = g
    w, v = y
    turned = adjoint(F, v)
    total = None if g_w is None else F.matmul(v * g_w[..., None, :], turned)
    if g_v is not None:
        inner = _reciprocal(F, _differences(w), w) * F.matmul(turned, conjugate(F, g_v))
        of_v = F.matmul(F.matmul(v, inner), turned)
        total = of_v if total is None else total + of_v
    return (_symmetric_cotangent(F, total),)


eigh = op(
    "eigh",
    lambda xp, x: xp.eigh(_symmetric(xp, x)),
    vjp=_eigh_rule,
    samples=SYMMETRIC,
    requires="symmetric " + SQUARE,
)


def _eig(xp, x):
    check_square(x)
    return xp.eig(x)


def _eig_rule(F, g, y, _x):
    """V⁻ᴴ (diag(g_w) + Ē ∘ Vᴴ g_v) Vᴴ with E_ij = 1 / (w_j − w_i), where g_v is without what would change lengths."""
    w, v = y
    g_w, g_v = (None if part is None else conjugate(F, part) for part in g)
    turned = adjoint(F, v)
    total = None if g_w is None else g_w[..., :, None] * turned
    if g_v is not None:
        e = conjugate(F, _reciprocal(F, _differences(w), w))
        of_v = F.matmul(e * F.matmul(turned, _at_fixed_length(F, g_v, v)), turned)
        total = of_v if total is None else total + of_v
    return (conjugate(F, F.solve(turned, total)),)


def _at_fixed_length(F, g, v):
    """The part of a cotangent of vectors that is left, as they keep the length 1 and their largest element is real."""
    products = F.sum(F.conj(v) * g, axis=-2, keepdims=True)
    squares = F.real(v * F.conj(v))
    largest = (squares == F.max(squares, axis=-2, keepdims=True)) & (F.imag(v) == 0.0)
    turning = F.where(largest, F.imag(products) / F.where(largest, F.real(v), 1.0), 0.0)
    return g - v * F.real(products) - 1j * turning


eig = op(
    "eig",
    _eig,
    vjp=_eig_rule,
    samples=(
        Sample((3, 3), arrays={0: LARGE}),
        Sample((2, 2, 2), arrays={0: [[[0.4, 2.0], [-1.0, 0.3]], [[2.0, 0.3], [0.7, 1.0]]]}),
        Sample((2, 2), arrays={0: [[1.0 + 0.5j, 0.4], [0.3j, -0.6]]}, complex=True),
    ),
    requires=SQUARE,
)


def _svd(xp, x):
    check_matrices(x)
    return xp.svd(x)


def _svd_rule(F, g, y, _x):
    """U diag(g_s) Vᴴ, and what the singular vectors add."""
    u, s, vh = y
    g_u, g_s, g_vh = g
    left = 0.0 * u if g_s is None else u * g_s[..., None, :]
    beside = None
    if g_u is not None:
        left = left + _left_vectors_cotangent(F, conjugate(F, g_u), u, s)
    if g_vh is not None:
        of_v, beside = _right_vectors_cotangent(F, conjugate(F, g_vh), u, s, vh)
        left = left + of_v
    total = F.matmul(left, vh)
    return (conjugate(F, total if beside is None else total + beside),)


def _square_differences(F, s):
    """E_ij = 1 / (s_j² − s_i²)"""
    return _reciprocal(F, _differences(s), s) * _reciprocal(F, s[..., None, :] + s[..., :, None], s)


def _left_vectors_cotangent(F, g, u, s):
    """U (E ∘ Uᴴ g + its adjoint) S + (1 − U Uᴴ) g S⁻¹, without Vᴴ on the right.

    A complex vector may be turned by a phase, together with its partner in V: that adds U i Im diag(Uᴴ g) S⁻¹.
    """
    product = F.matmul(adjoint(F, u), g)
    total = F.matmul(u, _with_adjoint(F, _square_differences(F, s) * product) * s[..., None, :])
    if u.shape[-2] > u.shape[-1]:
        total = total + (g - F.matmul(u, product)) * _reciprocal(F, s, s)[..., None, :]
    if u.dtype.kind == "c":
        phases = 1j * F.imag(F.sum(F.conj(u) * g, axis=-2)) * _reciprocal(F, s, s)
        total = total + u * phases[..., None, :]
    return total


def _right_vectors_cotangent(F, g, u, s, vh):
    """U S (E ∘ Vᴴ gᴴ + its adjoint), without Vᴴ on the right, and U S⁻¹ g (1 − V Vᴴ), which has none; or None."""
    product = F.matmul(g, adjoint(F, vh))
    left = F.matmul(u, s[..., :, None] * _with_adjoint(F, _square_differences(F, s) * adjoint(F, product)))
    if vh.shape[-1] == vh.shape[-2]:
        return left, None
    return left, F.matmul(u, _reciprocal(F, s, s)[..., :, None] * (g - F.matmul(product, vh)))


def _with_adjoint(F, x):
    return x + adjoint(F, x)


svd = op("svd", _svd, vjp=_svd_rule, samples=RECTANGULAR, requires=MATRICES)


def _qr(xp, x):
    check_matrices(x)
    return xp.qr(x)


def _qr_rule(F, g, y, _x):
    """(g_q + Q C) R⁻ᴴ, where C is R g_rᴴ − g_qᴴ Q with its lower triangle in the place of the upper one as well.

    A wide matrix is (X, Y) with X = Q R₁ and Y = Q R₂: Y adds Y g_r₂ᴴ to the cotangent of Q, and gets Q g_r₂.
    """
    q, r = y
    g_q = 0.0 * q if g[0] is None else conjugate(F, g[0])
    g_r = 0.0 * r if g[1] is None else conjugate(F, g[1])
    rows, columns = _x.shape[-2:]
    of_rest = None
    if columns > rows:
        rest, g_rest = r[..., rows:], g_r[..., rows:]
        r, g_r = r[..., :rows], g_r[..., :rows]
        g_q = g_q + F.matmul(q, F.matmul(rest, adjoint(F, g_rest)))
        of_rest = F.matmul(q, g_rest)
    lower = _half_lower(F, F.matmul(r, adjoint(F, g_r)) - F.matmul(adjoint(F, g_q), q))
    total = adjoint(F, F.solve(r, adjoint(F, g_q + F.matmul(q, _with_adjoint(F, lower)))))
    return (conjugate(F, total if of_rest is None else F.concat(total, of_rest, axis=-1)),)


qr = op("qr", _qr, vjp=_qr_rule, samples=RECTANGULAR + COMPLEX, requires=MATRICES)


def _pinv(xp, x, *, rcond):
    """V S⁺ Uᴴ, where singular values up to rcond · max S count as 0."""
    u, s, vh = _svd(xp, x)
    large = s > rcond * s[..., :1]
    inverse = xp.where(large, 1.0 / xp.where(large, s, 1.0), 0.0)
    return conjugate(xp, xp.matmul(swapped(xp, vh) * inverse[..., None, :], swapped(xp, u)))


def _pinv_jvp(F, ts, y, x, *, rcond):
    """For P = A⁺ of constant rank: −P A' P + P Pᴴ A'ᴴ (1 − A P) + (1 − P A) A'ᴴ Pᴴ P; see `_pinv_rule`."""
    (t,) = ts
    turned, t_turned = adjoint(F, y), adjoint(F, t)
    left = F.matmul(F.matmul(y, turned), t_turned)
    right = F.matmul(F.matmul(t_turned, turned), y)
    total = left - F.matmul(F.matmul(left, x), y) + right - F.matmul(y, F.matmul(x, right))
    return total - F.matmul(F.matmul(y, t), y)


def _pinv_rule(F, g, y, x, *, rcond):
    """For P = A⁺ of constant rank: −Pᴴ g Pᴴ + (1 − A P) gᴴ P Pᴴ + Pᴴ P gᴴ (1 − P A).

    G. Golub and V. Pereyra, "The differentiation of pseudo-inverses" (1973).
    """
    g = conjugate(F, g)
    turned, g_turned = adjoint(F, y), adjoint(F, g)
    first = F.matmul(F.matmul(g_turned, y), turned)
    second = F.matmul(turned, F.matmul(y, g_turned))
    total = first - F.matmul(x, F.matmul(y, first)) + second - F.matmul(F.matmul(second, y), x)
    return (conjugate(F, total - F.matmul(F.matmul(turned, g), turned)),)


pinv = op(
    "pinv",
    _pinv,
    vjp=_pinv_rule,
    jvp=_pinv_jvp,
    by_matrix=True,
    samples=tuple(
        Sample(*sample.shapes, arrays=sample.arrays, complex=sample.complex, rcond=1e-6)
        for sample in RECTANGULAR + COMPLEX
    ),
    requires=MATRICES,
)
