"""Drawings of graphs: DOT text, and pictures where Graphviz is installed."""

from adjoint.viz.drawing import (
    Drawing as Drawing,
    graph as graph,
    save as save,
    svg as svg,
)
from adjoint.viz.text import dot as dot
