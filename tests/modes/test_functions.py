"""Functions that are made of ops, in forward mode and within vmap: those of NumPy, of linear algebra, and others."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F, linalg, special
from adjoint.errors import TransformError
from tests.modes.checks import TOLERANCE, assert_pairing, like, pairing, raw
from tests.modes.exceptions import REFUSED_WITHIN_VMAP
from tests.numpy.table import TABLE

RNG = np.random.default_rng(2)
A, B, SPREAD = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), np.diag([1.0, 3.0, 6.0])
TALL, X, Y = RNG.normal(size=(4, 2)), RNG.normal(size=3), RNG.normal(size=3)
P, Q = RNG.uniform(0.2, 0.8, (2, 2, 3))

LINEAR_ALGEBRA = {
    **{f"norm {order}": (lambda x, o=order: linalg.norm(x, o), (A + SPREAD,)) for order in ("nuc", 2, -2, 1, np.inf)},
    **{f"vector norm {order}": (lambda x, o=order: linalg.norm(x, o), (X,)) for order in (None, 1, 3, np.inf, -np.inf)},
    "cond": (linalg.cond, (A + SPREAD,)),
    "lstsq": (lambda a, b: linalg.lstsq(a, b).x, (TALL, RNG.normal(size=4))),
    "matrix_power": (lambda a: linalg.matrix_power(a, 5), (0.3 * A,)),
    "negative matrix_power": (lambda a: linalg.matrix_power(a, -2), (A + SPREAD,)),
    "eigvalsh": (linalg.eigvalsh, (A + A.T + SPREAD,)),
    "tensorsolve": (lambda a, b: linalg.tensorsolve(np.eye(6) * 2.0 + 0.0 * a, b), (np.ones(()), RNG.normal(size=6))),
    "multi_dot": (lambda a, b, c: linalg.multi_dot([a, b, c]), (TALL, TALL.T, TALL)),
    "kron": (linalg.kron, (TALL, A)),
    "cross": (linalg.cross, (X, Y)),
    "solve": (linalg.solve, (A + SPREAD, X)),
    "upper cholesky": (lambda a: linalg.cholesky(a @ a.T + 2.0 * np.eye(3), upper=True), (A,)),
    "r of qr": (lambda a: linalg.qr(a, mode="r"), (TALL,)),
    "slogdet": (lambda a: linalg.slogdet(a).logabsdet, (A,)),
}
OTHERS = {
    "binary_cross_entropy": (F.binary_cross_entropy, (P, Q)),
    "gelu": (F.gelu, (A,)),
    "swish": (F.swish, (A,)),
    "log_softmax and softmax": (lambda x: F.log_softmax(x, axis=0) * F.softmax(x), (A,)),
    "sort": (lambda x: F.sort(x, axis=0) * x, (A,)),
    "lstm_cell": (lambda z, c: sum(F.lstm_cell(z, c)), (RNG.normal(size=(2, 8)), RNG.normal(size=(2, 2)))),
    "softmax_cross_entropy": (lambda x: F.softmax_cross_entropy(x, np.array([0, 2, 1])), (A,)),
    "beta": (special.beta, (P, Q)),
    "logsumexp with weights": (lambda x, y: F.logsumexp(x * y, axis=1), (P, Q)),
}
ROWS = [
    *((f"numpy.{name}-{n}", f, arguments) for n, (name, f, arguments) in enumerate(TABLE)),
    *((f"linalg.{name}", *case) for name, case in LINEAR_ALGEBRA.items()),
    *((name, *case) for name, case in OTHERS.items()),
]
cases = pytest.mark.parametrize(("f", "point"), [pytest.param(f, point, id=name) for name, f, point in ROWS])


def leaves(value):
    return [x for part in value for x in leaves(part)] if isinstance(value, (list, tuple)) else [value]


def drawn(arrays, seed):
    return tuple(like(np.asarray(x), seed + 10 * i) for i, x in enumerate(arrays))


@cases
def test_forward_mode_agrees_with_the_backward_pass(f, point):
    point = tuple(map(np.asarray, point))
    function = lambda *xs: leaves(f(*xs))  # noqa: E731
    directions, others = drawn(point, 1), drawn(point, 2)
    values, tangents = ad.jvp(function, point, directions)
    weights = drawn(map(raw, values), 3)
    gradients = ad.vjp(function, *point)[1](list(weights))
    assert_pairing(weights, tangents, *_swapped(pairing(gradients, directions)))

    def total(*xs):
        return sum((y * y * w).sum() for y, w in zip(function(*xs), weights, strict=True))

    argnums = tuple(range(len(point)))
    slope = lambda *xs: sum((g * t).sum() for g, t in zip(ad.grad(total, argnums)(*xs), directions, strict=True))  # noqa: E731
    expected, scale = pairing(ad.grad(slope, argnums)(*point), others)
    assert_pairing(ad.hvp(total, point, directions), others, expected, 10 * TOLERANCE, scale)
    nested = ad.jvp(lambda *xs: ad.jvp(total, xs, directions)[1], point, others)[1]
    np.testing.assert_allclose(raw(nested), expected, rtol=1e-8, atol=1e-9 * (1.0 + scale))


def _swapped(pair):
    expected, scale = pair
    return expected, 10 * TOLERANCE, scale


WITHIN_VMAP = [row for row in ROWS if not any(part in row[0] for part in ("trim_zeros", "lstsq"))]


@pytest.mark.parametrize(("f", "point"), [pytest.param(f, point, id=name) for name, f, point in WITHIN_VMAP])
def test_examples_of_a_batch_are_what_they_are_alone(f, point):
    point = [np.asarray(x) for x in point]
    count = len(point)
    for chosen in {tuple(range(count)), *((i,) for i in range(count))}:
        stacks = [np.stack([x, 0.97 * x, 0.95 * x]) if i in chosen else x for i, x in enumerate(point)]
        axes = tuple(0 if i in chosen else None for i in range(count))
        found = ad.vmap(lambda *xs: leaves(f(*xs)), in_axes=axes)(*stacks)
        for b in range(3):
            row = [Variable(x[b] if i in chosen else x) for i, x in enumerate(stacks)]
            for one, alone in zip(found, leaves(f(*row)), strict=True):
                np.testing.assert_allclose(raw(one)[b], raw(alone), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", REFUSED_WITHIN_VMAP)
def test_what_depends_on_values_is_refused(name):
    f = {"adjoint.linalg.lstsq": lambda a: linalg.lstsq(a, a).rank, "numpy.trim_zeros": np.trim_zeros}[name]
    x = np.ones((2, 3)) if name.startswith("numpy") else np.ones((2, 3, 3))
    with pytest.raises(TransformError, match="differs from example to example"):
        ad.vmap(f)(x)
