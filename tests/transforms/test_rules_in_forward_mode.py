"""Rules of `custom_vjp` under forward mode over reverse."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import functions as F


@ad.custom_vjp
def swapped(p):
    return F.stack([p[1] ** 2, p[0] ** 3])


def backward(p, g):
    a, b = p
    return (F.stack([3 * a * a * g[1], 2 * b * g[0]]),)


swapped.defvjp(lambda p: (swapped(p), p), backward)


def test_hessian_through_a_rule():
    """The rule's own graph holds plain values, whose cotangents are one for each direction."""
    a, b = point = np.array([0.5, 0.7])
    found = ad.hessian(lambda p: F.exp(swapped(p)).sum())(point)
    expected = np.diag([np.exp(a**3) * (9 * a**4 + 6 * a), np.exp(b**2) * (4 * b**2 + 2)])
    assert_allclose(found, expected, rtol=1e-13)


def test_hessian_product_through_a_rule():
    point, v = np.array([0.5, 0.7]), np.array([1.0, -2.0])

    def f(p):
        return F.exp(swapped(p)).sum()

    assert_allclose(ad.hvp(f, point, v), ad.hessian(f)(point) @ v, rtol=1e-13)


RULES = {
    "vmap": lambda x, g: ad.vmap(F.cos)(x) * g,
    "jvp": lambda x, g: ad.jvp(F.sin, (x,), (g,))[1],
    "jacobian": lambda x, g: ad.jacobian(F.sin, mode="forward")(x).T @ g,
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_third_derivatives_through_a_rule_that_transforms(rule):
    """A cotangent that has left one level and not another must not be added to one that has left both."""
    sine = ad.custom_vjp(F.sin)
    sine.defvjp(lambda x: (F.sin(x), x), lambda x, g: (rule(x, g),))
    p = np.array([2.0, 0.5])

    def second(function):
        return lambda p: ad.hessian(lambda p: F.sum(function(p) * p[0]))(p)[0, 0]

    assert_allclose(ad.grad(second(sine))(p), ad.grad(second(F.sin))(p), rtol=1e-12)
