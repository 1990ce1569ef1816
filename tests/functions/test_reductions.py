"""Functions along axes, against NumPy's, and the gradients at ties and zeros."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.errors import AxisError, DTypeError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

REDUCTIONS = {
    "sum": np.sum,
    "mean": np.mean,
    "variance": np.var,
    "std": np.std,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "norm": lambda x, axis, keepdims: np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims)),
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
}
AXES = [None, 0, 1, -1, -3, (0, 2), (-1, 0), (0, 1, 2), [1, -1]]


def reduce(name, x, axis, keepdims=False):
    return getattr(F, name)(x, axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction_is_numpys(name, axis, keepdims):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    found = reduce(name, x, axis, keepdims).data
    expected = REDUCTIONS[name](x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)
    assert found.shape == expected.shape
    assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [None, -1, (0, -2)], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_derivatives_hold_along_negative_axes(name, axis):
    x = np.random.default_rng(0).permutation(12).reshape(2, 3, 2) / 5.0 + 0.3
    check_grads(lambda x: reduce(name, x, axis), x)


@given(st_numpy.array_shapes(min_dims=0, max_dims=4, max_side=3), st.data())
def test_sum_spreads_its_gradient_over_the_axes(shape, data):
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True) if shape else st.just([]))
    axes = tuple(a - len(shape) if data.draw(st.booleans()) else a for a in axes)
    keepdims = data.draw(st.booleans())
    x = np.random.default_rng(0).standard_normal(shape)
    total = F.sum(x, axes, keepdims).data
    g = np.random.default_rng(1).standard_normal(total.shape)
    (found,) = gradients(lambda x: F.sum(x, axes, keepdims), x, gradient=g)
    kept = g if keepdims else np.expand_dims(g, tuple(a % len(shape) for a in axes))
    assert found.tolist() == np.broadcast_to(kept, shape).tolist()


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [3, -4, (0, 3)], ids=str)
def test_axis_that_is_not_there_is_refused(name, axis):
    with pytest.raises(AxisError, match="axis"):
        reduce(name, Variable(np.ones((2, 3, 4))), axis)


@pytest.mark.parametrize("name", [*REDUCTIONS, "cumsum", "cumprod"])
@pytest.mark.parametrize("axis", [1.0, "0"], ids=repr)
def test_axis_that_is_no_whole_number_is_refused(name, axis):
    with pytest.raises(DTypeError):
        getattr(F, name)(Variable(np.ones((2, 3))), axis=axis)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_axis_given_twice_is_refused(name):
    with pytest.raises(ValueError, match="axis"):
        reduce(name, Variable(np.ones((2, 3))), (0, -2))


# Extremes


@pytest.mark.parametrize("function", [F.max, F.min])
def test_exact_ties_share_the_gradient_evenly(function):
    x = np.array([[2.0, 2.0, 2.0], [1.0, 1.0, 5.0]]) * (1 if function is F.max else -1)
    assert gradients(function, x)[0].tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert_allclose(
        gradients(lambda x: function(x, axis=1), x, gradient=[3.0, 1.0])[0], [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    )


@pytest.mark.parametrize("function", [F.max, F.min])
def test_near_ties_get_nothing(function):
    x = np.array([1.0, np.nextafter(1.0, 2.0)])
    assert sorted(gradients(function, x)[0]) == [0.0, 1.0]


@pytest.mark.parametrize("name", ["max", "min", "mean", "variance", "std", "logsumexp"])
def test_reduction_of_no_elements_is_refused(name):
    with pytest.raises(ShapeError, match=r"no elements|zero-size"):
        reduce(name, np.ones((2, 0)), axis=1)


@pytest.mark.parametrize(("name", "value"), [("sum", 0.0), ("prod", 1.0), ("norm", 0.0)])
def test_sum_and_product_of_no_elements(name, value):
    x = Variable(np.ones((0, 2)))
    y = reduce(name, x, axis=0)
    y.backward()
    assert y.data.tolist() == [value, value]
    assert x.grad.shape == (0, 2)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_no_lines_give_no_results(name):
    x = Variable(np.ones((0, 2)))
    y = reduce(name, x, axis=1)
    y.backward()
    assert y.shape == (0,)
    assert x.grad.shape == (0, 2)


# Products and scans


@pytest.mark.parametrize("x", [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [0.0], [2.0, 0.0, 0.5, -1.0, 0.0]])
@pytest.mark.parametrize("function", [F.prod, F.cumprod])
def test_products_are_exact_at_zeros_to_the_third_order(function, x):
    check_grads(function, np.array(x), order=3)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2], ids=str)
def test_scan_is_numpys(name, axis):
    x = np.random.default_rng(0).standard_normal((3, 5))
    found = getattr(F, name)(x, axis=axis)
    assert_allclose(found.data, getattr(np, name)(x, axis=axis), rtol=1e-12)
    check_grads(lambda x: getattr(F, name)(x, axis=axis), x)


@pytest.mark.parametrize("function", [F.cumsum, F.cumprod])
@pytest.mark.parametrize("axis", [1, -2])
def test_scan_refuses_an_axis_that_is_not_there(function, axis):
    with pytest.raises(AxisError, match="axis"):
        function(np.ones(3), axis=axis)


@pytest.mark.parametrize("function", [F.cumsum, F.cumprod])
def test_scan_of_no_elements_is_empty(function):
    assert function(np.ones((0, 2)), axis=0).shape == (0, 2)


# Norms and logsumexp


@pytest.mark.parametrize("ord", [1, 2, math.inf])
def test_norm_is_numpys(ord):
    x = np.array([[3.0, -4.0], [0.5, 1.0]])
    assert_allclose(F.norm(x, ord, axis=1).data, np.linalg.norm(x, ord, axis=1), rtol=1e-15)


def test_gradient_of_the_norm_at_the_origin_is_0():
    assert gradients(F.norm, np.zeros(3))[0].tolist() == [0.0, 0.0, 0.0]


def test_norm_of_another_order_is_refused():
    with pytest.raises(ValueError, match="order 3"):
        F.norm(np.ones(2), 3)


def test_logsumexp_does_not_overflow():
    x = np.array([1000.0, 1000.0, -1000.0])
    assert F.logsumexp(x).item() == 1000.0 + math.log(2.0)
    assert_allclose(gradients(F.logsumexp, x)[0], [0.5, 0.5, 0.0], rtol=1e-12)


def test_logsumexp_of_a_masked_line_is_minus_infinity():
    x = np.array([[-math.inf, -math.inf], [-math.inf, 1.0], [math.inf, 1.0]])
    assert F.logsumexp(x, axis=1).data.tolist() == [-math.inf, 1.0, math.inf]


def test_mean_keeps_float32():
    assert F.mean(np.ones(3, np.float32)).dtype == np.float32


def test_mean_of_whole_numbers_is_a_float():
    assert F.mean([1, 2]).item() == 1.5


def test_methods_are_the_functions():
    x = Variable(np.arange(6.0).reshape(2, 3))
    for name in ("sum", "mean", "max", "min"):
        method, function = getattr(x, name), getattr(F, name)
        assert method(axis=-1, keepdims=True).data.tolist() == function(x, -1, True).data.tolist()
