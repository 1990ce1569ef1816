"""The tangent, the inverses of trigonometric and hyperbolic functions, and angles."""

from __future__ import annotations

import math
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.ops import arithmetic, trigonometric

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan2",
    "arctanh",
    "deg2rad",
    "rad2deg",
    "sinc",
    "tan",
]


def tan(x: Any) -> Variable:
    """The tangent of x in radians.

    >>> print(tan(Variable(0.0)))
    variable(0.0)
    """
    return apply(trigonometric.tan, x)


def arcsin(x: Any) -> Variable:
    """The angle in [−π/2, π/2], in radians, whose sine is x. The gradient at ±1 is 0.

    >>> print(arcsin(Variable(0.0)))
    variable(0.0)
    """
    return apply(trigonometric.arcsin, x)


def arccos(x: Any) -> Variable:
    """The angle in [0, π], in radians, whose cosine is x. The gradient at ±1 is 0.

    >>> print(arccos(Variable(1.0)))
    variable(0.0)
    """
    return apply(trigonometric.arccos, x)


def arctan2(y: Any, x: Any) -> Variable:
    """The angle in [−π, π], in radians, of the point with the ordinate `y` and the abscissa `x`.

    The gradient at the origin is 0.

    >>> print(arctan2(Variable(1.0), 0.0))
    variable(1.5707963267948966)
    """
    return apply(trigonometric.arctan2, y, x)


def arcsinh(x: Any) -> Variable:
    """The number whose hyperbolic sine is x, ln(x + √(x² + 1)).

    >>> print(arcsinh(Variable(0.0)))
    variable(0.0)
    """
    return apply(trigonometric.arcsinh, x)


def arccosh(x: Any) -> Variable:
    """The number whose hyperbolic cosine is x, ln(x + √(x² − 1)). The gradient at 1 is 0.

    >>> print(arccosh(Variable(1.0)))
    variable(0.0)
    """
    return apply(trigonometric.arccosh, x)


def arctanh(x: Any) -> Variable:
    """The number whose hyperbolic tangent is x, ½ ln((1 + x)/(1 − x)). The gradient at ±1 is 0.

    >>> print(arctanh(Variable(0.0)))
    variable(0.0)
    """
    return apply(trigonometric.arctanh, x)


def sinc(x: Any) -> Variable:
    """sin(πx) / (πx), which is 1 at 0. Derivatives are exact near 0 as well.

    >>> print(sinc(Variable(0.0)))
    variable(1.0)
    """
    return apply(trigonometric.sinc, x, order=0)


def deg2rad(x: Any) -> Variable:
    """π/180 · x: degrees in radians.

    >>> print(deg2rad(Variable(180.0)))
    variable(3.141592653589793)
    """
    return apply(arithmetic.mul, x, math.pi / 180.0)


def rad2deg(x: Any) -> Variable:
    """180/π · x: radians in degrees.

    >>> print(rad2deg(Variable(3.141592653589793)))
    variable(180.0)
    """
    return apply(arithmetic.mul, x, 180.0 / math.pi)
