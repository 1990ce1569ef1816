"""Draws the graph of the second derivative of tanh.

``python draw_graph.py`` prints it as DOT text; with a path, ``python draw_graph.py tanh.svg``, it is written there, as
.dot, or as .svg, .png or .pdf where Graphviz is installed.
"""

import sys

import adjoint as ad
from adjoint import functions as F, viz


def second_derivative(x: ad.Variable) -> ad.Variable:
    """tanh''(x), with the graph that leads to it."""
    F.tanh(x).backward(create_graph=True)
    first = x.grad
    x.cleargrad()
    first.backward(create_graph=True)
    return x.grad


def main(arguments: list[str]) -> None:
    x = ad.Variable(1.0, name="x")
    result = second_derivative(x)
    result.name = "tanh''(x)"
    if arguments:
        viz.save(result, arguments[0])
    else:
        print(viz.dot(result))


if __name__ == "__main__":
    main(sys.argv[1:])
