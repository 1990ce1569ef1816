"""The gamma function and its relatives."""

from __future__ import annotations

import math
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, plain_of_plain
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.ops import special

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "multigammaln",
    "polygamma",
    "psi",
    "rgamma",
]


@plain_of_plain
def gamma(x: Any) -> Variable:
    """Γ(x) = ∫₀^∞ tˣ⁻¹ e⁻ᵗ dt, which is (x − 1)! for whole x.

    >>> print(gamma(Variable(5.0)))
    variable(24.0)
    """
    return apply(special.gamma, x)


@plain_of_plain
def gammaln(x: Any) -> Variable:
    """ln |Γ(x)|

    >>> print(gammaln(Variable(1.0)))
    variable(0.0)
    """
    return apply(special.gammaln, x)


@plain_of_plain
def digamma(x: Any) -> Variable:
    """The logarithmic derivative of Γ, Γ′(x) / Γ(x).

    >>> round(digamma(Variable(1.0)).item(), 12)
    -0.577215664902
    """
    return apply(special.polygamma, x, n=0)


psi = digamma


@plain_of_plain
def rgamma(x: Any) -> Variable:
    """1 / Γ(x)

    >>> print(rgamma(Variable(3.0)))
    variable(0.5)
    """
    return apply(special.rgamma, x)


@plain_of_plain
def gammasgn(x: Any) -> Variable:
    """The sign of Γ(x), a constant: 1, or −1 between −1 and 0, −3 and −2, ….

    >>> print(gammasgn(Variable([0.5, -0.5])))
    variable[2]([ 1. -1.])
    """
    return apply(special.gammasgn, x)


@plain_of_plain
def multigammaln(a: Any, d: int) -> Variable:
    """d (d − 1) / 4 · ln π + Σ ln Γ(a + (1 − j) / 2) for j = 1 … d: the logarithm of the gamma function of matrices.

    Raises:
        ArgumentError: for a d that is no whole number from 1 on.

    >>> print(multigammaln(Variable(2.0), 1))
    variable(0.0)
    """
    if not isinstance(d, int) or d < 1:
        raise ArgumentError(f"multigammaln of dimension {d!r}: the dimension is a whole number from 1 on")
    total = apply(special.gammaln, as_variable(a))
    for j in range(1, d):
        total = total + apply(special.gammaln, as_variable(a) - 0.5 * j)
    return total + 0.25 * d * (d - 1) * math.log(math.pi)


@plain_of_plain
def polygamma(n: int, x: Any) -> Variable:
    """The nth derivative of the digamma function.

    Raises:
        ArgumentError: for an n that is no whole number from 0 on.

    >>> round(polygamma(1, Variable(1.0)).item(), 12)  # π²/6
    1.644934066848
    """
    if not isinstance(n, int) or n < 0:
        raise ArgumentError(f"polygamma of order {n!r}: the order is a whole number from 0 on")
    return apply(special.polygamma, x, n=n)


@plain_of_plain
def beta(a: Any, b: Any) -> Variable:
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b)

    >>> print(beta(Variable(1.0), 2.0))
    variable(0.5)
    """
    return apply(special.beta, a, b)


@plain_of_plain
def betaln(a: Any, b: Any) -> Variable:
    """ln |B(a, b)|

    >>> print(betaln(Variable(1.0), 1.0))
    variable(0.0)
    """
    return apply(special.betaln, a, b)


@plain_of_plain
def gammainc(a: Any, x: Any) -> Variable:
    """P(a, x) = 1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt, the regularised lower incomplete gamma function.

    There is a derivative in x only: `a` is an array or a number. Where that in x is infinite, at 0, it is 0.

    Raises:
        GradientError: in a backward pass that needs the derivative in `a`.

    >>> round(gammainc(1.0, Variable(1.0)).item(), 12)
    0.632120558829
    """
    return apply(special.gammainc, a, x)


@plain_of_plain
def gammaincc(a: Any, x: Any) -> Variable:
    """Q(a, x) = 1 − P(a, x), the regularised upper incomplete gamma function; see `gammainc`.

    >>> round(gammaincc(1.0, Variable(1.0)).item(), 12)
    0.367879441171
    """
    return apply(special.gammaincc, a, x)


@plain_of_plain
def betainc(a: Any, b: Any, x: Any) -> Variable:
    """1/B(a, b) ∫₀ˣ tᵃ⁻¹ (1 − t)ᵇ⁻¹ dt, the regularised incomplete beta function.

    There is a derivative in x only: `a` and `b` are arrays or numbers. Where that in x is infinite, at 0 or 1, it is 0.

    Raises:
        GradientError: in a backward pass that needs the derivative in `a` or `b`.

    >>> print(betainc(1.0, 2.0, Variable(0.5)))
    variable(0.75)
    """
    return apply(special.betainc, a, b, x)
