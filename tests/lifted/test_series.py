"""Taylor series: random chains against multiple precision, and the rules of single primitives."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import functions as F
from adjoint.lifted import LIFTED as xp, Series

ORDER = 4

# By name: the function, what mpmath computes, and the interval in which it is tame.
LINKS = {
    "exp": (F.exp, mpmath.exp, (-3, 2)),
    "log": (F.log, mpmath.log, (0.3, 50)),
    "sqrt": (F.sqrt, mpmath.sqrt, (0.3, 50)),
    "sin": (F.sin, mpmath.sin, (-9, 9)),
    "cos": (F.cos, mpmath.cos, (-9, 9)),
    "tanh": (F.tanh, mpmath.tanh, (-4, 4)),
    "arctan": (F.arctan, mpmath.atan, (-9, 9)),
    "sinh": (F.sinh, mpmath.sinh, (-3, 3)),
    "cosh": (F.cosh, mpmath.cosh, (-3, 3)),
    "erf": (F.erf, mpmath.erf, (-3, 3)),
    "sigmoid": (F.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), (-9, 9)),
    "softplus": (F.softplus, lambda x: mpmath.log1p(mpmath.exp(x)), (-9, 9)),
    "reciprocal": (lambda x: 1.0 / x, lambda x: 1 / x, (0.3, 50)),
    "square": (lambda x: x * x, lambda x: x * x, (-9, 9)),
    "cube": (lambda x: x**3, lambda x: x**3, (-5, 5)),
    "power": (lambda x: x**1.5, lambda x: x ** mpmath.mpf(1.5), (0.3, 50)),
    "abs": (F.abs, abs, (0.3, 50)),
    "negative": (lambda x: -x, lambda x: -x, (-9, 9)),
    "shifted": (lambda x: x + 1.5, lambda x: x + mpmath.mpf(1.5), (-9, 9)),
}
JOINS = {
    "sum": (lambda a, b: a + b, (-1e3, 1e3)),
    "difference": (lambda a, b: a - b, (-1e3, 1e3)),
    "product": (lambda a, b: a * b, (-30, 30)),
    "quotient": (lambda a, b: a / b, (0.3, 30)),
}
CHAIN = st.lists(st.sampled_from(sorted(LINKS)), min_size=1, max_size=4)


def run(chain, x, position):
    """The functions of a chain one after the other; None where one leaves its tame interval."""
    for name in chain:
        low, high = LINKS[name][2]
        if not low < float(x.data if isinstance(x, ad.Variable) else x) < high:
            return None
        x = LINKS[name][position](x)
    return x


def compared(f, exact, point):
    with mpmath.workdps(50):
        expected = [float(c) for c in mpmath.taylor(exact, mpmath.mpf(point), ORDER)]
    assume(all(abs(c) < 1e6 for c in expected))
    scale = max(1.0, *map(abs, expected))
    for n in range(1, ORDER + 1):
        found = float(ad.nth_derivative(f, n)(point)) / math.factorial(n)
        assert_allclose(found, expected[n], rtol=1e-9, atol=1e-10 * scale)


@given(CHAIN, st.floats(0.4, 2.0))
def test_chains(chain, point):
    assume(run(chain, mpmath.mpf(point), 1) is not None)
    compared(lambda x: run(chain, x, 0), lambda x: run_freely(chain, x), point)


@given(CHAIN, CHAIN, st.sampled_from(sorted(JOINS)), st.floats(0.4, 2.0))
def test_chains_that_are_joined(first, second, join, point):
    function, (low, high) = JOINS[join]
    ends = [run(chain, mpmath.mpf(point), 1) for chain in (first, second)]
    assume(all(end is not None and low < end < high for end in ends))
    compared(
        lambda x: function(run(first, x, 0), run(second, x, 0)),
        lambda x: function(run_freely(first, x), run_freely(second, x)),
        point,
    )


def run_freely(chain, x):
    """The chain in multiple precision, also at the points beside that mpmath.taylor looks at."""
    for name in chain:
        x = LINKS[name][1](x)
    return x


# Single primitives, as polynomials in ε


def polynomial(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, shape) for _ in range(ORDER + 1)]


def at(coefficients, e):
    return sum(c * e**k for k, c in enumerate(coefficients) if c is not None)


def fitted(f):
    """The coefficients of a polynomial of e by its values at several points: exact for those of a low degree."""
    points = np.linspace(-1.0, 1.0, 12)
    values = np.array([f(e) for e in points])
    flat = values.reshape(len(points), -1)
    return np.linalg.solve(np.vander(points, increasing=True), flat).reshape(values.shape)[: ORDER + 1]


PRODUCTS = {
    "mul": (lambda a, b: a * b, (2, 3), (3,)),
    "matmul": (xp.matmul, (2, 3), (3, 2)),
    "matmul of vectors": (xp.matmul, (3,), (3,)),
    "einsum": (lambda a, b: xp.einsum("ij,kj->ik", a, b), (2, 3), (4, 3)),
    "add": (lambda a, b: a + b, (2, 3), (1, 3)),
    "sub": (lambda a, b: a - b, (3,), (2, 3)),
    "concat": (lambda a, b: xp.concat([a, b], axis=0), (2, 3), (1, 3)),
    "stack": (lambda a, b: xp.stack([a, b], axis=1), (2, 3), (2, 3)),
    "scatter_add": (lambda a, b: xp.scatter_add(a, np.array([0, 2, 2]), b), (3, 2), (3, 2)),
    "index_update": (lambda a, b: xp.index_update(a, np.array([0, 2]), b), (3, 2), (2, 2)),
    "where": (lambda a, b: xp.where(np.array([True, False, True]), a, b), (3,), (2, 3)),
}
CONSTANT = pytest.mark.parametrize("constant", [None, 0, 1], ids=["both", "first constant", "second constant"])


@CONSTANT
@pytest.mark.parametrize(("function", "a_shape", "b_shape"), PRODUCTS.values(), ids=PRODUCTS)
def test_functions_of_two_arrays(function, a_shape, b_shape, constant):
    operands = [polynomial(*a_shape), polynomial(*b_shape, seed=1)]
    operands[0][2] = operands[1][3] = None  # coefficients that are zero throughout
    series = [Series(1, c) for c in operands]
    if constant is not None:
        operands[constant] = operands[constant][:1]
        series[constant] = operands[constant][0]
    found = function(*series)
    expected = fitted(lambda e: function(*(at(c, e) for c in operands)))
    assert found.order == ORDER
    for k, c in enumerate(expected):
        assert_allclose(found.coefficient(k), c, atol=1e-9)
        assert found.coefficients[k] is None or found.coefficients[k].shape == found.shape


LINEAR = {
    "sum": lambda x: xp.sum(x, axis=0),
    "cumulative_sum": lambda x: xp.cumulative_sum(x, axis=1),
    "flip": lambda x: xp.flip(x, axis=1),
    "reshape": lambda x: xp.reshape(x, (3, -1)),
    "permute_dims": lambda x: xp.permute_dims(x, (1, 0)),
    "broadcast_to": lambda x: xp.broadcast_to(x, (2, 2, 3)),
    "sum_to": lambda x: xp.sum_to(x, (1, 3)),
    "getitem": lambda x: xp.getitem(x, (slice(None), [2, 0])),
    "take": lambda x: xp.take(x, np.array([1, 1]), axis=1),
    "pick": lambda x: xp.pick(x, np.array([1, 0])),
    "unindex": lambda x: xp.unindex(x, np.array([1, 1]), (4, 3)),
    "astype": lambda x: xp.astype(x, np.dtype(np.float32)),
    "neg": lambda x: -x,
    "max": lambda x: xp.max(x, axis=1),
    "min": lambda x: xp.min(x, axis=0, keepdims=True),
}


@pytest.mark.parametrize("function", LINEAR.values(), ids=LINEAR)
def test_functions_that_are_linear_in_all_coefficients(function):
    first = np.array([[0.1, 0.5, 0.3], [0.9, 0.2, 0.7]])
    coefficients = [first, 2.0 * first, None, -first, 0.5 * first]  # so that an extreme stays at its place
    found = function(Series(1, coefficients))
    for k, factor in enumerate((1.0, 2.0, 0.0, -1.0, 0.5)):
        assert_allclose(found.coefficient(k), factor * function(first), rtol=1e-6)
    assert found.coefficients[2] is None


def test_steps_are_constants():
    x = Series(1, [np.array([0.3, -0.7]), np.ones(2)])
    for found in (
        xp.sign(x),
        xp.floor(x),
        x > 0,
        xp.isnan(x),
        xp.argmax(x),
        x == x,
        xp.zeros_like(x),
        xp.astype(x, np.dtype(int)),
    ):
        assert isinstance(found, np.ndarray | np.generic)


def test_exact_ties_share_evenly():
    x = Series(1, [np.array([1.0, 1.0, 0.0]), np.array([2.0, 4.0, 8.0])])
    assert_array_equal(xp.max(x).coefficient(1), 3.0)
    assert_array_equal(xp.maximum(x, np.ones(3)).coefficient(1), [1.0, 2.0, 0.0])
    assert_array_equal(xp.minimum(np.ones(3), x).coefficient(1), [1.0, 2.0, 8.0])


def test_orders_are_truncated_to_the_lowest():
    long, short = Series(1, polynomial(2)), Series(1, polynomial(2)[:2])
    assert (long * short).order == (long + short).order == (long / short).order == 1


def test_levels_are_apart():
    """A series of a lower level is a constant beside one of a higher level."""
    lower, higher = Series(1, [np.array(2.0), np.array(3.0)]), Series(2, [np.array(5.0), np.array(7.0)])
    for product in (lower * higher, higher * lower):
        assert product.level == 2
        assert product.value.coefficient(1) == 15.0  # 2 · 5 along level 1
        assert product.coefficient(1).coefficient(0) == 14.0
        assert product.coefficient(1).coefficient(1) == 21.0


def test_whole_powers_of_zero():
    x = Series(1, [np.array(0.0), np.array(1.0), None, None, None])
    for power, k in itertools.product(range(5), range(5)):
        assert (x**power).coefficient(k) == (1.0 if power == k else 0.0)


def test_python_reads_the_value():
    x = Series(1, [np.array(2.5), np.array(1.0)])
    assert (bool(x), float(x), int(x), x.item()) == (True, 2.5, 2, 2.5)
    assert x > 2
