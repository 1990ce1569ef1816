"""The recorded graph: nodes (ops that ran) joined by links (the values between them).

    Variable ──▶ Link ──▶ Node ──▶ Link, Link, … ──▶ Node …

A Variable holds its link, a link the node that made the value, a node the links of its inputs: references
point backwards only. Nothing points forward but weakly, so there is no cycle, and the graph goes with the
last Variable that leads to it. Values are held apart from the graph, by a node that needs them for its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from adjoint.core.variable import Variable
    from adjoint.ops.declaration import Op

__all__ = ["Link", "ManyNode", "Node", "nodes_behind", "unchain_behind"]

_GENERATION = attrgetter("generation")


class Link:
    """Where a value came from, and what it was like.

    creator: the node that made it; None for a leaf, or once it is unchained
    index: its position among the node's outputs
    generation: 0 for a leaf, else one more than the node's
    shape, dtype: the value's
    variable: a weak reference to the Variable that shows the value
    """

    __slots__ = ("__weakref__", "creator", "dtype", "generation", "index", "shape", "variable")

    def __init__(self, creator: Node | None, index: int, generation: int, value: Any, variable: ref[Variable]) -> None:
        self.creator = creator
        self.index = index
        self.generation = generation
        self.shape: tuple[int, ...] = value.shape
        self.dtype = value.dtype
        self.variable = variable


class Node:
    """One application of an op. Only `apply` makes nodes, and fills them in.

    op, params: what ran
    inputs: the link of each input, None for constants (arrays, numbers, Variables that are not of floats)
    saved: what the rule reads of each input: its array, or, where it needs none, the link
    output: the output array, or a tuple of them, where the rule reads it, else None
    generation: the highest of the inputs'
    siblings: for an op with several outputs, weak references to their links (see `ManyNode`)
    """

    __slots__ = ("__weakref__", "generation", "inputs", "op", "output", "params", "saved")

    siblings: Sequence[Callable[[], Link | None]] = ()

    op: Op
    params: dict[str, Any]
    inputs: list[Link | None]
    saved: list[Any]
    output: Any
    generation: int

    @property
    def name(self) -> str:
        """The op's name."""
        return self.op.name

    def __repr__(self) -> str:
        shapes = ", ".join("constant" if link is None else str(link.shape) for link in self.inputs)
        return f"<node {self.op.name}({shapes})>"


class ManyNode(Node):
    """A node of an op with several outputs, which knows them all."""

    __slots__ = ("siblings",)

    siblings: Sequence[Callable[[], Link | None]]


def nodes_behind(creator: Node) -> list[Node]:
    """`creator` and every node that it depends on, the last generation first."""
    seen = {creator}
    found = [creator]
    for node in found:  # which grows on the way
        for link in node.inputs:
            if link is not None:
                behind = link.creator
                if behind is not None and behind not in seen:
                    seen.add(behind)
                    found.append(behind)
    found.sort(key=_GENERATION, reverse=True)
    return found


def unchain_behind(root: Link) -> None:
    """Cuts every link behind `root` but its own, also those of sibling outputs (a cell state, say)."""
    assert root.creator is not None
    for node in nodes_behind(root.creator):
        for link in node.inputs:
            if link is not None:
                link.creator = None
        for sibling in node.siblings:
            link = sibling()
            if link is not None and link is not root:
                link.creator = None
