"""The picture of a run: what was learned, what was forecast, and the losses on the way."""

from __future__ import annotations

import io
import os
from typing import Any

from adjoint.cli.tasks import Walk
from adjoint.errors import MissingDependencyError

__all__ = ["ENDINGS", "draw", "require_matplotlib"]

ENDINGS = (".png", ".svg", ".pdf")

_ACTUAL = {"color": "#9aa3ad", "marker": "o", "markersize": 2.6, "linewidth": 0.8}
_FORECAST = {"color": "#d1495b", "linewidth": 1.6}
_LOSS = {"color": "#22577a", "linewidth": 1.6}
_STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e8eb",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.hashsalt": "adjoint",  # the same picture is the same file
}


def require_matplotlib() -> None:
    """Raises MissingDependencyError where matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingDependencyError("--plot needs the matplotlib library: pip install 'adjoint[cli]'") from None


def draw(path: str, panels: list[tuple[Walk, Any]], losses: list[float]) -> bytes:
    """The picture in the format that the file's name ends in.

    Args:
        path: the file's name.
        panels: two walks with their forecasts: that of the training, and the one that the program is for.
        losses: one for each epoch.
    """
    import matplotlib
    from matplotlib.figure import Figure

    kind = os.path.splitext(path)[1].lower().lstrip(".")
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(11, 7.2), layout="constrained")
        axes = figure.subplot_mosaic([["fit", "loss"], ["forecast", "forecast"]], width_ratios=[2, 1])
        for name, (walk, values) in zip(("fit", "forecast"), panels, strict=True):
            _draw_walk(axes[name], walk, values)
        _draw_losses(axes["loss"], losses)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _draw_walk(axes: Any, walk: Walk, values: Any) -> None:
    at, actual = walk.at[walk.first :], walk.actual[walk.first :]
    axes.plot(at, actual, label="data", **_ACTUAL)
    axes.plot(at, values, label="forecast", **_FORECAST)
    axes.set_title(walk.title)
    axes.set_xlabel(walk.place)
    axes.set_ylabel(walk.value, parse_math=False)
    axes.margins(x=0.01)
    axes.legend(loc="upper right", ncols=2, bbox_to_anchor=(1.0, 1.12))


def _draw_losses(axes: Any, losses: list[float]) -> None:
    axes.plot(range(1, len(losses) + 1), losses, marker="o" if len(losses) == 1 else "", **_LOSS)
    if losses and min(losses) > 0:
        axes.set_yscale("log")
    axes.set_title("Loss per step" if losses else "Loss: no epoch was trained")
    axes.set_xlabel("epoch")
