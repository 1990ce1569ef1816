"""Indices in two parts: a fixed form, where each array is replaced by a `Place`, and the arrays themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Place", "fill"]


class Place(int):
    """Stands in an index for the array with this number."""

    def __repr__(self) -> str:
        return f"Place({int(self)})"


def fill(index: Any, arrays: Sequence[Any]) -> Any:
    """The index with its arrays in their places."""
    if not arrays:
        return index
    if isinstance(index, Place):
        return arrays[index]
    return tuple(arrays[part] if isinstance(part, Place) else part for part in index)
