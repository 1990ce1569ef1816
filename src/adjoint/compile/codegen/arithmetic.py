"""The sums and products of a matrix product, for every type of number: floats, integers that wrap, booleans."""

from __future__ import annotations

from dataclasses import dataclass

from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["Arithmetic"]


@dataclass(frozen=True)
class Arithmetic:
    """Instructions on vectors of a kind; where `logical`, sums are `or` and products `and`."""

    kind: Vector
    logical: bool
    target: Target

    def multiply_add(self, f: Function, left: str, right: str, total: str) -> str:
        """left · right + total, rounded once where the processor can."""
        if self._floats:
            return f.intrinsic("fma" if self.target.fma else "fmuladd", self.kind, left, right, total)
        return self.add(f, total, f.let(f"{'and' if self.logical else 'mul'} {self.kind} {left}, {right}"))

    def add(self, f: Function, left: str, right: str) -> str:
        """left + right."""
        return f.let(f"{self._sum} {self.kind} {left}, {right}")

    def add_one(self, f: Function, left: str, right: str) -> str:
        """The same of two scalars."""
        return f.let(f"{self._sum} {self.kind.scalar} {left}, {right}")

    @property
    def _floats(self) -> bool:
        return self.kind.scalar in ("float", "double")

    @property
    def _sum(self) -> str:
        return "fadd" if self._floats else "or" if self.logical else "add"
