"""``adjoint lstm``: its options, and its course from checks to results."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import files, models, optimizers, random
from adjoint.cli import lstm, plot, progress
from adjoint.cli.arguments import Parser, from_zero, positive, whole_number
from adjoint.cli.outputs import check_distinct, check_ending, check_writable, tell
from adjoint.cli.tasks import Task, Walk, errors_of, read_task, sine_task
from adjoint.cli.threads import small_products
from adjoint.data import SequenceLoader
from adjoint.errors import ArgumentError, MissingDependencyError

__all__ = ["add_options", "run"]

POINTS, NOISE = 1000, 0.05
LARGEST_SMALL = 256  # units, up to which a second thread does not pay
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def add_options(parser: Parser) -> None:
    """The options of the command."""
    data = parser.add_argument_group("what to learn")
    data.add_argument(
        "-N", dest="points", type=whole_number(3), metavar="N", help=f"points of the sine (default: {POINTS})"
    )
    data.add_argument(
        "--noise", type=from_zero, metavar="A", help=f"uniform noise between -A and A on the sine (default: {NOISE})"
    )
    data.add_argument("--data", metavar="FILE.csv", help="learn a series of this file instead of the sine")
    data.add_argument("--column", metavar="NAME", help="the file's column that holds the series")

    training = parser.add_argument_group("training")
    for name, metavar, kind, default, text in (
        ("epochs", "E", whole_number(0), 100, "passes over the series; 0, with --load, only forecasts"),
        ("batch-size", "B", whole_number(1), 30, "rows that the series is cut into, read side by side"),
        ("hidden-size", "H", whole_number(1), 100, "units of the LSTM"),
        ("bptt-length", "L", whole_number(1), 30, "steps between updates; one more ends each epoch"),
        ("learning-rate", "R", positive, 0.01, "Adam's; it falls to 0 along half a cosine"),
    ):
        training.add_argument(
            f"--{name}", type=kind, default=default, metavar=metavar, help=f"{text} (default: {default})"
        )
    training.add_argument(
        "--seed", type=whole_number(0, None), metavar="S", help="a number; runs with the same one agree in every bit"
    )
    training.add_argument(
        "--eager", action="store_true", help="run each operation by NumPy, instead of each update as one native call"
    )

    files_and_output = parser.add_argument_group("files and output")
    files_and_output.add_argument("--save", metavar="FILE", help="write the parameters, in the safetensors format")
    files_and_output.add_argument("--load", metavar="FILE", help="start from the parameters that --save wrote")
    files_and_output.add_argument(
        "--plot", metavar="FILE.png", help="draw the series, the forecasts and the losses (also .svg, .pdf)"
    )
    files_and_output.add_argument("--quiet", action="store_true", help="do not show the losses")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Learns and forecasts; returns the forecast as CSV, and the exit status."""
    check_options(options)
    check_files(options)
    threads = small_products() if options.hidden_size <= LARGEST_SMALL else contextlib.nullcontext()
    # What overflows ends in a value that is not finite, and that is an error where it matters.
    with threads, np.errstate(over="ignore", invalid="ignore"):
        return learn_and_forecast(options)


def learn_and_forecast(options: argparse.Namespace) -> tuple[str, int]:
    """What `run` does after its checks."""
    rng = random.generator() if options.seed is None else random.source(options.seed)
    task = make_task(options, rng)
    model = lstm.make_model(options.hidden_size, rng)
    if options.load is not None:
        lstm.load_model(model, options.load)
    optimizer = lstm.make_optimizer(options.learning_rate)
    with progress.Interrupt() as interrupt:
        losses = train(options, task, model, optimizer, lambda: interrupt.requested)
    if options.save is not None:
        model.save(options.save)
    if interrupt.requested:
        tell(describe_interruption(len(losses), optimizer.updates, options))
    forecast = lstm.forecast(model, task.forecast, eager=options.eager)
    if options.plot is not None:
        write_plot(options, task, model, losses)
    if task.real:
        tell(describe_errors(task.forecast, forecast))
    return csv_of(task, forecast), INTERRUPTED if interrupt.requested else 0


