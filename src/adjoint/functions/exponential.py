"""Powers of 2, logarithms to other bases, roots, and sums in logarithms."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.ops import arithmetic, exponential

__all__ = [
    "cbrt",
    "exp2",
    "hypot",
    "log2",
    "log10",
    "logaddexp",
    "reciprocal",
]


def exp2(x: Any) -> Variable:
    """2ˣ

    >>> print(exp2(Variable(3.0)))
    variable(8.0)
    """
    return apply(exponential.exp2, x)


def log2(x: Any) -> Variable:
    """The logarithm to the base 2.

    >>> print(log2(Variable(8.0)))
    variable(3.0)
    """
    return apply(exponential.log2, x)


def log10(x: Any) -> Variable:
    """The logarithm to the base 10.

    >>> print(log10(Variable(100.0)))
    variable(2.0)
    """
    return apply(exponential.log10, x)


def cbrt(x: Any) -> Variable:
    """∛x, that of a negative number too. The gradient at 0 is 0.

    >>> print(cbrt(Variable(-8.0)))
    variable(-2.0)
    """
    return apply(exponential.cbrt, x)


def hypot(a: Any, b: Any) -> Variable:
    """√(a² + b²), computed without overflow. The gradient at the origin is 0.

    >>> print(hypot(Variable(3.0), 4.0))
    variable(5.0)
    """
    return apply(exponential.hypot, a, b)


def logaddexp(a: Any, b: Any) -> Variable:
    """ln(eᵃ + eᵇ), computed without overflow.

    >>> print(logaddexp(Variable(1000.0), 1000.0))
    variable(1000.6931471805599)
    """
    return apply(exponential.logaddexp, a, b)


def reciprocal(x: Any) -> Variable:
    """1 / x

    >>> print(reciprocal(Variable(4.0)))
    variable(0.25)
    """
    return apply(arithmetic.div, 1.0, x)
