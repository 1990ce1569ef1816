"""Rounding, remainders and signs."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.functions import elementwise
from adjoint.ops import elementary, rounding
from adjoint.ops.complex_numbers import is_complex

__all__ = [
    "ceil",
    "copysign",
    "floor",
    "floor_divide",
    "fmod",
    "remainder",
    "round",
    "sign",
    "trunc",
]


def floor(x: Any) -> Variable:
    """The largest whole number ≤ x: a constant, without gradient.

    >>> print(floor(Variable(-1.5)))
    variable(-2.0)
    """
    return apply(rounding.floor, x)


def ceil(x: Any) -> Variable:
    """The smallest whole number ≥ x: a constant, without gradient.

    >>> print(ceil(Variable(-1.5)))
    variable(-1.0)
    """
    return apply(rounding.ceil, x)


def trunc(x: Any) -> Variable:
    """The whole number next to x towards 0: a constant, without gradient.

    >>> print(trunc(Variable(-1.5)))
    variable(-1.0)
    """
    return apply(rounding.trunc, x)


def round(x: Any) -> Variable:
    """The nearest whole number, of two the even one: a constant, without gradient.

    >>> print(round(Variable([0.5, 1.5])))
    variable[2]([0. 2.])
    """
    return apply(rounding.round, x)


def sign(x: Any) -> Variable:
    """−1, 0 or 1, as x is negative, 0 or positive: a constant, without gradient. Of a complex z it is z/|z|, with one.

    >>> print(sign(Variable([-3.0, 0.0])))
    variable[2]([-1.  0.])
    """
    if not is_complex(x):
        return apply(elementary.sign, x)
    size = elementwise.abs(x)
    return x / elementwise.where(array_of(size) == 0, 1.0, size)


def copysign(a: Any, b: Any) -> Variable:
    """|a| with the sign of b. The gradient goes to a; at 0 it is 0.

    >>> print(copysign(Variable(3.0), -1.0))
    variable(-3.0)
    """
    return apply(rounding.copysign, a, b)


def floor_divide(a: Any, b: Any) -> Variable:
    """⌊a / b⌋: a constant, without gradient.

    >>> print(floor_divide(Variable(-7.0), 2.0))
    variable(-4.0)
    """
    return apply(rounding.floor_divide, a, b)


def remainder(a: Any, b: Any) -> Variable:
    """a − b ⌊a / b⌋, which has the sign of b. The gradient is (1, −⌊a / b⌋).

    >>> print(remainder(Variable(-7.0), 3.0))
    variable(2.0)
    """
    return apply(rounding.remainder, a, b)


def fmod(a: Any, b: Any) -> Variable:
    """a − b trunc(a / b), which has the sign of a. The gradient is (1, −trunc(a / b)).

    >>> print(fmod(Variable(-7.0), 3.0))
    variable(-1.0)
    """
    return apply(rounding.fmod, a, b)
