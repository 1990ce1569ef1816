"""Modified Bessel functions of the first kind."""

from __future__ import annotations

from typing import Any

from adjoint.core.variable import Variable, apply
from adjoint.errors import DTypeError
from adjoint.ops import special

__all__ = ["i0", "i0e", "i1", "i1e", "iv", "ive"]


def i0(x: Any) -> Variable:
    """I₀(x), the modified Bessel function of the first kind and order 0.

    >>> print(i0(Variable(0.0)))
    variable(1.0)
    """
    return iv(0, x)


def i1(x: Any) -> Variable:
    """I₁(x), the modified Bessel function of the first kind and order 1.

    >>> print(i1(Variable(0.0)))
    variable(0.0)
    """
    return iv(1, x)


def i0e(x: Any) -> Variable:
    """exp(−|x|) I₀(x), which does not overflow. Its derivative at 0, a kink, is 0.

    >>> print(i0e(Variable(0.0)))
    variable(1.0)
    """
    return ive(0, x)


def i1e(x: Any) -> Variable:
    """exp(−|x|) I₁(x), which does not overflow.

    >>> print(i1e(Variable(0.0)))
    variable(0.0)
    """
    return ive(1, x)


def iv(v: float, x: Any) -> Variable:
    """Iᵥ(x), the modified Bessel function of the first kind and order v, a number.

    An order that is not whole needs x ≥ 0; the gradient at 0 is 0 then.

    Raises:
        DTypeError: for an array of orders.

    >>> round(iv(0.5, Variable(1.0)).item(), 12)
    0.937674888245
    """
    return apply(special.iv, x, order=_order(v))


def ive(v: float, x: Any) -> Variable:
    """exp(−|x|) Iᵥ(x), which does not overflow; see `iv`.

    >>> round(ive(0.5, Variable(1.0)).item(), 12)
    0.344951313888
    """
    return apply(special.ive, x, order=_order(v))


def _order(v: float) -> float:
    if not isinstance(v, (int, float)):
        raise DTypeError(f"the order of a Bessel function is a number, not {type(v).__name__}")
    return v
