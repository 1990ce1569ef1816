"""`custom_vjp`: rules under every transform. The rule below is right where the function itself overflows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, GradientError

BIG = np.array([1000.0, 2000.0])
A = np.array([1.0, -2.0])


@ad.custom_vjp
def softplus(x):
    return F.log(1.0 + F.exp(x))


softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * F.sigmoid(x),))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(over="ignore"):
        yield


ONCE = {
    "grad": lambda f: ad.grad(lambda x: f(x).sum()),
    "grad of vmap": lambda f: ad.grad(lambda x: ad.vmap(f)(x).sum()),
    "vmap of grad": lambda f: ad.vmap(ad.grad(f)),
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (np.ones(2),))[1],
    "jvp of vmap": lambda f: lambda x: ad.jvp(ad.vmap(f), (x,), (np.ones(2),))[1],
    "jvp of vmaps": lambda f: lambda x: ad.jvp(ad.vmap(ad.vmap(f)), (x[None],), (np.ones((1, 2)),))[1][0],
    "vmap of jvp": lambda f: ad.vmap(lambda x: ad.jvp(f, (x,), (1.0,))[1]),
    "linearize": lambda f: lambda x: ad.linearize(f, x)[1](np.ones(2)),
    "jacobian": lambda f: lambda x: ad.jacobian(f, mode="forward")(x).sum(0),
    "reverse jacobian": lambda f: lambda x: ad.jacobian(f, mode="reverse")(x).sum(0),
    "checkpoint": lambda f: ad.grad(lambda x: ad.checkpoint(f)(x).sum()),
}


@pytest.mark.parametrize("transform", ONCE.values(), ids=ONCE)
def test_first_derivative_is_that_of_the_rule(transform):
    assert_allclose(transform(softplus)(BIG), np.ones(2))
    assert_allclose(transform(softplus)(A), sigmoid(A))


@pytest.mark.parametrize("outer", ONCE.values(), ids=ONCE)
@pytest.mark.parametrize("inner", ["grad", "jvp", "vmap of grad", "vmap of jvp", "jvp of vmap", "linearize"])
def test_second_derivative_is_that_of_the_rule(inner, outer):
    def first(x):
        if not x.shape:  # within a vmap
            return ONCE[inner](softplus)(F.stack([x, x]))[0]
        return ONCE[inner](softplus)(x)

    assert_allclose(outer(first)(A), sigmoid(A) * (1.0 - sigmoid(A)), rtol=1e-12)
    assert_allclose(outer(first)(BIG), np.zeros(2), atol=1e-12)


def test_backward_and_compile():
    x = Variable(BIG)
    softplus(x).backward()
    assert_allclose(x.grad.data, np.ones(2))
    step = ad.compile(lambda x: ad.grad(lambda x: softplus(x).sum())(x))
    for point in (BIG, A):
        assert_allclose(step(Variable(point)).data, sigmoid(point))


@ad.custom_vjp
def weighted(p, k):
    return {"s": p["a"] * p["b"] * k, "c": F.sin(p["a"])}


def weighted_backward(residuals, g):
    p, k, note = residuals
    assert note == "text"
    return {"a": g["s"] * p["b"] * k + g["c"] * F.cos(p["a"]), "b": g["s"] * p["a"] * 100.0}, None


weighted.defvjp(lambda p, k: (weighted(p, k), (p, k, "text")), weighted_backward)


def test_structures_and_residuals_of_any_kind():
    point = {"a": 2.0, "b": 3.0}
    assert ad.grad(lambda p: weighted(p, 5)["s"])(point) == {"a": 15.0, "b": 200.0}
    assert ad.grad(lambda p: weighted(p, 5)["c"])(point) == {"a": np.cos(2.0), "b": 0.0}
    _, tangent = ad.jvp(lambda p: weighted(p, 5), (point,), ({"a": 0.0, "b": 1.0},))
    assert tangent == {"s": 200.0, "c": 0.0}


def test_argument_without_a_cotangent_counts_as_constant():
    assert ad.grad(lambda k: weighted({"a": 2.0, "b": 3.0}, k)["s"])(5.0) == 0.0


@pytest.mark.parametrize("several", [False, True])
def test_closure_over_what_an_outer_transform_lifted(several):
    def scaled(x, w):
        @ad.custom_vjp
        def scale(w):
            return (w * F.sin(x), w) if several else w * F.sin(x)

        def backward(_, g):
            return (g[0] * F.sin(x) + g[1] if several else g * F.sin(x),)

        scale.defvjp(lambda w: (scale(w), None), backward)
        return scale(w)[0] if several else scale(w)

    w = Variable(2.0)
    ad.vmap(lambda x: scaled(x, w))(A).sum().backward()
    assert_allclose(w.grad.data, np.sin(A).sum())
    assert_allclose(ad.vmap(ad.grad(scaled, 1), in_axes=(0, None))(A, 2.0), np.sin(A))


def test_without_variables_it_is_the_function():
    assert_allclose(softplus(A).data, np.log1p(np.exp(A)))
    with ad.no_grad():
        assert softplus(Variable(A)).creator is None


def test_wrong_number_of_cotangents():
    @ad.custom_vjp
    def double(x):
        return x * 2.0

    double.defvjp(lambda x: (double(x), None), lambda _, g: (g, g))
    with pytest.raises(ArgumentError, match="the rule of double returned 2 cotangents for 1 arg"):
        ad.grad(double)(1.0)


def test_rule_must_be_given_first():
    @ad.custom_vjp
    def double(x):
        return x * 2.0

    with pytest.raises(GradientError, match="double has no rule yet: call its defvjp"):
        double(1.0)


def test_high_orders_are_refused():
    with pytest.raises(GradientError, match="softplus has a rule for first derivatives"):
        ad.nth_derivative(softplus, 2)(1.0)


@pytest.mark.parametrize(
    ("given", "expected"), [((3.0,), 3.0), (3, 3.0), (([1.0, 2.0],), [1.0, 2.0]), (([1, 2],), [1.0, 2.0])]
)
def test_rules_may_return_numbers_and_lists(given, expected):
    @ad.custom_vjp
    def double(x):
        return 2.0 * x

    double.defvjp(lambda x: (double(x), None), lambda _, g: given)
    point = 5.0 if np.ndim(expected) == 0 else A
    found = ad.grad(lambda x: double(x).sum())(point)
    assert_allclose(found, expected)
    assert found.dtype == np.float64
    x = Variable(point)
    double(x).sum().backward()
    assert_allclose(x.grad.data, expected)
    assert_allclose(ad.vmap(ad.grad(lambda x: double(x).sum()))(np.stack([point, point])), [expected, expected])


def test_rule_may_leave_out_a_structure():
    @ad.custom_vjp
    def product(p, k):
        return p["a"][0] * p["a"][1] * k

    product.defvjp(lambda p, k: (product(p, k), p), lambda p, g: ({"a": None}, g * p["a"][0] * p["a"][1]))
    found = ad.grad(product, (0, 1))({"a": [2.0, 3.0]}, 4.0)
    assert found == ({"a": [0.0, 0.0]}, 6.0)
