"""Transforms of transforms, in every order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F

A = np.array([0.4, 1.1, 2.3])

# Each takes a function of one number to its derivative there.
DERIVATIVES = {
    "grad": ad.grad,
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (1.0,))[1],
    "vjp": lambda f: lambda x: ad.vjp(f, x)[1](1.0)[0],
    "linearize": lambda f: lambda x: ad.linearize(f, x)[1](1.0),
    "forward jacobian": lambda f: ad.jacobian(f, mode="forward"),
    "reverse jacobian": lambda f: ad.jacobian(f, mode="reverse"),
    "nth_derivative": lambda f: ad.nth_derivative(f, 1),
}
# Each takes a function of one number to the same function.
SAME = {
    "checkpoint": ad.checkpoint,
    "vmap": lambda f: lambda x: ad.vmap(f)(F.stack([x, x + 1.0]))[0],
    "vmap along another axis": lambda f: (
        lambda x: ad.vmap(lambda row: f(row.sum()), in_axes=1, out_axes=-1)(
            F.stack([F.stack([x * 0.5, x]), F.stack([x * 0.5, x])])
        )[0]
    ),
    "vmap of nothing but the index": lambda f: lambda x: ad.vmap(lambda i: f(x) + 0.0 * i)(np.arange(2.0))[1],
    "compile": ad.compile,
    "no_grad around what is constant": lambda f: lambda x: f(x) + 0.0 * ad.stop_gradient(x),
}
TRANSFORMS = DERIVATIVES | SAME


def f(x):
    return F.sin(x) * F.exp(0.5 * x)


# f, f', f'', f''' by f = Im exp((0.5 + i) x)
EXACT = [lambda x, k=k: ((0.5 + 1j) ** k * np.exp((0.5 + 1j) * x)).imag for k in range(4)]


def composed(names):
    """f under the transforms, the first one outermost, and what it should be."""
    g = f
    for name in reversed(names):
        g = TRANSFORMS[name](g)
    return g, EXACT[sum(name in DERIVATIVES for name in names)]


def as_number(x):
    return float(x.data if isinstance(x, Variable) else x)


@pytest.mark.parametrize("names", list(itertools.product(TRANSFORMS, repeat=2)), ids=" of ".join)
def test_pairs(names):
    g, expected = composed(names)
    assert_allclose(as_number(g(0.7)), expected(0.7), rtol=1e-12)
    assert_allclose(ad.vmap(g)(A), expected(A), rtol=1e-12)


@pytest.mark.parametrize("outer", TRANSFORMS)
def test_triples(outer):
    for names in itertools.product([outer], TRANSFORMS, TRANSFORMS):
        g, expected = composed(names)
        assert_allclose(as_number(g(0.7)), expected(0.7), rtol=1e-11, err_msg=" of ".join(names))


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids=" of ".join)
def test_backward_through_pairs(names):
    x = Variable(0.7)
    g, _ = composed(names)
    g(x).backward()
    assert_allclose(x.grad.item(), EXACT[3](0.7), rtol=1e-12)


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids=" and ".join)
def test_inner_derivatives_do_not_see_outer_ones(names):
    """d/dx (x · d/dy (x y + y) at y = 2) is d/dx (x² + x); each derivative is only in its own variable."""
    outer, inner = (DERIVATIVES[name] for name in names)
    assert as_number(outer(lambda x: x * inner(lambda y: x + y)(2.0))(3.0)) == 1.0
    assert as_number(outer(lambda x: x * inner(lambda y: x * y + y)(2.0))(3.0)) == 7.0
    assert as_number(outer(lambda x: x * inner(lambda y: x * y * y)(x))(3.0)) == 54.0  # 2 x³
    assert as_number(outer(lambda x: inner(lambda _: x)(2.0) + x)(3.0)) == 1.0


@pytest.mark.parametrize("names", list(itertools.product(DERIVATIVES, repeat=2)), ids=" and ".join)
def test_closures_over_every_level(names):
    outer, inner = (DERIVATIVES[name] for name in names)

    def g(x):
        def h(y):
            return ad.vmap(lambda a: F.sin(a * x) * y * y)(A).sum()

        return inner(h)(x)

    def exact(x):
        return 2.0 * (A * np.cos(A * x) * x + np.sin(A * x)).sum()

    assert_allclose(as_number(outer(g)(0.7)), exact(0.7))
    assert_allclose(ad.vmap(outer(g))(A), [exact(x) for x in A])


def test_batches_within_batches_have_their_own_axes():
    x, y = np.random.default_rng(0).standard_normal((2, 3)), np.random.default_rng(1).standard_normal((4, 3))

    def g(a, b):
        return (F.sin(a) * b).sum() * a

    found = ad.vmap(lambda a: ad.vmap(ad.grad(lambda b: g(a, b).sum()))(y))(x)
    expected = [[np.sin(a) * a.sum() for _ in y] for a in x]
    assert_allclose(found, expected)
    mixed = ad.vmap(lambda a: ad.jvp(lambda a: ad.vmap(ad.grad(lambda b: g(a, b).sum()))(y), (a,), (a,))[1])(x)
    assert_allclose(mixed, [[np.cos(a) * a * a.sum() + np.sin(a) * a.sum() for _ in y] for a in x])


@pytest.mark.parametrize("axis", [0, 1])
def test_pullbacks_and_linearized_functions_under_later_transforms(axis):
    """The later transform runs a sweep of a graph in which an earlier one, that is over, has lifted values."""
    eye = np.eye(3)

    def g(w):
        return ad.vmap(lambda x: F.sin(w * x), out_axes=axis)(A)

    _, pullback = ad.vjp(g, A)
    cotangents = np.random.default_rng(0).standard_normal((2, 3, 3))
    assert_allclose(ad.vmap(pullback)(cotangents)[0], [pullback(c)[0] for c in cotangents])
    _, along = ad.linearize(g, A)
    assert_allclose(ad.vmap(along)(eye), [along(t) for t in eye])
    assert_allclose(ad.jvp(along, (A,), (eye[0],))[1], along(eye[0]))
    assert_allclose(ad.jacobian(along, mode="reverse")(A), ad.jacobian(g, mode="forward")(A))


def test_nested_jacobians():
    def g(x):
        return F.sin(x) * x.sum()

    modes = ("forward", "reverse")
    found = [
        ad.jacobian(ad.jacobian(ad.jacobian(g, mode=a), mode=b), mode=c)(A)
        for a, b, c in itertools.product(modes, repeat=3)
    ]
    step = 1e-5 * np.eye(3)
    second = ad.jacobian(ad.jacobian(g))
    differences = np.stack([(second(A + e) - second(A - e)) / 2e-5 for e in step], axis=-1)
    assert_allclose(found[0], differences, atol=1e-8)
    for other in found[1:]:
        assert_allclose(other, found[0], atol=1e-12)


def test_hessians_of_a_batch():
    x = np.random.default_rng(0).standard_normal((4, 3))
    found = ad.vmap(ad.hessian(lambda x: (F.tanh(x) * x.sum()).sum()))(x)
    alone = ad.hessian(lambda x: (F.tanh(x) * x.sum()).sum())
    assert_allclose(found, [alone(row) for row in x])


# stop_gradient

EVERY = pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES)


@EVERY
def test_stopped_values_are_constants(derivative):
    g = lambda x: x * ad.stop_gradient(x * x) + ad.stop_gradient({"x": x, "n": 3})["x"]  # noqa: E731
    assert as_number(derivative(g)(3.0)) == 9.0
    assert_allclose(ad.vmap(derivative(g))(A), A * A)
    assert as_number(derivative(ad.checkpoint(g))(3.0)) == 9.0
    assert as_number(derivative(lambda x: ad.vmap(g)(F.stack([x, x]))[0])(3.0)) == 9.0


@EVERY
def test_stopped_values_are_constants_of_all_levels(derivative):
    g = lambda x: derivative(lambda y: y * y * ad.stop_gradient(x * y))(x)  # noqa: E731
    assert as_number(g(3.0)) == 54.0
    assert as_number(derivative(g)(3.0)) == 18.0  # of 2 y (x y), where x y counts as 9


def test_stop_gradient_in_backward():
    x = Variable(3.0)
    (x * ad.stop_gradient(x)).backward()
    assert x.grad.item() == 3.0
    assert ad.stop_gradient("text") == "text"
