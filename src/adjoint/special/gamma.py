"""The gamma function and its relatives."""

from __future__ import annotations

from typing import Any

from adjoint.core.variable import Variable, apply
from adjoint.errors import ArgumentError
from adjoint.ops import special

__all__ = ["beta", "betaln", "digamma", "gamma", "gammainc", "gammaincc", "gammaln", "polygamma"]


def gamma(x: Any) -> Variable:
    """Γ(x) = ∫₀^∞ tˣ⁻¹ e⁻ᵗ dt, which is (x − 1)! for whole x.

    >>> print(gamma(Variable(5.0)))
    variable(24.0)
    """
    return apply(special.gamma, x)


def gammaln(x: Any) -> Variable:
    """ln |Γ(x)|

    >>> print(gammaln(Variable(1.0)))
    variable(0.0)
    """
    return apply(special.gammaln, x)


def digamma(x: Any) -> Variable:
    """The logarithmic derivative of Γ, Γ′(x) / Γ(x).

    >>> round(digamma(Variable(1.0)).item(), 12)
    -0.577215664902
    """
    return apply(special.polygamma, x, n=0)


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


def beta(a: Any, b: Any) -> Variable:
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b)

    >>> print(beta(Variable(1.0), 2.0))
    variable(0.5)
    """
    return apply(special.beta, a, b)


def betaln(a: Any, b: Any) -> Variable:
    """ln |B(a, b)|

    >>> print(betaln(Variable(1.0), 1.0))
    variable(0.0)
    """
    return apply(special.betaln, a, b)


def gammainc(a: Any, x: Any) -> Variable:
    """P(a, x) = 1/Γ(a) ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt, the regularised lower incomplete gamma function.

    There is a derivative in x only: `a` is an array or a number. Where that in x is infinite, at 0, it is 0.

    Raises:
        GradientError: in a backward pass that needs the derivative in `a`.

    >>> round(gammainc(1.0, Variable(1.0)).item(), 12)
    0.632120558829
    """
    return apply(special.gammainc, a, x)


def gammaincc(a: Any, x: Any) -> Variable:
    """Q(a, x) = 1 − P(a, x), the regularised upper incomplete gamma function; see `gammainc`.

    >>> round(gammaincc(1.0, Variable(1.0)).item(), 12)
    0.367879441171
    """
    return apply(special.gammaincc, a, x)
