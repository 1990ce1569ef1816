"""Assignment at an index of lifted arrays, composed of reading and of adding at the index."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.lifted.indices import selected_shape
from adjoint.lifted.lifted import LIFTED as xp, Lifted

__all__ = ["index_update"]


def index_update(level: int, x: Any, index: Any, values: Any, in_place: bool = False) -> Any:
    """x with `values` at `index`: where the index has been, what adding to zeros gives there, else x.

    Where an element is named twice the last value counts, and the others are 0.
    """
    shape, selected = tuple(x.shape), selected_shape(x.shape, index)
    values = _fitted(values, selected)
    arrays = [part for part in (index if isinstance(index, tuple) else (index,)) if _is_index_array(part)]
    counts = xp.ones(selected)
    if arrays:
        last = _last_written(index, arrays, shape, selected)
        values, counts = xp.where(last, values, 0.0), xp.where(last, counts, 0.0)
    written = xp.unindex(counts, index, shape) != 0
    return xp.where(written, xp.astype(xp.unindex(values, index, shape), x.dtype), x)


def _fitted(values: Any, shape: tuple[int, ...]) -> Any:
    """`values` broadcast to the shape that is assigned to, where leading axes of length 1 may be too many."""
    values = values if isinstance(values, Lifted) or hasattr(values, "shape") else np.asarray(values)
    extra = len(values.shape) - len(shape)
    if extra > 0 and tuple(values.shape[:extra]) == (1,) * extra:
        values = xp.reshape(values, tuple(values.shape[extra:]))
    return xp.broadcast_to(values, shape)


def _is_index_array(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind in "iu" and len(part.shape) > 0


def _last_written(index: Any, arrays: list[Any], shape: tuple[int, ...], selected: tuple[int, ...]) -> Any:
    """For each element that is written, whether no later one is at its place."""
    if not any(isinstance(array, Lifted) for array in arrays):
        order = np.arange(math.prod(selected)).reshape(selected)
        places = np.zeros(shape, np.intp)
        places[index] = order
        return places[index] == order
    # The places differ from example to example: each is compared with all others.
    places = xp.getitem(np.arange(math.prod(shape), dtype=np.float64).reshape(shape), index)
    row = xp.reshape(places, (math.prod(selected),))
    count = math.prod(selected)
    same = xp.reshape(row, (count, 1)) == xp.reshape(row, (1, count))
    later = np.triu(np.ones((count, count), np.bool_), 1)
    return xp.reshape(xp.sum(xp.where(same & later, 1.0, 0.0), axis=1) == 0, selected)
