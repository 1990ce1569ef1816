"""Lanes that a selection leaves out: their cotangents are zero, and stay so.

Where a condition is false, `where(condition, log(x), 0)` does not depend on x. Its cotangent there is 0, but the rule
of the logarithm multiplies it by 1/x, and 0 · ∞ is NaN. So the sweep takes the selection's mask along, as far as ops
act element by element or move elements, and sets the cotangents of these lanes to zero after each rule. The mask is
what the selection knows, not where a cotangent happens to be 0: those lanes have second derivatives.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import zip_longest
from typing import Any

from adjoint.arrays import namespace_of
from adjoint.core.graph import Link, Node
from adjoint.ops import Op, raw_functions

__all__ = ["Masks", "take_masks"]

_NO_MASKS: Sequence[Any] = ()
# For nodes that a sweep has still to come to, the lanes of their output that no one selected.
Masks = dict[Node, Any]


def take_masks(
    masks: Masks,
    pending: Container[Node],
    node: Node,
    F: Any,
    g: Any,
    y: Any,
    xs: Sequence[Any],
    parts: Sequence[Any],
) -> Sequence[Any]:
    """The cotangents of a node's inputs, `parts`, with zeros at the lanes that are unselected; notes those behind it.

    Called for a node that selects, and for every node while there are masks. `pending` holds the nodes that another
    contribution has reached already.
    """
    op = node.op
    mask = masks.pop(node, None)
    found: Sequence[Any] = _NO_MASKS
    if mask is not None or op.selects is not None:
        found = _masks_behind(node, mask, g.shape, g.dtype, y, xs)
        if mask is not None and op.elementwise and not op.linear:
            parts = [None if part is None else F.where(mask, 0.0, part) for part in parts]
    if not masks and found is _NO_MASKS:
        return parts
    met: set[Node] = set()
    for link, part, left_out in zip_longest(node.inputs, parts, found):
        creator = None if link is None or part is None else link.creator
        if creator is not None:
            _note(masks, creator, left_out, is_first=creator not in pending and creator not in met)
            met.add(creator)
    return parts


def _note(masks: Masks, creator: Node, mask: Any, *, is_first: bool) -> None:
    """Notes what one contribution to a cotangent leaves out; a lane is out if all contributions leave it out."""
    if is_first:
        if mask is not None:
            masks[creator] = mask
    elif mask is None:
        masks.pop(creator, None)
    elif creator in masks:
        masks[creator] = masks[creator] & mask


def _masks_behind(
    node: Node, mask: Any, g_shape: tuple[int, ...], g_dtype: Any, y: Any, xs: Sequence[Any]
) -> Sequence[Any]:
    """For each input of a node, the lanes that no one selected: by the node itself, or by those after it.

    Given only where the input was made by an op that acts element by element or moves elements.
    """
    op = node.op
    wanted = [_takes_masks(link, op) for link in node.inputs]
    if True not in wanted:
        return _NO_MASKS
    found: list[Any] = [None] * len(wanted)
    own = op.selects(y, *xs, **node.params) if op.selects is not None else (None,) * len(wanted)
    moved = _moved(node, mask, g_shape, g_dtype) if mask is not None and op.linear and not op.elementwise else None
    for position, (link, left_out) in enumerate(zip(node.inputs, own, strict=False)):
        if not wanted[position]:
            continue
        assert link is not None
        if op.elementwise:
            found[position] = _joined(left_out, mask) if link.shape == g_shape else None
        else:  # masks are in the input's shape
            found[position] = _joined(left_out, None if moved is None else moved[position])
    return found


def _takes_masks(link: Link | None, op: Op) -> bool:
    """Whether an input was made by an op that a mask can be taken through.

    Not by the same op again where it selects and moves, as in a loop that assigns to one element after the other.
    """
    creator = None if link is None else link.creator
    if creator is None or creator.siblings:
        return False
    return creator.op.elementwise or (creator.op.linear and (creator.op is not op or op.selects is None))


def _joined(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return b if a is None else a
    return a | b


def _moved(node: Node, mask: Any, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """The masks behind an op that is linear and moves elements: where its rules make zeros of ones elsewhere."""
    xp = namespace_of(mask)
    F = raw_functions(xp)
    others = xp.astype(xp.broadcast_to(xp.logical_not(mask), shape), dtype)
    op = node.op
    if op.rules is not None:
        rules = [*op.rules, *(None,) * (len(node.inputs) - len(op.rules))]
        parts = [None if rule is None else rule(F, others, node.output, *node.saved, **node.params) for rule in rules]
    else:
        assert op.vjp is not None
        options = (
            {**node.params, "needs": [link is not None for link in node.inputs]} if op.takes_needs else node.params
        )
        parts = op.vjp(F, others, node.output, *node.saved, **options)
    return [
        part == 0 if part is not None and link is not None and part.shape == link.shape else None
        for link, part in zip(node.inputs, parts, strict=True)
    ]
