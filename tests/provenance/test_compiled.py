"""`detect_anomaly` on compiled functions: the op and the user's line, and nothing is changed."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models, optimizers
from adjoint.errors import AnomalyError

X = ad.rand(4, 3, rng=ad.random.const()).data


class Training:
    """A model with an optimizer, and a compiled step."""

    def __init__(self, loss):
        self.model = models.MLP([3, 2], rng=ad.random.const())
        self.model(X)
        self.optimizer = optimizers.Adam(0.1)

        def step(x, t):
            value = loss(self.model(x), t)
            self.model.cleargrads()
            value.backward()
            self.optimizer.update(self.model)
            return value

        self.eager = step
        self.step = ad.compile(step)

    def state(self):
        params = self.model.params().values()
        kept = [self.optimizer._kept[key] for key in self.optimizer._kept]
        grads = [None if p.grad is None else p.grad.data.copy() for p in params]
        return (
            [p.data.copy() for p in params],
            grads,
            [[x.copy() for x in part] for part in kept],
            self.optimizer.updates,
        )


def assert_same(a, b):
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert_same(left, right)
    else:
        assert np.array_equal(a, b)


def logarithm(y, t):
    return F.mean(F.log(F.relu(y) - t))


def root(y, t):
    return F.sum(F.sqrt(F.relu(y * t)))


def caught(call):
    with pytest.raises(AnomalyError) as info, ad.detect_anomaly():
        call()
    return info.value


def test_forward():
    training = Training(logarithm)
    training.step(X, -np.ones((4, 2)))
    before = training.state()
    error = caught(lambda: training.step(X, np.full((4, 2), 10.0)))
    assert_same(training.state(), before)
    assert (error.op, error.phase) == ("log", "forward")
    assert error.location.endswith("return F.mean(F.log(F.relu(y) - t))")
    assert error.operands[-1].nan == 8
    assert [step.op for step in error.chain] == ["sub", "relu", "linear"]
    assert error.chain[2].layer == "layers.1 of MLP"


def test_backward():
    training = Training(root)
    training.step(X, np.ones((4, 2)))
    before = training.state()
    with ad.strict_ieee():
        error = caught(lambda: training.step(X, np.zeros((4, 2))))
    assert_same(training.state(), before)
    assert (error.op, error.phase) == ("sqrt", "backward")
    assert error.location.endswith("return F.sum(F.sqrt(F.relu(y * t)))")
    assert "value.backward()" in error.message
    assert [step.op for step in error.chain] == ["sum", "sqrt"]
    assert error.operands[-1].infinite == 8


def test_update():
    training = Training(root)
    training.step(X, np.ones((4, 2)))
    for kept in training.optimizer._kept.values():
        kept[1][...] = -1.0
    before = training.state()
    error = caught(lambda: training.step(X, np.ones((4, 2))))
    assert_same(training.state(), before)
    assert (error.op, error.phase) == (None, "update")
    assert error.message.startswith("the operation sqrt, on the way to ")
    assert error.location.endswith("self.optimizer.update(self.model)")


def test_what_enters():
    training = Training(root)
    training.step(X, np.ones((4, 2)))
    training.model.layers[0].w.data = training.model.layers[0].w.data * np.nan
    error = caught(lambda: training.step(X, np.ones((4, 2))))
    assert error.op == "linear"
    assert "the parameter layers.0.w of MLP" in error.message.splitlines()[0]


def test_steps_go_on_as_eager_ones():
    watched, eager = Training(root), Training(root)
    t = np.ones((4, 2))
    for _ in range(3):
        with ad.detect_anomaly():
            value = watched.step(X, t)
        np.testing.assert_allclose(value.data, eager.eager(X, t).data, rtol=1e-12)
    for a, b in zip(watched.state()[0], eager.state()[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_programs_of_the_block_are_not_kept():
    training = Training(root)
    t = np.ones((4, 2))
    training.step(X, t)
    before = training.step.cache_info()
    with ad.detect_anomaly():
        training.step(X, t)
    assert training.step.cache_info() == before
    training.step(X, t)
    assert training.step.cache_info().hits == before.hits + 1


def test_draws_are_put_back():
    rng = ad.random.const()
    f = ad.compile(lambda x: F.log(F.dropout(x, 0.5, rng=rng) - 5.0))
    state = rng.bit_generator.state
    error = caught(lambda: f(ad.ones(3)))
    assert error.op == "log"
    assert rng.bit_generator.state == state


def test_transforms_within():
    f = ad.compile(lambda x: ad.vmap(lambda row: F.log(row))(x))
    error = caught(lambda: f(np.array([[1.0], [0.0]])))
    assert (error.op, error.operands[-1].index) == ("log", (1, 0))


def test_the_first_call_that_makes_parameters():
    model = models.MLP([3, 2], rng=ad.random.const())
    step = ad.compile(lambda x: F.log(F.square(model(x)) * 0.0))
    error = caught(lambda: step(X))
    assert error.op == "log"


def test_infinity_may_be_let_through():
    f = ad.compile(lambda x: F.exp(F.log(x)))
    with ad.detect_anomaly(infinity=False):
        assert f(ad.zeros(2)).data.tolist() == [0.0, 0.0]
