"""Structures as vectors, and models with other parameters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, ShapeError


@pytest.fixture
def model():
    made = ad.models.MLP([3, 1], activation=F.tanh, rng=ad.random.const())
    made(np.ones((2, 2)))
    return made


def test_there_and_back():
    x = {"a": np.arange(6.0).reshape(2, 3), "b": [1.0, np.array(2.0)]}
    vector, unravel = ad.ravel(x)
    assert_array_equal(vector, [0, 1, 2, 3, 4, 5, 1, 2])
    again = unravel(vector)
    assert_array_equal(again["a"], x["a"])
    assert again["b"] == [1.0, 2.0]


def test_vectors_are_in_the_graph():
    a, b = Variable([1.0, 2.0]), Variable(3.0)
    vector, unravel = ad.ravel((a, b))
    F.sum(vector * np.array([1.0, 10.0, 100.0])).backward()
    assert_array_equal(a.grad.data, [1.0, 10.0])
    assert_array_equal(b.grad.data, 100.0)
    parts = ad.grad(lambda v: F.sum(unravel(v)[0]) * unravel(v)[1])(np.array([1.0, 2.0, 3.0]))
    assert_array_equal(parts, [3.0, 3.0, 3.0])


def test_hessian_of_a_model_as_a_matrix(model):
    x = np.linspace(-1.0, 1.0, 8).reshape(4, 2)
    vector, unravel = ad.ravel(model)

    def loss(v):
        return F.sum(F.square(unravel(v)(x)))

    matrix = ad.hessian(loss)(vector.data)
    blocks = ad.hessian(lambda m: F.sum(F.square(m(x))), model)
    assert matrix.shape == (13, 13)
    assert_allclose(matrix[:6, 6:9], blocks["layers.0.w"]["layers.0.b"].data.reshape(6, 3), rtol=1e-12)


def test_vector_of_another_length_does_not_fit():
    _, unravel = ad.ravel([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"\(3,\).*2 numbers"):
        unravel(np.ones(3))


def test_model_with_other_parameters_leaves_the_model_alone(model):
    before = {path: p.data.copy() for path, p in model.params().items()}
    other = model.with_params({"layers.1.b": np.array([5.0])})
    x = np.ones((2, 2))
    assert_allclose(other(x).data, model(x).data + 5.0 - before["layers.1.b"])
    assert {path: p.data.tolist() for path, p in model.params().items()} == {
        path: array.tolist() for path, array in before.items()
    }
    assert other.params()["layers.0.w"] is model.params()["layers.0.w"]


def test_derivatives_in_other_parameters(model):
    w = Variable(np.ones((2, 3)))
    F.sum(model.with_params({"layers.0.w": w})(np.ones((1, 2)))).backward()
    assert w.grad.shape == (2, 3)
    assert all(p.grad is None for path, p in model.params().items() if path == "layers.0.w")


@pytest.mark.parametrize(
    ("params", "text"), [({"w": np.ones(1)}, "w: no parameters"), ({"layers.1.b": np.ones(2)}, r"\(2,\)")]
)
def test_other_parameters_must_fit(model, params, text):
    with pytest.raises(ArgumentError, match=text):
        model.with_params(params)


def test_lists_are_vectors():
    _, unravel = ad.ravel({"w": np.ones((2, 1)), "b": 3.0})
    found = unravel([1.0, 2.0, 3.0])
    assert_array_equal(found["w"], [[1.0], [2.0]])
    assert found["b"] == 3.0
    with pytest.raises(ShapeError, match=r"of shape \(2,\) for a structure of 3"):
        unravel([1.0, 2.0])
