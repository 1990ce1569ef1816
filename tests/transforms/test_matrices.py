"""`jacobian`, `hessian` and `hvp`."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F, models

A = np.array([0.5, -1.0, 2.0])
W = np.random.default_rng(0).standard_normal((2, 3))
MODES = pytest.mark.parametrize("mode", [None, "forward", "reverse"])


def f(x):
    return F.tanh(F.matmul(W, x))


def slopes(x):
    return (1.0 - np.tanh(W @ x) ** 2)[:, None] * W


@MODES
def test_jacobian(mode):
    found = ad.jacobian(f, mode=mode)(A)
    assert type(found) is np.ndarray
    assert_allclose(found, slopes(A))


@MODES
def test_shapes_are_those_of_the_result_then_of_the_argument(mode):
    x = np.arange(6.0).reshape(2, 3)
    found = ad.jacobian(lambda x: x.T * 2.0, mode=mode)(x)
    expected = 2.0 * np.einsum("il,jk->ijkl", np.eye(3), np.eye(2))
    assert_allclose(found, expected)
    assert ad.jacobian(lambda x: x * x, mode=mode)(3.0) == 6.0
    assert ad.jacobian(lambda x: x * x, mode=mode)(np.zeros(0)).shape == (0, 0)
    assert ad.jacobian(lambda x: x[:0], mode=mode)(A).shape == (0, 3)


@MODES
def test_structures(mode):
    def g(p, y):
        return {"s": p["w"] * y, "c": 5.0}

    found = ad.jacobian(g, (0, 1), mode=mode)({"w": A, "n": 3}, 2.0)
    by_p, by_y = found["s"]
    assert_allclose(by_p["w"], 2.0 * np.eye(3))
    assert by_p["n"] is None
    assert_allclose(by_y, A)
    assert_allclose(found["c"][0]["w"], np.zeros(3))


@MODES
def test_dtype_stays(mode):
    assert ad.jacobian(lambda x: x * x, mode=mode)(A.astype(np.float32)).dtype == np.float32


@MODES
def test_second_result(mode):
    matrix, second = ad.jacobian(lambda x: (f(x), {"x": x + x}), has_aux=True, mode=mode)(A)
    assert_allclose(matrix, slopes(A))
    assert_allclose(second["x"].data, 2 * A)


@MODES
def test_result_can_be_differentiated_in_arguments_and_closures(mode):
    x, w = Variable(A), Variable(2.0)
    ad.jacobian(lambda x: F.sin(x) * w, mode=mode)(x).sum().backward()
    assert_allclose(x.grad.data, -2.0 * np.sin(A))
    assert_allclose(w.grad.data, np.cos(A).sum())


def test_hessian():
    found = ad.hessian(lambda x: (f(x) ** 2).sum())(A)
    y = np.tanh(W @ A)
    bend = 2 * (1 - y**2) ** 2 - 4 * y**2 * (1 - y**2)
    assert_allclose(found, np.einsum("k,ki,kj->ij", bend, W, W))
    assert ad.hessian(lambda x: x**3)(2.0) == 12.0
    assert ad.hessian(lambda x: (x * x).sum())(np.zeros(0)).shape == (0, 0)
    assert ad.hessian(lambda x: (x * x).sum())(A.astype(np.float32)).dtype == np.float32


def test_hessian_of_several_arguments():
    (xx, xy), (yx, yy) = ad.hessian(lambda x, y: (x * x).sum() * y * y, (0, 1))(A, 3.0)
    assert_allclose(xx, 18.0 * np.eye(3))
    assert_allclose(xy, 12.0 * A)
    assert_allclose(yx, 12.0 * A)
    assert_allclose(yy, 2.0 * (A * A).sum())


def test_second_result_of_hessian():
    found, second = ad.hessian(lambda x: ((x**3).sum(), x + x), has_aux=True)(A)
    assert_allclose(found, np.diag(6 * A))
    assert_allclose(second.data, 2 * A)


def test_product_with_the_hessian():
    def g(x):
        return (F.sin(x) * x.sum()).sum()

    v = np.array([1.0, -2.0, 0.5])
    assert_allclose(ad.hvp(g, A, v), ad.hessian(g)(A) @ v)
    found = ad.hvp(lambda x, y: (x * x).sum() * y, (A, 3.0), (v, 1.0))
    assert_allclose(found[0], 6 * v + 2 * A)
    assert_allclose(found[1], 2 * (A * v).sum())


def test_models():
    model, x = models.MLP([3, 1], rng=ad.random.const()), np.random.default_rng(0).standard_normal((4, 2))
    model(x)

    def loss(m):
        return (m(x) ** 2).mean()

    matrix = ad.hessian(loss, model)
    params = model.params()
    vectors = {path: np.random.default_rng(1).standard_normal(p.shape) for path, p in params.items()}
    product = ad.hvp(loss, model, vectors)
    for p, row in matrix.items():
        expected = sum(np.tensordot(block.data, vectors[q], axes=vectors[q].ndim) for q, block in row.items())
        assert_allclose(product[p].data, expected, rtol=1e-10)
    assert all(p.grad is None for p in params.values())


def test_jacobians_of_complex_results_and_of_complex_arguments():
    """The mode is the one that loses no imaginary part."""
    x = np.array([1.0, 2.0, 3.0])
    assert_allclose(ad.jacobian(lambda x: (x * (1 + 2j)).sum())(x), np.full(3, 1 + 2j))
    z = np.array([1 + 1j])
    assert_allclose(ad.jacobian(lambda z: F.sum(F.abs(z)))(z), ad.grad(lambda z: F.sum(F.abs(z)))(z))


def test_plain_results_of_a_container_that_is_read_first():
    def f(x):
        out = np.zeros_like(x)
        for i in range(3):
            out[i] += x[i] ** 2
        return out

    found = ad.jacobian(f)(np.array([1.0, 2.0, 3.0]))
    assert type(found) is np.ndarray
    assert_allclose(found, np.diag([2.0, 4.0, 6.0]))


@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_results_that_are_not_of_floats_have_no_matrix(mode):
    def f(x):
        return {"y": (x * x, "text", 3), "where": x > 1.0, "none": None, "count": np.arange(2)}

    found = ad.jacobian(f, mode=mode)(np.array([1.0, 2.0]))
    assert_allclose(found["y"][0], np.diag([2.0, 4.0]))
    assert found["y"][1:] == (None, None)
    assert (found["where"], found["none"], found["count"]) == (None, None, None)
