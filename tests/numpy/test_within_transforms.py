"""What NumPy's functions find out about the data within transforms. Their derivatives there: `tests.modes`."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable
from adjoint.errors import TransformError
from tests.numpy.table import HOLES

X = np.array([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]])


@pytest.mark.parametrize("function", [
    np.argmax, np.argsort, np.isnan, np.signbit, np.any, np.count_nonzero, np.isreal, np.iscomplex,
    lambda x: np.allclose(x, X[0]), lambda x: x > 2.0, lambda x: np.logical_and(x > 2.0, x < 5.0),
    lambda x: np.logical_or.reduce(x > 5.0), lambda x: np.any(x > 4.0), lambda x: (x > 4.0).all(),
    lambda x: np.sum(x > 2.0), lambda x: np.searchsorted([2.0, 4.0], x), lambda x: np.digitize(x, [2.0, 4.0]),
    lambda x: np.lexsort((x, -x)), lambda x: np.argpartition(x, 1), lambda x: np.isclose(x, 5.0),
    lambda x: np.sort(np.argsort(x)),
])  # fmt: skip
def test_data_within_transforms(function):
    """Masks, indices and tests: for each example, and in forward mode, what NumPy finds."""

    def f(x):
        found = function(x)
        return x.sum() + np.sum(np.where(True, found, 0) * 1.0)

    expected = [np.sum(row) + np.sum(function(row) * 1.0) for row in X]
    assert_allclose(ad.vmap(f)(X), expected)
    value, tangent = ad.jvp(f, (X[0],), (np.ones(3),))
    assert_allclose((value, tangent), (expected[0], 3.0))
    assert_allclose(ad.hessian(lambda x: f(x) * np.sum(x))(X[1]), np.full((3, 3), 2.0))


def test_shapes_and_types_within_transforms():
    def f(x):
        assert (np.shape(x), np.ndim(x), np.size(x), np.result_type(x, np.float32)) == ((3,), 1, 3, np.float64)
        assert np.isrealobj(x)
        assert not np.iscomplexobj(x)
        return x

    assert_allclose(ad.vmap(f)(X), X)
    ad.jvp(f, (X[0],), (X[1],))


def test_statistics_of_numbers_among_nan_have_second_derivatives():
    for function in (np.nansum, np.nanmean, np.nanvar, np.nanmedian, np.nanmax):
        second = ad.hessian(lambda x, function=function: function(x) ** 2)(HOLES)
        assert second.shape == (2, 3, 2, 3)
        assert np.isfinite(second).all()
        assert not second[0, 1].any()


def test_vmap_says_what_cannot_be_side_by_side():
    with pytest.raises(TransformError, match="flatnonzero are no arrays of one shape"):
        ad.vmap(lambda x: x[np.flatnonzero(x > 3.5)])(X)


def test_numpy_does_not_lose_tangents_of_data():
    with pytest.raises(TransformError, match="tanh would lose the derivative"):
        ad.jvp(lambda x: Variable(np.tanh(x._data)), (X[0],), (X[1],))


def test_no_examples():
    assert ad.vmap(lambda x: np.sum(np.where(np.isnan(x), 0.0, x)) + np.argsort(x)[0])(X[:0]).shape == (0,)


def test_order_and_places_in_compiled_functions():
    def f(x):
        x = Variable(x)
        order, places = np.argsort(x), np.searchsorted(np.array([2.5, 4.5]), x)
        after = np.searchsorted(np.sort(x), np.array([2.0, 5.0]), side="right")
        return x[order] * np.arange(3.0), places * x, x[np.clip(after - 1, 0, 1)]

    for row in X:
        for compiled, eager in zip(ad.compile(f)(row), f(row), strict=True):
            assert_allclose(compiled.data, eager.data)
