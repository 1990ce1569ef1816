"""Changes that a call could not repeat: of containers, arrays, closures, globals and classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from adjoint.arrays import is_differentiable_dtype
from adjoint.compile.places import State
from adjoint.errors import TraceError

__all__ = ["check_unchanged", "undo_changes"]

_MISSING = object()


def check_unchanged(state: State, rebuilt: Iterable[tuple[Any, Any, str]]) -> None:
    """Raises TraceError for such a change; `rebuilt` are containers among the arguments, as `state.containers`."""
    changed = [
        f"{label}, a {type(container).__name__}"
        for container, earlier, label in [*state.containers, *rebuilt]
        if not _same_items(container, earlier)
    ]
    changed += [
        f"an element of {label}"
        for array, earlier, label in state.arrays
        if not np.array_equal(array, earlier, equal_nan=is_differentiable_dtype(array.dtype))
    ]
    changed += [name for cell, value, name in state.cells if cell.cell_contents is not value]
    changed += [f"the global {name}" for space, name, value in state.globals if space.get(name) is not value]
    changed += [f"the global {name}" for _, name in _new_globals(state)]
    changed += [f"{owner.__name__}.{name}" for owner, name, _ in _changed_attributes(state)]
    if changed:
        raise TraceError(
            f"the function changes {changed[0]}, which a compiled call cannot repeat; return the new value and "
            "store it after the call"
        )


def undo_changes(state: State) -> None:
    """Puts everything back as it was found."""
    for container, earlier, _ in state.containers:
        if not _same_items(container, earlier):
            container.clear()
            (container.extend if hasattr(container, "extend") else container.update)(earlier)
    for array, values, _ in state.arrays:
        if array.flags.writeable:
            array[...] = values
    for cell, value, _ in state.cells:
        cell.cell_contents = value
    for space, name, value in state.globals:
        space[name] = value
    for space, name in _new_globals(state):
        del space[name]
    for owner, name, value in _changed_attributes(state):
        setattr(owner, name, value)


def _new_globals(state: State) -> list[tuple[dict[str, Any], str]]:
    return [
        (space, name)
        for space, names in state.spaces.values()
        if len(space) != len(names)
        for name in space.keys() - names
    ]


def _changed_attributes(state: State) -> list[tuple[type, str, Any]]:
    """The attributes of classes that are others now, with what they were."""
    return [
        (owner, name, value)
        for owner, attributes, _ in state.classes
        for name, value in attributes.items()
        if vars(owner).get(name, _MISSING) is not value
    ]


def _same_items(container: Any, earlier: Any) -> bool:
    if len(container) != len(earlier):
        return False
    if isinstance(container, dict):
        return all(container.get(key, _MISSING) is value for key, value in earlier.items())
    if isinstance(container, set):
        return bool(container == earlier)
    return all(a is b for a, b in zip(container, earlier, strict=True))
