"""Errors of shapes name the op, the shapes, the layer and the user's own line, within transforms too."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L
from adjoint.errors import AdjointError, AxisError, OutOfRangeError, ShapeError

X = ad.Variable(np.ones((2, 3)))


def caught(call):
    with pytest.raises(AdjointError) as info:
        call()
    return info.value


DIRECT = [
    (lambda: np.ones(4) * X, ShapeError, "mul(float64 (4,), float64 (2, 3))"),
    (lambda: X - np.ones(4), ShapeError, "sub(float64 (2, 3), float64 (4,))"),
    (lambda: X ** ad.ones(4), ShapeError, "pow(float64 (2, 3), float64 (4,))"),
    (lambda: np.add(X, np.ones(4)), ShapeError, "add(float64 (2, 3), float64 (4,))"),
    (lambda: X @ X, ShapeError, "matmul(float64 (2, 3), float64 (2, 3))"),
    (lambda: np.matmul(X, X), ShapeError, "matmul(float64 (2, 3), float64 (2, 3))"),
    (lambda: F.where(np.ones(4, bool), X, X), ShapeError, "where(bool (4,), float64 (2, 3), float64 (2, 3))"),
    (lambda: F.concat([X, np.ones((3, 2))]), ShapeError, "concat(float64 (2, 3), float64 (3, 2), axis=0)"),
    (lambda: X[0, 0, 0], OutOfRangeError, "getitem(float64 (2, 3), index=(0, 0, 0))"),
    (lambda: X[:, [0, 7]], OutOfRangeError, "getitem(float64 (2, 3), int64 (2,)"),
    (lambda: X[np.ones(5, bool)], OutOfRangeError, "getitem(float64 (2, 3), bool (5,)"),
    (lambda: X.mean(axis=3), AxisError, "mean(float64 (2, 3), axis=3"),
    (lambda: F.logsumexp(X, 5), AxisError, "logsumexp(float64 (2, 3), axis=5"),
    (lambda: F.softmax_cross_entropy(X, [0]), ShapeError, "labels of shape (1,) for rows of shape (2, 3)"),
]


@pytest.mark.parametrize(("call", "kind", "what"), DIRECT, ids=[case[2] for case in DIRECT])
def test_op_shapes_and_line(call, kind, what):
    error = caught(call)
    assert type(error) is kind
    assert what in error.message
    assert error.location.startswith(f"{__file__}:")


def total(x):
    h = x * 2.0
    return F.sum(h + np.ones(5))


TRANSFORMED = [
    lambda: ad.grad(total)(np.ones(3)),
    lambda: ad.grad(ad.grad(total))(np.ones(3)),
    lambda: ad.value_and_grad(total)(np.ones(3)),
    lambda: ad.vjp(total, np.ones(3)),
    lambda: ad.jvp(total, (np.ones(3),), (np.ones(3),)),
    lambda: ad.linearize(total, np.ones(3)),
    lambda: ad.jacobian(total)(np.ones(3)),
    lambda: ad.hessian(total)(np.ones(3)),
    lambda: ad.hvp(total, np.ones(3), np.ones(3)),
    lambda: ad.vmap(total)(np.ones((4, 3))),
    lambda: ad.vmap(ad.grad(total))(np.ones((4, 3))),
    lambda: ad.checkpoint(total)(ad.ones(3)),
    lambda: ad.compile(total)(ad.ones(3)),
    lambda: ad.compile(ad.grad(total))(np.ones(3)),
]


@pytest.mark.parametrize("call", TRANSFORMED)
def test_line_within_the_function_that_is_transformed(call):
    error = caught(call)
    assert type(error) is ShapeError
    assert error.message.startswith("add(float64 (3,)")
    assert "float64 (5,))" in error.message
    assert error.location.endswith("return F.sum(h + np.ones(5))")


def test_a_batch_says_how_many_examples_it_has():
    message = caught(lambda: ad.vmap(total)(np.ones((4, 3)))).message
    assert message.startswith("add(float64 (3,) for each of 4 examples, float64 (5,))")


class Block(L.Layer):
    def __init__(self):
        self.inner = L.Linear(4, 3)

    def forward(self, x):
        return self.inner(x)


class Net(L.Layer):
    def __init__(self):
        self.blocks = [Block()]

    def forward(self, x):
        return self.blocks[0](x)


LAYERED = [
    lambda net: net(np.ones((2, 9))),
    lambda net: ad.grad(lambda m: F.sum(m(np.ones((2, 9)))))(net),
    lambda net: ad.vmap(net)(np.ones((2, 9))),
    lambda net: ad.compile(net)(np.ones((2, 9))),
]


@pytest.mark.parametrize("call", LAYERED)
def test_layer_is_named_by_its_path(call):
    net = Net()
    net(np.ones((2, 3)))
    error = caught(lambda: call(net))
    assert error.message.startswith("linear(float64 (")
    assert error.layer == "blocks.0.inner of Net"
    assert error.location.startswith(f"{__file__}:")
