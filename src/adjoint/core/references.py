"""Who else holds an object: counted, where something may be changed in place only if nobody does."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["HELD_ONCE"]


def _count_references() -> int:
    """What sys.getrefcount says of an object that one attribute and one local name hold."""

    class Holder:
        __slots__ = ("held",)

        def __init__(self) -> None:
            self.held = object()

    holder = Holder()

    def count(holding: Any) -> int:
        x = holding.held
        return sys.getrefcount(x)

    return count(holder)


HELD_ONCE = _count_references()
