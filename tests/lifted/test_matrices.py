"""Taylor series and batches of linear algebra: the two modes agree, for complex and for degenerate matrices too."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, linalg

EQUAL = np.diag([2.0, 2.0, 5.0])


@pytest.fixture(autouse=True)
def same_draws():
    """Every test draws the same numbers, whichever ran before it."""
    global rng
    rng = np.random.default_rng(3)


def drawn(*shape, kind=float):
    real = rng.normal(size=shape)
    return real + 1j * rng.normal(size=shape) if kind is complex else real


def hermitian(a):
    return a + np.swapaxes(a, -1, -2).conj()


SQUARE = {
    "cholesky": lambda a: linalg.cholesky(a @ F.conj(linalg.matrix_transpose(a)) + 9.0 * np.eye(3)),
    "eigh": linalg.eigh,
    "eig": linalg.eig,
    "inv": linalg.inv,
    "slogdet": linalg.slogdet,
    "det": linalg.det,
    "solve": lambda a: linalg.solve(a, a[..., :1] * a[..., 1:2]),
}
ANY = {
    "svd": lambda a: linalg.svd(a, full_matrices=False),
    "qr": linalg.qr,
    "pinv": lambda a: linalg.pinv(a, rcond=1e-9),
}
CASES = [
    *((name, f, (3, 3)) for name, f in (SQUARE | ANY).items()),
    *((name, f, shape) for name, f in ANY.items() for shape in ((4, 2), (2, 4))),
    *((name, f, (2, 3, 3)) for name, f in (SQUARE | ANY).items()),
]
cases = pytest.mark.parametrize(
    ("name", "f", "shape"), [pytest.param(*case, id=f"{case[0]}-{case[2]}") for case in CASES]
)
kinds = pytest.mark.parametrize("kind", [float, complex], ids=["real", "complex"])


def outputs(f):
    def flat(a):
        found = f(a)
        return tuple(found) if isinstance(found, tuple) else (found,)

    return flat


def real_sum(x):
    total = F.sum(x)
    return F.real(total) if total.dtype.kind == "c" else total


def pairing(gs, ts):
    return sum(float(np.sum(np.asarray(g) * np.asarray(t)).real) for g, t in zip(gs, ts, strict=True))


@kinds
@cases
def test_the_two_modes_agree(name, f, shape, kind):
    """Also forward over reverse and reverse over reverse."""
    a, t, u = (drawn(*shape, kind=kind) for _ in range(3))
    if name == "eigh":
        a = hermitian(a)
    function = outputs(f)
    values, tangents = ad.jvp(function, (a,), (t,))
    weights = [drawn(*y.shape, kind=complex if y.dtype.kind == "c" else float) for y in values]
    (gradient,) = ad.vjp(function, a)[1](tuple(weights))
    assert np.isclose(pairing(weights, tangents), pairing([gradient], [t]), rtol=1e-9)

    def total(a):
        # Complex vectors could be turned by a phase, which |y|² does not see. A derivative that leaves the phase as it
        # is, along every direction, is that of no function.
        return sum(real_sum(y * F.conj(y) * w.real) for y, w in zip(function(a), weights, strict=True))

    slope = lambda a: real_sum(ad.grad(total)(a) * t)  # noqa: E731
    assert np.isclose(pairing([ad.hvp(total, a, t)], [u]), pairing([ad.grad(slope)(a)], [u]), rtol=1e-7)


@kinds
@pytest.mark.parametrize("matrix", [EQUAL, np.eye(3), np.zeros((3, 3))], ids=["two equal", "all equal", "zeros"])
@pytest.mark.parametrize("name", ["eigh", "svd"])
def test_equal_values_are_left_out_in_both_modes(name, matrix, kind):
    f = outputs((SQUARE | ANY)[name])
    a, t = matrix.astype(kind), drawn(3, 3, kind=kind)
    values, tangents = ad.jvp(f, (a,), (t,))
    weights = [drawn(*y.shape, kind=complex if y.dtype.kind == "c" else float) for y in values]
    (gradient,) = ad.vjp(f, a)[1](tuple(weights))
    assert np.isclose(pairing(weights, tangents), pairing([gradient], [t]), rtol=1e-10, atol=1e-12)
    assert all(np.isfinite(np.asarray(part)).all() for part in tangents)


@pytest.mark.parametrize("name", ["eigh", "svd", "qr", "inv", "cholesky", "pinv"])
def test_series_of_high_order_are_those_of_the_matrix(name):
    """The function of a curve A(ε) at ε = 0.01 is its series, up to ε⁶."""
    f = outputs((SQUARE | ANY)[name])
    a = hermitian(drawn(3, 3)) + np.diag([9.0, 4.0, 1.0])
    t, u = hermitian(drawn(3, 3)), hermitian(drawn(3, 3))
    curve = lambda e: a + e * t + e * e * u  # noqa: E731
    step, order = 0.01, 6
    coefficients = [f(curve(0.0))]
    factor = 1.0
    for n in range(1, order):
        factor *= n
        found = ad.nth_derivative(lambda e: f(curve(e)), n)(0.0)
        coefficients.append([np.asarray(part) / factor for part in found])
    for number, y in enumerate(f(curve(step))):
        series = sum(np.asarray(getattr(c[number], "data", c[number])) * step**n for n, c in enumerate(coefficients))
        np.testing.assert_allclose(y.data, series, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 2)), ((2, 3, 3), (2, 3, 1))],
    ids=str,
)
@pytest.mark.parametrize("batched", [(0, 0), (0, None), (None, 0), (1, -1)], ids=str)
def test_batches_of_equations(a_shape, b_shape, batched):
    shapes = [
        shape if axis is None else tuple(np.insert(shape, axis if axis >= 0 else len(shape), 4))
        for shape, axis in zip((a_shape, b_shape), batched, strict=True)
    ]
    a, b = (drawn(*shape) for shape in shapes)
    found = ad.vmap(linalg.solve, in_axes=batched)(a, b)
    for i in range(4):
        one = a if batched[0] is None else np.take(a, i, batched[0])
        other = b if batched[1] is None else np.take(b, i, batched[1])
        np.testing.assert_allclose(found[i], np.linalg.solve(one, other), rtol=1e-9)
