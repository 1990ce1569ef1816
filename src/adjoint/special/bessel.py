"""Bessel functions of both kinds, and modified ones of the first kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.arguments import plain_of_plain
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError
from adjoint.ops import bessel, special

__all__ = ["i0", "i0e", "i1", "i1e", "iv", "ive", "j0", "j1", "jn", "jv", "y0", "y1", "yn", "yv"]


@plain_of_plain
def i0(x: Any) -> Variable:
    """I₀(x), the modified Bessel function of the first kind and order 0.

    >>> print(i0(Variable(0.0)))
    variable(1.0)
    """
    return iv(0, x)


@plain_of_plain
def i1(x: Any) -> Variable:
    """I₁(x), the modified Bessel function of the first kind and order 1.

    >>> print(i1(Variable(0.0)))
    variable(0.0)
    """
    return iv(1, x)


@plain_of_plain
def i0e(x: Any) -> Variable:
    """exp(−|x|) I₀(x), which does not overflow. Its derivative at 0, a kink, is 0.

    >>> print(i0e(Variable(0.0)))
    variable(1.0)
    """
    return ive(0, x)


@plain_of_plain
def i1e(x: Any) -> Variable:
    """exp(−|x|) I₁(x), which does not overflow.

    >>> print(i1e(Variable(0.0)))
    variable(0.0)
    """
    return ive(1, x)


@plain_of_plain
def iv(v: float, x: Any) -> Variable:
    """Iᵥ(x), the modified Bessel function of the first kind and order v, a number.

    An order that is not whole needs x ≥ 0; the gradient at 0 is 0 then.

    Raises:
        DTypeError: for an array of orders.

    >>> round(iv(0.5, Variable(1.0)).item(), 12)
    0.937674888245
    """
    return apply(special.iv, x, order=_order(v))


@plain_of_plain
def ive(v: float, x: Any) -> Variable:
    """exp(−|x|) Iᵥ(x), which does not overflow; see `iv`.

    >>> round(ive(0.5, Variable(1.0)).item(), 12)
    0.344951313888
    """
    return apply(special.ive, x, order=_order(v))


@plain_of_plain
def j0(x: Any) -> Variable:
    """J₀(x), the Bessel function of the first kind and order 0.

    >>> print(j0(Variable(0.0)))
    variable(1.0)
    """
    return jv(0, x)


@plain_of_plain
def j1(x: Any) -> Variable:
    """J₁(x), the Bessel function of the first kind and order 1.

    >>> print(j1(Variable(0.0)))
    variable(0.0)
    """
    return jv(1, x)


@plain_of_plain
def jv(v: float, x: Any) -> Variable:
    """Jᵥ(x), the Bessel function of the first kind and order v, a number; `jn` is another name.

    An order that is not whole needs x ≥ 0; the gradient at 0 is 0 then.

    Raises:
        DTypeError: for an array of orders.

    >>> round(jv(0.5, Variable(1.0)).item(), 12)
    0.671396707142
    """
    return apply(bessel.jv, x, order=_order(v))


@plain_of_plain
def y0(x: Any) -> Variable:
    """Y₀(x), the Bessel function of the second kind and order 0; see `yv`.

    >>> round(y0(Variable(1.0)).item(), 12)
    0.088256964216
    """
    return yv(0, x)


@plain_of_plain
def y1(x: Any) -> Variable:
    """Y₁(x), the Bessel function of the second kind and order 1; see `yv`.

    >>> round(y1(Variable(1.0)).item(), 12)
    -0.7812128213
    """
    return yv(1, x)


@plain_of_plain
def yv(v: float, x: Any) -> Variable:
    """Yᵥ(x), the Bessel function of the second kind and order v, a number; `yn` is another name.

    It is for x > 0. At 0 it is −∞, and its gradient is 0.

    Raises:
        DTypeError: for an array of orders.

    >>> round(yv(2, Variable(1.0)).item(), 12)
    -1.650682606816
    """
    return apply(bessel.yv, x, order=_order(v))


jn = jv
yn = yv


def _order(v: Any) -> Any:
    if not isinstance(v, (int, float, np.integer, np.floating)):
        raise DTypeError(
            f"the order of a Bessel function is a number, not {type(v).__name__}: there is no derivative in it. "
            "Give one order, as in float(v), and call the function once for each of several"
        )
    return v.item() if isinstance(v, np.generic) else v
