"""Objects as trees: attributes, list items and dictionary values, each with a dotted path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["children", "find", "walk"]

_CONTAINERS = (dict, list, tuple)


def children(value: Any) -> Iterator[tuple[str, Any]]:
    """The named parts of an object or container, in order of their making.

    Attributes whose name begins with an underscore are private, and left out.
    """
    if isinstance(value, dict):
        yield from ((str(key), item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(i), item) for i, item in enumerate(value))
    else:
        yield from ((name, item) for name, item in vars(value).items() if not name.startswith("_"))


def walk(root: Any, leaf: type, branch: type) -> list[tuple[str, Any]]:
    """Every part of type `leaf` below `root`, with its path, such as "layers.0.w".

    Containers are looked into, and parts of type `branch`. What stands at several places is found once, at the
    first.
    """
    found: list[tuple[str, Any]] = []
    _visit(root, "", leaf, branch, found, {id(root)})
    return found


def _visit(value: Any, path: str, leaf: type, branch: type, found: list[tuple[str, Any]], seen: set[int]) -> None:
    # Runs twice in a training step: plain loops, no generators.
    private = not isinstance(value, _CONTAINERS)
    items: Any
    if private:
        items = value.__dict__.items()
    elif isinstance(value, dict):
        items = value.items()
    else:
        items = enumerate(value)
    for name, item in items:
        if private and name[0] == "_":
            continue
        below = isinstance(item, branch)
        if isinstance(item, leaf):
            if id(item) in seen:
                continue
            found.append((f"{path}{name}", item))
        elif not below and not isinstance(item, _CONTAINERS):
            continue
        if id(item) not in seen:
            seen.add(id(item))
            if below or not isinstance(item, leaf):
                _visit(item, f"{path}{name}.", leaf, branch, found, seen)


def find(root: Any, path: str) -> Any:
    """The part of `root` at `path`. Raises LookupError where there is none."""
    for name in path.split("."):
        parts = dict(children(root)) if isinstance(root, (dict, list, tuple)) or hasattr(root, "__dict__") else {}
        if name not in parts:
            raise LookupError(path)
        root = parts[name]
    return root
