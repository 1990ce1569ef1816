"""Sorting, and what is made of sorted elements, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, AxisError, DTypeError, OutOfRangeError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

RNG = np.random.default_rng(0)
X = RNG.permutation(24).reshape(2, 3, 4) / 7.0
AXES = [None, 0, 1, -1]


@pytest.mark.parametrize("axis", AXES)
def test_sort_and_argsort_are_numpys(axis):
    assert_array_equal(F.sort(X, axis).data, np.sort(X, axis=axis), strict=True)
    order = F.argsort(X, axis)
    assert type(order) is np.ndarray
    assert_array_equal(order, np.argsort(X, axis=axis, stable=True), strict=True)
    check_grads(lambda x: F.sort(x, axis) ** 2, X, order=2)


def test_gradient_of_sorted_elements_goes_where_they_came_from():
    (gradient,) = gradients(F.sort, np.array([3.0, 1.0, 2.0]), gradient=np.array([10.0, 20.0, 30.0]))
    assert gradient.tolist() == [30.0, 10.0, 20.0]


def test_equal_elements_keep_their_order():
    x = np.array([1.0, 0.0, 1.0, 0.0])
    assert F.argsort(x).tolist() == [1, 3, 0, 2]
    (gradient,) = gradients(F.sort, x, gradient=np.arange(4.0))
    assert gradient.tolist() == [2.0, 0.0, 3.0, 1.0]


def test_what_is_no_number_comes_last():
    assert_array_equal(F.sort([np.nan, 1.0, 0.0]).data, [0.0, 1.0, np.nan])


@pytest.mark.parametrize(
    ("shape", "indices", "axis"),
    [
        ((2, 3), [[2, 0, 0, -1], [1, 1, 1, 1]], 1),
        ((2, 3), [[0, 1, 0]], 0),
        ((3, 2), [[0], [1], [1]], -1),
        ((3, 1), [[2, 0], [1, 1]], 0),
        ((4,), [3, 3], 0),
        ((2, 3), [5, 0], None),
    ],
)
def test_take_along_axis_is_numpys(shape, indices, axis):
    x = RNG.standard_normal(shape)
    expected = np.take_along_axis(x, np.asarray(indices), axis)
    assert_array_equal(F.take_along_axis(x, indices, axis).data, expected, strict=True)
    check_grads(lambda x: F.take_along_axis(x, indices, axis) ** 2, x, order=2)


def test_an_element_that_is_taken_twice_gets_both_gradients():
    (gradient,) = gradients(lambda x: F.take_along_axis(x, [1, 1, 0]), np.zeros(3), gradient=np.array([1.0, 10.0, 5.0]))
    assert gradient.tolist() == [5.0, 11.0, 0.0]


@pytest.mark.parametrize(
    ("indices", "axis", "error"),
    [
        ([[3]], 1, OutOfRangeError),
        ([0], 1, ShapeError),
        ([[0]], None, ShapeError),
        ([[0.0]], 1, DTypeError),
        ([[0]], 2, AxisError),
    ],
)
def test_indices_that_do_not_fit_are_refused(indices, axis, error):
    with pytest.raises(error, match="take_along_axis"):
        F.take_along_axis(np.ones((2, 3)), indices, axis)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [*AXES, (0, 2), (), (1, 0, 2)])
def test_median_is_numpys(axis, keepdims):
    for x in (X, X[:, :, :3]):
        expected = np.median(x, axis=axis, keepdims=keepdims)
        assert_allclose(F.median(x, axis, keepdims).data, expected, rtol=1e-15, strict=True)
        check_grads(lambda x: F.median(x, axis, keepdims) ** 2, x, order=2)


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [0.0, 0.3, 1.0, [0.25, 0.5], [[0.1], [0.9]]], ids=str)
def test_quantile_is_numpys(q, method):
    for axis in (None, 1, (0, 2)):
        for keepdims in (False, True):
            expected = np.quantile(X, q, axis=axis, keepdims=keepdims, method=method)
            found = F.quantile(X, q, axis, keepdims, method=method)
            assert_allclose(found.data, expected, rtol=1e-14)
            assert found.shape == expected.shape
    check_grads(lambda x: F.quantile(x, q, 1, method=method) ** 2, X, order=2)


def test_percentile_is_a_quantile_of_hundreds():
    assert_allclose(F.percentile(X, [10, 50], axis=0).data, np.percentile(X, [10, 50], axis=0), rtol=1e-14)


def test_quantiles_of_float32_and_of_whole_numbers_have_numpys_dtypes():
    assert F.quantile(X.astype(np.float32), 0.3).dtype == np.float32
    assert F.median(X.astype(np.float32)).dtype == np.float32
    whole = np.array([3, 1, 2])
    for value in (F.median(whole), F.quantile(whole, 0.5)):
        assert value.dtype == np.float64
        assert value.item() == 2.0


def test_one_that_is_no_number_makes_all_none():
    x = np.array([[1.0, np.nan, 0.0], [1.0, 2.0, 3.0]])
    assert_array_equal(F.median(x, 1).data, [np.nan, 2.0])
    assert_array_equal(F.quantile(x, [0.0, 0.5], 1).data, [[np.nan, 1.0], [np.nan, 2.0]])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: F.quantile(X, 1.5), ArgumentError),
        (lambda: F.quantile(X, np.nan), ArgumentError),
        (lambda: F.quantile(X, 0.5, method="weibull"), ArgumentError),
        (lambda: F.quantile(X, Variable(0.5)), DTypeError),
        (lambda: F.percentile(X, -1.0), ArgumentError),
        (lambda: F.percentile(X, Variable(50.0)), DTypeError),
        (lambda: F.median(np.zeros((2, 0))), ShapeError),
        (lambda: F.median(X, (0, 0)), AxisError),
        (lambda: F.median(X, 3), AxisError),
        (lambda: F.sort(X, 3), AxisError),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, error):
    with pytest.raises(error):
        call()


def test_compiled_sorting_is_the_eager_one():
    def step(x):
        y = F.median(x, 1).sum() + F.quantile(x, 0.3) + (F.sort(x, 0) * np.arange(8.0).reshape(2, 4)).sum()
        y.backward()
        return y, x.grad

    x = RNG.permutation(8).reshape(2, 4) / 3.0
    expected = step(Variable(x))
    for found, wanted in zip(ad.compile(step)(Variable(x)), expected, strict=True):
        assert_allclose(found.data, wanted.data, rtol=1e-14)
