"""What a function can reach, as it was found: objects by name, guards, and the places of what changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CellType
from typing import Any

from adjoint.core.variable import Variable
from adjoint.tree import KeptArrays

__all__ = ["Attribute", "Guard", "Names", "State", "VariablePlace"]


class Names:
    """Objects by name, for the code of calls."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def of(self, value: Any, stem: str = "k") -> str:
        """The name of an object, a new one if it has none yet."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"{stem}{len(self.objects)}"
            self.objects[name] = value
        return name


@dataclass(frozen=True)
class Guard:
    """A condition, as an expression, under which a program holds.

    cause: what has changed where it is false, for warnings
    owner, attribute: where it is about an attribute: it counts if that was read
    """

    condition: str
    cause: str
    owner: Any = None
    attribute: str = ""


@dataclass(frozen=True)
class VariablePlace:
    """A Variable whose data and gradient are inputs. `path` is the Variable's.

    owner, name: the attribute that holds it, where each call may find another Variable there
    """

    path: str
    label: str
    variable: Variable
    owner: Any = None
    name: str = ""


@dataclass(frozen=True)
class Attribute:
    """An attribute of an object, or an item of the arguments, that is an input: a number or an array."""

    path: str
    label: str
    owner: Any
    name: str
    value: Any


@dataclass
class State:
    """What the walk found.

    owners: the objects with attributes, and what they are called
    containers: lists, dictionaries and sets with a copy of each and what they are called
    arrays: with a copy of each
    cells, globals, spaces: what closures and modules held, and the names of modules
    classes: the user's, with their attributes
    """

    names: Names = field(default_factory=Names)
    guards: list[Guard] = field(default_factory=list)
    variables: dict[int, VariablePlace] = field(default_factory=dict)
    attributes: list[Attribute] = field(default_factory=list)
    kept: list[tuple[str, Any, KeptArrays]] = field(default_factory=list)
    generators: dict[int, tuple[str, Any]] = field(default_factory=dict)
    owners: dict[int, tuple[Any, str]] = field(default_factory=dict)
    containers: list[tuple[Any, Any, str]] = field(default_factory=list)
    arguments: list[VariablePlace] = field(default_factory=list)
    arrays: list[tuple[Any, Any, str]] = field(default_factory=list)
    cells: list[tuple[CellType, Any, str]] = field(default_factory=list)
    globals: list[tuple[dict[str, Any], str, Any]] = field(default_factory=list)
    spaces: dict[int, tuple[dict[str, Any], set[str]]] = field(default_factory=dict)
    classes: list[tuple[type, dict[str, Any], str]] = field(default_factory=list)

    def release(self) -> None:
        """Lets go of all but the names, once the code of calls is made: the first call's arguments among them."""
        for name, found in vars(self).items():
            if name != "names":
                found.clear()
