"""The reverse sweep: cotangents from a value back to the leaves.

The engine does here, once for all ops, what rules therefore leave out: the order of the sweep, which inputs
need a cotangent, summing a broadcast cotangent to its input's shape, casting it to its input's dtype, and
adding contributions up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from adjoint.arrays import numpy_namespace
from adjoint.config import IN_RULES, LEVELS, STRICT
from adjoint.core.explain import raise_rule_error
from adjoint.core.graph import Link, Node, nodes_behind, relevant_nodes
from adjoint.core.unselected import Masks, take_masks
from adjoint.errors import GradientError
from adjoint.lifted import LIFTED, Lifted, levels_in, lowered
from adjoint.ops import raw_functions
from adjoint.provenance.watching import BLOCKS, WATCHER

__all__ = ["Links", "Recorded", "sweep"]

# The link of each output: by node, or by node and position where there are several.
Links = dict[Node | tuple[Node, int], Link]


class Recorded(Protocol):
    """What a sweep needs whose own computation is recorded: cotangents are Variables then."""

    functions: Any  # what the rules use

    def kept(self, node: Node, links: Links) -> tuple[Any, Sequence[Any]]:
        """What a node kept, its output and its inputs, as Variables, given the links met so far."""

    def lowered(self, cotangent: Any, level: int) -> Any:
        """The cotangent of a value that a transform has lifted, without its level."""


def sweep(
    roots: Sequence[tuple[Link, Any]],
    namespace: Any,
    recorded: Recorded | None,
    retained: list[tuple[Link, Any]] | None = None,
    targets: Collection[Link] | None = None,
) -> dict[Link, Any]:
    """The cotangents of the leaves behind `roots`, or of `targets`, given those of the roots.

    Args:
        roots: links to start from, with their cotangents: arrays, or with `recorded` Variables.
        namespace: of the cotangents' arrays.
        recorded: how to record the sweep; None for one on plain arrays.
        retained: where a list is given, each intermediate value's link and cotangent are added to it.
        targets: the links whose cotangents are wanted, at which the sweep ends; None for all leaves.
    """
    watcher = WATCHER.get() if BLOCKS else None
    if recorded is None and watcher is None:
        return _swept(roots, namespace, None, retained, targets, _run_rules)
    token = IN_RULES.set(recorded is not None or IN_RULES.get())
    try:
        if watcher is None:
            return _swept(roots, namespace, recorded, retained, targets, _run_rules)
        with watcher.sweeping(_run_rules, roots) as watched:
            found = _swept(roots, namespace, recorded, retained, targets, watched)
            watched.end(found)
            return found
    finally:
        IN_RULES.reset(token)


def _swept(
    roots: Sequence[tuple[Link, Any]],
    namespace: Any,
    recorded: Recorded | None,
    retained: list[tuple[Link, Any]] | None,
    targets: Collection[Link] | None,
    rules: Callable[..., Sequence[Any]],
) -> dict[Link, Any]:
    """The sweep, with what runs the rules."""
    leaves: dict[Link, Any] = {}
    pending: dict[Node, Any] = {}  # by node that is still to come
    ours: set[Any] = set()  # keys in either table whose cotangent is a sum made here
    links: Links | None = None if recorded is None and retained is None else {}
    creators = _start(roots, targets, leaves, pending, ours, links)
    if recorded is None:
        if LEVELS.get():
            namespace = LIFTED  # plain values may have lifted cotangents: those of a tangent's graph in `custom_vjp`
        functions = raw_functions(namespace)
    else:
        functions, kept = recorded.functions, recorded.kept
    is_lifted = namespace is not numpy_namespace and getattr(namespace, "TAKES_ALL", False)
    unselected: Masks = {}
    is_strict = STRICT.get()
    nodes = nodes_behind(creators) if targets is None else relevant_nodes(creators, targets)
    relevant: Collection[Node] = () if targets is None else set(nodes)
    for node in nodes:
        g = pending.pop(node, None)
        if g is None:
            continue
        y: Any = node.output
        xs: Sequence[Any] = node.saved
        if links is not None:
            if retained is not None:
                retained.extend(_outputs_of(node, g, links))
            if recorded is not None:
                y, xs = kept(node, links)
        F, lowers = functions, is_lifted
        if node.namespace is not None:
            lowers = True
            if recorded is None and not is_lifted:
                F = raw_functions(node.namespace)
        op = node.op
        try:
            parts = rules(node, F, g, y, xs, targets, relevant)
            if unselected or (op.selects is not None and not is_strict):
                parts = take_masks(unselected, pending, node, F, g, y, xs, parts)
            for link, part in zip(node.inputs, parts):  # noqa: B905  _run_rules compares the lengths
                if link is None or part is None:
                    continue
                array = part if recorded is None else part._data
                if array.shape != link.shape:
                    part = F.sum_to(part, shape=link.shape)
                if array.dtype is not link.dtype and array.dtype != link.dtype:
                    part = _in_dtype(part, array.dtype, link.dtype, F)
                if lowers:
                    part = _lowered(part, link, recorded)
                creator = link.creator
                if creator is None or (targets is not None and link in targets):
                    if link in leaves:  # asked here already: most have one contribution
                        _add(leaves, ours, link, part)
                    else:
                        leaves[link] = part
                elif creator.siblings:
                    _add_output(pending, link, part)
                    if links is not None:
                        links[creator, link.index] = link
                else:
                    if creator in pending:
                        _add(pending, ours, creator, part)
                    else:
                        pending[creator] = part
                    if links is not None:
                        links[creator] = link
        except Exception as error:
            raise_rule_error(op, node.inputs, error)
            raise
    return leaves


def _start(
    roots: Sequence[tuple[Link, Any]],
    targets: Collection[Link] | None,
    leaves: dict[Link, Any],
    pending: dict[Node, Any],
    ours: set[Any],
    links: Links | None,
) -> list[Node]:
    """Fills the tables with the roots' cotangents, and returns their creators."""
    creators = []
    for root, cotangent in roots:
        creator = root.creator
        if creator is None or (targets is not None and root in targets):
            _add(leaves, ours, root, cotangent)
            continue
        creators.append(creator)
        if creator.siblings:
            _add_output(pending, root, cotangent)
        else:
            _add(pending, ours, creator, cotangent)
        if links is not None:
            links[(creator, root.index) if creator.siblings else creator] = root
    return creators


