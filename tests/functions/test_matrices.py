"""Triangles, diagonals and the products beside matmul, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from adjoint import functions as F
from adjoint.errors import AxisError, ShapeError
from adjoint.testing import check_grads

RNG = np.random.default_rng(0)


def drawn(*shape):
    return RNG.standard_normal(shape)


OFFSETS = [0, 1, -1, 2, -3, 7, -7]


@pytest.mark.parametrize("k", OFFSETS)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 3, 4), (0, 2)], ids=str)
def test_triangles_are_numpys(shape, k):
    x = drawn(*shape)
    assert_array_equal(F.tril(x, k).data, np.tril(x, k), strict=True)
    assert_array_equal(F.triu(x, k).data, np.triu(x, k), strict=True)
    whole = np.arange(6).reshape(2, 3)
    assert_array_equal(F.tril(whole, k).data, np.tril(whole, k), strict=True)


def test_triangles_drop_what_is_no_number():
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    assert F.tril(x).data.tolist() == [[1.0, 0.0], [2.0, 3.0]]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize(("shape", "axes"), [((3, 3), (0, 1)), ((2, 4), (0, 1)), ((4, 2), (1, 0)), ((2, 3, 4), (2, 0))])
def test_diagonal_and_trace_are_numpys(shape, axes, offset):
    x = drawn(*shape)
    assert_array_equal(F.diagonal(x, offset, *axes).data, np.diagonal(x, offset, *axes), strict=True)
    assert_allclose(F.trace(x, offset, *axes).data, np.trace(x, offset, *axes), rtol=1e-14)
    if F.diagonal(x, offset, *axes).size:
        check_grads(lambda x: F.diagonal(x, offset, *axes) ** 2, x, order=2)
        check_grads(lambda x: F.trace(x, offset, *axes) ** 2, x, order=2)


@pytest.mark.parametrize("k", OFFSETS)
def test_diag_is_numpys(k):
    vector, matrix = drawn(3), drawn(3, 4)
    assert_array_equal(F.diag(vector, k).data, np.diag(vector, k), strict=True)
    assert_array_equal(F.diag(matrix, k).data, np.diag(matrix, k), strict=True)
    check_grads(lambda x: F.diag(x, k) ** 2, vector, order=2)


PAIRS = [((3,), (2,)), ((2, 3), (2, 2)), ((), (3,)), ((2, 1, 3), (2,)), ((2,), (2, 3))]


@pytest.mark.parametrize("name", ["outer", "kron"])
@pytest.mark.parametrize("shapes", PAIRS, ids=str)
def test_products_of_all_elements_are_numpys(name, shapes):
    a, b = (drawn(*shape) for shape in shapes)
    assert_allclose(getattr(F, name)(a, b).data, getattr(np, name)(a, b), rtol=1e-14, strict=True)
    check_grads(getattr(F, name), (a, b), order=2)


@pytest.mark.parametrize(
    "shapes", [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((), (3,)), ((2, 2, 3), (2, 3))], ids=str
)
def test_inner_is_numpys(shapes):
    a, b = (drawn(*shape) for shape in shapes)
    assert_allclose(F.inner(a, b).data, np.inner(a, b), rtol=1e-13)
    check_grads(F.inner, (a, b), order=2)


@pytest.mark.parametrize(
    ("shapes", "axes"),
    [
        (((2, 3, 4), (3, 4, 5)), 2),
        (((2, 3), (4,)), 0),
        (((2, 3), (3, 2)), (1, 0)),
        (((2, 3, 4), (4, 2)), ([0, -1], [1, 0])),
        (((3,), (3,)), 1),
        (((2, 0), (0, 3)), 1),
    ],
)
def test_tensordot_is_numpys(shapes, axes):
    a, b = (drawn(*shape) for shape in shapes)
    expected = np.tensordot(a, b, axes)
    assert_allclose(F.tensordot(a, b, axes).data, expected, rtol=1e-13)
    assert F.tensordot(a, b, axes).shape == expected.shape
    if a.size:
        check_grads(lambda a, b: F.tensordot(a, b, axes), (a, b), order=2)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: F.tril(np.ones(3)), ShapeError),
        (lambda: F.diag(np.ones((1, 1, 1))), ShapeError),
        (lambda: F.trace(np.ones(3)), ShapeError),
        (lambda: F.diagonal(np.ones((2, 2)), 0, 1, -1), AxisError),
        (lambda: F.diagonal(np.ones((2, 2)), 0, 0, 2), AxisError),
        (lambda: F.tensordot(np.ones((2, 3)), np.ones((2, 3)), 1), ShapeError),
        (lambda: F.tensordot(np.ones((2, 3)), np.ones((2, 3)), 3), ShapeError),
        (lambda: F.tensordot(np.ones((2, 3)), np.ones((2, 3)), ([0], [0, 1])), ShapeError),
        (lambda: F.inner(np.ones(3), np.ones(2)), ShapeError),
    ],
)
def test_shapes_that_do_not_go_together_are_refused(call, error):
    with pytest.raises(error):
        call()
