"""Linear equations, inverses and determinants, of matrices in the last two axes.

The rules follow from dA⁻¹ = −A⁻¹ dA A⁻¹ and d det A = tr(adj(A) dA); M. Giles, "Collected matrix derivative results
for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from adjoint.arrays.matrices import known_inverse
from adjoint.ops.declaration import Sample, op
from adjoint.ops.matrices import SQUARE, check_matrices, check_square, conjugate, distances, swapped, transposed

# Far from singular; the determinant of the second is negative.
REGULAR = [[2.0, 0.5, -0.3], [0.4, 1.5, 0.6], [-0.7, 0.2, 1.2]]
REFLECTING = [[0.3, 1.4, 0.2], [1.1, 0.4, -0.5], [-0.2, 0.6, 1.7]]
MATRIX = Sample((3, 3), arrays={0: REGULAR})
STACK = Sample((2, 3, 3), arrays={0: [REGULAR, REFLECTING]})
COMPLEX_REGULAR = [[2.0 + 0.3j, 0.5, -0.3j], [0.4 - 0.2j, 1.5 - 0.6j, 0.6], [-0.7, 0.2j, 1.2 + 0.5j]]
COMPLEX = Sample((3, 3), arrays={0: COMPLEX_REGULAR}, complex=True)


def _solve(xp, a, b):
    check_square(a)
    check_matrices(b)
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"{a.shape[-1]} unknowns and {b.shape[-2]} rows on the right")
    return xp.solve(a, b)


def _solve_rule(F, g, y, a, _b):
    """For A x = b: the cotangent of b solves Aᵀ z = g, that of A is −z xᵀ."""
    z = F.solve(transposed(F, a), g)
    return -F.matmul(z, transposed(F, y)), z


solve = op(
    "solve",
    _solve,
    vjp=_solve_rule,
    samples=(
        Sample((3, 3), (3, 2), arrays={0: REGULAR}),
        Sample((2, 3, 3), (3, 1), arrays={0: [REGULAR, REFLECTING]}),
        Sample((3, 3), (2, 3, 2), arrays={0: REGULAR}),
        Sample((3, 3), (3, 2), arrays={0: COMPLEX_REGULAR}, complex=True),
        Sample((0, 0), (0, 2)),
    ),
    requires="regular matrices a (..., n, n) and b (..., n, k)",
)


def _inv(xp, x):
    """The solution of A x = 1."""
    check_square(x)
    n = x.shape[-1]
    dtype = x.dtype if x.dtype.kind in "fc" else float
    return xp.solve(x, xp.astype(distances(xp, n, n) == 0, dtype))


def _inv_rule(F, g, y, _x):
    turned = transposed(F, y)
    return (-F.matmul(F.matmul(turned, g), turned),)


inv = op("inv", _inv, vjp=_inv_rule, samples=(MATRIX, STACK, COMPLEX, Sample((0, 0))), requires="regular " + SQUARE)


def _slogdet(xp, x):
    check_square(x)
    return xp.slogdet(x)


def _as_factor(F, g):
    """A number for each matrix, as a factor of matrices."""
    return F.reshape(g, shape=(*g.shape, 1, 1))


def _slogdet_rule(F, g, _y, x):
    """A⁻ᵀ for the logarithm. A real sign is constant wherever it is not 0; a complex one turns by Im tr(A⁻¹ dA)."""
    g_sign, factor = g
    if g_sign is not None and x.dtype.kind == "c":
        turning = F.real(g_sign * F.slogdet(x)[0] * 1j) * -1j
        factor = turning if factor is None else factor + turning
    return (None if factor is None else _as_factor(F, factor) * transposed(F, F.inv(x)),)


slogdet = op("slogdet", _slogdet, vjp=_slogdet_rule, samples=(MATRIX, STACK, COMPLEX, Sample((0, 0))), requires=SQUARE)


def _det(xp, x):
    sign, logarithm = _slogdet(xp, x)
    return sign * xp.exp(logarithm)


det = op(
    "det",
    _det,
    vjp=lambda F, g, _y, x: (_as_factor(F, g) * F.cofactor(x),),
    jvp=lambda F, ts, _y, x: F.sum(F.cofactor(x) * ts[0], axis=(-2, -1)),
    by_matrix=True,
    samples=(MATRIX, STACK, COMPLEX, Sample((1, 1)), Sample((0, 0))),
    requires=SQUARE,
)

# The derivatives of the determinant up to the second are polynomials in the elements, and finite where A is singular.
# In A = U S Vᴴ their terms are products of all singular values but one or two, which no division by zero needs.


def _product(xp, x):
    """The product along the last axis."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        product = x[..., :half] * x[..., half : 2 * half]
        x = product if x.shape[-1] == 2 * half else xp.concat((product, x[..., 2 * half :]), axis=-1)
    return xp.sum(x, axis=-1)


def _parts(xp, s):
    """Singular values with 1 in the place of 0, their product, which are 0 (as numbers), and how many."""
    zero = xp.astype(s == 0, s.dtype)
    safe = xp.where(s == 0, 1.0, s)
    return safe, _product(xp, safe), zero, xp.sum(zero, axis=-1)


def _all_but_one(xp, s):
    """∏_{j≠i} s_j at (..., i)"""
    safe, product, zero, zeros = _parts(xp, s)
    return xp.where(zeros[..., None] == zero, product[..., None] / safe, 0.0)


