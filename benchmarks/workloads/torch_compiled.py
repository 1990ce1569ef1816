"""PyTorch, compiled: `torch.compile` of whole steps, gradients and update within, which is the fastest of its ways.

The gradients are those of `torch.func`, and the update writes to the parameters. Of the LSTM, the loss alone is
compiled: what is slow there is the layer, which is called as it is, or the unrolled loop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional as F

from benchmarks import data
from benchmarks.workloads import Arrays, Run, torch_eager, torch_gpt

VERSION = torch_eager.VERSION
Parameters = dict[str, torch.Tensor]


def _arrays(tensors: Parameters) -> Arrays:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _training(initial: Arrays, loss: Callable, update: Callable, *inputs: torch.Tensor) -> Run:
    """`update` changes parameters in place, given the gradients by their names."""
    params = {name: torch.tensor(value) for name, value in initial.items()}

    @torch.compile
    def step(params: Parameters, *inputs: torch.Tensor) -> torch.Tensor:
        gradients, value = torch.func.grad_and_value(loss)(params, *inputs)
        update(params, gradients)
        return value

    def check() -> Arrays:
        gradients, value = torch.compile(torch.func.grad_and_value(loss))(params, *inputs)
        return {"loss": value.numpy(), **_arrays(gradients)}

    return Run(partial(step, params, *inputs), check, lambda: _arrays(params))


def _sgd(rate: float) -> Callable:
    def update(params: Parameters, gradients: Parameters) -> None:
        for name, parameter in params.items():
            parameter.sub_(rate * gradients[name])

    return update


def _adam(
    initial: Arrays, rate: float, decay: float = 0.0, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
) -> Callable:
    """Adam in adjoint's form; with a decay, AdamW."""
    mean = {name: torch.zeros(value.shape) for name, value in initial.items()}
    square = {name: torch.zeros(value.shape) for name, value in initial.items()}
    count = torch.zeros(1, dtype=torch.float64)  # with an axis: see rosenbrock

    def update(params: Parameters, gradients: Parameters) -> None:
        count.add_(1.0)
        corrected = (rate * torch.sqrt(1.0 - beta2**count) / (1.0 - beta1**count)).float()
        for name, parameter in params.items():
            m, v, gradient = mean[name], square[name], gradients[name]
            m.add_((1.0 - beta1) * (gradient - m))
            v.add_((1.0 - beta2) * (gradient * gradient - v))
            parameter.sub_(rate * decay * parameter + corrected * m / (torch.sqrt(v) + eps))

    return update


def _perceptron(params: Parameters, x: torch.Tensor) -> torch.Tensor:
    last = len(params) // 2 - 1
    for i in range(last + 1):
        x = torch.addmm(params[f"layers.{i}.b"], x, params[f"layers.{i}.w"])
        x = F.relu(x) if i < last else x
    return x


def mlp() -> Run:
    x, t, params = data.mlp()
    return _training(
        params,
        lambda params, x, t: F.mse_loss(_perceptron(params, x), t),
        _sgd(data.LEARNING_RATES["mlp"]),
        torch.from_numpy(x),
        torch.from_numpy(t),
    )


def rosenbrock() -> Run:
    """The parameters are replaced: PyTorch 2.13 loses what a compiled function adds to arrays without axes."""
    rate = data.LEARNING_RATES["rosenbrock"]
    held = [{name: torch.tensor(value, dtype=torch.float64) for name, value in (("x0", 0.0), ("x1", 2.0))}]

    def loss(params: Parameters) -> torch.Tensor:
        x0, x1 = params["x0"], params["x1"]
        return 100.0 * (x1 - x0**2) ** 2 + (x0 - 1.0) ** 2

    gradients_and_loss = torch.func.grad_and_value(loss)

    @torch.compile
    def advance(params: Parameters) -> tuple[Parameters, torch.Tensor]:
        gradients, value = gradients_and_loss(params)
        return {name: parameter - rate * gradients[name] for name, parameter in params.items()}, value

    def step() -> None:
        held[0], _ = advance(held[0])

    def check() -> Arrays:
        gradients, value = gradients_and_loss(held[0])
        return {"loss": value.numpy(), **_arrays(gradients)}

    return Run(step, check, lambda: _arrays(held[0]))


def sine() -> Run:
    functions = [torch.sin]
    for _ in range(6):
        functions.append(torch.func.grad(functions[-1]))

    @torch.compile
    def derivatives(x: torch.Tensor) -> list[torch.Tensor]:
        return [function(x) for function in functions]

    step = partial(derivatives, torch.tensor(1.0, dtype=torch.float64))
    return Run(step, lambda: {str(i): y.numpy() for i, y in enumerate(step())})


def digits() -> Run:
    x, t, params = data.digits()
    return _training(
        params,
        lambda params, x, t: F.cross_entropy(_perceptron(params, x), t),
        _adam(params, data.LEARNING_RATES["digits"]),
        torch.from_numpy(x),
        torch.from_numpy(t),
    )


def elementwise() -> Run:
    def total(x: torch.Tensor) -> torch.Tensor:
        return (torch.tanh(x) * torch.sigmoid(x) + torch.exp(-(x**2))).sum()

    step = partial(torch.compile(torch.func.grad_and_value(total)), torch.from_numpy(data.elementwise()))

    def check() -> Arrays:
        gradient, value = step()
        return {"loss": value.numpy(), "x": gradient.numpy()}

    return Run(step, check)


def gpt() -> Run:
    x, t, params = data.gpt()
    update = _adam(params, data.LEARNING_RATES["gpt"], data.WEIGHT_DECAY)
    run = _training(params, torch_gpt.loss, update, torch.from_numpy(x), torch.from_numpy(t))
    return run._replace(values=dict)  # see adjoint's


WORKLOADS = {
    "mlp": mlp,
    "lstm-sequence": partial(torch_eager.lstm_sequence, torch.compile),
    "lstm-loop": partial(torch_eager.lstm, torch.compile),
    "rosenbrock": rosenbrock,
    "sine": sine,
    "digits-fused": digits,
    "elementwise": elementwise,
    "gpt": gpt,
}
