"""The reverse sweep: cotangents from a value back to the leaves.

The engine does here, once for all ops, what rules therefore leave out: the order of the sweep, which inputs
need a cotangent, summing a broadcast cotangent to its input's shape, casting it to its input's dtype, and
adding contributions up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.core.explain import raise_rule_error
from adjoint.core.graph import Link, Node, nodes_behind
from adjoint.errors import GradientError

__all__ = ["Links", "sweep"]

# The link of each output: by node, or by node and position where there are several.
Links = dict[Node | tuple[Node, int], Link]
# Gives what a node kept, its output and its inputs, as Variables, given the links met so far.
Lift = Callable[[Node, Links], tuple[Any, Sequence[Any]]]


def sweep(
    root: Link, cotangent: Any, F: Any, lift: Lift | None, retained: list[tuple[Link, Any]] | None = None
) -> dict[Link, Any]:
    """The cotangent of every leaf behind `root`, given the root's.

    Args:
        root: the link to start from, which has a creator.
        cotangent: its cotangent: an array, or with `lift` a Variable.
        F: the functions that the rules use, on arrays or on Variables.
        lift: makes Variables of what a node kept; None for a sweep on plain arrays.
        retained: where a list is given, each intermediate value's link and cotangent are added to it.
    """
    assert root.creator is not None
    leaves: dict[Link, Any] = {}
    pending: dict[Node, Any] = {}  # by node that is still to come
    ours: set[Any] = set()  # keys in either table whose cotangent is a sum made here
    if root.creator.siblings:
        _put_output(pending, root, cotangent)
    else:
        pending[root.creator] = cotangent
    links: Links | None = None if lift is None and retained is None else {_key(root.creator, root.index): root}
    for node in nodes_behind(root.creator):
        g = pending.pop(node, None)
        if g is None:
            continue
        y: Any = node.output
        xs: Sequence[Any] = node.saved
        if links is not None:
            if retained is not None:
                retained.extend(_outputs_of(node, g, links))
            if lift is not None:
                y, xs = lift(node, links)
        try:
            parts = _run_rules(node, F, g, y, xs)
            for link, part in zip(node.inputs, parts):  # noqa: B905  _run_rules compares the lengths
                if link is None or part is None:
                    continue
                array = part if lift is None else part._data
                if array.shape != link.shape:
                    part = F.sum_to(part, shape=link.shape)
                if array.dtype is not link.dtype and array.dtype != link.dtype:
                    part = F.astype(part, dtype=link.dtype)
                creator = link.creator
                if creator is None:
                    _put(leaves, ours, link, part)
                    continue
                if creator.siblings:
                    _put_output(pending, link, part)
                else:
                    _put(pending, ours, creator, part)
                if links is not None:
                    links[(creator, link.index) if creator.siblings else creator] = link
        except Exception as error:
            raise_rule_error(node.op, node.inputs, error)
            raise
    return leaves


def _put(table: dict[Any, Any], ours: set[Any], key: Any, part: Any) -> None:
    """Adds a contribution to a cotangent.

    The first is taken as it is, the second makes a sum that is ours, and from the third on that sum is added to
    in place. A rule's array may be shared, so it is never written to.
    """
    total = table.get(key)
    if total is None:
        table[key] = part
    elif key in ours:
        total += part  # in place for arrays; Variables make a new one
        table[key] = total
    else:
        ours.add(key)
        table[key] = total + part


def _put_output(pending: dict[Node, Any], link: Link, part: Any) -> None:
    """Adds a contribution to the cotangent of one output of a node with several."""
    node = link.creator
    assert node is not None
    parts = pending.setdefault(node, [None] * len(node.siblings))
    total = parts[link.index]
    parts[link.index] = part if total is None else total + part


def _run_rules(node: Node, F: Any, g: Any, y: Any, xs: Sequence[Any]) -> Sequence[Any]:
    """The cotangents of the node's inputs by its op's rule or rules; None where there is none to give."""
    op = node.op
    params = node.params
    if op.rules is not None:
        parts: Any = []
        for rule, link in zip(op.rules, node.inputs):  # noqa: B905  a trailing input may be left out
            if link is None or rule is None or (link.creator is None and link.variable() is None):
                parts.append(None)  # a constant, or a leaf that is gone: its rule does not run
            elif params:
                parts.append(rule(F, g, y, *xs, **params))
            else:
                parts.append(rule(F, g, y, *xs))
        return parts
    assert op.vjp is not None
    if op.takes_needs:
        needs = [link is not None and (link.creator is not None or link.variable() is not None) for link in node.inputs]
        parts = op.vjp(F, g, y, *xs, needs=needs, **params)
    elif params:
        parts = op.vjp(F, g, y, *xs, **params)
    else:
        parts = op.vjp(F, g, y, *xs)
    if not isinstance(parts, (tuple, list)) or len(parts) != len(node.inputs):
        count = f"{len(parts)} cotangents" if isinstance(parts, (tuple, list)) else type(parts).__name__
        raise GradientError(
            f"the rule of {op.name} returned {count} for {len(node.inputs)} inputs; "
            "it returns a tuple with one for each, None where there is none"
        )
    return parts


def _outputs_of(node: Node, g: Any, links: Links) -> list[tuple[Link, Any]]:
    """The links of a node's outputs with their cotangents."""
    parts = g if node.siblings else [g]
    return [(links[_key(node, i)], part) for i, part in enumerate(parts) if part is not None]


def _key(node: Node, index: int) -> Node | tuple[Node, int]:
    """What the link of a node's output stands under in `Links`."""
    return (node, index) if node.siblings else node
