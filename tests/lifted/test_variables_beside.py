"""Lifted arrays beside Variables: an operator of both is the Variable's."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import functions as F

X = np.array([[0.1, 0.9, 0.3], [0.6, 0.2, 0.8]])
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul, operator.lt]


@pytest.mark.parametrize("function", OPERATORS)
def test_data_on_the_left(function):
    found = ad.vmap(lambda a: function(a.data, a))(X)
    assert type(found) is np.ndarray
    assert_allclose(found, [function(a, a) for a in X])


def test_what_is_asked_of_the_data_on_the_left():
    """Tests and indices of examples are lifted arrays without a derivative."""
    assert_allclose(ad.vmap(ad.grad(lambda a: (np.isfinite(a) * a**2).sum()))(X), 2 * X)
    assert_allclose(ad.vmap(ad.grad(lambda a: (np.argmax(a) * a).sum()))(X), [[1] * 3, [2] * 3])
    assert_allclose(ad.vmap(lambda a: np.argmax(a) + a)(X), X + np.array([[1], [2]]))


def test_selections_of_a_tangent():
    """The mask of what a selection leaves out is not that of the levels that ops enter and leave."""
    x = np.array([0.31, 0.83])
    tangent = ad.linearize(lambda x: ad.jvp(F.relu, (x,), (x,))[1] * 0.5, x)[1]
    assert_allclose(tangent(np.ones(2)), [0.5, 0.5])
    v = ad.Variable(x)
    y = F.sum((0.5 * ad.jvp(F.relu, (v,), (v * v,))[1]) ** 2)
    y.backward(create_graph=True)
    first = v.grad
    v.cleargrad()
    F.sum(first).backward()
    assert_allclose(v.grad.data, 3 * x**2)


def test_what_is_detached_is_a_constant_in_every_mode():
    def f(x):
        return x.detach() * x

    assert ad.grad(f)(3.0) == ad.jacobian(f)(3.0) == ad.jvp(f, (3.0,), (1.0,))[1] == 3.0
    assert ad.hessian(lambda x: x.detach() * x * x)(3.0) == 6.0
