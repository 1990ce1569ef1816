"""The program's entry: the parser, and the one place where errors become a line and an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from adjoint.cli import command, dot
from adjoint.cli.arguments import Parser
from adjoint.cli.outputs import discard_output, tell, write_output
from adjoint.errors import AdjointError

__all__ = ["main", "make_parser"]

Run = Callable[[argparse.Namespace], tuple[str, int]]

WRONG_INPUT = 2
INTERRUPTED = 130
PIPE_CLOSED = 141  # the two that a shell reports for a program ended by SIGINT and by SIGPIPE

DESCRIPTION = "Automatic differentiation at the command line."
EXAMPLES = """\
examples:
  adjoint lstm --seed 1 > cosine.csv
  adjoint dot --func tanh --order 2 | dot -Tsvg > tanh.svg

`adjoint lstm --help` and `adjoint dot --help` tell of each command's options.
"""

LSTM_DESCRIPTION = """\
Learn a series with an LSTM and truncated backpropagation through time, and forecast one step ahead.

Without --data the series is a noisy sine, and the forecast that of a cosine: lines `x,y` of CSV on standard output,
where y is the forecast at x from the values before it. With --data and --column it is a column of a CSV file. Its last
fifth is held out of the training and forecast: lines `index,actual,forecast`, the index counted from 0. Standard error
shows the loss of each epoch (the mean squared error per step) and, for a file, the forecast's root-mean-square error
beside that of persistence, which says that the next value is the current one.
"""
LSTM_EXAMPLES = """\
examples:
  adjoint lstm --plot sine.png > cosine.csv
  adjoint lstm --data sunspots.csv --column SUNACTIVITY --save sunspots.safetensors > forecast.csv
  adjoint lstm --data sunspots.csv --column SUNACTIVITY --load sunspots.safetensors --epochs 0

Ctrl-C stops the training; the forecast is then made, and the files written, with the parameters so far.
exit status: 0, or 2 for wrong input, 130 after Ctrl-C, 141 where standard output was closed.
"""
DOT_DESCRIPTION = """\
Write the graph of a function's derivative in the DOT language of Graphviz.

The input is named x, the function's value y, and its derivatives gx1, gx2, ...
"""
DOT_EXAMPLES = """\
example:
  adjoint dot --func tanh --order 3 | dot -Tsvg > tanh3.svg
"""


def make_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(prog="adjoint", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"adjoint {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for name, summary, description, examples, module in (
        ("lstm", "learn and forecast a series", LSTM_DESCRIPTION, LSTM_EXAMPLES, command),
        ("dot", "the graph of a derivative", DOT_DESCRIPTION, DOT_EXAMPLES, dot),
    ):
        subparser = commands.add_parser(name, help=summary, description=description, epilog=examples)
        module.add_options(subparser)
        subparser.set_defaults(run=module.run, parser=subparser)
    return parser


def _version() -> str:
    # The package is loaded by now: no module in it imports the package itself.
    return str(sys.modules["adjoint"].__version__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program and returns its exit status.

    Args:
        arguments: the words of the command line; None for the process's own.
    """
    try:
        options = _parse(arguments)
        return _run(options)
    except BrokenPipeError:
        discard_output()
        return PIPE_CLOSED


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        options, unknown = make_parser().parse_known_args(arguments)
        if unknown:
            options.parser.error(f"unknown arguments: {' '.join(unknown)}")
        return options
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()  # a help text


def _run(options: argparse.Namespace) -> int:
    run: Run = options.run
    try:
        text, status = run(options)
    except KeyboardInterrupt:
        return _fail(options, INTERRUPTED, "interrupted")
    except AdjointError as error:
        return _fail(options, WRONG_INPUT, error.message)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _fail(options, WRONG_INPUT, _describe(error))
    except MemoryError:
        return _fail(options, WRONG_INPUT, "not enough memory for these sizes")
    return _deliver(options, text, status)


def _deliver(options: argparse.Namespace, text: str, status: int) -> int:
    try:
        write_output(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        _fail(options, WRONG_INPUT, f"standard output: {error.strerror}")
        discard_output()
        return WRONG_INPUT
    return status


def _describe(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"


def _fail(options: argparse.Namespace, status: int, message: str) -> int:
    tell(f"adjoint {options.command}: {' '.join(message.split())}")
    return status
