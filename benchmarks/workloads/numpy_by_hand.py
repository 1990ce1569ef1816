"""NumPy with derivatives worked out on paper: what a careful programmer writes without any library."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks import data
from benchmarks.workloads import Arrays, Run

VERSION = np.__version__


def _training(params: Arrays, loss_and_gradients: Callable, update: Callable) -> Run:
    """`update` maps a name, a parameter and its gradient to the new parameter."""
    params = dict(params)

    def step() -> None:
        _, gradients = loss_and_gradients(params)
        for name, gradient in gradients.items():
            params[name] = update(name, params[name], gradient)

    def check() -> Arrays:
        loss, gradients = loss_and_gradients(params)
        return {"loss": np.asarray(loss), **gradients}

    return Run(step, check, lambda: dict(params))


def _sgd(rate: float) -> Callable:
    return lambda _name, p, g: p - rate * g


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.tanh(0.5 * x) + 0.5


def mlp() -> Run:
    x, t, params = data.mlp()

    def loss_and_gradients(params: Arrays) -> tuple[float, Arrays]:
        h = x @ params["layers.0.w"] + params["layers.0.b"]
        active = h > 0
        h *= active
        error = h @ params["layers.1.w"] + params["layers.1.b"] - t
        g = error * (2.0 / error.size)
        g_h = g @ params["layers.1.w"].T
        g_h *= active
        return np.vdot(error, error) / error.size, {
            "layers.0.w": x.T @ g_h,
            "layers.0.b": g_h.sum(axis=0),
            "layers.1.w": h.T @ g,
            "layers.1.b": g.sum(axis=0),
        }

    return _training(params, loss_and_gradients, _sgd(data.LEARNING_RATES["mlp"]))


def lstm() -> Run:
    xs, ts, params = data.lstm()
    steps, batch, _ = xs.shape
    size = len(params["lstm.h.w"])

    def loss_and_gradients(params: Arrays) -> tuple[float, Arrays]:
        v, w = params["lstm.h.w"], params["linear.w"]
        z = xs @ params["lstm.x.w"] + params["lstm.x.b"]
        gates = np.empty((steps, batch, 3 * size), np.float32)  # f, i, o
        us, cells, squashed, hs = (np.empty((steps, batch, size), np.float32) for _ in range(4))
        for k in range(steps):
            if k > 0:
                z[k] += hs[k - 1] @ v
            gates[k] = _sigmoid(z[k, :, : 3 * size])
            us[k] = np.tanh(z[k, :, 3 * size :])
            np.multiply(gates[k, :, size : 2 * size], us[k], out=cells[k])
            if k > 0:
                cells[k] += gates[k, :, :size] * cells[k - 1]
            np.tanh(cells[k], out=squashed[k])
            np.multiply(gates[k, :, 2 * size :], squashed[k], out=hs[k])
        error = hs @ w + params["linear.b"] - ts
        g_y = error * (2.0 / batch)
        g_z = np.empty((steps, batch, 4 * size), np.float32)
        slopes = gates * (1.0 - gates)
        g_hs = g_y @ w.T
        carried = np.zeros((batch, size), np.float32)  # the cell state's gradient from the step after
        for k in range(steps - 1, -1, -1):
            g_h = g_hs[k]
            if k < steps - 1:
                g_h += g_z[k + 1] @ v.T
            g_c = carried + g_h * gates[k, :, 2 * size :] * (1.0 - squashed[k] ** 2)
            g_z[k, :, :size] = g_c * cells[k - 1] if k > 0 else 0.0
            np.multiply(g_c, us[k], out=g_z[k, :, size : 2 * size])
            np.multiply(g_h, squashed[k], out=g_z[k, :, 2 * size : 3 * size])
            g_z[k, :, : 3 * size] *= slopes[k]
            np.multiply(g_c * gates[k, :, size : 2 * size], 1.0 - us[k] ** 2, out=g_z[k, :, 3 * size :])
            carried = g_c * gates[k, :, :size]
        rows = g_z.reshape(-1, 4 * size)
        return np.vdot(error, error) / batch, {
            "lstm.x.w": xs.reshape(-1, 1).T @ rows,
            "lstm.x.b": rows.sum(axis=0),
            "lstm.h.w": hs[:-1].reshape(-1, size).T @ rows[batch:],
            "linear.w": hs.reshape(-1, size).T @ g_y.reshape(-1, 1),
            "linear.b": g_y.sum(axis=(0, 1)),
        }

    return _training(params, loss_and_gradients, _sgd(data.LEARNING_RATES["lstm"]))


def rosenbrock() -> Run:
    def loss_and_gradients(params: Arrays) -> tuple[float, Arrays]:
        x0, x1 = params["x0"], params["x1"]
        slope = x1 - x0 * x0
        rest = x0 - 1.0
        return 100.0 * slope * slope + rest * rest, {"x0": -400.0 * slope * x0 + 2.0 * rest, "x1": 200.0 * slope}

    params = {"x0": np.float64(0.0), "x1": np.float64(2.0)}
    return _training(params, loss_and_gradients, _sgd(data.LEARNING_RATES["rosenbrock"]))


def digits() -> Run:
    x, t, params = data.digits()
    rate, beta1, beta2, eps = data.LEARNING_RATES["digits"], 0.9, 0.999, 1e-8
    mean = {name: np.zeros_like(p) for name, p in params.items()}
    square = {name: np.zeros_like(p) for name, p in params.items()}
    count = dict.fromkeys(params, 0)
    rows = np.arange(len(t))

    def loss_and_gradients(params: Arrays) -> tuple[float, Arrays]:
        hs = [x]
        for i in range(2):
            h = hs[-1] @ params[f"layers.{i}.w"] + params[f"layers.{i}.b"]
            hs.append(np.maximum(h, 0.0, out=h))
        logits = hs[-1] @ params["layers.2.w"] + params["layers.2.b"]
        logits -= logits.max(axis=1, keepdims=True)
        g = np.exp(logits)
        total = g.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - logits[rows, t]).mean()
        g /= total
        g[rows, t] -= 1.0
        g /= len(t)
        gradients = {}
        for i in (2, 1, 0):
            gradients[f"layers.{i}.w"] = hs[i].T @ g
            gradients[f"layers.{i}.b"] = g.sum(axis=0)
            if i > 0:
                g = g @ params[f"layers.{i}.w"].T
                g *= hs[i] > 0
        return loss, gradients

    def adam(name: str, p: np.ndarray, g: np.ndarray) -> np.ndarray:
        count[name] += 1
        m, v, n = mean[name], square[name], count[name]
        m += (1.0 - beta1) * (g - m)
        g *= g
        g -= v
        g *= 1.0 - beta2
        v += g
        corrected = rate * math.sqrt(1.0 - beta2**n) / (1.0 - beta1**n)
        return p - corrected * m / (np.sqrt(v) + eps)

    return _training(params, loss_and_gradients, adam)


def elementwise() -> Run:
    x = data.elementwise()
    t, s, e, g, h = (np.empty_like(x) for _ in range(5))

    def value_and_gradient() -> tuple[float, np.ndarray]:
        """(1 − t²) s + t s (1 − s) − 2 x e, for t = tanh(x), s = sigmoid(x) and e = exp(−x²)."""
        np.tanh(x, out=t)
        np.multiply(x, 0.5, out=s)
        np.tanh(s, out=s)
        np.multiply(s, 0.5, out=s)
        np.add(s, 0.5, out=s)
        np.multiply(x, x, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.multiply(t, t, out=g)
        np.subtract(1.0, g, out=g)
        np.subtract(1.0, s, out=h)
        np.multiply(h, t, out=h)
        np.add(g, h, out=g)
        np.multiply(g, s, out=g)
        np.multiply(x, e, out=h)
        np.multiply(h, 2.0, out=h)
        np.subtract(g, h, out=g)
        return np.vdot(t, s) + e.sum(), g

    def check() -> Arrays:
        value, gradient = value_and_gradient()
        return {"loss": np.asarray(value), "x": gradient}

    return Run(value_and_gradient, check)


def gemm() -> Run:
    """The machine's limit of arithmetic."""
    x = data.square()
    return Run(partial(np.matmul, x, x, out=np.empty_like(x)), dict)


def copy(size: int) -> Run:
    """The machine's limit of memory."""
    x = np.ones(size, np.uint8)
    return Run(partial(np.copyto, np.zeros_like(x), x), dict)


WORKLOADS = {
    "mlp": mlp,
    "lstm": lstm,
    "rosenbrock": rosenbrock,
    "digits": digits,
    "elementwise": elementwise,
    "gemm": gemm,
    **{name: partial(copy, size) for name, size in data.COPIED.items()},
}
