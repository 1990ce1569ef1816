"""Derivatives beyond the gradient in JAX, each as one jitted function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from jax import numpy as jnp
from jax.experimental import jet

from benchmarks import data
from benchmarks.workloads import Run, named


def _run(function: Callable, *inputs: Any) -> Run:
    jitted = jax.jit(function)
    fixed = jax.tree_util.tree_map(jnp.asarray, inputs)
    last: list = [None]

    def step() -> None:
        last[0] = jitted(*fixed)

    return Run(step, lambda: named(jitted(*fixed)), wait=lambda: jax.block_until_ready(last[0]))


def _perceptron(params: dict, x: jax.Array) -> jax.Array:
    """Linear layers with tanh between them."""
    last = len(params) // 2 - 1
    for i in range(last + 1):
        x = x @ params[f"layers.{i}.w"] + params[f"layers.{i}.b"]
        x = jnp.tanh(x) if i < last else x
    return x


def _squared_error(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
    return jnp.mean((_perceptron(params, x) - t) ** 2)


def _cross_entropy(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
    logs = jax.nn.log_softmax(_perceptron(params, x))
    return -jnp.mean(jnp.take_along_axis(logs, t[:, None], axis=1))


def _gradient(loss: Callable, make: Callable) -> Run:
    (x, t, params), _ = make()

    def gradient(params: dict, x: jax.Array, t: jax.Array) -> dict:
        value, gradients = jax.value_and_grad(loss)(params, x, t)
        return {"loss": value, **gradients}

    return _run(gradient, params, x, t)


def _product(loss: Callable, make: Callable) -> Run:
    (x, t, params), vector = make()

    def product(params: dict, vector: dict, x: jax.Array, t: jax.Array) -> dict:
        return jax.jvp(jax.grad(lambda params: loss(params, x, t)), (params,), (vector,))[1]

    return _run(product, params, vector, x, t)


def _network(params: dict, x: jax.Array) -> jax.Array:
    """A network of one number, as one number."""
    return _perceptron(params, jnp.reshape(x, (1, 1)))[0, 0]


def series() -> Run:
    network = partial(_network, data.scalar_network())

    def derivative(x: jax.Array) -> jax.Array:
        _, derivatives = jet.jet(network, (x,), ((1.0, *(0.0,) * (data.ORDER - 1)),))
        return derivatives[-1]

    return _run(derivative, data.POINT)


def nested() -> Run:
    derivative: Callable = partial(_network, data.scalar_network())
    for _ in range(data.ORDER):
        derivative = jax.grad(derivative)
    return _run(derivative, data.POINT)


def physics_loss(params: dict, x: jax.Array) -> jax.Array:
    """What u″ + u = 0 with u(0) = 0 and u′(0) = 1 leaves over at the points x (N, 1), squared; x begins at 0."""
    ones = jnp.ones_like(x)

    def with_slope(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.jvp(partial(_perceptron, params), (x,), (ones,))

    (value, slope), (_, acceleration) = jax.jvp(with_slope, (x,), (ones,))
    return jnp.mean((acceleration + value) ** 2) + value[0, 0] ** 2 + (slope[0, 0] - 1.0) ** 2


def examples() -> Run:
    x, t, params = data.examples()

    def loss(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
        """Of one example, (10,) and (1,)."""
        return jnp.sum((_perceptron(params, x) - t) ** 2)

    return _run(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)), params, x, t)


def hessian() -> Run:
    def valley(x: jax.Array) -> jax.Array:
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return _run(jax.hessian(valley), data.valley())


WORKLOADS: dict[str, Callable[[], Run]] = {
    "hvp": partial(_product, _squared_error, data.products),
    "hvp-gradient": partial(_gradient, _squared_error, data.products),
    "hvp-large": partial(_product, _cross_entropy, data.products_large),
    "hvp-large-gradient": partial(_gradient, _cross_entropy, data.products_large),
    "eighth": series,
    "eighth-nested": nested,
    "examples": examples,
    "hessian": hessian,
}
