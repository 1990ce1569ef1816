"""The levels that a value lacks and others have: what belongs to one example, and what all examples share."""

from __future__ import annotations

from typing import Any

from adjoint.config import LEVELS
from adjoint.core.apply import leaf
from adjoint.core.variable import Variable
from adjoint.lifted import LIFTED, Batch, Lifted, Series, beneath, levels_in
from adjoint.lifted.batch import spread
from adjoint.ops import Op
from adjoint.transforms.arguments import lifting_in, lifting_op

__all__ = ["Level", "levels_with_sizes", "lifted_to", "placed_first", "repeated", "without"]

Level = tuple[int, str, int]  # its number, "batch" or "series", and the number of examples or the order


def levels_with_sizes(*xs: Any) -> dict[int, Level]:
    """The levels in some arrays, with what it takes to make arrays of them."""
    found: dict[int, Level] = {}
    for x in xs:
        if isinstance(x, Batch):
            found |= levels_with_sizes(x.value) | {x.level: (x.level, "batch", x.length)}
        elif isinstance(x, Series):
            found |= levels_with_sizes(*x.coefficients) | {x.level: (x.level, "series", x.order)}
    return found


def without(levels: dict[int, Level], x: Any) -> tuple[Level, ...]:
    """Those of the levels that are not in an array, from the lowest."""
    own = levels_in(x)
    return tuple(levels[level] for level in sorted(levels) if level not in own)


def _placed_first(x: Any, *, level: int, count: int) -> Any:
    """A batch whose first example is x, and the others zero."""

    def in_first(_added: int, x: Any) -> Any:
        return Batch(level, LIFTED.stack([x, *[LIFTED.zeros_like(x)] * (count - 1)]))

    return beneath(level, in_first, x)


def _taken_first(x: Any, *, level: int, count: int) -> Any:
    def first(_added: int, x: Any) -> Any:
        return LIFTED.getitem(x.value, (0,)) if isinstance(x, Batch) and x.level == level else x

    return beneath(level, first, x)


def _repeated(x: Any, *, level: int, kind: str, size: int) -> Any:
    def with_level(_added: int, x: Any) -> Any:
        if isinstance(x, Lifted) and x.level == level:
            return x
        return Batch(level, spread(level, x, size)) if kind == "batch" else Series(level, [x] + [None] * size)

    return beneath(level, with_level, x)


_place_first: Op = lifting_op(
    "place_first_example",
    _placed_first,
    lambda F, g, _count, *, level, count: (lifting_in(_take_first, g, level=level, count=count),),
)
_take_first: Op = lifting_op(
    "take_first_example",
    _taken_first,
    lambda F, g, _count, *, level, count: (lifting_in(_place_first, g, level=level, count=count),),
)
# The cotangent of what was repeated has the level, which the engine takes off.
_repeat: Op = lifting_op("repeat", _repeated, lambda F, g, _count, **options: (lifting_in(_repeat, g, **options),))


def placed_first(g: Any, level: int, count: int) -> Any:
    """A batch whose first example is g, and the others zero."""
    return lifting_in(_place_first, g, level=level, count=count)


def lifted_to(y: Variable, lost: tuple[Level, ...]) -> Variable:
    """A constant with more levels, for which it is the same."""
    for level, kind, size in lost:
        y = leaf(_repeated(y._data, level=level, kind=kind, size=size))
    return y


def repeated(g: Any, lost: tuple[Level, ...]) -> Any:
    """A cotangent that is the same for all examples, with the levels that say so, unless their transforms go on."""
    for level, kind, size in lost:
        if level not in LEVELS.get():
            g = lifting_in(_repeat, g, level=level, kind=kind, size=size)
    return g
