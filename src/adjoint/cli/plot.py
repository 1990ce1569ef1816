"""The picture of a run: what was learned, what was forecast, and the losses on the way."""

from __future__ import annotations

import io
import os
from typing import Any

from adjoint.cli.tasks import Walk, errors_of
from adjoint.errors import MissingDependencyError

__all__ = ["ENDINGS", "draw", "require_matplotlib"]

ENDINGS = (".png", ".svg", ".pdf")

_MANY = 150  # values, of which each would hide its neighbour's marker
_ACTUAL = {"color": "#8d99a6", "marker": "o", "markersize": 4, "linewidth": 0.9}
_ACTUAL_MANY = {"color": "#b4bdc7", "linewidth": 3.2, "solid_joinstyle": "round", "solid_capstyle": "round"}
_FORECAST = {"color": "#c8102e", "linewidth": 1.3}
_LOSS = {"color": "#22577a", "linewidth": 1.6}
_STYLE: dict[Any, Any] = {
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
        axes["forecast"].legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 0.98), borderpad=0.1)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _draw_walk(axes: Any, walk: Walk, values: Any) -> None:
    at, actual = walk.at[walk.first :], walk.actual[walk.first :]
    error, persistence = errors_of(walk, values)
    axes.plot(at, actual, label="data", **(_ACTUAL if len(at) <= _MANY else _ACTUAL_MANY))
    axes.plot(at, values, label="forecast one step ahead", **_FORECAST)
    axes.set_title(f"{walk.title} (RMSE {error:.3g}, persistence {persistence:.3g})")
    axes.set_xlabel(walk.place)
    axes.set_ylabel(walk.value, parse_math=False)
    axes.margins(x=0.01)


def _draw_losses(axes: Any, losses: list[float]) -> None:
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axes.plot(range(1, len(losses) + 1), losses, marker="o" if len(losses) == 1 else "", **_LOSS)
    if losses and min(losses) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_title("Loss per step" if losses else "Loss: no epoch was trained")
    axes.set_xlabel("epoch")
