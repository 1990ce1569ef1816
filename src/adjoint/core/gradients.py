"""What backward does with Variables: the sweep that is recorded, and how leaves get their gradients."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from adjoint.arrays import NAMESPACES
from adjoint.config import LEVELS
from adjoint.core.apply import apply, at_link, leaf, output_of
from adjoint.core.assignment import is_container
from adjoint.core.graph import Link, Node
from adjoint.core.sweep import Links
from adjoint.core.value import Value
from adjoint.errors import TransformError
from adjoint.lifted import levels_in, lowered
from adjoint.ops import TABLE, Op, arithmetic

if TYPE_CHECKING:
    from adjoint.core.variable import Variable

__all__ = ["RECORDED", "VariableFunctions", "deliver"]


def deliver(cotangents: Iterable[tuple[Link, Any]], start: Variable) -> None:
    """Gives leaves, and intermediate values that are to retain theirs, their gradients.

    A rule may hand one array to several inputs, or a view of one. No two Variables show the same memory as
    their gradients, so that changing one in place leaves the other alone.
    """
    if LEVELS.get():
        cotangents = list(cotangents)
        _check_levels(cotangents)
    shown = {id(start._data)}
    for link, cotangent in cotangents:
        variable = link.variable()
        if variable is None:
            continue
        if variable._link is not link and (link.creator is not None or is_container(link)):
            continue  # its elements were assigned, and it is another value now
        if variable._link is not link and (variable.shape != link.shape or variable.dtype != link.dtype):
            continue  # its data was replaced by that of another shape or dtype
        array = cotangent._data if isinstance(cotangent, Value) else cotangent
        shared = id(array) in shown or getattr(array, "base", None) is not None
        own: Any
        if isinstance(cotangent, Value):
            own = apply(arithmetic.copy, cotangent) if shared else cotangent
        else:
            own = leaf(NAMESPACES[type(array)].copy(array) if shared else array)
        shown.add(id(own._data))
        if variable._grad is None or link.creator is not None:
            variable._grad = own
        else:
            variable._accumulate(own, created=own._link is not None)


def _check_levels(cotangents: Iterable[tuple[Link, Any]]) -> None:
    """Raises TransformError for a gradient that a Variable from outside of a transform would get within it."""
    for link, cotangent in cotangents:
        array = cotangent._data if isinstance(cotangent, Value) else cotangent
        variable = link.variable()
        if variable is not None and not levels_in(array) <= link.levels:
            raise TransformError(
                f"backward() within vmap, jvp or one made of them gives {variable._brief()}, which stands outside, "
                "a gradient for each example or direction; take it as a result of ad.grad or ad.vjp within instead"
            )


def _lift(node: Node, links: Links) -> tuple[Any, list[Any]]:
    """What a node kept, as Variables that stand at their old places in the graph."""
    xs: list[Any] = []
    for value, link in zip(node.saved, node.inputs):  # noqa: B905  strict costs as much as the rest
        xs.append(value if link is None or value is link else at_link(value, link))
    output = node.output
    if output is None:
        return None, xs
    if type(output) is not tuple:
        return at_link(output, links[node]), xs
    parts = enumerate(output)
    # An output that nothing was computed from, or that is a residual, gets a link now.
    return tuple(
        [at_link(part, links[node, i]) if (node, i) in links else output_of(part, node, i) for i, part in parts]
    ), xs


class _VariableFunctions:
    """The functions that rules use under ``create_graph``: every op, on Variables and recorded."""

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE:
            raise AttributeError(f"no op is named {name!r}")
        function = partial(apply, TABLE[name])
        if type(TABLE[name]) is Op:  # a user may declare an op again
            setattr(self, name, function)
        return function


VariableFunctions: Any = _VariableFunctions()

# The cotangent of what enters a transform unlifted; its own cotangent enters every level again as it is.
_lowered = Op("lowered", lambda _xp, x, *, level: lowered(x, level), vjp=lambda _F, g, _y, _x, **_: (g,), linear=True)


class _Recorded:
    """A sweep that is recorded (see `adjoint.core.sweep.Recorded`)."""

    functions = VariableFunctions
    kept = staticmethod(_lift)

    @staticmethod
    def lowered(cotangent: Variable, level: int) -> Any:
        return apply(_lowered, cotangent, level=level)


RECORDED = _Recorded()
