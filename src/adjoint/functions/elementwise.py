"""Functions that act element by element. Two arrays are broadcast against each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.ops import arithmetic, elementary

__all__ = [
    "abs",
    "add",
    "arctan",
    "clip",
    "cos",
    "cosh",
    "div",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "tanh",
    "where",
]


def add(a: Any, b: Any) -> Variable:
    """a + b

    >>> print(add(Variable(1.0), 2.0))
    variable(3.0)
    """
    return apply(arithmetic.add, a, b)


def sub(a: Any, b: Any) -> Variable:
    """a − b

    >>> print(sub(Variable(1.0), 2.0))
    variable(-1.0)
    """
    return apply(arithmetic.sub, a, b)


def mul(a: Any, b: Any) -> Variable:
    """a · b

    >>> print(mul(Variable(3.0), 2.0))
    variable(6.0)
    """
    return apply(arithmetic.mul, a, b)


def div(a: Any, b: Any) -> Variable:
    """a / b

    >>> print(div(Variable(3.0), 2.0))
    variable(1.5)
    """
    return apply(arithmetic.div, a, b)


def neg(x: Any) -> Variable:
    """−x

    >>> print(neg(Variable(3.0)))
    variable(-3.0)
    """
    return apply(arithmetic.neg, x)


def pow(a: Any, b: Any) -> Variable:
    """a to the power of b; either may be a Variable.

    The derivatives of an integer power stop at zero: the third one of x² is 0 at x = 0 too. Those of other powers are
    0 where a ≤ 0, and so is the derivative in b.

    >>> x = Variable(2.0)
    >>> pow(x, 3).backward()
    >>> print(x.grad)
    variable(12.0)
    """
    if isinstance(b, (int, float)):
        return apply(arithmetic.power, a, power=b)
    return apply(arithmetic.pow, a, b)


def square(x: Any) -> Variable:
    """x²

    >>> print(square(Variable(3.0)))
    variable(9.0)
    """
    return apply(arithmetic.square, x)


def sqrt(x: Any) -> Variable:
    """√x. The gradient at 0, where it is infinite, is 0.

    >>> print(sqrt(Variable(9.0)))
    variable(3.0)
    """
    return apply(elementary.sqrt, x)


def abs(x: Any) -> Variable:
    """|x|; its derivative at 0 is 0.

    >>> print(abs(Variable(-3.0)))
    variable(3.0)
    """
    return apply(elementary.abs, x)


def sin(x: Any) -> Variable:
    """The sine of x in radians.

    >>> print(sin(Variable(1.0)))
    variable(0.8414709848078965)
    """
    return apply(elementary.sin, x)


def cos(x: Any) -> Variable:
    """The cosine of x in radians.

    >>> print(cos(Variable(0.0)))
    variable(1.0)
    """
    return apply(elementary.cos, x)


def sinh(x: Any) -> Variable:
    """The hyperbolic sine, (eˣ − e⁻ˣ)/2.

    >>> print(sinh(Variable(0.0)))
    variable(0.0)
    """
    return apply(elementary.sinh, x)


def cosh(x: Any) -> Variable:
    """The hyperbolic cosine, (eˣ + e⁻ˣ)/2.

    >>> print(cosh(Variable(0.0)))
    variable(1.0)
    """
    return apply(elementary.cosh, x)


def tanh(x: Any) -> Variable:
    """The hyperbolic tangent, (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ).

    >>> print(tanh(Variable(0.0)))
    variable(0.0)
    """
    return apply(elementary.tanh, x)


def arctan(x: Any) -> Variable:
    """The angle in (−π/2, π/2), in radians, whose tangent is x.

    >>> print(arctan(Variable(0.0)))
    variable(0.0)
    """
    return apply(elementary.arctan, x)


def exp(x: Any) -> Variable:
    """eˣ

    >>> print(exp(Variable(0.0)))
    variable(1.0)
    """
    return apply(elementary.exp, x)


def expm1(x: Any) -> Variable:
    """eˣ − 1, exact for small x.

    >>> print(expm1(Variable(1e-20)))
    variable(1e-20)
    """
    return apply(elementary.expm1, x)


def log(x: Any) -> Variable:
    """The natural logarithm. The gradient at 0, where it is infinite, is 0.

    >>> print(log(Variable(1.0)))
    variable(0.0)
    """
    return apply(elementary.log, x)


def log1p(x: Any) -> Variable:
    """ln(1 + x), exact for small x. The gradient at −1, where it is infinite, is 0.

    >>> print(log1p(Variable(1e-20)))
    variable(1e-20)
    """
    return apply(elementary.log1p, x)


def erf(x: Any) -> Variable:
    """The error function, 2/√π ∫₀ˣ exp(−t²) dt.

    >>> print(erf(Variable(0.0)))
    variable(0.0)
    """
    return apply(elementary.erf, x)


def maximum(a: Any, b: Any) -> Variable:
    """The larger of a and b; where they are equal, each gets half of the gradient.

    >>> print(maximum(Variable([1.0, 4.0]), 2.0))
    variable[2]([2. 4.])
    """
    return apply(arithmetic.maximum, a, b)


def minimum(a: Any, b: Any) -> Variable:
    """The smaller of a and b; where they are equal, each gets half of the gradient.

    >>> print(minimum(Variable([1.0, 4.0]), 2.0))
    variable[2]([1. 2.])
    """
    return apply(arithmetic.minimum, a, b)


def clip(x: Any, lo: float | None = None, hi: float | None = None) -> Variable:
    """x, but `lo` where it is lower and `hi` where it is higher; None leaves that side open.

    The gradient passes where lo ≤ x ≤ hi.

    Raises:
        ArgumentError: where `lo` is above `hi`.
        DTypeError: for arrays as bounds.

    >>> print(clip(Variable([-2.0, 0.5, 2.0]), -1.0, 1.0))
    variable[3]([-1.   0.5  1. ])
    """
    for bound in (lo, hi):
        if bound is not None and np.ndim(bound) != 0:
            raise DTypeError("clip takes numbers as its bounds; for arrays use F.maximum and F.minimum")
    if lo is not None and hi is not None and lo > hi:
        raise ArgumentError(f"clip from {lo} to {hi}: the lower bound is above the upper")
    return apply(elementary.clip, x, lo=lo, hi=hi)


def where(condition: Any, a: Any, b: Any) -> Variable:
    """a where `condition` is true, else b; the gradient goes to what was chosen.

    >>> print(where([True, False], Variable([1.0, 2.0]), 0.0))
    variable[2]([1. 0.])
    """
    return apply(arithmetic.where, _flags(condition), a, b)


def masked_fill(x: Any, mask: Any, value: float) -> Variable:
    """x with `value` where `mask` is true (or not 0); the gradient passes elsewhere.

    >>> print(masked_fill(Variable([1.0, 2.0]), [True, False], -1.0))
    variable[2]([-1.  2.])
    """
    return apply(arithmetic.where, _flags(mask), value, x)


def _flags(condition: Any) -> Any:
    """A mask as plain booleans: it is a choice, not a value, and has no gradient."""

    array = array_of(condition)
    return array if array.dtype.kind == "b" else array != 0
