"""Objects as trees: attributes, list items and dictionary values, each with a dotted path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["children", "find", "walk"]


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


def walk(
    root: Any, is_leaf: Callable[[Any], bool], is_branch: Callable[[Any], bool]
) -> Iterator[tuple[str, Any]]:
    """Every leaf below `root` with its path, such as "layers.0.w".

    Containers are looked into, and objects for which `is_branch` is true. What stands at several places is
    found once, at the first.
    """
    seen: set[int] = set()

    def visit(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        for name, item in children(value):
            here = f"{path}.{name}" if path else name
            leaf = is_leaf(item)
            if not (leaf or is_branch(item) or isinstance(item, (dict, list, tuple))) or id(item) in seen:
                continue
            seen.add(id(item))
            if leaf:
                yield here, item
            if not leaf or is_branch(item):
                yield from visit(item, here)

    seen.add(id(root))
    return visit(root, "")


def find(root: Any, path: str) -> Any:
    """The part of `root` at `path`. Raises LookupError where there is none."""
    for name in path.split("."):
        parts = dict(children(root)) if isinstance(root, (dict, list, tuple)) or hasattr(root, "__dict__") else {}
        if name not in parts:
            raise LookupError(path)
        root = parts[name]
    return root