def _in_dtype(part: Any, found: Any, wanted: Any, F: Any) -> Any:
    """A cotangent in the dtype of what it belongs to; of a real value it is the real part."""
    if found.kind == "c" and wanted.kind != "c":
        part = F.real(part)
    return part if part.dtype == wanted else F.astype(part, dtype=wanted)


def _lowered(part: Any, link: Link, recorded: Recorded | None) -> Any:
    """A cotangent without the levels of transforms that are over and that its value is not part of."""
    array = part if recorded is None else part._data
    if not isinstance(array, Lifted):
        return part
    over = levels_in(array) - link.levels - LEVELS.get()
    for level in sorted(over):  # from the lowest: without a higher one it might not be seen any more
        part = lowered(part, level) if recorded is None else recorded.lowered(part, level)
    return part


def _add(table: dict[Any, Any], ours: set[Any], key: Any, part: Any) -> None:
    """Adds a contribution to a cotangent.

    The first is taken as it is, the second makes a sum that is ours, and from the third on that sum is added to
    in place. A rule's array may be shared, so it is never written to.
    """
    if key not in table:
        table[key] = part
        return
    total = table[key]
    if key not in ours:
        ours.add(key)
        table[key] = total + part
        return
    if type(part) is type(total):
        total += part  # in place for arrays; Variables make a new one
    else:  # a lifted one and a constant beside it
        total = total + part
    table[key] = total


def _add_output(pending: dict[Node, Any], link: Link, part: Any) -> None:
    """Adds a contribution to the cotangent of one output of a node with several."""
    node = link.creator
    assert node is not None
    parts = pending.setdefault(node, [None] * len(node.siblings))
    total = parts[link.index]
    parts[link.index] = part if total is None else total + part


def _run_rules(
    node: Node,
    F: Any,
    g: Any,
    y: Any,
    xs: Sequence[Any],
    targets: Collection[Link] | None = None,
    relevant: Collection[Node] = (),
) -> Sequence[Any]:
    """The cotangents of the node's inputs by its op's rule or rules; None where there is none to give.

    With targets, those that lead to no target are None as well.
    """
    op = node.op
    params = node.params
    if op.rules is not None:
        parts: Any = []
        for rule, link in zip(op.rules, node.inputs):  # noqa: B905  a trailing input may be left out
            if link is None or rule is None or not (link.creator is not None or link.variable() is not None):
                parts.append(None)  # a constant, or a leaf that is gone: its rule does not run
            elif targets is not None and link not in targets and link.creator not in relevant:
                parts.append(None)
            elif params:
                parts.append(rule(F, g, y, *xs, **params))
            elif len(xs) == 2:  # spelled out, as in `apply`
                parts.append(rule(F, g, y, xs[0], xs[1]))
            else:
                parts.append(rule(F, g, y, *xs))
        return parts
    assert op.vjp is not None
    if op.takes_needs or targets is not None:
        return _run_with_needs(node, F, g, y, xs, targets, relevant)
    if params:
        parts = op.vjp(F, g, y, *xs, **params)
    else:
        parts = op.vjp(F, g, y, xs[0]) if len(xs) == 1 else op.vjp(F, g, y, *xs)
    if type(parts) is not tuple or len(parts) != len(node.inputs):
        _check_parts(node, parts)
    return parts


def _run_with_needs(
    node: Node,
    F: Any,
    g: Any,
    y: Any,
    xs: Sequence[Any],
    targets: Collection[Link] | None,
    relevant: Collection[Node],
) -> Sequence[Any]:
    """The cotangents by a rule for all inputs, of which only some are wanted."""
    if targets is None:
        needs = [link is not None and (link.creator is not None or link.variable() is not None) for link in node.inputs]
    else:
        needs = [link is not None and (link in targets or link.creator in relevant) for link in node.inputs]
    op = node.op
    assert op.vjp is not None
    options = {**node.params, "needs": needs} if op.takes_needs else node.params
    parts = op.vjp(F, g, y, *xs, **options)
    _check_parts(node, parts)
    return [part if needed else None for part, needed in zip(parts, needs, strict=True)]


def _check_parts(node: Node, parts: Any) -> None:
    """Raises GradientError for a rule that did not return a cotangent for each input."""
    if not isinstance(parts, (tuple, list)) or len(parts) != len(node.inputs):
        count = f"{len(parts)} cotangents" if isinstance(parts, (tuple, list)) else type(parts).__name__
        raise GradientError(
            f"the rule of {node.op.name} returned {count} for {len(node.inputs)} inputs; "
            "it returns a tuple with one for each, None where there is none"
        )


def _outputs_of(node: Node, g: Any, links: Links) -> list[tuple[Link, Any]]:
    """The links of a node's outputs with their cotangents."""
    parts = g if node.siblings else [g]
    return [(links[_key(node, i)], part) for i, part in enumerate(parts) if part is not None]


def _key(node: Node, index: int) -> Node | tuple[Node, int]:
    """What the link of a node's output stands under in `Links`."""
    return (node, index) if node.siblings else node
