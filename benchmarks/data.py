"""The data and the initial parameters of the workloads: the same for every library, NumPy arrays all."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

LEARNING_RATES = {"mlp": 0.2, "lstm": 0.01, "rosenbrock": 0.001, "digits": 0.001, "gpt": 0.001, "physics": 0.001}
WEIGHT_DECAY = 0.01
GPT = {"vocabulary": 65, "context": 64, "width": 128, "heads": 4, "blocks": 4}
GPT_BATCH = 16
ORDER = 8  # of the derivative of high order
POINT = 0.3  # where it is taken
ELEMENTS = 1_000_000
COPIED = {"copy": 4 * ELEMENTS, "copy-large": 64 * 2**20, "copy-cached": 512 * 2**10}  # bytes


class Training(NamedTuple):
    """Inputs, targets, and the parameters by adjoint's names, with weights (in, out) and gates f, i, o, u."""

    x: np.ndarray
    t: np.ndarray
    params: dict[str, np.ndarray]


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


def _weight(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    w = _normal(rng, rows, columns)
    w /= np.sqrt(np.float32(rows))
    return w


def _perceptron(rng: np.random.Generator, sizes: tuple[int, ...]) -> dict[str, np.ndarray]:
    params = {}
    for i, (rows, columns) in enumerate(pairwise(sizes)):
        params[f"layers.{i}.w"] = _weight(rng, rows, columns)
        params[f"layers.{i}.b"] = np.zeros(columns, np.float32)
    return params


def mlp() -> Training:
    rng = np.random.default_rng(0)
    x = rng.random((100, 1), np.float32)
    t = np.sin(np.float32(2 * np.pi) * x) + 0.1 * _normal(rng, 100, 1)
    return Training(x, t.astype(np.float32), _perceptron(rng, (1, 10, 1)))


def lstm(steps: int = 30, batch: int = 30, hidden: int = 100) -> Training:
    rng = np.random.default_rng(0)
    x, t = _normal(rng, steps, batch, 1), _normal(rng, steps, batch, 1)
    params = {
        "lstm.x.w": _weight(rng, 1, 4 * hidden),
        "lstm.x.b": np.zeros(4 * hidden, np.float32),
        "lstm.h.w": _weight(rng, hidden, 4 * hidden),
        "linear.w": _weight(rng, hidden, 1),
        "linear.b": np.zeros(1, np.float32),
    }
    return Training(x, t, params)


def digits() -> Training:
    rng = np.random.default_rng(0)
    x = rng.random((128, 784), np.float32)
    return Training(x, rng.integers(0, 10, 128), _perceptron(rng, (784, 256, 128, 10)))


def elementwise() -> np.ndarray:
    return _normal(np.random.default_rng(0), ELEMENTS)


def _put_linear(params: dict[str, np.ndarray], rng: np.random.Generator, name: str, rows: int, columns: int) -> None:
    params[f"{name}.w"] = _weight(rng, rows, columns)
    params[f"{name}.b"] = np.zeros(columns, np.float32)


def _put_norm(params: dict[str, np.ndarray], name: str, width: int) -> None:
    params[f"{name}.gain"] = np.ones(width, np.float32)
    params[f"{name}.bias"] = np.zeros(width, np.float32)


def gpt() -> Training:
    """Tokens at random: x (batch, context), and in t those that follow."""
    rng = np.random.default_rng(0)
    vocabulary, context, width = GPT["vocabulary"], GPT["context"], GPT["width"]
    tokens = rng.integers(0, vocabulary, (GPT_BATCH, context + 1))
    params = {
        "tokens": np.float32(0.02) * _normal(rng, vocabulary, width),
        "positions": np.float32(0.02) * _normal(rng, context, width),
    }
    for i in range(GPT["blocks"]):
        _put_norm(params, f"blocks.{i}.attention_norm", width)
        _put_linear(params, rng, f"blocks.{i}.attention.queries_keys_values", width, 3 * width)
        _put_linear(params, rng, f"blocks.{i}.attention.projection", width, width)
        _put_norm(params, f"blocks.{i}.hidden_norm", width)
        _put_linear(params, rng, f"blocks.{i}.hidden", width, 4 * width)
        _put_linear(params, rng, f"blocks.{i}.output", 4 * width, width)
    _put_norm(params, "norm", width)
    params["head.w"] = _weight(rng, width, vocabulary)
    return Training(np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:]), params)


def products() -> tuple[Training, dict[str, np.ndarray]]:
    """A small MLP, and a vector in the shape of its parameters."""
    rng = np.random.default_rng(0)
    return _with_vector(rng, _normal(rng, 100, 10), _normal(rng, 100, 1), (10, 32, 1))


def products_large() -> tuple[Training, dict[str, np.ndarray]]:
    """The same of a larger one, of classes."""
    rng = np.random.default_rng(0)
    return _with_vector(rng, _normal(rng, 256, 64), rng.integers(0, 10, 256), (64, 256, 10))


def _with_vector(
    rng: np.random.Generator, x: np.ndarray, t: np.ndarray, sizes: tuple[int, ...]
) -> tuple[Training, dict[str, np.ndarray]]:
    params = _perceptron(rng, sizes)
    return Training(x, t, params), {name: _normal(rng, *value.shape) for name, value in params.items()}


def scalar_network() -> dict[str, np.ndarray]:
    """A network of one number, 1 → 16 → 16 → 1, in float64."""
    rng = np.random.default_rng(0)
    params = {}
    for i, (rows, columns) in enumerate(pairwise((1, 16, 16, 1))):
        params[f"layers.{i}.w"] = rng.standard_normal((rows, columns)) / np.sqrt(rows)
        params[f"layers.{i}.b"] = 0.5 * rng.standard_normal(columns)
    return params


def physics() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Points of [0, 2π] (128, 1), and the parameters of a network 1 → 32 → 32 → 1."""
    points = np.linspace(0.0, 2 * np.pi, 128, dtype=np.float32)
    return points[:, None], _perceptron(np.random.default_rng(0), (1, 32, 32, 1))


def examples() -> Training:
    rng = np.random.default_rng(0)
    return Training(_normal(rng, 1000, 10), _normal(rng, 1000, 1), _perceptron(rng, (10, 32, 1)))


def valley() -> np.ndarray:
    """A point of 20 coordinates."""
    return np.random.default_rng(0).standard_normal(20)


def square(size: int = 1024) -> np.ndarray:
    return _normal(np.random.default_rng(0), size, size)
