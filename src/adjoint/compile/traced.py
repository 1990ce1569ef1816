"""What a trace gives: a program, where its inputs come from at a call, and what is done with its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adjoint.compile.places import State
from adjoint.program import Program

__all__ = ["Effect", "InputSource", "Result", "Returned", "StructureChanged", "Traced"]


class StructureChanged(Exception):
    """The function made parameters on the way: it has to run once before it can be traced."""


@dataclass(frozen=True)
class InputSource:
    """Where an input comes from at a call.

    kind: "data" or "grad" of a Variable, "array", "float" or "int" (an attribute or argument), "kept", "draw"
    path: the expression that gives the array or number; for "data" and "grad", the Variable
    detail: for "kept", the table and the key; for "draw", the generator's name
    """

    kind: str
    path: str
    label: str
    detail: Any = None

    @property
    def is_number(self) -> bool:
        """Whether it is a number of Python, and no array."""
        return self.kind in ("float", "int")


@dataclass(frozen=True)
class Effect:
    """What is to be done with a result after a call.

    kind: "data", "grad", "no grad" and "kept"; of attributes, "variable", "array", "number", "increment", "constant",
        "alias" and "structure"
    path: the Variable's path, or that of the attribute's place
    output: the number of the program's output, those of several, the increment, or the path of the alias
    detail: a Variable's name, or the value of a "constant" or "structure"
    """

    kind: str
    path: str
    output: Any = None
    detail: Any = None


@dataclass
class Traced:
    """A program, and what to do with it at each call.

    sources: for each input of the program
    effects: after the call
    result: what the function returned, with `Result`s in the place of arrays
    conditions: guards, as expressions, with their causes
    frozen: arrays whose values the program was made for, with a copy of each
    """

    program: Program
    state: State
    sources: list[InputSource]
    effects: list[Effect]
    result: Any
    conditions: list[tuple[str, str]]
    frozen: list[tuple[Any, Any]]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """Stands in a returned structure for output number `output`: an array, a Variable, or a number."""

    output: int
    kind: str
    name: str | None = None
    attached: bool = False  # whether there is a graph behind it


@dataclass(frozen=True)
class Returned:
    """Stands in a returned structure for a Variable that was found, or given: it is returned itself."""

    path: str
