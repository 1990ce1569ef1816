"""Training does not grow: with the garbage collector off, thousands of segments leave nothing behind."""

import contextlib
import gc
import tracemalloc

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, hooks, layers as L, models, optimizers
from adjoint.errors import StateError

X = np.random.default_rng(0).standard_normal((2, 2, 1))


class Stack(models.Model):
    def __init__(self, cell):
        self.cell = cell
        self.linear = L.Linear(1)

    def forward(self, x):
        return self.linear(self.cell(x))


def bptt_segments(model, optimizer):
    loss = 0.0
    for x in X:
        loss = loss + F.mean_squared_error(model(x), x)
    model.cleargrads()
    loss.backward()
    loss.unchain_backward()
    optimizer.update(model)


def double_backward(model, optimizer):
    x = ad.Variable(X[0])
    y = F.sum(model(x) ** 2)
    model.cleargrads()
    y.backward(create_graph=True)
    penalty = F.sum(x.grad**2)
    model.cleargrads()
    x.cleargrad()
    penalty.backward()
    optimizer.update(model)


def failing_steps(model, optimizer):
    bptt_segments(model, optimizer)
    with contextlib.suppress(StateError):
        model(np.ones((5, 1)))


def forward_without_recording(model, _optimizer):
    with ad.no_grad():
        for x in X:
            model(x)


OPTIMIZERS = {
    "SGD": lambda: optimizers.SGD(0.01),
    "Adam": lambda: optimizers.AdamW(0.01, hooks=[hooks.WeightDecay(1e-3), hooks.ClipGrad(1.0)]),
}
CASES = [
    pytest.param(bptt_segments, lambda: Stack(L.RNN(4)), "SGD", 2000, id="RNN segments"),
    pytest.param(bptt_segments, lambda: models.LSTM(4, 1), "Adam", 2000, id="LSTM segments"),
    pytest.param(bptt_segments, lambda: Stack(L.GRU(4)), "SGD", 500, id="GRU segments"),
    pytest.param(double_backward, lambda: models.MLP([4, 1]), "SGD", 1000, id="double backward"),
    pytest.param(failing_steps, lambda: models.LSTM(4, 1), "SGD", 300, id="errors"),
    pytest.param(forward_without_recording, lambda: models.LSTM(4, 1), "SGD", 1000, id="no_grad"),
]


@pytest.mark.parametrize(("step", "make", "optimizer", "count"), CASES)
@pytest.mark.usefixtures("without_collector")
def test_memory_stays_flat(step, make, optimizer, count):
    model, optimizer = make(), OPTIMIZERS[optimizer]()
    for _ in range(50):  # caches fill
        step(model, optimizer)
    objects = len(gc.get_objects())
    for _ in range(count):
        step(model, optimizer)
    assert len(gc.get_objects()) <= objects + 20
    tracemalloc.start()
    try:
        for _ in range(20):
            step(model, optimizer)
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(200):
            step(model, optimizer)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after <= before + 8000  # 40 bytes a step, less than any object; free lists come and go
