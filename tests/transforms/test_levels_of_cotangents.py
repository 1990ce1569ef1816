"""Gradients through results that lack a level which what stands beside them has.

The value of a ``jvp`` along a batch of directions is one, its tangent a batch; a rule of several results may give one
that does not depend on the example. The cotangent of such a result is a total.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint.errors import GradientError

A = np.array([1.0, 2.0, 3.0])
ROWS = np.arange(9.0).reshape(3, 3)


def f(x):
    return np.sin(x) * x


def slope(x):
    return np.cos(x) * x + np.sin(x)


def curvature(x):
    return 2 * np.cos(x) - x * np.sin(x)


@ad.custom_vjp
def two(x, a):
    return x * x, a * x


two.defvjp(lambda x, a: (two(x, a), (x, a)), lambda r, g: (g[0] * 2 * r[0] + g[1] * r[1], g[1] * r[0]))


@ad.custom_vjp
def triple(x):
    return 3 * x


triple.defvjp(lambda x: (triple(x), None), lambda r, g: (np.float64(3.0),))


def value_squared(x):
    """3 f², by a value that all examples share."""

    def of(t):
        y = ad.jvp(f, (x,), (t,))[0]
        return y * y

    return ad.vmap(of)(np.eye(3)).sum()


def shared_value(x):
    return ad.vmap(lambda t: ad.jvp(f, (x,), (t,)), out_axes=(None, 0))(np.eye(3))[0].sum()


def value_of_a_value(x):
    return ad.jvp(lambda s: ad.jvp(f, (x,), (s * A,))[0] + 0 * s, (2.0,), (1.0,))[0].sum()


def value_and_tangent(x):
    """Σₜ Σᵢ f f' tᵢ²"""

    def of(t):
        y, dy = ad.jvp(f, (x,), (t,))
        return (y * dy * t).sum()

    return ad.vmap(of)(ROWS).sum()


def tangent_of_a_value(x):
    """d/ds of s f + f' s A at any s: f + f' A, where the inner value has no s and the inner tangent has."""

    def along(s):
        y, dy = ad.jvp(f, (x,), (s * A,))
        return s * y + dy

    return ad.jvp(along, (2.0,), (1.0,))[1].sum()


def by_rule(x):
    """Σₐ Σᵢ a x³"""

    def of(a):
        y, z = two(x, a)
        return (y * z).sum()

    return ad.vmap(of)(ROWS).sum()


SUMS = (ROWS * ROWS).sum(0)
CASES = {
    "value squared": (
        value_squared,
        lambda x: 6 * f(x) * slope(x),
        lambda x: 6 * (slope(x) ** 2 + f(x) * curvature(x)),
    ),
    "shared value": (shared_value, slope, curvature),
    "value of a value": (value_of_a_value, slope, curvature),
    "value and tangent": (
        value_and_tangent,
        lambda x: SUMS * (slope(x) ** 2 + f(x) * curvature(x)),
        lambda x: SUMS * (3 * slope(x) * curvature(x) + f(x) * (-3 * np.sin(x) - x * np.cos(x))),
    ),
    "tangent of a value": (
        tangent_of_a_value,
        lambda x: slope(x) + A * curvature(x),
        lambda x: curvature(x) + A * (-3 * np.sin(x) - x * np.cos(x)),
    ),
    "rule": (by_rule, lambda x: 3 * x**2 * ROWS.sum(0), lambda x: 6 * x * ROWS.sum(0)),
}


@pytest.mark.parametrize(("function", "first", "second"), CASES.values(), ids=CASES)
def test_gradients(function, first, second):
    assert_allclose(ad.grad(function)(A), first(A))
    assert_allclose(ad.vmap(ad.grad(function))(np.stack([A, 2 * A])), [first(A), first(2 * A)])
    assert_allclose(ad.hessian(function)(A), np.diag(second(A)), atol=1e-12)
    assert_allclose(ad.jacobian(ad.grad(function), mode="reverse")(A), np.diag(second(A)), atol=1e-12)
    x = ad.Variable(A)
    function(x).backward()
    assert_allclose(x.grad.data, first(A))


def test_second_result_of_jacobian():
    x = ad.Variable(A)
    _, aux = ad.jacobian(lambda y: (f(y), y * y), has_aux=True)(x)
    aux.sum().backward()
    assert_allclose(x.grad.data, 2 * A)


def test_constant_cotangent_of_a_rule_is_that_of_each_example():
    def total(x):
        return ad.vmap(lambda a: triple(x + a))(np.arange(4.0)).sum()

    assert_allclose(ad.grad(total)(1.0), 12.0)
    assert_allclose(ad.grad(lambda x: ad.vmap(lambda a: triple(a * x[0] + x[1]))(A).sum())(A[:2]), [18.0, 9.0])


def test_gradients_of_each_example_are_not_totals():
    def of(t):
        return ad.grad(lambda x: (ad.jvp(f, (x,), (t,))[0] ** 2).sum())(A)

    assert_allclose(ad.vmap(of)(np.eye(3)), np.tile(2 * f(A) * slope(A), (3, 1)))
    assert_allclose(
        ad.vmap(lambda a: ad.grad(lambda x: two(x, a)[0].sum())(A))(ROWS),
        np.tile(2 * A, (3, 1)),
    )


@ad.custom_vjp
def scaled_backward(x, a):
    return x


scaled_backward.defvjp(lambda x, a: (x, a), lambda a, g: (g * a, None))


@pytest.mark.parametrize("dtype", [float, int])
def test_rule_with_what_belongs_to_an_example_where_the_value_has_nothing_of_it(dtype):
    """The cotangent of each example is scaled by its own number."""
    scales, weights = np.arange(1, 7).reshape(2, 3).astype(dtype), np.arange(2.0, 8.0).reshape(2, 3)

    def total(x):
        return ad.vmap(lambda a, c: (scaled_backward(x, a) * c).sum())(scales, weights).sum()

    assert_allclose(ad.grad(total)(A), (scales * weights).sum(0))
    assert_allclose(ad.vmap(ad.grad(total))(np.stack([A, A])), np.stack([(scales * weights).sum(0)] * 2))


def test_rule_that_finds_lifted_values_elsewhere_says_so():
    def of(x, a):
        @ad.custom_vjp
        def square(y):
            return y * y

        square.defvjp(lambda y: (square(y), y), lambda y, g: (g * 2 * y * a,))
        return (square(x) * a).sum()

    with pytest.raises(GradientError, match="the rule of square computes with something that a vmap or jvp around it"):
        ad.grad(lambda x: ad.vmap(lambda a: of(x, a))(ROWS).sum())(A)