def check_options(options: argparse.Namespace) -> None:
    """Raises ArgumentError for options that do not go together."""
    if (options.data is None) != (options.column is None):
        given, other = ("--data", "--column") if options.column is None else ("--column", "--data")
        raise ArgumentError(f"{given} needs {other}: a series is a column of a file")
    if options.data is not None and not (options.points is None and options.noise is None):
        raise ArgumentError("-N and --noise are for the sine; leave them out with --data")
    if options.epochs == 0 and options.load is None:
        raise ArgumentError("--epochs 0 trains nothing; it needs the parameters of a --load")


def check_files(options: argparse.Namespace) -> None:
    """Raises an error for files that cannot be written, and for libraries that they would need."""
    check_distinct({"--data": options.data, "--save": options.save, "--plot": options.plot})
    if options.save is not None:
        if importlib.util.find_spec("safetensors") is None:
            raise MissingDependencyError("--save needs the safetensors library: pip install 'adjoint[files]'")
        check_writable("--save", options.save)
    if options.plot is not None:
        check_ending("--plot", options.plot, plot.ENDINGS)
        check_writable("--plot", options.plot)
        plot.require_matplotlib()


def make_task(options: argparse.Namespace, rng: Any) -> Task:
    """The task, which has a step for each row of a batch."""
    if options.data is None:
        task = sine_task(options.points or POINTS, NOISE if options.noise is None else options.noise, rng)
        source = "the sine (-N)"
    else:
        task = read_task(options.data, options.column)
        source = f"{options.data}, column {options.column!r}"
    if len(task.inputs) < options.batch_size:
        raise ArgumentError(
            f"{source}: {len(task.inputs)} steps to train on are too few for --batch-size {options.batch_size}"
        )
    return task


def train(
    options: argparse.Namespace,
    task: Task,
    model: models.LSTM,
    optimizer: optimizers.Optimizer,
    stop: Callable[[], bool],
) -> list[float]:
    """The losses of the epochs, shown as they come."""
    loader = SequenceLoader(task.inputs, task.labels, options.batch_size)
    losses = lstm.train(model, loader, optimizer, options.epochs, options.bptt_length, stop, eager=options.eager)
    return list(losses if options.quiet or options.epochs == 0 else progress.show(losses, options.epochs))


def write_plot(options: argparse.Namespace, task: Task, model: models.LSTM, losses: list[float]) -> None:
    """Draws both of the task's walks, and the losses."""
    panels = [(walk, lstm.forecast(model, walk, eager=options.eager)) for walk in (task.fit, task.forecast)]
    files.write_whole(options.plot, plot.draw(options.plot, panels, losses))


def describe_interruption(epochs: int, updates: int, options: argparse.Namespace) -> str:
    """What is left after Ctrl-C."""
    kept = f"the parameters as of update {updates}" if updates else "the parameters that it started from"
    saved = "used for the forecast" if options.save is None else f"saved to {options.save}"
    return f"adjoint lstm: interrupted after epoch {epochs} of {options.epochs}; {kept} are {saved}"


def describe_errors(walk: Walk, forecast: Any) -> str:
    """The forecast's error beside that of persistence, which forecasts that nothing changes."""
    error, persistence = errors_of(walk, forecast)
    ratio = f", {error / persistence:.3f} of it" if persistence > 0 else ""
    return (
        f"held-out part, {len(forecast)} of {len(walk.actual) + 1} values: "
        f"RMSE {error:.5g}, persistence {persistence:.5g}{ratio}"
    )


def csv_of(task: Task, forecast: Any) -> str:
    """The forecast as lines of CSV. Nine digits tell any two float32 apart."""
    walk = task.forecast
    if not task.real:
        return "\n".join(["x,y", *(f"{x:.9g},{y:.9g}" for x, y in zip(walk.at, forecast, strict=True))])
    rows = zip(walk.at[walk.first :], walk.actual[walk.first :], forecast, strict=True)
    return "\n".join(["index,actual,forecast", *(f"{i},{float(actual)!r},{value:.9g}" for i, actual, value in rows)])
