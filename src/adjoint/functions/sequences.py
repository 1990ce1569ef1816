"""Functions of elements and their neighbours along an axis."""

from __future__ import annotations

from typing import Any

from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, ShapeError
from adjoint.functions import shapes

__all__ = ["diff", "roll"]


def diff(x: Any, n: int = 1, axis: int = -1) -> Variable:
    """x_{i+1} − x_i along `axis`, which gets shorter by 1; n times.

    Raises:
        ArgumentError: for a negative n.

    >>> print(diff(Variable([1.0, 3.0, 7.0])), diff(Variable([1.0, 3.0, 7.0]), 2))
    variable[2]([2. 4.]) variable(2.0)
    """
    x = as_variable(x)
    if n < 0:
        raise ArgumentError(f"diff: the order is at least 0, not {n}")
    if not x.ndim:
        raise ShapeError("diff of a single number; it takes an array with one axis or more")
    before = (slice(None),) * axis_from_zero(axis, x.ndim, "diff")
    for _ in range(n):
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


def roll(x: Any, shift: int | tuple[int, ...], axis: int | tuple[int, ...] | None = None) -> Variable:
    """The elements moved on by `shift` places along `axis`; those that leave at the end come back at the begin.

    Args:
        x: an array.
        shift: how far, towards the begin if negative; several for several axes.
        axis: one axis, or several; None for all elements in one row.

    >>> print(roll(Variable([1.0, 2.0, 3.0]), 1))
    variable[3]([3. 1. 2.])
    """
    x = as_variable(x)
    if axis is None:
        shifts = shift if isinstance(shift, tuple) else (shift,)
        return shapes.reshape(_rolled(shapes.reshape(x, -1), sum(shifts), 0), x.shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll: {len(shifts)} shifts for {len(axes)} axes")
    for one, places in zip(axes, shifts, strict=True):
        x = _rolled(x, places, axis_from_zero(one, x.ndim, "roll"))
    return x


def _rolled(x: Variable, places: int, axis: int) -> Variable:
    length = x.shape[axis]
    if length == 0 or places % length == 0:
        return shapes.concat([x], axis)
    before = (slice(None),) * axis
    cut = length - places % length
    return shapes.concat([x[(*before, slice(cut, None))], x[(*before, slice(None, cut))]], axis)
