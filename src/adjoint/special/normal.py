"""The error function, the normal distribution, and their inverses."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import plain_of_plain
from adjoint.core.variable import Variable
from adjoint.ops import special

__all__ = ["erfc", "erfcinv", "erfinv", "log_ndtr", "ndtr", "ndtri"]


@plain_of_plain
def erfc(x: Any) -> Variable:
    """1 − erf x, exact where that is small.

    >>> print(erfc(Variable(0.0)))
    variable(1.0)
    """
    return apply(special.erfc, x)


@plain_of_plain
def erfinv(x: Any) -> Variable:
    """The number whose erf is x, for −1 ≤ x ≤ 1. The gradient at ±1 is 0.

    >>> print(erfinv(Variable(0.0)))
    variable(0.0)
    """
    return apply(special.erfinv, x)


@plain_of_plain
def erfcinv(x: Any) -> Variable:
    """The number whose erfc is x, for 0 ≤ x ≤ 2. The gradient at 0 and 2 is 0.

    >>> round(erfcinv(Variable(0.5)).item(), 12)
    0.476936276204
    """
    return apply(special.erfcinv, x)


@plain_of_plain
def ndtr(x: Any) -> Variable:
    """The standard normal distribution function, 1/√(2π) ∫₋∞ˣ exp(−t²/2) dt.

    >>> print(ndtr(Variable(0.0)))
    variable(0.5)
    """
    return apply(special.ndtr, x)


@plain_of_plain
def log_ndtr(x: Any) -> Variable:
    """ln ndtr x, exact far out on the left too.

    >>> round(log_ndtr(Variable(-100.0)).item(), 6)
    -5005.524209
    """
    return apply(special.log_ndtr, x)


@plain_of_plain
def ndtri(p: Any) -> Variable:
    """The number whose ndtr is p, for 0 ≤ p ≤ 1. The gradient at 0 and 1 is 0.

    >>> print(ndtri(Variable(0.5)))
    variable(0.0)
    """
    return apply(special.ndtri, p)
