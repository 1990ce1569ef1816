"""The reverse sweep: cotangents from a value back to the leaves.

The engine does here, once for all ops, what rules therefore leave out: the order of the sweep, which inputs
need a cotangent, summing a broadcast cotangent to its input's shape, casting it to its input's dtype, and
adding contributions up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.core.explain import explain_rule
from adjoint.core.graph import Link, Node, nodes_behind
from adjoint.errors import GradientError

__all__ = ["sweep"]


def sweep(
    root: Link,
    cotangent: Any,
    F: Any,
    lift: Callable[[Node], tuple[Any, Sequence[Any]]],
    retained: list[tuple[Link, Any]] | None = None,
) -> dict[Link, Any]:
    """The cotangent of every leaf behind `root`, given the root's.

    F: the functions that the rules use; `lift` gives a node's output and inputs as values that fit them
    retained: where a list is given, each intermediate value's link and cotangent are added to it
    """
    assert root.creator is not None
    pending: dict[Node, Any] = {}  # a cotangent, or for a node with several outputs a list of them
    leaves: dict[Link, Any] = {}
    totals = _Totals()
    links: dict[tuple[Node, int], Link] = {(root.creator, root.index): root}
    _start(pending, root, cotangent)
    for node in nodes_behind(root.creator):
        g = pending.pop(node, None)
        if g is None:
            continue
        if retained is not None:
            outputs = [(0, g)] if not node.siblings else list(enumerate(g))
            retained.extend((links[node, i], part) for i, part in outputs if part is not None)
        needs = [link is not None and link.receives for link in node.inputs]
        if True not in needs:
            continue
        contributions = _run_rule(node, F, g, lift, needs)
        for link, needed, part in zip(node.inputs, needs, contributions, strict=True):
            if not needed or part is None:
                continue
            assert link is not None
            if part.shape != link.shape:
                part = F.sum_to(part, shape=link.shape)
            if part.dtype != link.dtype:
                part = F.astype(part, dtype=link.dtype)
            creator = link.creator
            if creator is None:
                leaves[link] = totals.add(link, leaves.get(link), part)
            elif creator.siblings:
                parts = pending.setdefault(creator, [None] * len(creator.siblings))
                parts[link.index] = totals.add((creator, link.index), parts[link.index], part)
            else:
                pending[creator] = totals.add(creator, pending.get(creator), part)
            if retained is not None and creator is not None:
                links[creator, link.index] = link
    return leaves


class _Totals:
    """Adds contributions up: the first is taken as it is, the second makes a sum that is ours, and from the
    third on that sum is added to in place. A rule's array may be shared, so it is never written to."""

    __slots__ = ("_ours",)

    def __init__(self) -> None:
        self._ours: set[Any] = set()

    def add(self, key: Any, total: Any, part: Any) -> Any:
        if total is None:
            return part
        if key in self._ours:
            total += part  # in place for arrays; Variables make a new one
            return total
        self._ours.add(key)
        return total + part


def _start(pending: dict[Node, Any], root: Link, cotangent: Any) -> None:
    assert root.creator is not None
    if root.creator.siblings:
        parts = [None] * len(root.creator.siblings)
        parts[root.index] = cotangent
        pending[root.creator] = parts
    else:
        pending[root.creator] = cotangent


def _run_rule(
    node: Node, F: Any, g: Any, lift: Callable[[Node], tuple[Any, Sequence[Any]]], needs: list[bool]
) -> Sequence[Any]:
    """The cotangents of the node's inputs, by its op's rule or rules."""
    op = node.op
    y, xs = lift(node)
    try:
        if op.rules is not None:
            return [
                rule(F, g, y, *xs, **node.params) if needed and rule is not None else None
                for rule, needed in zip(op.rules, needs, strict=True)
            ]
        assert op.vjp is not None
        if op.takes_needs:
            contributions = op.vjp(F, g, y, *xs, needs=needs, **node.params)
        else:
            contributions = op.vjp(F, g, y, *xs, **node.params)
    except Exception as error:
        raise explain_rule(op, node.inputs, error) from error
    if len(contributions) != len(needs):
        raise GradientError(
            f"the rule of {op.name} returned {len(contributions)} cotangents for {len(needs)} inputs; "
            "it returns a tuple with one for each, None where there is none"
        )
    return contributions
