"""adjoint, as it is; or with its steps transformed, for `adjoint_compiled`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers
from benchmarks import data
from benchmarks.workloads import Arrays, Run, Transform, adjoint_derivatives, as_it_is
from benchmarks.workloads.gpt_model import GPT

VERSION = ad.__version__


def _load(model: models.Model, example: np.ndarray, params: Arrays) -> None:
    """Gives a model parameters; its first call makes them."""
    with ad.no_grad():
        model(example)
    model.reset_state()
    for name, parameter in model.params().items():
        parameter.data = params[name]


def _training(
    transform: Transform,
    model: models.Model,
    optimizer: optimizers.Optimizer,
    compute_loss: Callable[..., ad.Variable],
    *inputs: np.ndarray,
) -> Run:
    def backward(*inputs: np.ndarray) -> ad.Variable:
        loss = compute_loss(*inputs)
        model.cleargrads()
        loss.backward()
        return loss

    @transform
    def step(*inputs: np.ndarray) -> ad.Variable:
        loss = backward(*inputs)
        optimizer.update(model)
        return loss

    transformed_backward = transform(backward)

    def check() -> Arrays:
        loss = transformed_backward(*inputs)
        return {"loss": loss.data, **{name: p.grad.data for name, p in model.params().items()}}

    return Run(partial(step, *inputs), check, lambda: {name: p.data for name, p in model.params().items()})


def mlp(transform: Transform = as_it_is) -> Run:
    x, t, params = data.mlp()
    model = models.MLP([10, 1], activation=F.relu)
    _load(model, x, params)
    optimizer = optimizers.SGD(data.LEARNING_RATES["mlp"])
    return _training(transform, model, optimizer, lambda x, t: F.mean_squared_error(model(x), t), x, t)


def lstm(transform: Transform = as_it_is, steps: int = 30, batch: int = 30, hidden: int = 100) -> Run:
    xs, ts, params = data.lstm(steps, batch, hidden)
    model = models.LSTM(hidden, 1)
    _load(model, xs[0], params)

    def loss(xs: np.ndarray, ts: np.ndarray) -> ad.Variable:
        total = 0.0
        for x, t in zip(xs, ts, strict=True):
            total = total + F.mean_squared_error(model(x), t)
        model.reset_state()
        return total

    return _training(transform, model, optimizers.SGD(data.LEARNING_RATES["lstm"]), loss, xs, ts)


def rosenbrock(transform: Transform = as_it_is) -> Run:
    x0, x1 = ad.Variable(0.0), ad.Variable(2.0)
    rate = data.LEARNING_RATES["rosenbrock"]

    def backward() -> ad.Variable:
        y = 100.0 * (x1 - x0**2) ** 2 + (x0 - 1.0) ** 2
        x0.cleargrad()
        x1.cleargrad()
        y.backward()
        return y

    @transform
    def step() -> None:
        backward()
        x0.data = x0.data - rate * x0.grad.data
        x1.data = x1.data - rate * x1.grad.data

    transformed_backward = transform(backward)

    def check() -> Arrays:
        y = transformed_backward()
        return {"loss": y.data, "x0": x0.grad.data, "x1": x1.grad.data}

    return Run(step, check, lambda: {"x0": x0.data, "x1": x1.data})


def sine(transform: Transform = as_it_is) -> Run:
    @transform
    def derivatives(point: np.ndarray) -> list[np.ndarray]:
        x = ad.Variable(point)
        y = F.sin(x)
        found = [y.data]
        for _ in range(6):
            y.backward(create_graph=True)
            y = x.grad
            x.cleargrad()
            found.append(y.data)
        return found

    step = partial(derivatives, np.array(1.0))
    return Run(step, lambda: {str(i): y for i, y in enumerate(step())})


def digits(transform: Transform = as_it_is) -> Run:
    x, t, params = data.digits()
    model = models.MLP([256, 128, 10], activation=F.relu)
    _load(model, x, params)
    optimizer = optimizers.Adam(data.LEARNING_RATES["digits"])
    return _training(transform, model, optimizer, lambda x, t: F.softmax_cross_entropy(model(x), t), x, t)


def elementwise(transform: Transform = as_it_is) -> Run:
    @transform
    def value_and_gradient(array: np.ndarray) -> tuple[ad.Variable, ad.Variable]:
        x = ad.Variable(array)
        y = F.sum(F.tanh(x) * F.sigmoid(x) + F.exp(-(x**2)))
        y.backward()
        return y, x.grad

    step = partial(value_and_gradient, data.elementwise())
    return Run(step, lambda: dict(zip(("loss", "x"), (y.data for y in step()), strict=True)))


def gpt(transform: Transform = as_it_is) -> Run:
    x, t, params = data.gpt()
    model = GPT(**data.GPT, rng=ad.random.const())
    _load(model, x, params)
    optimizer = optimizers.AdamW(data.LEARNING_RATES["gpt"], weight_decay=data.WEIGHT_DECAY)
    run = _training(transform, model, optimizer, lambda x, t: F.softmax_cross_entropy(model(x), t), x, t)
    # The keys' biases have no gradient but rounding's, and AdamW makes steps of it: parameters are not comparable.
    return run._replace(values=dict)


def physics(transform: Transform = as_it_is) -> Run:
    points, params = data.physics()
    model = models.MLP([32, 32, 1], activation=F.tanh)
    _load(model, points, params)
    optimizer = optimizers.Adam(data.LEARNING_RATES["physics"])
    return _training(transform, model, optimizer, partial(adjoint_derivatives.physics_loss, model), points)


def double_backward(transform: Transform = as_it_is) -> Run:
    """A step on the squared gradient in the input, which needs derivatives of the second order."""
    x = np.random.default_rng(0).standard_normal((4, 3))
    model, optimizer = models.MLP([4, 1], rng=ad.random.const()), optimizers.SGD(0.01)

    @transform
    def step(x: np.ndarray) -> None:
        inputs = ad.Variable(x)
        F.sum(model(inputs) ** 2).backward(create_graph=True)
        penalty = F.sum(inputs.grad**2)
        model.cleargrads()
        inputs.cleargrad()
        penalty.backward()
        optimizer.update(model)

    return Run(partial(step, x), dict)


def segments(transform: Transform = as_it_is) -> Run:
    """Truncated backpropagation: the state is carried from segment to segment."""
    xs, ts, params = data.lstm(steps=3, batch=2, hidden=4)
    model, optimizer = models.LSTM(4, 1), optimizers.Adam()
    _load(model, xs[0], params)

    @transform
    def step(xs: np.ndarray, ts: np.ndarray) -> None:
        loss = 0.0
        for x, t in zip(xs, ts, strict=True):
            loss = loss + F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update(model)

    return Run(partial(step, xs, ts), dict)


WORKLOADS = {
    "mlp": mlp,
    "lstm": lstm,
    "lstm-sequence": lstm,
    "lstm-loop": lstm,
    "rosenbrock": rosenbrock,
    "sine": sine,
    "digits": digits,
    "digits-fused": digits,
    "elementwise": elementwise,
    "gpt": gpt,
    "physics": physics,
    **adjoint_derivatives.WORKLOADS,
    "double-backward": double_backward,
    "segments": segments,
}
