"""Lanes that a selection leaves out: their cotangents are zero, and stay so.

Where a condition is false, `where(condition, log(x), 0)` does not depend on x. Its cotangent there is 0, but the rule
of the logarithm multiplies it by 1/x, and 0 · ∞ is NaN. So the sweep takes the selection's mask along, as far as ops
act element by element or move elements, and sets the cotangents of these lanes to zero after each rule. The mask is
what the selection knows, not where a cotangent happens to be 0: those lanes have second derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.arrays import namespace_of
from adjoint.core.graph import Node
from adjoint.ops import raw_functions

__all__ = ["Masks", "masks_behind", "note", "zeroed"]


# For nodes that a sweep has still to come to, the lanes of their output that no one selected.
Masks = dict[Node, Any]


def note(masks: Masks, creator: Node, mask: Any, *, is_first: bool) -> None:
    """Notes what one contribution to a cotangent leaves out; a lane is out if all contributions leave it out."""
    if is_first:
        if mask is not None:
            masks[creator] = mask
    elif mask is None:
        masks.pop(creator, None)
    elif creator in masks:
        masks[creator] = masks[creator] & mask


def masks_behind(node: Node, mask: Any, g_shape: tuple[int, ...], g_dtype: Any, y: Any, xs: Sequence[Any]) -> list[Any]:
    """For each input of a node, the lanes that no one selected: by the node itself, or by those after it.

    Given only where the input was made by an op that acts element by element or moves elements.
    """
    op = node.op
    own = op.selects(y, *xs, **node.params) if op.selects is not None else (None,) * len(node.inputs)
    found: list[Any] = []
    for link, left_out in zip(node.inputs, own, strict=False):
        creator = None if link is None else link.creator
        if creator is None or not (creator.op.elementwise or creator.op.linear) or creator.siblings:
            found.append(None)
        else:
            assert link is not None
            whole = left_out is not None and not op.elementwise  # of a reduction: in the input's shape
            found.append(_joined(left_out, mask if op.elementwise else None, link.shape == g_shape or whole))
    if mask is not None and op.linear and not op.elementwise:
        _add_moved(found, node, mask, g_shape, g_dtype)
    return found


def _joined(a: Any, b: Any, fits: bool) -> Any:
    if not fits:
        return None
    if a is None or b is None:
        return b if a is None else a
    return a | b


def _add_moved(found: list[Any], node: Node, mask: Any, shape: tuple[int, ...], dtype: Any) -> None:
    """The mask behind an op that is linear and moves elements: what the rule makes of ones at the other lanes."""
    xp = namespace_of(mask)
    F = raw_functions(xp)
    others = xp.astype(xp.broadcast_to(xp.logical_not(mask), shape), dtype)
    op = node.op
    if op.vjp is None:
        return
    options = dict(node.params)
    if op.takes_needs:
        options["needs"] = [link is not None for link in node.inputs]
    parts = op.vjp(F, others, node.output, *node.saved, **options)
    for position, (link, part) in enumerate(zip(node.inputs, parts, strict=False)):
        creator = None if link is None else link.creator
        if part is not None and creator is not None and (creator.op.elementwise or creator.op.linear):
            assert link is not None
            if part.shape == link.shape and not creator.siblings:
                found[position] = part == 0


def zeroed(part: Any, mask: Any, F: Any) -> Any:
    """A cotangent with zeros at the lanes of a mask."""
    return F.where(mask, 0.0, part)
