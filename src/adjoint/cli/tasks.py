"""What `adjoint lstm` learns and forecasts: a noisy sine and the cosine, or a series from a file.

A model reads a series in units of its own, and what it says of the next value becomes one by

    forecast = level + scale · output

For the sine they are 0 and 1. A real series may wander out of the range that it had when the model was trained, so
there a value is its distance from the series' running mean over about `MEMORY` values, divided by the standard
deviation of that distance in the training part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint.data import read_column
from adjoint.errors import DataError

__all__ = [
    "Task",
    "Walk",
    "errors_of",
    "make_cosine",
    "make_series",
    "read_task",
    "root_mean_square",
    "running_mean",
    "sine_task",
]

HELD_OUT = 0.2  # the part at the end of a real series that no training sees
MEMORY = 50


@dataclass(frozen=True)
class Walk:
    """A series to run a model over, for forecasts one step ahead.

    inputs: what the model reads, (T,)
    previous, at, actual: for each forecast the value before it, its place, and the value that is forecast, (T,)
    level, scale: forecasts are level + scale · output
    first: the forecasts before this one only bring the model's state up
    title, place, value: what it is, and what its axes show
    """

    inputs: Any
    previous: Any
    at: Any
    actual: Any
    title: str
    place: str
    value: str
    level: Any = 0.0
    scale: float = 1.0
    first: int = 0


@dataclass(frozen=True)
class Task:
    """Pairs to train on, (T,) each; the walk over them; and the walk that the program is for.

    real: whether it forecasts real data, of which the errors are of interest
    """

    inputs: Any
    labels: Any
    fit: Walk
    forecast: Walk
    real: bool


def sine_task(points: int, noise: float, rng: Any) -> Task:
    """Learns a noisy sine, then forecasts the cosine."""
    x, y = make_series(points, noise, rng)
    return Task(
        inputs=_model_floats(y[:-1]),
        labels=_model_floats(y[1:]),
        fit=Walk(_model_floats(y[:-1]), y[:-1], x[1:], y[1:], "Training: a noisy sine", "x", "y"),
        forecast=make_cosine(points),
        real=False,
    )


def make_series(points: int, noise: float, rng: Any) -> tuple[Any, Any]:
    """x from 0 to 2π, and sin x with uniform noise in ±`noise`."""
    x = np.linspace(0.0, 2.0 * math.pi, points)
    return x, np.sin(x) + noise * rng.uniform(-1.0, 1.0, points)


def make_cosine(points: int) -> Walk:
    """The cosine from 0 to 4π. It begins one step before 0, so that there is a forecast for 0 as well."""
    x = np.linspace(0.0, 4.0 * math.pi, points)
    before = np.cos(x - x[1])
    return Walk(_model_floats(before), before, x, np.cos(x), "Forecast: a cosine", "x", "y")


def read_task(path: str, column: str) -> Task:
    """Learns the first part of a column of a CSV file, then forecasts the rest. Raises DataError."""
    values = read_column(path, column)
    first = len(values) - max(1, round(HELD_OUT * len(values)))
    if first < 2:
        raise DataError(f"{path}, column {column!r}: {len(values)} values are too few to train on and to forecast")
    level, scale = _units(values, first, f"{path}, column {column!r}")
    inputs = _model_floats((values[:-1] - level[:-1]) / scale)
    labels = _model_floats((values[1:] - level[:-1]) / scale)
    if not (np.isfinite(inputs).all() and np.isfinite(labels).all()):
        raise DataError(f"{path}, column {column!r}: the values differ too much in size")
    at = np.arange(1, len(values))

    def walk(title: str, begin: int, end: int) -> Walk:
        upto = slice(0, end - 1)
        return Walk(
            inputs[upto],
            values[upto],
            at[upto],
            values[1:end],
            title,
            "index",
            column,
            level=level[upto],
            scale=scale,
            first=begin - 1,
        )

    return Task(
        inputs=inputs[: first - 1],
        labels=labels[: first - 1],
        fit=walk("Training", 1, first),
        forecast=walk("Held out", first, len(values)),
        real=True,
    )


def _units(values: Any, first: int, where: str) -> tuple[Any, float]:
    """The level of each value and the scale of all; only what comes before `first` counts for the scale."""
    level = running_mean(values, MEMORY)
    distance = (values - level)[:first]
    scale = float(distance.std())
    if not math.isfinite(scale):
        raise DataError(f"{where}: the values are too large")
    if scale == 0:
        raise DataError(f"{where}: the training part, the first {first} values, is constant: there is nothing to learn")
    return level + distance.mean(), scale


def running_mean(values: Any, memory: int) -> Any:
    """The mean of the values so far; from `memory` values on, each new one counts 1/memory."""
    means = np.empty(len(values))
    mean = 0.0
    for i, value in enumerate(values):
        mean += (value - mean) / min(i + 1, memory)
        means[i] = mean
    return means


def errors_of(walk: Walk, forecast: Any) -> tuple[float, float]:
    """The root mean square error of a walk's forecasts, and that of persistence: nothing changes."""
    shown = slice(walk.first, None)
    return (
        root_mean_square(forecast - walk.actual[shown]),
        root_mean_square(walk.previous[shown] - walk.actual[shown]),
    )


def root_mean_square(errors: Any) -> float:
    """√(Σ e² / n)"""
    return float(np.sqrt(np.mean(np.square(errors))))


def _model_floats(values: Any) -> Any:
    """Models compute in float32, which takes less time and is more than exact enough."""
    return values.astype(np.float32)
