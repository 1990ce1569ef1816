"""PyTorch, eager: zero_grad, forward, backward, step. Inputs are plain tensors, without requires_grad."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks import data
from benchmarks.workloads import Arrays, Run, as_it_is, torch_derivatives, torch_gpt

VERSION = torch.__version__
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


def _training(optimizer: torch.optim.Optimizer, compute_loss: Callable, arrays: Callable) -> Run:
    """`arrays` turns a function of a parameter into arrays by adjoint's names."""

    def backward() -> torch.Tensor:
        optimizer.zero_grad()
        loss = compute_loss()
        loss.backward()
        return loss

    def step() -> None:
        backward()
        optimizer.step()

    def check() -> Arrays:
        loss = backward()
        return {"loss": loss.detach().numpy(), **arrays(lambda p: p.grad)}

    return Run(step, check, lambda: arrays(lambda p: p.detach()))


def _perceptron(params: Arrays, activation: Callable[[], nn.Module] = nn.ReLU) -> tuple[nn.Sequential, Callable]:
    """Linear layers with an activation between them."""
    parts: list[nn.Module] = []
    linears = []
    for i in range(len(params) // 2):
        w, b = params[f"layers.{i}.w"], params[f"layers.{i}.b"]
        linear = nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
        linears.append(linear)
        parts += [linear, activation()]

    def arrays(of: Callable) -> Arrays:
        found = {}
        for i, linear in enumerate(linears):
            found[f"layers.{i}.w"] = of(linear.weight).numpy().T
            found[f"layers.{i}.b"] = of(linear.bias).numpy()
        return found

    return nn.Sequential(*parts[:-1]), arrays


def mlp() -> Run:
    training = data.mlp()
    x, t = torch.from_numpy(training.x), torch.from_numpy(training.t)
    model, arrays = _perceptron(training.params)
    optimizer = torch.optim.SGD(model.parameters(), lr=data.LEARNING_RATES["mlp"])
    return _training(optimizer, lambda: F.mse_loss(model(x), t), arrays)


def _reorder(gates: np.ndarray) -> np.ndarray:
    """From adjoint's order f, i, o, u along the last axis to PyTorch's i, f, u, o, or back."""
    f, i, o, u = np.split(gates, 4, axis=-1)
    return np.concatenate([i, f, u, o], axis=-1)


def _restore(gates: np.ndarray) -> np.ndarray:
    i, f, u, o = np.split(gates, 4, axis=-1)
    return np.concatenate([f, i, o, u], axis=-1)


def _lstm_arrays(of: Callable, *parameters: torch.Tensor) -> Arrays:
    """By adjoint's names: weights and bias of the input, the hidden state's weights, those of the linear layer."""
    input_weight, input_bias, hidden_weight, weight, bias = (of(parameter).numpy() for parameter in parameters)
    return {
        "lstm.x.w": _restore(input_weight.T),
        "lstm.x.b": _restore(input_bias),
        "lstm.h.w": _restore(hidden_weight.T),
        "linear.w": weight.T,
        "linear.b": bias,
    }


def lstm(transform: Callable = as_it_is) -> Run:
    """A loop over the cell."""
    training = data.lstm()
    xs, ts, params = torch.from_numpy(training.x), torch.from_numpy(training.t), training.params
    hidden = len(params["lstm.h.w"])
    cell, linear = nn.LSTMCell(1, hidden), nn.Linear(hidden, 1)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.from_numpy(_reorder(params["lstm.x.w"]).T))
        cell.weight_hh.copy_(torch.from_numpy(_reorder(params["lstm.h.w"]).T))
        cell.bias_ih.copy_(torch.from_numpy(_reorder(params["lstm.x.b"])))
        cell.bias_hh.zero_()
        linear.weight.copy_(torch.from_numpy(params["linear.w"].T))
        linear.bias.copy_(torch.from_numpy(params["linear.b"]))
    optimizer = torch.optim.SGD([*cell.parameters(), *linear.parameters()], lr=data.LEARNING_RATES["lstm"])

    @transform
    def loss() -> torch.Tensor:
        h = c = torch.zeros(xs.shape[1], hidden)
        total = torch.zeros(())
        for x, t in zip(xs, ts, strict=True):
            h, c = cell(x, (h, c))
            total = total + F.mse_loss(linear(h), t)
        return total

    def arrays(of: Callable) -> Arrays:
        return _lstm_arrays(of, cell.weight_ih, cell.bias_ih, cell.weight_hh, linear.weight, linear.bias)

    run = _training(optimizer, loss, arrays)
    # The cell has a second bias of its own, so trained parameters are not comparable.
    return run._replace(values=dict)


