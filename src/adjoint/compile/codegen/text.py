"""Writing LLVM's textual IR: functions line by line, vector types, intrinsics.

Text, not objects: building it is thirty times faster than by llvmlite's own IR classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Function", "Vector", "module_text", "written"]

_SCALARS = {"float": 32, "double": 64, "i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64}
_MANGLED = {"float": "f32", "double": "f64"}


@dataclass(frozen=True)
class Vector:
    """A vector type: `lanes` of `scalar`, one of float, double, i1, i8, i16, i32, i64."""

    scalar: str
    lanes: int

    def __str__(self) -> str:
        return f"<{self.lanes} x {self.scalar}>"

    @property
    def bits(self) -> int:
        """The size of one lane."""
        return _SCALARS[self.scalar]

    @property
    def suffix(self) -> str:
        """What an intrinsic's name ends with for this type: v16f32."""
        return f"v{self.lanes}{_MANGLED.get(self.scalar, self.scalar)}"

    def of(self, scalar: str) -> Vector:
        """As many lanes of another scalar."""
        return Vector(scalar, self.lanes)

    @property
    def integers(self) -> Vector:
        """As many lanes of integers of the same size."""
        return Vector(f"i{self.bits}", self.lanes)


class Function:
    """The text of one function under construction.

    >>> f = Function("add_one", "double %x", returns="double")
    >>> f.do(f"ret double {f.let('fadd double %x, 1.0')}")
    >>> print(f.text())
    define double @add_one(double %x) nounwind {
      %v1 = fadd double %x, 1.0
      ret double %v1
    }
    """

    def __init__(self, name: str, arguments: str, returns: str = "void", attributes: str = "nounwind") -> None:
        self.name = name
        self.declarations: set[str] = set()
        self._signature = (returns, arguments, attributes)
        self._lines: list[str] = []
        self._count = 0

    def fresh(self, stem: str = "v") -> str:
        """A name that the function does not have yet, without the sign: for labels and for values."""
        self._count += 1
        return f"{stem}{self._count}"

    def let(self, expression: str) -> str:
        """Adds ``%vN = expression`` and returns ``%vN``."""
        name = f"%{self.fresh()}"
        self._lines.append(f"  {name} = {expression}")
        return name

    def do(self, line: str) -> None:
        """Adds an instruction without a result."""
        self._lines.append(f"  {line}")

    def label(self, name: str) -> None:
        """Begins a block."""
        self._lines.append(f"{name}:")

    def placeholder(self) -> int:
        """Reserves a line, to be filled by `fill`: for a phi whose last operand is not known yet."""
        self._lines.append("")
        return len(self._lines) - 1

    def fill(self, place: int, line: str) -> None:
        """Fills a reserved line."""
        self._lines[place] = f"  {line}"

    def intrinsic(self, name: str, kind: Vector, *arguments: str) -> str:
        """Calls ``llvm.name`` on vectors of one type, with a result of that type."""
        types = ", ".join([str(kind)] * len(arguments))
        self.declarations.add(f"declare {kind} @llvm.{name}.{kind.suffix}({types})")
        given = ", ".join(f"{kind} {argument}" for argument in arguments)
        return self.let(f"call {kind} @llvm.{name}.{kind.suffix}({given})")

    def splat(self, kind: Vector, scalar: str) -> str:
        """A vector with `scalar`, a value of its scalar type, in every lane."""
        first = self.let(f"insertelement {kind} poison, {kind.scalar} {scalar}, i32 0")
        if kind.lanes == 1:
            return first
        return self.let(f"shufflevector {kind} {first}, {kind} poison, <{kind.lanes} x i32> zeroinitializer")

    def text(self, name: str | None = None) -> str:
        """The whole function, under another name if one is given."""
        returns, arguments, attributes = self._signature
        head = f"define {returns} @{name or self.name}({arguments}) {attributes} {{"
        return "\n".join([head, *self._lines, "}"])


def module_text(functions: Iterable[Function]) -> str:
    """The text of a module: the functions and the declarations that they need."""
    functions = list(functions)
    declarations = sorted(set().union(*(function.declarations for function in functions)))
    return "\n".join([*declarations, "", *(function.text() for function in functions), ""])


def written(arguments: str, body: str, returns: str = "void", declarations: Iterable[str] = ()) -> Function:
    """A function whose body is at hand as text: one instruction or one label a line."""
    function = Function("kernel", arguments, returns)
    function.declarations.update(declarations)
    for line in map(str.strip, body.strip().splitlines()):
        if line.endswith(":"):
            function.label(line[:-1])
        elif line:
            function.do(line)
    return function