def _all_but_two(xp, s):
    """∏_{k≠i,j} s_k at (..., i, j) off the diagonal"""
    safe, product, zero, zeros = _parts(xp, s)
    products = product[..., None, None] / safe[..., None, :] / safe[..., :, None]
    return xp.where(zeros[..., None, None] == zero[..., None, :] + zero[..., :, None], products, 0.0)


def _orientation(xp, u, vh):
    """det U det Vᴴ, which is 1 or −1 for real numbers, as a factor of matrices."""
    return _as_factor_of(xp, xp.slogdet(u)[0] * xp.slogdet(vh)[0])


def _as_factor_of(xp, numbers):
    """As `_as_factor`, for forwards."""
    return xp.reshape(numbers, (*numbers.shape, 1, 1))


def _cofactor(xp, x):
    """det(A) A⁻ᵀ = det U det Vᴴ · Ū diag(∏_{j≠i} s_j) Vᵀ"""
    check_square(x)
    inverse = known_inverse(x)
    if inverse is not None:  # which is ten times faster to have
        return _as_factor_of(xp, _det(xp, x)) * swapped(xp, inverse)
    u, s, vh = xp.svd(x)
    left = _orientation(xp, u, vh) * conjugate(xp, u)
    return xp.matmul(left * _all_but_one(xp, s)[..., None, :], conjugate(xp, vh))


cofactor = op(
    "cofactor",
    _cofactor,
    vjp=lambda F, g, _y, x: (F.cofactor_cotangent(g, x),),
    jvp=lambda F, ts, _y, x: F.cofactor_cotangent(ts[0], x),
    by_matrix=True,
    samples=(MATRIX, STACK, COMPLEX, Sample((2, 2)), Sample((0, 0))),
    requires=SQUARE,
)


def _cofactor_cotangent(xp, g, x):
    """The second derivative of det A, applied to g: (⟨g, C⟩ C − C gᵀ C) / det A with C = det(A) A⁻ᵀ.

    With G = Uᴴ g V and p_ij = ∏_{k≠i,j} s_k off the diagonal, 0 on it, it is det U det Vᴴ · Ū M Vᵀ, where
    M_ij = −p_ij G_ji and M_ii = Σ_k p_ik G_kk.
    """
    check_square(x)
    inverse = known_inverse(x)
    if inverse is not None:
        b = swapped(xp, inverse)
        inner = xp.sum(g * b, axis=(-2, -1), keepdims=True) * b - xp.matmul(xp.matmul(b, swapped(xp, g)), b)
        return _as_factor_of(xp, _det(xp, x)) * inner
    u, s, vh = xp.svd(x)
    factor, u, vh = _orientation(xp, u, vh), conjugate(xp, u), conjugate(xp, vh)
    n = x.shape[-1]
    diagonal = distances(xp, n, n) == 0
    p = xp.where(diagonal, 0.0, _all_but_two(xp, s))
    turned = xp.matmul(swapped(xp, u), xp.matmul(g, swapped(xp, vh)))
    own = xp.sum(xp.where(diagonal, turned, 0.0), axis=-1, keepdims=True)
    inner = xp.where(diagonal, xp.matmul(p, own), -p * swapped(xp, turned))
    return xp.matmul(factor * xp.matmul(u, inner), vh)


def _product_trace(F, a, b):
    """tr(a b), as a factor of matrices."""
    return F.sum(a * transposed(F, b), axis=(-2, -1), keepdims=True)


def _cofactor_cotangent_rule(F, h, _y, g, x):
    return F.cofactor_cotangent(h, x), _third_derivative(F, g, h, x)


def _cofactor_cotangent_jvp(F, ts, _y, g, x):
    of_g = None if ts[0] is None else F.cofactor_cotangent(ts[0], x)
    if ts[1] is None:
        return of_g
    of_x = _third_derivative(F, g, ts[1], x)
    return of_x if of_g is None else of_g + of_x


def _third_derivative(F, g, h, x):
    """That of det A along g and h; it is written with A⁻¹, and needs a regular matrix.

    The derivative of det(A) (tr Bg tr Bh − tr BgBh) with B = A⁻¹.
    """
    if x.shape[-1] < 3:
        return 0.0 * x
    b = F.inv(x)
    bg, bh = F.matmul(b, g), F.matmul(b, h)
    trace_g, trace_h = _product_trace(F, b, g), _product_trace(F, b, h)
    whole = (trace_g * trace_h - _product_trace(F, bg, bh)) * b
    inner = F.matmul(bg, bh) + F.matmul(bh, bg) - trace_h * bg - trace_g * bh
    return transposed(F, _as_factor(F, F.det(x)) * (whole + F.matmul(inner, b)))


cofactor_cotangent = op(
    "cofactor_cotangent",
    _cofactor_cotangent,
    vjp=_cofactor_cotangent_rule,
    jvp=_cofactor_cotangent_jvp,
    by_matrix=True,
    samples=(
        Sample((3, 3), (3, 3), arrays={1: REGULAR}),
        Sample((2, 3, 3), (2, 3, 3), arrays={1: [REGULAR, REFLECTING]}),
        Sample((3, 3), (3, 3), arrays={1: COMPLEX_REGULAR}, complex=True),
        Sample((2, 2), (2, 2)),
    ),
    requires="a cotangent and square matrices of one shape (..., n, n)",
)
