"""Arithmetic on vectors as method calls: what the functions of this package are written in.

A value is its name in the text, or a Python number, which stands for that number in every lane.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import isfinite

from adjoint.compile.codegen.text import Function, Vector

__all__ = ["Lanes", "bits_of", "constant"]

Value = str | float

_BITS = {"float": ("<f", "<I"), "double": ("<d", "<Q")}


def bits_of(scalar: str, value: float) -> int:
    """The bits of the nearest float or double, as an unsigned integer."""
    number, integer = _BITS[scalar]
    return int(struct.unpack(integer, struct.pack(number, value))[0])


def constant(kind: Vector, value: float) -> str:
    """The text of a vector with `value` in every lane."""
    if kind.scalar not in _BITS:
        return f"splat ({kind.scalar} {int(value)})"
    if kind.scalar == "float" and isfinite(value):
        # LLVM writes a float as the bits of the double that equals it.
        value = struct.unpack("<f", struct.pack("<f", value))[0]
    return f"splat ({kind.scalar} 0x{bits_of('double', value):016X})"


class Lanes:
    """Adds instructions on vectors of `kind`, float or double, to `function`.

    `fma` says whether the processor multiplies and adds in one rounding; if it does not, `llvm.fma` would be a
    call of the C library for each lane.
    """

    def __init__(self, function: Function, kind: Vector, fma: bool = True) -> None:
        self.function = function
        self.kind = kind
        self.fused = fma
        self.mantissa, self.bias = {"float": (23, 127), "double": (52, 1023)}[kind.scalar]
        # Adding it rounds to an integer, which the sum's lowest bits are then.
        self.rounder = 1.5 * 2.0**self.mantissa

    def of(self, scalar: str) -> Lanes:
        """The same for as many lanes of another type."""
        return Lanes(self.function, self.kind.of(scalar), self.fused)

    def pick(self, single: float, double: float) -> float:
        """A number that depends on the type."""
        return single if self.kind.scalar == "float" else double

    def converted(self, operation: str, value: str, target: Lanes) -> str:
        """fpext or fptrunc to the type of `target`."""
        return self.function.let(f"{operation} {self.kind} {value} to {target.kind}")

    def text(self, value: Value) -> str:
        return value if isinstance(value, str) else constant(self.kind, value)

    def _binary(self, operation: str, left: Value, right: Value) -> str:
        return self.function.let(f"{operation} {self.kind} {self.text(left)}, {self.text(right)}")

    def add(self, left: Value, right: Value) -> str:
        return self._binary("fadd", left, right)

    def subtract(self, left: Value, right: Value) -> str:
        return self._binary("fsub", left, right)

    def multiply(self, left: Value, right: Value) -> str:
        return self._binary("fmul", left, right)

    def divide(self, left: Value, right: Value) -> str:
        return self._binary("fdiv", left, right)

    def negative(self, value: Value) -> str:
        return self.function.let(f"fneg {self.kind} {self.text(value)}")

    def intrinsic(self, name: str, *values: Value) -> str:
        return self.function.intrinsic(name, self.kind, *map(self.text, values))

    def fma(self, left: Value, right: Value, addend: Value) -> str:
        """left · right + addend, rounded once where that is cheap."""
        return self.intrinsic("fma" if self.fused else "fmuladd", left, right, addend)

    def absolute(self, value: str) -> str:
        return self.intrinsic("fabs", value)

    def copysign(self, magnitude: Value, sign: str) -> str:
        return self.intrinsic("copysign", magnitude, sign)

    def polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """Horner's scheme, constant first: the fewest instructions, in one dependent chain.

        The processor overlaps the chains of several iterations; only the long ones are worth splitting into two,
        of the even and of the odd powers.
        """
        if len(coefficients) <= 12:
            result: Value = coefficients[-1]
            for coefficient in reversed(coefficients[:-1]):
                result = self.fma(result, x, coefficient)
            return self.text(result)
        square = self.multiply(x, x)
        even, odd = (self.polynomial(coefficients[start::2], square) for start in (0, 1))
        return self.fma(odd, x, even)

    def compare(self, predicate: str, left: Value, right: Value) -> str:
        return self.function.let(f"fcmp {predicate} {self.kind} {self.text(left)}, {self.text(right)}")

    def logic(self, operation: str, left: str, right: str) -> str:
        """and, or, xor of two results of `compare`."""
        return self.function.let(f"{operation} {self.kind.of('i1')} {left}, {right}")

    def select(self, condition: str, yes: Value, no: Value) -> str:
        kind = self.kind
        chosen = f"{kind} {self.text(yes)}, {kind} {self.text(no)}"
        return self.function.let(f"select {kind.of('i1')} {condition}, {chosen}")

    def select_integer(self, condition: str, yes: str, no: str) -> str:
        kind = self.kind.integers
        return self.function.let(f"select {kind.of('i1')} {condition}, {kind} {yes}, {kind} {no}")

    def at_most(self, value: str, high: float) -> str:
        """The smaller one; NaN stays. In this order of operands it is one instruction on x86."""
        return self.select(self.compare("olt", high, value), high, value)

    def at_least(self, value: str, low: float) -> str:
        """The greater one; NaN stays."""
        return self.select(self.compare("ogt", low, value), low, value)

    def bits(self, value: Value) -> str:
        """The same bits as integers."""
        return self.function.let(f"bitcast {self.kind} {self.text(value)} to {self.kind.integers}")

    def number(self, integers: str) -> str:
        """The same bits as numbers."""
        return self.function.let(f"bitcast {self.kind.integers} {integers} to {self.kind}")

    def integer(self, operation: str, left: str | int, right: str | int) -> str:
        """An operation on integers: add, sub, and, or, xor, shl, lshr."""
        kind = self.kind.integers
        first, second = (value if isinstance(value, str) else constant(kind, value) for value in (left, right))
        return self.function.let(f"{operation} {kind} {first}, {second}")
