"""Derivatives beyond the gradient in PyTorch, eager: by `torch.autograd.grad`, or `torch.func` where that is no slower.

Differentiated twice by `autograd.grad`, the small MLP's product with the Hessian takes a fifth of the time of
`torch.func.jvp` of `torch.func.grad`, and the physics-informed step a third of that of nested `torch.func.jvp`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks import data
from benchmarks.workloads import Arrays, Run, named

Parameters = dict[str, torch.Tensor]


def _tensors(arrays: Arrays, *, requires_grad: bool = False) -> Parameters:
    return {name: torch.tensor(value, requires_grad=requires_grad) for name, value in arrays.items()}


def _array(y: torch.Tensor) -> np.ndarray:
    return y.detach().numpy()


def _run(function: Callable, *inputs: Any) -> Run:
    step = partial(function, *inputs)
    return Run(step, lambda: named(step(), _array))


def _perceptron(params: Parameters, x: torch.Tensor) -> torch.Tensor:
    """Linear layers with tanh between them."""
    last = len(params) // 2 - 1
    for i in range(last + 1):
        x = x @ params[f"layers.{i}.w"] + params[f"layers.{i}.b"]
        x = torch.tanh(x) if i < last else x
    return x


def _squared_error(params: Parameters, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return F.mse_loss(_perceptron(params, x), t)


def _cross_entropy(params: Parameters, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(_perceptron(params, x), t)


def _gradient(loss: Callable, make: Callable) -> Run:
    (x, t, initial), _ = make()
    params = _tensors(initial, requires_grad=True)

    def gradient(x: torch.Tensor, t: torch.Tensor) -> Parameters:
        value = loss(params, x, t)
        gradients = torch.autograd.grad(value, tuple(params.values()))
        return {"loss": value, **dict(zip(params, gradients, strict=True))}

    return _run(gradient, torch.from_numpy(x), torch.from_numpy(t))


def _product(loss: Callable, make: Callable) -> Run:
    (x, t, initial), initial_vector = make()
    params = _tensors(initial, requires_grad=True)
    inputs, vector = tuple(params.values()), tuple(_tensors(initial_vector).values())

    def product(x: torch.Tensor, t: torch.Tensor) -> Parameters:
        gradients = torch.autograd.grad(loss(params, x, t), inputs, create_graph=True)
        return dict(zip(params, torch.autograd.grad(gradients, inputs, vector), strict=True))

    return _run(product, torch.from_numpy(x), torch.from_numpy(t))


def nested() -> Run:
    params = _tensors(data.scalar_network())

    def derivative(x: torch.Tensor) -> torch.Tensor:
        y = _perceptron(params, x.reshape(1, 1))[0, 0]
        for i in range(data.ORDER):
            (y,) = torch.autograd.grad(y, x, create_graph=i < data.ORDER - 1)
        return y

    return _run(derivative, torch.tensor(data.POINT, dtype=torch.float64, requires_grad=True))


def physics_loss(model: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """What u″ + u = 0 with u(0) = 0 and u′(0) = 1 leaves over at the points x (N, 1), squared.

    x begins at 0 and requires gradients.
    """
    value = model(x)
    (slope,) = torch.autograd.grad(value, x, torch.ones_like(value), create_graph=True)
    (acceleration,) = torch.autograd.grad(slope, x, torch.ones_like(slope), create_graph=True)
    return ((acceleration + value) ** 2).mean() + value[0, 0] ** 2 + (slope[0, 0] - 1.0) ** 2


def examples() -> Run:
    x, t, params = data.examples()

    def loss(params: Parameters, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Of one example, (10,) and (1,)."""
        return ((_perceptron(params, x) - t) ** 2).sum()

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return _run(gradients, _tensors(params), torch.from_numpy(x), torch.from_numpy(t))


def hessian() -> Run:
    def valley(x: torch.Tensor) -> torch.Tensor:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    return _run(torch.func.hessian(valley), torch.from_numpy(data.valley()))


WORKLOADS: dict[str, Callable[[], Run]] = {
    "hvp": partial(_product, _squared_error, data.products),
    "hvp-gradient": partial(_gradient, _squared_error, data.products),
    "hvp-large": partial(_product, _cross_entropy, data.products_large),
    "hvp-large-gradient": partial(_gradient, _cross_entropy, data.products_large),
    "eighth-nested": nested,
    "examples": examples,
    "hessian": hessian,
}
