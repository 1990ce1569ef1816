"""Objects as trees: attributes, list items and dictionary values, each with a dotted path."""

from __future__ import annotations

from typing import Any

__all__ = ["Found", "KeptArrays", "walk"]


class KeptArrays(dict[Any, tuple[Any, ...]]):
    """Arrays that are kept for Variables, by weak references to them; what is missing counts as zeros.

    count: how many are kept for each Variable, each like its data
    """

    def __init__(self, count: int, items: Any = ()) -> None:
        super().__init__(items)
        self.count = count


class Found:
    """What a walk found, and the containers that it looked into, so that a change of one can be noticed.

    parts: the parts with their paths
    """

    __slots__ = ("_seen", "parts")

    def __init__(self) -> None:
        self.parts: list[tuple[str, Any]] = []
        # Each container with its items at the time: held, so that no other object takes the id of one.
        self._seen: list[tuple[Any, list[Any], list[Any]]] = []

    def looked_into(self, container: Any) -> None:
        """Notes the items of a list, tuple or dictionary."""
        self._seen.append((container, *_items(container)))

    def is_current(self) -> bool:
        """Whether every container still holds the same items under the same keys."""
        for container, keys, values in self._seen:
            now_keys, now_values = _items(container)
            if keys != now_keys or list(map(id, values)) != list(map(id, now_values)):
                return False
        return True


def _items(container: Any) -> tuple[list[Any], list[Any]]:
    if isinstance(container, dict):
        return list(container), list(container.values())
    return [], list(container)


def walk(root: Any, leaf: type, branch: type) -> Found:
    """Every part of type `leaf` below `root`, with its path, such as "layers.0.w", in order of making.

    Lists, tuples and dictionaries are looked into, and the attributes of objects of type `branch`, but for
    those whose name begins with an underscore, which are private. What stands at several places is found once,
    at the first.
    """
    found = Found()
    _visit(root, "", leaf, branch, (branch, dict, list, tuple), found, {id(root)})
    return found


def _visit(
    value: Any,
    path: str,
    leaf: type,
    branch: type,
    inner: tuple[type, ...],
    found: Found,
    seen: set[int],
) -> None:
    is_object = isinstance(value, branch)
    items: Any
    if is_object:
        items = value.__dict__.items()
    else:
        found.looked_into(value)
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in items:
        if is_object and name[0] == "_":
            continue
        below = isinstance(item, inner)
        if (below or isinstance(item, leaf)) and id(item) not in seen:
            seen.add(id(item))
            if isinstance(item, leaf):
                found.parts.append((f"{path}{name}", item))
            if below:
                _visit(item, f"{path}{name}.", leaf, branch, inner, found, seen)
