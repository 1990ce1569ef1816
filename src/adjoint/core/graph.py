"""The recorded graph: nodes (ops that ran) joined by links (the values between them).

    Variable ──▶ Link ──▶ Node ──▶ Link, Link, … ──▶ Node …

A Variable holds its link, a link the node that made the value, a node the links of its inputs: references
point backwards only. Nothing points forward but weakly, so there is no cycle, and the graph goes with the
last Variable that leads to it. Values are held apart from the graph, by a node that needs them for its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from weakref import ref

from adjoint.lifted import Lifted, levels_in

if TYPE_CHECKING:
    from adjoint.core.variable import Variable
    from adjoint.ops.declaration import Op

__all__ = [
    "TRANSFORMED",
    "LevelLink",
    "Link",
    "ManyNode",
    "Node",
    "OtherManyNode",
    "OtherNode",
    "is_asked_for",
    "link_to",
    "nodes_behind",
    "relevant_nodes",
    "unchain_behind",
]

_GENERATION = attrgetter("generation")


# The name of the op by which a transform gives a function what stands for its argument: in that it differentiates.
TRANSFORMED = "alias"


class Link:
    """Where a value came from, and what it was like.

    creator: the node that made it; None for a leaf, or once it is unchained
    index: its position among the node's outputs
    generation: 0 for a leaf, else one more than the node's
    shape, dtype: the value's
    variable: a weak reference to the Variable that shows the value
    """

    __slots__ = ("__weakref__", "creator", "dtype", "generation", "index", "shape", "variable")

    levels: frozenset[int] = frozenset()  # of a lifted array: see `LevelLink`

    def __init__(self, creator: Node | None, index: int, generation: int, value: Any, variable: ref[Variable]) -> None:
        self.creator = creator
        self.index = index
        self.generation = generation
        self.shape: tuple[int, ...] = value.shape
        self.dtype = value.dtype
        self.variable = variable


class LevelLink(Link):
    """The link of a lifted array (see `adjoint.lifted`), which notes its levels."""

    __slots__ = ("levels",)

    levels: frozenset[int]


def link_to(creator: Node | None, index: int, generation: int, value: Any, variable: ref[Variable]) -> Link:
    """A new link for a value, which may be lifted."""
    if not isinstance(value, Lifted):
        return Link(creator, index, generation, value, variable)
    link = LevelLink(creator, index, generation, value, variable)
    link.levels = frozenset(levels_in(value))
    return link


class Node:
    """One application of an op. Only `apply` makes nodes, and fills them in.

    op, params: what ran
    inputs: the link of each input, None for constants (arrays, numbers, Variables that are not of floats)
    saved: what the rule reads of each input: its array, or, where it needs none, the link
    output: the output array, or a tuple of them, where the rule reads it, else None
    generation: the highest of the inputs'
    namespace: that of the arrays that it computed with, where they are not NumPy's (see `OtherNode`)
    siblings: for an op with several outputs, weak references to their links (see `ManyNode`)
    """

    __slots__ = ("__weakref__", "generation", "inputs", "op", "output", "params", "saved")

    siblings: Sequence[Callable[[], Link | None]] = ()
    namespace: Any = None

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


class OtherNode(Node):
    """A node whose arrays are not NumPy's."""

    __slots__ = ("namespace",)


class OtherManyNode(ManyNode):
    """A node of an op with several outputs whose arrays are not NumPy's."""

    __slots__ = ("namespace",)


def nodes_behind(creators: Iterable[Node]) -> list[Node]:
    """The given nodes and every node that they depend on, the last generation first."""
    found = list(creators)
    seen = set(found)
    if len(seen) < len(found):
        found = list(dict.fromkeys(found))
    for node in found:  # which grows on the way
        for link in node.inputs:
            if link is not None:
                behind = link.creator
                if behind is not None and behind not in seen:
                    seen.add(behind)
                    found.append(behind)
    found.sort(key=_GENERATION, reverse=True)
    return found


def relevant_nodes(creators: Iterable[Node], targets: Collection[Link]) -> list[Node]:
    """Of the given nodes and those behind them, the ones that depend on a target, the last generation first.

    Nothing behind a target is looked at, nor what is older than all targets.
    """
    oldest = min((link.generation for link in targets), default=0)
    found = list(dict.fromkeys(node for node in creators if node.generation >= oldest))
    seen = set(found)
    for node in found:  # which grows on the way
        for link in node.inputs:
            if link is None or link in targets:
                continue
            behind = link.creator
            if behind is not None and behind not in seen and behind.generation >= oldest:
                seen.add(behind)
                found.append(behind)
    found.sort(key=_GENERATION)
    relevant: set[Node] = set()
    for node in found:
        if any(link is not None and (link in targets or link.creator in relevant) for link in node.inputs):
            relevant.add(node)
    return [node for node in reversed(found) if node in relevant]


def is_asked_for(link: Link | None) -> bool:
    """Whether a value depends on a Variable that somebody holds, so that a derivative in it may be asked for."""
    if link is None or link.creator is None:
        return False
    if link.creator.op.name == TRANSFORMED:
        return True
    return any(
        behind is not None and behind.variable() is not None
        for node in nodes_behind([link.creator])
        for behind in node.inputs
    )


def unchain_behind(root: Link) -> None:
    """Cuts every link behind `root` but its own, also those of sibling outputs (a cell state, say)."""
    assert root.creator is not None
    for node in nodes_behind([root.creator]):
        for link in node.inputs:
            if link is not None:
                link.creator = None
        for sibling in node.siblings:
            link = sibling()
            if link is not None and link is not root:
                link.creator = None
