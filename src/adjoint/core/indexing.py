"""Indices as the ops take them: a fixed form with places, and the arrays that go there."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np

from adjoint.arrays import Place, as_array
from adjoint.core.value import raw

__all__ = ["split_index"]

_BASIC = frozenset({int, slice, type(None), EllipsisType})


def _index_array(part: Any) -> Any:
    array = as_array(raw(part))
    # An empty list selects nothing; NumPy would read it as an array of floats.
    return array.astype(np.intp) if array.size == 0 and isinstance(part, list) else array


def split_index(index: Any) -> tuple[Any, tuple[Any, ...]]:
    """The index with each array replaced by its `Place`, and the arrays.

    >>> split_index((0, [2, 1]))
    ((0, Place(0)), (array([2, 1]),))
    """
    if type(index) in _BASIC:
        return index, ()
    if not isinstance(index, tuple):
        return (int(index), ()) if isinstance(index, np.integer) else (Place(0), (_index_array(index),))
    arrays: list[Any] = []
    fixed: list[Any] = []
    for part in index:
        if type(part) in _BASIC:
            fixed.append(part)
        elif isinstance(part, np.integer):
            fixed.append(int(part))
        else:
            fixed.append(Place(len(arrays)))
            arrays.append(_index_array(part))
    return tuple(fixed), tuple(arrays)
