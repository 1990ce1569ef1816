"""Derivatives at the edges of a domain: 0 where the formula gives an infinity or NaN.

At the edge of a domain, as for √x at 0, the derivative is infinite; outside there is none. Rules give 0 at both, in
every order: the argument is replaced there, by 1 mostly, before anything is computed from it, and the result by 0
afterwards. So no NaN arises on the way, and none in the derivatives of the rule itself. Within ``strict_ieee`` they
give what the formula does. A pole is no edge: the derivatives of 1/x at 0 are infinite, as 1/x is.

    inside = interior(positive(x))
    dx = selected(F, inside, g / replaced(F, inside, x))
"""

from __future__ import annotations

from adjoint.arrays.edges import interior as interior
from adjoint.ops.complex_numbers import is_complex


def positive(x):
    """x > 0; for complex numbers, whose functions have no edge but 0, x ≠ 0."""
    return x != 0.0 if is_complex(x) else x > 0.0


def replaced(F, inside, x, by=1.0):
    """x inside, elsewhere a number at which everything is finite."""
    return x if inside is None else F.where(inside, x, by)


def selected(F, inside, g):
    """g inside, 0 elsewhere."""
    return g if inside is None else F.where(inside, g, 0.0)


def divide_or_zero(F, numerator, denominator, inside):
    """numerator / denominator where `inside` is true, 0 elsewhere."""
    inside = interior(inside)
    return selected(F, inside, numerator / replaced(F, inside, denominator))
