"""Lanes that a selection leaves out have derivatives of 0, whatever is infinite there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from tests.support import derivatives

X = np.array([-1.0, 0.0, 2.0])
E = math.e

# By name: the function, its argument, and the derivatives of the first three orders, lane by lane.
LOG = [[0, 0, 1 / 2], [0, 0, -1 / 4], [0, 0, 1 / 4]]
CASES = {
    "where log": (lambda x: F.where(x > 0, F.log(x), 0.0), X, LOG),
    "where log of a shape": (lambda x: F.where(x > 0, F.log(x).reshape(3, 1)[:, 0], 0.0), X, LOG),
    "where log transposed": (lambda x: F.where(x > 0, F.transpose(F.log(x.reshape(3, 1)))[0], 0.0), X, LOG),
    "where log, summed with others": (
        lambda x: F.where(x > 0, F.log(x) * 2.0 + x, x),
        X,
        [[1, 1, 2], [0, 0, -1 / 2], [0, 0, 1 / 2]],
    ),
    "where sqrt": (
        lambda x: F.where(x > 0, F.sqrt(x), 0.0),
        X,
        [[0, 0, 2**-0.5 / 2], [0, 0, -(2**-1.5) / 4], [0, 0, 3 / 8 * 2**-2.5]],
    ),
    "where 1/x": (lambda x: F.where(x > 0, 1.0 / x, x), X, [[1, 1, -1 / 4], [0, 0, 1 / 4], [0, 0, -3 / 8]]),
    "where x**1.5": (
        lambda x: F.where(x > 0, x**1.5, 0.0),
        X,
        [[0, 0, 1.5 * 2**0.5], [0, 0, 0.75 * 2**-0.5], [0, 0, -0.375 * 2**-1.5]],
    ),
    "where exp overflows": (
        lambda x: F.where(x < 800, x * x, F.exp(x)),
        np.array([1.0, 5.0, 700.0]),
        [[2, 10, 1400], [2, 2, 2], [0, 0, 0]],
    ),
    "where exp overflows elsewhere": (
        lambda x: F.where(x > 800, x * x, F.exp(x)),
        np.array([1.0, 900.0]),
        [[E, 1800], [E, 2], [E, 0]],
    ),
    "where of both": (
        lambda x: F.where(x > 0, F.log(x), F.log(-x)),
        np.array([-1.0, 2.0]),
        [[-1, 1 / 2], [-1, -1 / 4], [-2, 1 / 4]],
    ),
    "where in where": (
        lambda x: F.where(x > 0, F.where(x > 1, F.log(x - 1.0), F.sqrt(1.0 - x)), 0.0),
        np.array([-1.0, 0.75, 3.0]),
        [[0, -1, 1 / 2], [0, -2, -1 / 4], [0, -12, 1 / 4]],
    ),
    "where of a value that is used twice": (
        lambda x: twice(F.log(x), x),
        np.array([0.0, 0.5, 2.0]),
        [[0, 2, (1 + 2 * math.log(2)) / 2], [0, -4, (1 - 2 * math.log(2)) / 4], [0, 16, (4 * math.log(2) - 4) / 8]],
    ),
    "where of a chain": (
        lambda x: F.where(x > 0, F.sqrt(F.sqrt(x) * x), 0.0),
        np.array([0.0, 0.0, 1.0]),
        [[0, 0, 3 / 4], [0, 0, -3 / 16], [0, 0, 15 / 64]],
    ),
    "masked_fill": (lambda x: F.masked_fill(F.log(x), np.array([True, True, False]), 0.0), X, LOG),
    "relu": (
        lambda x: F.relu(F.log(F.abs(x))),
        np.array([0.0, 0.5, 3.0]),
        [[0, 0, 1 / 3], [0, 0, -1 / 9], [0, 0, 2 / 27]],
    ),
    "clip": (
        lambda x: F.clip(F.log(x), -1.0, 1.0),
        np.array([0.0, 2.0, 30.0]),
        [[0, 1 / 2, 0], [0, -1 / 4, 0], [0, 1 / 4, 0]],
    ),
    "maximum": (
        lambda x: F.maximum(F.log(x), -5.0),
        np.array([0.0, 0.001, 2.0]),
        [[0, 0, 1 / 2], [0, 0, -1 / 4], [0, 0, 1 / 4]],
    ),
    "minimum": (
        lambda x: F.minimum(1.0 / (x * x), 4.0),
        np.array([0.0, 0.1, 2.0]),
        [[0, 0, -1 / 4], [0, 0, 3 / 8], [0, 0, -3 / 4]],
    ),
    "max along an axis": (
        lambda x: F.max(F.stack([F.log(x), x * 0.0 - 1.0]), axis=0),
        np.array([0.0, 0.1, 2.0]),
        [[0, 0, 1 / 2], [0, 0, -1 / 4], [0, 0, 1 / 4]],
    ),
    "min along an axis": (
        lambda x: F.min(F.stack([-F.log(x), x * 0.0 + 1.0]), axis=0),
        np.array([0.0, 0.1, 2.0]),
        [[0, 0, -1 / 2], [0, 0, 1 / 4], [0, 0, -1 / 4]],
    ),
    "where of two moves of a kind": (
        lambda x: F.where(x > 0, F.flip(F.flip(F.log(x))), 0.0),
        X,
        LOG,
    ),
    "where of two shapes": (
        lambda x: F.where(x > 0, F.log(x).reshape(3, 1).reshape(3), 0.0),
        X,
        LOG,
    ),
    "relu of an infinite slope": (
        lambda x: F.relu(-1.0 / (x - 1.0)),
        np.array([0.0, 1.0, 3.0]),
        [[1, 0, 0], [2, 0, 0], [6, 0, 0]],
    ),
    "clip at its bounds": (
        lambda x: F.clip(x * x, 1.0, 4.0),
        np.array([1.0, 1.5, 2.0]),
        [[2, 3, 4], [2, 2, 2], [0, 0, 0]],
    ),
    "elements that are left out": (
        lambda x: F.concat([x[:1], F.log(x)[1:]]),
        np.array([0.0, 1.0, 2.0]),
        [[1, 1, 1 / 2], [0, -1, -1 / 4], [0, 2, 1 / 4]],
    ),
}


def twice(y, x):
    return F.where(x > 0, y, 0.0) + F.where(x > 1, y * y, 0.0)


def once(kind):
    """A function of lanes to its derivatives, lane by lane."""
    if kind == "reverse":
        return lambda f: lambda x: ad.grad(lambda x: f(x).sum())(x)
    return lambda f: lambda x: ad.jvp(f, (x,), (np.ones(x.shape),))[1]


MODES = {
    "reverse": ["reverse"] * 3,
    "forward": ["forward"] * 3,
    "forward over reverse": ["reverse", "forward", "reverse"],
    "reverse over forward": ["forward", "reverse", "forward"],
}


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("f", "x", "expected"), CASES.values(), ids=CASES)
def test_derivatives_in_every_mode(f, x, expected, mode):
    g = f
    for kind, exact in zip(MODES[mode], expected, strict=True):
        g = once(kind)(g)
        assert_allclose(g(x), exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("f", "x", "expected"), CASES.values(), ids=CASES)
def test_derivatives_by_backward_and_by_series(f, x, expected):
    by_backward = derivatives(lambda x: f(x).sum(), x, 1)[1]
    assert_allclose(by_backward, expected[0], rtol=1e-9)
    for n, exact in enumerate(expected, 1):
        assert_allclose(ad.nth_derivative(f, n)(x), exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["where log", "where exp overflows", "clip", "max along an axis", "where in where"])
def test_derivatives_of_examples_and_compiled(name):
    f, x, expected = CASES[name]
    g = f
    for exact in expected[:2]:
        g = once("reverse")(g)
        batch = np.stack([x, x])
        assert_allclose(ad.vmap(g)(batch), [exact, exact], rtol=1e-9, atol=1e-12)
        assert_allclose(ad.compile(g)(Variable(x)).data, exact, rtol=1e-9, atol=1e-12)


def test_an_infinite_slope_ends_at_the_relu():
    assert_allclose(ad.grad(lambda x: F.sum(1.0 / F.relu(x)))(np.array([-1.0, 2.0])), [0.0, -0.25])


def test_lanes_whose_cotangent_happens_to_be_0_count():
    x = np.array([0.0, 1.0])
    f = lambda x: (F.exp(x) - 1.0) ** 2  # noqa: E731
    for mode in MODES.values():
        g = f
        for kind, exact in zip(mode, ([0, 2 * E * (E - 1)], [2, 4 * E**2 - 2 * E], [6, 8 * E**2 - 2 * E]), strict=True):
            g = once(kind)(g)
            assert_allclose(g(x), exact, atol=1e-12)


def test_lanes_that_another_path_selects_count():
    """What one selection leaves out another may use; the lane's derivative is that of the latter."""
    x = Variable(X)
    y = F.exp(x)
    (F.where(X > 0, y, 0.0) + 3.0 * y).sum().backward()
    assert_allclose(x.grad.data, np.exp(X) * [3.0, 3.0, 4.0])


def test_infinities_that_are_selected_stay():
    x = Variable([0.0, 4.0])
    F.where(np.array([True, True]), 1.0 / x, 0.0).sum().backward()
    assert_array_equal(x.grad.data, [-np.inf, -1 / 16])


def test_broadcast_conditions():
    x = Variable(X)
    F.where(np.array([[True], [False]]), x * 2.0, F.exp(x)).sum().backward()
    assert_allclose(x.grad.data, 2.0 + np.exp(X))


def test_strict_mode_gives_what_ieee_arithmetic_does():
    x = Variable(X)
    with ad.strict_ieee():
        F.where(X > 0, F.sqrt(x), 0.0).sum().backward()
    assert_array_equal(np.isnan(x.grad.data), [True, True, False])
