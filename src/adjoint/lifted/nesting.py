"""Operations on one level of arrays that other levels hold.

A sweep may run long after the transform that made its graph, as that of ``vmap(pullback)`` does: the cotangent is then
lifted by a later transform, and a level of the graph lies somewhere within it. What belongs to that level (entering
it, leaving it) is done there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.lifted.batch import Batch, spread
from adjoint.lifted.lifted import LIFTED as xp, Lifted
from adjoint.lifted.series import Series, coefficients_of, order_of

__all__ = ["beneath", "levels_in", "lowered", "part_of", "without_series"]


def beneath(level: int, function: Callable[..., Any], *xs: Any) -> Any:
    """A linear function of arrays, within those of higher levels than `level`.

    function: takes the number of axes that batches put in front, and arrays of no higher level
    """
    return _beneath(level, function, 0, xs)


def _beneath(level: int, function: Callable[..., Any], added: int, xs: Sequence[Any]) -> Any:
    higher = [x for x in xs if isinstance(x, Lifted) and x.level > level]
    if not higher:
        return function(added, *xs)
    top = max(higher, key=lambda x: x.level)
    if isinstance(top, Batch):
        values = [spread(top.level, x, top.length) for x in xs]
        return Batch(top.level, _beneath(level, function, added + 1, values))
    order = order_of(top.level, xs)
    inputs = [coefficients_of(top.level, x, order) for x in xs]
    found: list[Any] = []
    for parts in zip(*inputs, strict=True):
        if all(part is None for part in parts):
            found.append(None)
            continue
        filled = [xp.zeros_like(of_x[0]) if part is None else part for part, of_x in zip(parts, inputs, strict=True)]
        found.append(_beneath(level, function, added, filled))
    return Series(top.level, found)


def part_of(x: Any, level: int) -> Any:
    """The first array of a level within x; None where there is none."""
    if not isinstance(x, Lifted) or x.level < level:
        return None
    if x.level == level:
        return x
    parts = [x.value] if isinstance(x, Batch) else x.coefficients if isinstance(x, Series) else []
    return next((found for part in parts if (found := part_of(part, level)) is not None), None)


def levels_in(x: Any) -> set[int]:
    """The levels of an array, and of what it holds."""
    if isinstance(x, Batch):
        return {x.level} | levels_in(x.value)
    if isinstance(x, Series):
        return {x.level}.union(*map(levels_in, x.coefficients))
    return set()


def lowered(x: Any, level: int) -> Any:
    """The cotangent x without a level: that of something outside of its transform, which all examples share, say."""
    some = part_of(x, level)

    def without(_added: int, part: Any) -> Any:
        return part.lowered() if getattr(part, "level", 0) == level else some.lowered_constant(part)

    return beneath(level, without, x)


def without_series(x: Any) -> Any:
    """The array without the derivatives that it carries along."""
    if isinstance(x, Series):
        return without_series(x.value)
    if isinstance(x, Batch):
        return Batch(x.level, without_series(x.value))
    return x
