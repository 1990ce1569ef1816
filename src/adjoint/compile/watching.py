"""Noticing which attributes of objects a function reads while it is traced.

A program depends on what was read, and on nothing else: a counter beside it may change freely. For the time of
the trace each object gets a class derived from its own that notes the names; `isinstance` and `super` see no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Reads", "watched"]

_CLASSES: dict[type, type] = {}
_active: list[Reads] = []


class Reads:
    """The names that were read, by the id of the object; `unknown` are objects that cannot be watched."""

    def __init__(self) -> None:
        self.names: dict[int, set[str]] = {}
        self.unknown: set[int] = set()

    def has(self, owner: Any, name: str) -> bool:
        """Whether the attribute was read, as far as can be known."""
        return id(owner) in self.unknown or name in self.names.get(id(owner), ())


def _watching_class(base: type) -> type:
    found = _CLASSES.get(base)
    if found is None:

        def noted(self: Any, name: str) -> Any:
            if _active:
                names = _active[-1].names.get(id(self))
                if names is not None:
                    names.add(name)
            return base.__getattribute__(self, name)  # type: ignore[call-arg]

        found = _CLASSES[base] = type(
            base.__name__,
            (base,),
            {"__getattribute__": noted, "__module__": base.__module__, "__qualname__": base.__qualname__},
        )
    return found


@contextmanager
def watched(owners: Iterable[Any]) -> Iterator[Reads]:
    """Within the block, reads of attributes of `owners` are noted."""
    reads = Reads()
    changed: list[tuple[Any, type]] = []
    try:
        for owner in owners:
            kind = type(owner)
            try:
                object.__setattr__(owner, "__class__", _watching_class(kind))
            except (TypeError, AttributeError):  # slots, a metaclass of its own, a class that cannot be derived from
                reads.unknown.add(id(owner))
                continue
            changed.append((owner, kind))
            reads.names[id(owner)] = set()
        _active.append(reads)
        try:
            yield reads
        finally:
            _active.pop()
    finally:
        for owner, kind in changed:
            object.__setattr__(owner, "__class__", kind)
