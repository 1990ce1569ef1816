"""Pictures of graphs, made by Graphviz's program `dot`."""

from __future__ import annotations

import os

from adjoint import files
from adjoint.core.variable import Variable
from adjoint.errors import AdjointError, ArgumentError, MissingDependencyError
from adjoint.viz.text import dot

__all__ = ["Drawing", "graph", "save", "svg"]

_PICTURES = (".svg", ".png", ".pdf")
_NOTEBOOK_SECONDS = 10.0  # how long a notebook waits for a picture: the layout of some hundred nodes takes minutes


def svg(v: Variable, verbose: bool = False) -> str:
    """The graph behind `v` as an SVG picture; see `dot` for what it shows.

    Raises:
        MissingDependencyError: where Graphviz is not installed.
    """
    return _run_graphviz(dot(v, verbose), "svg").decode()


def save(v: Variable, path: str | os.PathLike[str], verbose: bool = False) -> None:
    """Writes the graph behind `v` to a file, as its name ends: .dot or .gv for text, .svg, .png or .pdf.

    The file appears whole or not at all.

    Raises:
        ArgumentError: for another ending.
        MissingDependencyError: for a picture where Graphviz is not installed.
        OSError: where writing fails.
    """
    ending = os.path.splitext(os.fspath(path))[1].lower()
    text = dot(v, verbose)
    if ending in (".dot", ".gv"):
        content = text.encode() + b"\n"
    elif ending in _PICTURES:
        content = _run_graphviz(text, ending[1:])
    else:
        raise ArgumentError(f"{os.fspath(path)}: a graph is saved as .dot, .gv, {', '.join(_PICTURES)}")
    files.write_whole(path, content)


class Drawing:
    """The graph behind a Variable as it was when the drawing was made; notebooks show it as a picture.

    Made by `graph`. It holds text alone, so it keeps no graph alive.

    Attributes:
        dot: the DOT text; ``str(drawing)`` is the same.
    """

    __slots__ = ("dot",)

    def __init__(self, text: str) -> None:
        self.dot = text

    def _repr_svg_(self) -> str | None:
        """The picture for a notebook; None without Graphviz, and for a graph whose layout takes too long."""
        from subprocess import TimeoutExpired

        try:
            return _run_graphviz(self.dot, "svg", _NOTEBOOK_SECONDS).decode()
        except (MissingDependencyError, TimeoutExpired):
            return None

    def __str__(self) -> str:
        return self.dot

    def __repr__(self) -> str:
        lines = self.dot.splitlines()
        nodes = sum(" [label=" in line for line in lines)
        return f"<graph of {nodes} nodes and {len(lines) - 2 - nodes} edges>"


def graph(v: Variable, verbose: bool = False) -> Drawing:
    """The graph behind `v` as an object that notebooks show as a picture; see `dot` for what it shows.

    >>> import adjoint as ad
    >>> x = ad.Variable(2.0, name="x")
    >>> graph(x * x)
    <graph of 3 nodes and 3 edges>
    """
    return Drawing(dot(v, verbose))


def _run_graphviz(text: str, form: str, seconds: float | None = None) -> bytes:
    """What `dot` makes of the text, in a format of its own naming. Raises TimeoutExpired after `seconds`."""
    import shutil
    import subprocess

    program = shutil.which("dot")
    if program is None:
        raise MissingDependencyError(
            "drawing needs Graphviz, whose program `dot` is not on the PATH: `apt install graphviz` on Debian and "
            "Ubuntu, `brew install graphviz` on macOS, `winget install graphviz` on Windows; "
            "viz.dot gives the text without it"
        )
    # nslimit bounds the search for the best columns: measured 10 times faster on 30 steps of an LSTM.
    command = [program, f"-T{form}", "-Gnslimit=5"]
    run = subprocess.run(command, input=text.encode(), capture_output=True, check=False, timeout=seconds)
    if run.returncode != 0:
        raise AdjointError(f"Graphviz failed ({run.returncode}): {run.stderr.decode(errors='replace').strip()}")
    return run.stdout
