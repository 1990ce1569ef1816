"""Axes and shapes as primitives take them, made definite."""

from __future__ import annotations

import math
from typing import Any

from numpy.lib.array_utils import normalize_axis_tuple

__all__ = ["axes_from_zero", "resolved"]


def axes_from_zero(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` as numbers from 0, all of them for None. Raises numpy.exceptions.AxisError, as NumPy does."""
    return tuple(range(ndim)) if axis is None else normalize_axis_tuple(axis, ndim)


def resolved(shape: Any, size: int, old: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without -1, for an array of `size` elements. Raises ValueError where it does not fit."""
    lengths = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in lengths:
        rest = math.prod(n for n in lengths if n != -1)
        if lengths.count(-1) == 1 and rest and size % rest == 0:
            lengths = tuple(size // rest if n == -1 else n for n in lengths)
    if math.prod(lengths) != size or any(n < 0 for n in lengths):
        raise ValueError(f"cannot reshape array of shape {old} into shape {lengths}")
    return lengths
