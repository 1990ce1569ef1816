"""JAX: each step is one jitted function, and its first call compiles it. State is donated: updated where it lies.

Recurrence is a `lax.scan`, but for the loop over single steps, which the compiler sees unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import numpy as np
from jax import numpy as jnp

from benchmarks import data
from benchmarks.workloads import Arrays, Run, jax_derivatives, jax_gpt

VERSION = jax.__version__
jax.config.update("jax_enable_x64", True)  # for the workloads in float64; the others say float32
tree_map = jax.tree_util.tree_map


def _arrays(tree: dict) -> Arrays:
    return {name: np.asarray(value) for name, value in tree.items()}


def _training(params: Arrays, loss: Callable, update: Callable, state: object, *inputs: np.ndarray) -> Run:
    """`update` maps parameters, gradients and state to new parameters and state."""
    fixed = tuple(map(jnp.asarray, inputs))
    held = [{name: jnp.array(value) for name, value in params.items()}, state]

    @partial(jax.jit, donate_argnums=(0, 1))
    def advance(params: dict, state: object, *inputs: jax.Array) -> tuple[dict, object, jax.Array]:
        value, gradients = jax.value_and_grad(loss)(params, *inputs)
        params, state = update(params, gradients, state)
        return params, state, value

    def step() -> None:
        held[0], held[1], _ = advance(held[0], held[1], *fixed)

    def check() -> Arrays:
        value, gradients = jax.jit(jax.value_and_grad(loss))(held[0], *fixed)
        return {"loss": np.asarray(value), **_arrays(gradients)}

    return Run(step, check, lambda: _arrays(held[0]), lambda: jax.block_until_ready(held[0]))


def _sgd(rate: float) -> Callable:
    return lambda params, gradients, state: (tree_map(lambda p, g: p - rate * g, params, gradients), state)


def _adam(rate: float, decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Callable:
    """With a decay, AdamW."""

    def update(params: dict, gradients: dict, state: tuple) -> tuple[dict, tuple]:
        t, m, v = state
        t = t + 1
        m = tree_map(lambda m, g: m + (1.0 - beta1) * (g - m), m, gradients)
        v = tree_map(lambda v, g: v + (1.0 - beta2) * (g * g - v), v, gradients)
        corrected = (rate * jnp.sqrt(1.0 - beta2**t) / (1.0 - beta1**t)).astype(jnp.float32)
        params = tree_map(lambda p, m, v: p - rate * decay * p - corrected * m / (jnp.sqrt(v) + eps), params, m, v)
        return params, (t, m, v)

    return update


def _moments(params: Arrays) -> tuple:
    zeros = [{name: jnp.zeros(value.shape, jnp.float32) for name, value in params.items()} for _ in range(2)]
    return (jnp.asarray(0), *zeros)


def _perceptron(params: dict, x: jax.Array) -> jax.Array:
    last = len(params) // 2 - 1
    for i in range(last + 1):
        x = x @ params[f"layers.{i}.w"] + params[f"layers.{i}.b"]
        x = jax.nn.relu(x) if i < last else x
    return x


def mlp() -> Run:
    x, t, params = data.mlp()

    def loss(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
        return jnp.mean((_perceptron(params, x) - t) ** 2)

    return _training(params, loss, _sgd(data.LEARNING_RATES["mlp"]), (), x, t)


def _lstm_cell(params: dict, carry: tuple, pair: tuple) -> tuple[tuple, jax.Array]:
    """A step of the recurrence, and its error."""
    h, c = carry
    x, t = pair
    z = x @ params["lstm.x.w"] + params["lstm.x.b"] + h @ params["lstm.h.w"]
    f, i, o, u = jnp.split(z, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(u)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    y = h @ params["linear.w"] + params["linear.b"]
    return (h, c), jnp.mean((y - t) ** 2)


def lstm(unrolled: bool = False) -> Run:
    xs, ts, params = data.lstm()

    def loss(params: dict, xs: jax.Array, ts: jax.Array) -> jax.Array:
        zeros = jnp.zeros((xs.shape[1], params["lstm.h.w"].shape[0]), jnp.float32)
        if not unrolled:
            _, errors = jax.lax.scan(partial(_lstm_cell, params), (zeros, zeros), (xs, ts))
            return jnp.sum(errors)
        carry, total = (zeros, zeros), 0.0
        for x, t in zip(xs, ts, strict=True):
            carry, error = _lstm_cell(params, carry, (x, t))
            total = total + error
        return total

    return _training(params, loss, _sgd(data.LEARNING_RATES["lstm"]), (), xs, ts)


def rosenbrock() -> Run:
    params = {"x0": np.array(0.0), "x1": np.array(2.0)}

    def loss(params: dict) -> jax.Array:
        x0, x1 = params["x0"], params["x1"]
        return 100.0 * (x1 - x0**2) ** 2 + (x0 - 1.0) ** 2

    return _training(params, loss, _sgd(data.LEARNING_RATES["rosenbrock"]), ())


def sine() -> Run:
    functions = [jnp.sin]
    for _ in range(6):
        functions.append(jax.grad(functions[-1]))

    @jax.jit
    def derivatives(x: jax.Array) -> list[jax.Array]:
        return [function(x) for function in functions]

    x = jnp.asarray(1.0)
    last: list = [None]

    def step() -> None:
        last[0] = derivatives(x)

    def check() -> Arrays:
        return {str(i): np.asarray(y) for i, y in enumerate(derivatives(x))}

    return Run(step, check, wait=lambda: jax.block_until_ready(last[0]))


def digits() -> Run:
    x, t, params = data.digits()

    def loss(params: dict, x: jax.Array, t: jax.Array) -> jax.Array:
        logs = jax.nn.log_softmax(_perceptron(params, x))
        return -jnp.mean(jnp.take_along_axis(logs, t[:, None], axis=1))

    return _training(params, loss, _adam(data.LEARNING_RATES["digits"]), _moments(params), x, t.astype(np.int32))


def elementwise() -> Run:
    x = jnp.asarray(data.elementwise())

    @jax.jit
    def value_and_gradient(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.value_and_grad(lambda x: jnp.sum(jnp.tanh(x) * jax.nn.sigmoid(x) + jnp.exp(-(x**2))))(x)

    last: list = [None]

    def step() -> None:
        last[0] = value_and_gradient(x)

    def check() -> Arrays:
        value, gradient = value_and_gradient(x)
        return {"loss": np.asarray(value), "x": np.asarray(gradient)}

    return Run(step, check, wait=lambda: jax.block_until_ready(last[0]))


def gpt() -> Run:
    x, t, params = data.gpt()
    update = _adam(data.LEARNING_RATES["gpt"], data.WEIGHT_DECAY)
    inputs = x.astype(np.int32), t.astype(np.int32)
    return _training(params, jax_gpt.loss, update, _moments(params), *inputs)._replace(values=dict)  # see adjoint's


def physics() -> Run:
    points, params = data.physics()
    update = _adam(data.LEARNING_RATES["physics"])
    return _training(params, jax_derivatives.physics_loss, update, _moments(params), points)


WORKLOADS = {
    "mlp": mlp,
    "lstm": lstm,
    "lstm-sequence": lstm,
    "lstm-loop": partial(lstm, unrolled=True),
    "rosenbrock": rosenbrock,
    "sine": sine,
    "digits": digits,
    "digits-fused": digits,
    "elementwise": elementwise,
    "gpt": gpt,
    "physics": physics,
    **jax_derivatives.WORKLOADS,
}
