"""Differences and rolled arrays, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from adjoint import functions as F
from adjoint.errors import ArgumentError, AxisError, ShapeError
from adjoint.testing import check_grads

X = np.random.default_rng(0).standard_normal((3, 4))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_diff_is_numpys(n, axis):
    assert_allclose(F.diff(X, n, axis).data, np.diff(X, n, axis), rtol=1e-13, atol=1e-15)
    assert F.diff(X, n, axis).shape == np.diff(X, n, axis).shape
    if n == 2:
        check_grads(lambda x: F.diff(x, n, axis) ** 2, X, order=2)


@pytest.mark.parametrize(
    ("shift", "axis"),
    [
        (1, None),
        (-5, None),
        (0, 0),
        (2, 0),
        (-1, 1),
        (7, -1),
        ((1, 2), (0, 1)),
        (1, (0, 1)),
        ((1, 1), 0),
        ((1, 2), None),
    ],
)
def test_roll_is_numpys(shift, axis):
    assert_array_equal(F.roll(X, shift, axis).data, np.roll(X, shift, axis), strict=True)
    check_grads(lambda x: F.roll(x, shift, axis) ** 2, X, order=2)


def test_rolled_by_nothing_is_an_array_of_its_own():
    assert not np.shares_memory(F.roll(X, 3, 0).data, X)
    assert F.roll(np.zeros((0, 2)), 1, 0).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: F.diff(X, -1), ArgumentError),
        (lambda: F.diff(1.0), ShapeError),
        (lambda: F.diff(X, 1, 2), AxisError),
        (lambda: F.roll(X, (1, 2, 3), (0, 1)), ArgumentError),
        (lambda: F.roll(X, 1, 2), AxisError),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, error):
    with pytest.raises(error):
        call()
