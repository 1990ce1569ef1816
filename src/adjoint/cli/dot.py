"""``adjoint dot``: the graph of a derivative as DOT text."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from adjoint import functions as F
from adjoint.cli.arguments import Parser, finite, whole_number
from adjoint.core.creation import zeros_like
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError

__all__ = ["FUNCTIONS", "add_options", "derivatives", "run"]

FUNCTIONS: dict[str, Callable[[Variable], Variable]] = {
    "sin": F.sin,
    "cos": F.cos,
    "tanh": F.tanh,
    "exp": F.exp,
    "log": F.log,
    "pow": lambda x: F.pow(x, 3),
    "square": F.square,
    "neg": F.neg,
}


def add_options(parser: Parser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--func",
        choices=FUNCTIONS,
        default="tanh",
        metavar="NAME",
        help=f"the function: {', '.join(FUNCTIONS)}; pow is x^3 (default: tanh)",
    )
    parser.add_argument(
        "--order", type=whole_number(0), default=1, metavar="N", help="which derivative; 0 is the function (default: 1)"
    )
    parser.add_argument("--x", type=finite, default=1.0, metavar="X", help="where it is computed (default: 1.0)")
    parser.add_argument("--verbose", action="store_true", help="show shapes, dtypes and values as well")


def run(options: argparse.Namespace) -> tuple[str, int]:
    """The DOT text, and the exit status."""
    from adjoint import viz

    if options.func == "log" and options.x <= 0:
        raise ArgumentError(f"--x {options.x}: log takes numbers above 0")
    with np.errstate(all="ignore"):  # a picture of an overflow is a picture
        values = derivatives(FUNCTIONS[options.func], options.x, options.order)
        return viz.dot(values[-1], verbose=options.verbose), 0


def derivatives(function: Callable[[Variable], Variable], at: float, order: int) -> list[Variable]:
    """x, the function's value y there, and its derivatives gx1, gx2, … up to the given order, with these names.

    They are returned together since a graph shows the names of Variables that are there.
    """
    x = Variable(at, name="x")
    value = function(x)
    value.name = "y"
    values = [x, value]
    for i in range(1, order + 1):
        x.cleargrad()
        value.backward(create_graph=True)
        value = x.grad if x.grad is not None else zeros_like(x)  # none: the last derivative was a constant
        value.name = f"gx{i}"
        values.append(value)
    return values
