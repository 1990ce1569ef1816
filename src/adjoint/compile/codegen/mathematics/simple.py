"""Functions of an instruction or two, and small integer powers."""

from __future__ import annotations

from adjoint.compile.codegen.mathematics.lanes import Lanes

__all__ = ["absolute", "negative", "power_integer", "sign", "sqrt"]


def sqrt(v: Lanes, x: str) -> str:
    """The processor's own, which is rounded exactly."""
    return v.intrinsic("sqrt", x)


def absolute(v: Lanes, x: str) -> str:
    """x without its sign, also of NaN and 0."""
    return v.absolute(x)


def negative(v: Lanes, x: str) -> str:
    """x with the other sign, also of NaN and 0."""
    return v.negative(x)


def sign(v: Lanes, x: str) -> str:
    """±1, and x + 0 where x is 0, -0 or NaN, which are 0, 0 and NaN as NumPy has them."""
    return v.select(v.compare("one", x, 0.0), v.copysign(1.0, x), v.add(x, 0.0))


def _multiplied(v: Lanes, x: str, n: int) -> str:
    """xⁿ, n ≥ 1, by squaring: x² is x·x, x³ is x²·x."""
    if n == 1:
        return x
    half = _multiplied(v, x, n // 2)
    square = v.multiply(half, half)
    return v.multiply(square, x) if n % 2 else square


def power_integer(v: Lanes, x: str, n: int) -> str:
    """xⁿ by repeated multiplication, within 0.8·|n| units in the last place.

    A negative power divides twice, by about its half each: x⁻ⁿ may be a number where xⁿ is none.
    """
    if n == 0:
        return v.text(1.0)
    if n > 0:
        return _multiplied(v, x, n)
    if n == -1:
        return v.divide(1.0, x)
    less = _multiplied(v, x, -n // 2)
    more = v.multiply(less, x) if n % 2 else less
    return v.divide(v.divide(1.0, less), more)
