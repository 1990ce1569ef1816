"""Singular matrices, equal eigenvalues, norms at zero, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F, linalg
from adjoint.errors import ArgumentError, AxisError, DTypeError, GradientError, LinearAlgebraError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

RANK_TWO = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
RANK_ONE = np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])
SINGULAR = [RANK_TWO, RANK_ONE, np.zeros((3, 3)), np.diag([0.0, 1.0, 2.0]), np.zeros((1, 1)), np.zeros((2, 2))]


@pytest.mark.parametrize("x", SINGULAR, ids=range(len(SINGULAR)))
def test_determinant_of_a_singular_matrix_has_two_derivatives(x):
    check_grads(linalg.det, x, order=2)


@pytest.mark.parametrize("x", [SINGULAR[4], SINGULAR[5]], ids=["one", "two"])
def test_determinants_of_small_matrices_have_all_derivatives(x):
    check_grads(linalg.det, x, order=3)


def test_cofactors_are_exact_for_whole_numbers():
    (gradient,) = gradients(linalg.det, RANK_TWO)
    assert_allclose(gradient, [[-3.0, 6.0, -3.0], [6.0, -12.0, 6.0], [-3.0, 6.0, -3.0]], rtol=1e-12, atol=1e-12)


def test_third_derivative_of_the_determinant_of_a_regular_matrix():
    x = np.array([[1.0, 2.0, 0.5], [0.3, 1.5, -1.0], [2.0, 0.7, 1.0]])
    check_grads(linalg.det, x, order=3)


def test_determinant_of_a_stack_with_a_singular_matrix():
    x = np.stack([RANK_TWO, np.eye(3)])
    both = gradients(lambda x: F.sum(linalg.det(x)), x)[0]
    assert_allclose(both[1], np.eye(3), atol=1e-14)
    assert_allclose(both[0], gradients(linalg.det, RANK_TWO)[0], rtol=1e-12)


def test_determinant_close_to_singular_has_the_gradient_of_its_cofactors():
    x = RANK_TWO + 1e-9 * np.eye(3)
    cofactors = np.array([
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(x, i, 0), j, 1)) for j in range(3)] for i in range(3)
    ])  # fmt: skip
    (gradient,) = gradients(linalg.det, x)
    assert_allclose(gradient, cofactors, rtol=1e-13)


def test_determinant_of_what_is_no_number_has_the_gradient_nan():
    with np.errstate(invalid="ignore"):
        (gradient,) = gradients(linalg.det, np.full((2, 2), np.nan))
    assert np.isnan(gradient).all()


def test_logarithm_of_the_determinant_of_a_singular_matrix_has_no_gradient():
    x = Variable(np.diag([1.0, 0.0]))
    sign, logarithm = linalg.slogdet(x)
    assert (sign.item(), logarithm.item()) == (0.0, -np.inf)
    with pytest.raises(GradientError, match=r"slogdet\(float64 \(2, 2\)\) failed: LinAlgError"):
        logarithm.backward()


# Equal eigenvalues and singular values


def turned(values):
    q, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((len(values), len(values))))
    x = q @ np.diag(values) @ q.T
    return 0.5 * (x + x.T)


@pytest.mark.parametrize("x", [np.eye(3), turned([1.0, 2.0, 2.0]), turned([3.0, 3.0, 3.0]), np.zeros((3, 3))])
def test_gradients_at_equal_eigenvalues_are_finite_and_right_for_what_does_not_turn(x):
    def power_sum(x):
        w, _ = linalg.eigh(x)
        return F.sum(w**3)

    (gradient,) = gradients(power_sum, x)
    assert_allclose(gradient, 3.0 * x @ x, rtol=1e-12, atol=1e-12)
    (of_all,) = gradients(lambda x: sum(F.sum(part * part) for part in linalg.eigh(x)), x)
    assert_allclose(of_all, 2.0 * x, rtol=1e-12, atol=1e-12)  # the vectors stay of length 1


@pytest.mark.parametrize("x", [np.eye(3), turned([1.0, 2.0, 2.0]), np.zeros((3, 2)), np.eye(2, 3)])
def test_gradients_at_equal_singular_values_are_finite(x):
    (gradient,) = gradients(lambda x: sum(F.sum(part * part) for part in linalg.svd(x, full_matrices=False)), x)
    assert_allclose(gradient, 2.0 * x, rtol=1e-12, atol=1e-12)


def test_gradient_of_the_pseudoinverse_at_equal_singular_values_is_that_of_the_inverse():
    x = np.eye(3)
    check_grads(linalg.pinv, x, order=2)


# Symmetric matrices


@pytest.mark.parametrize("f", [linalg.cholesky, linalg.eigvalsh])
def test_gradients_of_symmetric_matrices_are_symmetric(f):
    (gradient,) = gradients(lambda x: F.sum(f(x) * np.arange(1.0, 4.0)), turned([1.0, 2.0, 4.0]))
    assert_array_equal(gradient, gradient.T)


@pytest.mark.parametrize(("triangle", "zeros"), [("L", np.triu), ("U", np.tril)])
def test_gradient_of_one_triangle_stays_there(triangle, zeros):
    (gradient,) = gradients(lambda x: F.sum(linalg.eigvalsh(x, triangle) ** 2), turned([1.0, 2.0, 4.0]))
    off_diagonal = {"L": 1, "U": -1}[triangle]
    assert not zeros(gradient, off_diagonal).any()
    assert np.count_nonzero(gradient) == 6


# Norms


@pytest.mark.parametrize("order", [0, 1, 2, 3, 2.5, np.inf, "nuc", "fro"])
def test_norms_at_zero_have_the_gradient_zero(order):
    x = np.zeros((2, 2)) if isinstance(order, str) else np.zeros(3)
    y = Variable(x)
    value = linalg.norm(y, order)
    assert value.item() == 0.0
    if order == 0:
        assert value.creator is None
        return
    value.backward(create_graph=True)
    first = y.grad
    assert np.isfinite(first.data).all()
    y.cleargrad()
    if order not in ("nuc", 1, np.inf):
        assert not first.data.any()
        F.sum(first * first).backward()
        assert np.isfinite(y.grad.data).all()


def test_order_zero_counts():
    x = np.array([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    for axis in (None, 0, 1):
        assert_array_equal(linalg.vector_norm(x, ord=0, axis=axis).data, np.linalg.vector_norm(x, ord=0, axis=axis))


def test_condition_of_a_singular_matrix_is_infinite():
    assert linalg.cond(np.diag([1.0, 0.0])).item() == np.inf


def test_arrays_without_elements():
    empty = np.zeros((0, 0))
    assert linalg.det(empty).item() == 1.0
    assert linalg.inv(empty).shape == linalg.cholesky(empty).shape == linalg.eigh(empty)[1].shape == (0, 0)
    assert linalg.solve(np.zeros((2, 0, 0)), np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert linalg.pinv(np.zeros((0, 3))).shape == (3, 0)
    assert linalg.svdvals(np.zeros((2, 0))).shape == (0,)
    assert linalg.qr(np.zeros((3, 0))).Q.shape == (3, 0)


# Errors

NOT_SQUARE = np.ones((2, 3))
INDEFINITE = np.diag([1.0, -1.0])


@pytest.mark.parametrize("name", "cholesky det eig eigh eigvals eigvalsh inv slogdet".split())
@pytest.mark.parametrize("x", [NOT_SQUARE, np.ones(3), 1.0], ids=["rectangular", "vector", "number"])
def test_what_is_not_square_is_refused(name, x):
    with pytest.raises(ShapeError):
        getattr(linalg, name)(x)


@pytest.mark.parametrize("name", "svd svdvals qr pinv lstsq".split())
def test_what_is_no_matrix_is_refused(name):
    with pytest.raises(ShapeError):
        getattr(linalg, name)(*([np.ones(3)] * (2 if name == "lstsq" else 1)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: linalg.inv(np.zeros((2, 2))), r"inv\(float64 \(2, 2\)\): Singular matrix\n  it needs regular"),
        (lambda: linalg.solve(np.zeros((2, 2)), np.ones(2)), r"solve\(float64 \(2, 2\), float64 \(2, 1\)\): Singular"),
        (lambda: linalg.cholesky(INDEFINITE), r"cholesky\(float64 \(2, 2\)\): Matrix is not positive definite"),
        (lambda: linalg.svdvals(np.full((2, 2), np.nan)), r"svd\(float64 \(2, 2\)\): SVD did not converge"),
        (lambda: linalg.matrix_power(np.zeros((2, 2)), -1), "Singular matrix"),
    ],
)
def test_matrices_that_cannot_be_decomposed_are_named(call, text):
    with pytest.raises(LinearAlgebraError, match=text) as info:
        call()
    assert isinstance(info.value, np.linalg.LinAlgError)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: linalg.solve(np.eye(2), np.ones(3)), ShapeError),
        (lambda: linalg.solve(np.eye(2), np.ones(())), ShapeError),
        (lambda: linalg.svd(NOT_SQUARE), ArgumentError),
        (lambda: linalg.qr(NOT_SQUARE.T, "complete"), ArgumentError),
        (lambda: linalg.qr(NOT_SQUARE, "raw"), ArgumentError),
        (lambda: linalg.eigh(np.eye(2), "X"), ArgumentError),
        (lambda: linalg.pinv(np.eye(2), 1e-3, rtol=1e-3), ArgumentError),
        (lambda: linalg.norm(np.eye(2), 3), ArgumentError),
        (lambda: linalg.norm(np.eye(2), "max"), ArgumentError),
        (lambda: linalg.norm(np.ones((2, 2, 2)), 2), ShapeError),
        (lambda: linalg.norm(np.eye(2), 2, axis=(0, 0)), AxisError),
        (lambda: linalg.norm(np.ones((2, 2, 2)), 2, axis=(0, 1, 2)), AxisError),
        (lambda: linalg.vector_norm(np.ones(2), ord="fro"), ArgumentError),
        (lambda: linalg.matrix_norm(np.ones(2)), ShapeError),
        (lambda: linalg.matrix_power(NOT_SQUARE, 2), ShapeError),
        (lambda: linalg.matrix_power(np.eye(2), 0.5), DTypeError),
        (lambda: linalg.multi_dot([np.eye(2)]), ArgumentError),
        (lambda: linalg.multi_dot([np.eye(2), np.ones((1, 2, 2))]), ShapeError),
        (lambda: linalg.tensorinv(np.ones((2, 3)), 1), ShapeError),
        (lambda: linalg.tensorinv(np.eye(2), 0), ArgumentError),
        (lambda: linalg.tensorsolve(np.ones((2, 3)), np.ones(2)), ShapeError),
        (lambda: linalg.lstsq(np.ones((2, 3)), np.ones(3)), ShapeError),
        (lambda: linalg.outer(np.eye(2), np.ones(2)), ShapeError),
        (lambda: linalg.cross(np.ones(2), np.ones(2)), ShapeError),
        (lambda: linalg.vecdot(np.ones(2), np.ones(3)), ShapeError),
        (lambda: linalg.vecdot(np.ones((3, 3)), np.ones(3), axis=0), ShapeError),
        (lambda: linalg.inv(np.eye(2, dtype=np.float16)), DTypeError),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, error):
    with pytest.raises(error):
        call()


# Compiled


@pytest.mark.parametrize(
    ("function", "good", "bad"),
    [
        (linalg.inv, np.eye(2), np.zeros((2, 2))),
        (linalg.cholesky, np.eye(2), INDEFINITE),
        (linalg.svdvals, np.eye(2), np.full((2, 2), np.nan)),
    ],
)
def test_compiled_functions_raise_what_eager_ones_do_and_change_nothing(function, good, bad):
    weight = Variable(np.ones((2, 2)))

    def step(x):
        weight.cleargrad()
        loss = F.sum(function(x) * weight)
        loss.backward()
        weight.data = weight.data - 0.1 * weight.grad.data
        return loss

    compiled = ad.compile(step)
    compiled(good)
    before = weight.data.copy()
    with pytest.raises(LinearAlgebraError, match=r"float64 \(2, 2\)"):
        compiled(bad)
    assert_array_equal(weight.data, before)
    compiled(good)
    assert not np.array_equal(weight.data, before)


def test_compiled_functions_refuse_what_eager_ones_do():
    with pytest.raises(DTypeError, match="float16"):
        ad.compile(linalg.inv)(np.eye(2, dtype=np.float16))
    with pytest.raises(ShapeError, match="not square"):
        ad.compile(linalg.det)(NOT_SQUARE)