def lstm_sequence(transform: Callable = as_it_is) -> Run:
    """One call for the whole segment."""
    training = data.lstm()
    xs, ts, params = torch.from_numpy(training.x), torch.from_numpy(training.t), training.params
    hidden = len(params["lstm.h.w"])
    layer, linear = nn.LSTM(1, hidden), nn.Linear(hidden, 1)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(_reorder(params["lstm.x.w"]).T))
        layer.weight_hh_l0.copy_(torch.from_numpy(_reorder(params["lstm.h.w"]).T))
        layer.bias_ih_l0.copy_(torch.from_numpy(_reorder(params["lstm.x.b"])))
        layer.bias_hh_l0.zero_()
        linear.weight.copy_(torch.from_numpy(params["linear.w"].T))
        linear.bias.copy_(torch.from_numpy(params["linear.b"]))
    optimizer = torch.optim.SGD([*layer.parameters(), *linear.parameters()], lr=data.LEARNING_RATES["lstm"])

    @transform
    def loss() -> torch.Tensor:
        hs, _ = layer(xs)
        return len(xs) * F.mse_loss(linear(hs), ts)

    def arrays(of: Callable) -> Arrays:
        return _lstm_arrays(of, layer.weight_ih_l0, layer.bias_ih_l0, layer.weight_hh_l0, linear.weight, linear.bias)

    # The layer has a second bias of its own, so trained parameters are not comparable.
    return _training(optimizer, loss, arrays)._replace(values=dict)


def rosenbrock() -> Run:
    x0 = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    x1 = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    rate = data.LEARNING_RATES["rosenbrock"]

    def backward() -> torch.Tensor:
        x0.grad = x1.grad = None
        y = 100.0 * (x1 - x0**2) ** 2 + (x0 - 1.0) ** 2
        y.backward()
        return y

    def step() -> None:
        backward()
        with torch.no_grad():
            x0.sub_(rate * x0.grad)
            x1.sub_(rate * x1.grad)

    def check() -> Arrays:
        y = backward()
        return {"loss": y.detach().numpy(), "x0": x0.grad.numpy(), "x1": x1.grad.numpy()}

    return Run(step, check, lambda: {"x0": x0.detach().numpy(), "x1": x1.detach().numpy()})


def sine() -> Run:
    def derivatives() -> list[torch.Tensor]:
        x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        y = torch.sin(x)
        found = [y]
        for _ in range(6):
            (y,) = torch.autograd.grad(y, x, create_graph=True)
            found.append(y)
        return found

    return Run(derivatives, lambda: {str(i): y.detach().numpy() for i, y in enumerate(derivatives())})


def digits(fused: bool = False) -> Run:
    """fused: with PyTorch's native loop of Adam, which is faster than its default and off unless asked for."""
    training = data.digits()
    x, t = torch.from_numpy(training.x), torch.from_numpy(training.t)
    model, arrays = _perceptron(training.params)
    optimizer = torch.optim.Adam(model.parameters(), lr=data.LEARNING_RATES["digits"], fused=fused)
    run = _training(optimizer, lambda: F.cross_entropy(model(x), t), arrays)
    # PyTorch adds eps after correcting the moments, as the paper's algorithm 1 does: weights without much of a
    # gradient take other steps.
    return run._replace(values=dict)


def elementwise() -> Run:
    x = torch.from_numpy(data.elementwise()).requires_grad_()

    def step() -> torch.Tensor:
        x.grad = None
        y = (torch.tanh(x) * torch.sigmoid(x) + torch.exp(-(x**2))).sum()
        y.backward()
        return y

    return Run(step, lambda: {"loss": step().detach().numpy(), "x": x.grad.numpy()})


def gpt() -> Run:
    training = data.gpt()
    x, t = torch.from_numpy(training.x), torch.from_numpy(training.t)
    params = {name: torch.from_numpy(value.copy()).requires_grad_() for name, value in training.params.items()}
    optimizer = torch.optim.AdamW(
        params.values(), lr=data.LEARNING_RATES["gpt"], weight_decay=data.WEIGHT_DECAY, fused=True
    )

    def arrays(of: Callable) -> Arrays:
        return {name: of(parameter).numpy() for name, parameter in params.items()}

    run = _training(optimizer, lambda: torch_gpt.loss(params, x, t), arrays)
    return run._replace(values=dict)  # see adjoint's


def physics() -> Run:
    points, params = data.physics()
    x = torch.from_numpy(points).requires_grad_()
    model, arrays = _perceptron(params, nn.Tanh)
    optimizer = torch.optim.Adam(model.parameters(), lr=data.LEARNING_RATES["physics"], fused=True)
    run = _training(optimizer, lambda: torch_derivatives.physics_loss(model, x), arrays)
    return run._replace(values=dict)  # see digits


def gemm() -> Run:
    """The machine's limit of arithmetic."""
    x = torch.from_numpy(data.square())
    return Run(partial(torch.mm, x, x, out=torch.empty_like(x)), dict)


def copy(size: int) -> Run:
    """The machine's limit of memory; unlike NumPy's, by all threads."""
    x = torch.ones(size // 4)
    return Run(partial(torch.zeros_like(x).copy_, x), dict)


WORKLOADS = {
    "mlp": mlp,
    "lstm": lstm,
    "lstm-sequence": lstm_sequence,
    "lstm-loop": lstm,
    "rosenbrock": rosenbrock,
    "sine": sine,
    "digits": digits,
    "digits-fused": partial(digits, fused=True),
    "elementwise": elementwise,
    "gpt": gpt,
    "physics": physics,
    **torch_derivatives.WORKLOADS,
    "gemm": gemm,
    **{name: partial(copy, size) for name, size in data.COPIED.items()},
}
