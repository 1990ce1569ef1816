"""adjoint, as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers
from benchmarks import data
from benchmarks.workloads import Arrays, Run

VERSION = ad.__version__


def _load(model: models.Model, example: np.ndarray, params: Arrays) -> None:
    """Gives a model parameters; its first call makes them."""
    with ad.no_grad():
        model(example)
    model.reset_state()
    for name, parameter in model.params().items():
        parameter.data = params[name]


def _training(model: models.Model, optimizer: optimizers.Optimizer, compute_loss: Callable[[], ad.Variable]) -> Run:
    def backward() -> ad.Variable:
        loss = compute_loss()
        model.cleargrads()
        loss.backward()
        return loss

    def step() -> None:
        backward()
        optimizer.update(model)

    def check() -> Arrays:
        loss = backward()
        return {"loss": loss.data, **{name: p.grad.data for name, p in model.params().items()}}

    return Run(step, check, lambda: {name: p.data for name, p in model.params().items()})


def mlp() -> Run:
    x, t, params = data.mlp()
    model = models.MLP([10, 1], activation=F.relu)
    _load(model, x, params)
    return _training(model, optimizers.SGD(data.LEARNING_RATES["mlp"]), lambda: F.mean_squared_error(model(x), t))


def lstm(steps: int = 30, batch: int = 30, hidden: int = 100) -> Run:
    xs, ts, params = data.lstm(steps, batch, hidden)
    model = models.LSTM(hidden, 1)
    _load(model, xs[0], params)

    def loss() -> ad.Variable:
        model.reset_state()
        total = 0.0
        for x, t in zip(xs, ts, strict=True):
            total = total + F.mean_squared_error(model(x), t)
        return total

    return _training(model, optimizers.SGD(data.LEARNING_RATES["lstm"]), loss)


def rosenbrock() -> Run:
    x0, x1 = ad.Variable(0.0), ad.Variable(2.0)
    rate = data.LEARNING_RATES["rosenbrock"]

    def backward() -> ad.Variable:
        y = 100.0 * (x1 - x0**2) ** 2 + (x0 - 1.0) ** 2
        x0.cleargrad()
        x1.cleargrad()
        y.backward()
        return y

    def step() -> None:
        backward()
        x0.data = x0.data - rate * x0.grad.data
        x1.data = x1.data - rate * x1.grad.data

    def check() -> Arrays:
        y = backward()
        return {"loss": y.data, "x0": x0.grad.data, "x1": x1.grad.data}

    return Run(step, check, lambda: {"x0": x0.data, "x1": x1.data})


def sine() -> Run:
    def derivatives() -> list[ad.Variable]:
        x = ad.Variable(1.0)
        y = F.sin(x)
        found = [y]
        for _ in range(6):
            y.backward(create_graph=True)
            y = x.grad
            x.cleargrad()
            found.append(y)
        return found

    return Run(derivatives, lambda: {str(i): y.data for i, y in enumerate(derivatives())})


def digits() -> Run:
    x, t, params = data.digits()
    model = models.MLP([256, 128, 10], activation=F.relu)
    _load(model, x, params)
    return _training(
        model, optimizers.Adam(data.LEARNING_RATES["digits"]), lambda: F.softmax_cross_entropy(model(x), t)
    )


def elementwise() -> Run:
    x = ad.Variable(data.elementwise())

    def step() -> ad.Variable:
        x.cleargrad()
        y = F.sum(F.tanh(x) * F.sigmoid(x) + F.exp(-(x**2)))
        y.backward()
        return y

    return Run(step, lambda: {"loss": step().data, "x": x.grad.data})


def double_backward() -> Run:
    """A step on the squared gradient in the input, which needs derivatives of the second order."""
    x = np.random.default_rng(0).standard_normal((4, 3))
    model, optimizer = models.MLP([4, 1], rng=ad.random.const()), optimizers.SGD(0.01)

    def step() -> None:
        inputs = ad.Variable(x)
        F.sum(model(inputs) ** 2).backward(create_graph=True)
        penalty = F.sum(inputs.grad**2)
        model.cleargrads()
        inputs.cleargrad()
        penalty.backward()
        optimizer.update(model)

    return Run(step, dict)


def segments() -> Run:
    """Truncated backpropagation: the state is carried from segment to segment."""
    xs, ts, params = data.lstm(steps=3, batch=2, hidden=4)
    model, optimizer = models.LSTM(4, 1), optimizers.Adam()
    _load(model, xs[0], params)

    def step() -> None:
        loss = 0.0
        for x, t in zip(xs, ts, strict=True):
            loss = loss + F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update(model)

    return Run(step, dict)


WORKLOADS = {
    "mlp": mlp,
    "lstm": lstm,
    "rosenbrock": rosenbrock,
    "sine": sine,
    "digits": digits,
    "elementwise": elementwise,
    "double-backward": double_backward,
    "segments": segments,
}
