"""Makes the pictures of the documentation: ``python docs/make_images.py [FOLDER]``, by default into docs/images.

Needs matplotlib, and Graphviz for the drawings of graphs. The pictures are committed, so that nobody else needs them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import adjoint as ad
from adjoint import functions as F, models, optimizers, viz

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"

GREY, RED, BLUE = "#9aa3ad", "#d1495b", "#22577a"
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.figsize": (7, 3.6),
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.frameon": False,
    "svg.hashsalt": "adjoint",  # the same picture is the same file
}


def rosenbrock(x0: Any, x1: Any) -> Any:
    return 100 * (x1 - x0**2) ** 2 + (x0 - 1) ** 2


def draw_rosenbrock(axes: Any) -> None:
    """The path of gradient descent in the valley."""
    x0, x1 = ad.Variable(0.0), ad.Variable(2.0)
    path = [(0.0, 2.0)]
    for _ in range(10_000):
        y = rosenbrock(x0, x1)
        x0.cleargrad()
        x1.cleargrad()
        y.backward()
        x0.data = x0.data - 0.001 * x0.grad.data
        x1.data = x1.data - 0.001 * x1.grad.data
        path.append((x0.item(), x1.item()))
    grid = np.meshgrid(np.linspace(-0.6, 1.6, 221), np.linspace(-0.4, 2.2, 131))
    axes.contour(*grid, rosenbrock(*grid), levels=np.geomspace(0.1, 1000, 9), colors=GREY, linewidths=0.6)
    axes.plot(*np.array(path[:60] + path[60::50]).T, color=RED, marker=".", markersize=4, linewidth=1, label="descent")
    axes.plot(1, 1, "*", color=BLUE, markersize=12, label="minimum")
    axes.set_title("Gradient descent on the Rosenbrock function")
    axes.legend(loc="lower right")


def draw_mlp(axes: Any) -> None:
    """A noisy sine and what a multi-layer perceptron learns of it."""
    rng = ad.random.const()
    x = rng.random((100, 1))
    t = np.sin(2 * np.pi * x) + 0.1 * rng.standard_normal((100, 1))
    model = models.MLP([20, 1], activation=F.tanh, rng=rng)
    optimizer = optimizers.Adam(0.01)
    between = np.linspace(0.0, 1.0, 201).reshape(-1, 1)
    axes.plot(x, t, ".", color=GREY, label="data")
    for epoch in range(2001):
        if epoch in (100, 500, 2000):
            with ad.no_grad():
                fit = model(between).data
            axes.plot(between, fit, color=RED, alpha=0.25 + epoch / 2700, label=f"after {epoch} steps")
        loss = F.mean_squared_error(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
    axes.set_title("A multi-layer perceptron learns a noisy sine")
    axes.legend(loc="upper right")


PLOTS: dict[str, Callable[[Any], None]] = {"rosenbrock.svg": draw_rosenbrock, "mlp_sine.svg": draw_mlp}


def draw_plots(folder: Path) -> None:
    """The pictures that matplotlib draws."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        for name, draw in PLOTS.items():
            figure = Figure()
            draw(figure.subplots())
            figure.savefig(folder / name, metadata={"Date": None})


def second_derivative(x: ad.Variable, y: ad.Variable) -> ad.Variable:
    """The second derivative of y in x, with the graph that leads to it."""
    y.backward(create_graph=True)
    first = x.grad
    x.cleargrad()
    first.backward(create_graph=True)
    x.grad.name = "tanh''(x)"
    return x.grad


def draw_graphs(folder: Path) -> None:
    """The graph of the second derivative of tanh."""
    x = ad.Variable(1.0, name="x")
    y = F.tanh(x)
    y.name = "y"
    viz.save(second_derivative(x, y), folder / "tanh2.svg")


def draw_forecasts(folder: Path) -> None:
    """What `adjoint lstm` draws."""
    command = [sys.executable, "-m", "adjoint", "lstm", "--seed", "1", "--quiet"]
    sunspots = ["--data", str(EXAMPLES / "data" / "sunspots.csv"), "--column", "SUNACTIVITY"]
    for name, options in (("lstm_sine.png", []), ("lstm_sunspots.png", sunspots)):
        subprocess.run([*command, *options, "--plot", str(folder / name)], check=True, stdout=subprocess.DEVNULL)
        shrink(folder / name)


def shrink(path: Path) -> None:
    """Writes a picture anew with 64 colours and two thirds of the width."""
    from PIL import Image  # comes with matplotlib

    with Image.open(path) as picture:
        size = (picture.width * 2 // 3, picture.height * 2 // 3)
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small.quantize(64).save(path, optimize=True)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "images"
    draw_plots(folder)
    draw_graphs(folder)
    draw_forecasts(folder)


if __name__ == "__main__":
    main()
