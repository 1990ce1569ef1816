"""Derivatives beyond the gradient in adjoint, by its transforms; with `compile` around them, for `adjoint_compiled`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import adjoint as ad
from adjoint import functions as F
from benchmarks import data
from benchmarks.workloads import Arrays, Run, Transform, as_it_is, named


def _array(y: Any) -> np.ndarray:
    return np.asarray(y.data if isinstance(y, ad.Variable) else y)


def _run(transform: Transform, function: Callable[..., Any], *inputs: Any) -> Run:
    step = partial(transform(function), *inputs)
    return Run(step, lambda: named(step(), _array))


def _perceptron(params: Arrays, x: Any) -> ad.Variable:
    """Linear layers with tanh between them."""
    last = len(params) // 2 - 1
    for i in range(last + 1):
        x = F.linear(x, params[f"layers.{i}.w"], params[f"layers.{i}.b"])
        x = F.tanh(x) if i < last else x
    return x


def _squared_error(params: Arrays, x: np.ndarray, t: np.ndarray) -> ad.Variable:
    return F.mean_squared_error(_perceptron(params, x), t)


def _cross_entropy(params: Arrays, x: np.ndarray, t: np.ndarray) -> ad.Variable:
    return F.softmax_cross_entropy(_perceptron(params, x), t)


def _gradient(loss: Callable, make: Callable, transform: Transform = as_it_is) -> Run:
    (x, t, params), _ = make()

    def gradient(params: Arrays, x: np.ndarray, t: np.ndarray) -> dict[str, Any]:
        value, gradients = ad.value_and_grad(loss)(params, x, t)
        return {"loss": value, **gradients}

    return _run(transform, gradient, params, x, t)


def _product(loss: Callable, make: Callable, transform: Transform = as_it_is) -> Run:
    (x, t, params), vector = make()

    def product(params: Arrays, vector: Arrays, x: np.ndarray, t: np.ndarray) -> Any:
        return ad.hvp(lambda params: loss(params, x, t), params, vector)

    return _run(transform, product, params, vector, x, t)


def _network(params: Arrays, x: ad.Variable) -> ad.Variable:
    """A network of one number, as one number."""
    return _perceptron(params, x.reshape(1, 1))[0, 0]


def series(transform: Transform = as_it_is) -> Run:
    network = partial(_network, data.scalar_network())
    return _run(transform, lambda x: ad.nth_derivative(network, data.ORDER)(x), np.array(data.POINT))


def nested(transform: Transform = as_it_is) -> Run:
    derivative: Callable = partial(_network, data.scalar_network())
    for _ in range(data.ORDER):
        derivative = ad.grad(derivative)
    return _run(transform, derivative, np.array(data.POINT))


def physics_loss(model: Callable[[Any], ad.Variable], x: np.ndarray) -> ad.Variable:
    """What u″ + u = 0 with u(0) = 0 and u′(0) = 1 leaves over at the points x (N, 1), squared."""
    start = np.zeros((1, 1), np.float32)
    value, slope = ad.jvp(model, (start,), (np.ones_like(start),))
    residual = ad.nth_derivative(model, 2)(x) + model(x)
    return F.mean(residual**2) + F.sum(value**2) + F.sum((slope - 1.0) ** 2)


def examples(transform: Transform = as_it_is) -> Run:
    x, t, params = data.examples()

    def loss(params: Arrays, x: np.ndarray, t: np.ndarray) -> ad.Variable:
        """Of one example, (10,) and (1,)."""
        return F.sum((_perceptron(params, x) - t) ** 2)

    return _run(transform, ad.vmap(ad.grad(loss), in_axes=(None, 0, 0)), params, x, t)


def hessian(transform: Transform = as_it_is) -> Run:
    def valley(x: ad.Variable) -> ad.Variable:
        return F.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return _run(transform, ad.hessian(valley), data.valley())


WORKLOADS: dict[str, Callable[..., Run]] = {
    "hvp": partial(_product, _squared_error, data.products),
    "hvp-gradient": partial(_gradient, _squared_error, data.products),
    "hvp-large": partial(_product, _cross_entropy, data.products_large),
    "hvp-large-gradient": partial(_gradient, _cross_entropy, data.products_large),
    "eighth": series,
    "eighth-nested": nested,
    "examples": examples,
    "hessian": hessian,
}
