"""Learning to forecast a series one step ahead, by an LSTM and truncated backpropagation through time.

The model's output is what is added to the current value. It then starts from the forecast that nothing changes, which
for many series is a good one, and learns what there is to know besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from adjoint import functions as F, hooks, models, optimizers
from adjoint.cli.tasks import Walk
from adjoint.compile.function import compile
from adjoint.config import no_grad, test_mode
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, FormatError

__all__ = ["forecast", "load_model", "make_model", "make_optimizer", "make_step", "next_value", "predict", "train"]

# A run has a few hundred updates: the usual memory of 1,000 for the gradients' squares would outlast it.
_BETA2 = 0.95
_LARGEST_NORM = 10.0  # of the gradient of a segment's summed losses


def make_model(hidden_size: int, rng: Any) -> models.LSTM:
    """A model of float32 parameters, all of them made."""
    model = models.LSTM(hidden_size, 1, rng=rng)
    with no_grad():
        model(np.zeros((1, 1), np.float32))
    model.reset_state()
    return model


def load_model(model: models.LSTM, path: str) -> None:
    """Reads the parameters. Raises FormatError for those of another model, and for any that is not finite."""
    model.load(path)
    for name, parameter in model.params().items():
        parameter.data = parameter.data.astype(np.float32)
        if not np.isfinite(parameter.data).all():
            raise FormatError(f"{path}: {name!r} holds values that are not finite")


def make_optimizer(learning_rate: float) -> optimizers.Optimizer:
    """Adam, on gradients of a limited norm."""
    return optimizers.Adam(learning_rate, beta2=_BETA2, hooks=[hooks.ClipGrad(_LARGEST_NORM)])


def next_value(model: models.LSTM, x: Any) -> Variable:
    """The forecast of the value after x, (batch, 1)."""
    return x + model(x)


def train(
    model: models.LSTM,
    loader: Any,
    optimizer: optimizers.Optimizer,
    epochs: int,
    bptt_length: int,
    stop: Callable[[], bool] = lambda: False,
    *,
    eager: bool = False,
) -> Iterator[float]:
    """Trains, and yields each epoch's loss, the mean over its steps.

    There is an update every `bptt_length` steps and one at the end of the epoch, each by the sum of its steps' losses:
    a short last segment counts for as much as it is. The learning rate falls along half a cosine, from the
    optimizer's to nearly 0. Once `stop` gives True, the epoch is left after its last update.

    Each update is one native call, unless `eager`.

    Raises:
        ArgumentError: for a loss that is not finite.
    """
    step = make_step(model, optimizer, eager=eager)
    rate = optimizer.learning_rate
    updates = epochs * -(-len(loader) // bptt_length)
    for epoch in range(epochs):
        model.reset_state()
        total = 0.0
        for segment in segments(loader, bptt_length):
            if stop():
                return
            optimizer.learning_rate = rate * falling(optimizer.updates / updates)
            total += step(segment).item()
        if not math.isfinite(total):
            raise ArgumentError(f"the loss of epoch {epoch + 1} is {total}: --learning-rate or --noise is too large")
        yield total / len(loader)


def make_step(model: models.LSTM, optimizer: optimizers.Optimizer, *, eager: bool) -> Callable[[list[Any]], Variable]:
    """A function that makes an update by a segment, and returns its loss."""

    def step(segment: list[Any]) -> Variable:
        loss = segment_loss(model, segment)
        update(model, optimizer, loss)
        return loss

    return step if eager else compile(step)


def segments(steps: Iterable[Any], length: int) -> Iterator[list[Any]]:
    """The steps in lists of `length`; the last has those that are left, at least one."""
    steps = iter(steps)
    while segment := list(islice(steps, length)):
        yield segment


def falling(progress: float) -> float:
    """Half a cosine: from 1 at 0 to 0 at 1."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def segment_loss(model: models.LSTM, segment: list[Any]) -> Variable:
    """The sum of the steps' losses."""
    loss, *others = [F.mean_squared_error(next_value(model, x), t) for x, t in segment]
    for other in others:
        loss = loss + other
    return loss


def update(model: models.LSTM, optimizer: optimizers.Optimizer, loss: Variable) -> None:
    """One update, after which nothing leads back behind it."""
    model.cleargrads()
    loss.backward()
    loss.unchain_backward()
    optimizer.update(model)


def predict(model: models.LSTM, inputs: Any, *, eager: bool = False) -> Any:
    """The forecasts after each of `inputs`, which follow one another, (T,)."""

    def one(x: Any) -> Variable:
        return next_value(model, x)

    next_one = one if eager else compile(one)
    model.reset_state()
    with no_grad(), test_mode():
        outputs = [next_one(x).item() for x in inputs.reshape(-1, 1, 1)]
    model.reset_state()
    return np.array(outputs)


def forecast(model: models.LSTM, walk: Walk, *, eager: bool = False) -> Any:
    """The forecasts of a walk, in the units of its data, from `first` on."""
    return (walk.level + walk.scale * predict(model, walk.inputs, eager=eager))[walk.first :]
