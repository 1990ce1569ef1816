"""The logistic function, entropies, and the products of logarithms in them."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import plain_of_plain
from adjoint.core.variable import Variable
from adjoint.ops import activations, entropies

__all__ = ["entr", "expit", "kl_div", "log_expit", "logit", "rel_entr", "xlog1py", "xlogy"]


@plain_of_plain
def expit(x: Any) -> Variable:
    """The logistic sigmoid, 1 / (1 + e⁻ˣ).

    >>> print(expit(Variable(0.0)))
    variable(0.5)
    """
    return apply(activations.sigmoid, x)


@plain_of_plain
def log_expit(x: Any) -> Variable:
    """ln expit x, exact for large −x too.

    >>> print(log_expit(Variable(-1000.0)))
    variable(-1000.0)
    """
    return apply(entropies.log_expit, x)


@plain_of_plain
def logit(x: Any) -> Variable:
    """ln (x / (1 − x)), the inverse of `expit`. The gradient at 0 and 1 is 0.

    >>> print(logit(Variable(0.5)))
    variable(0.0)
    """
    return apply(entropies.logit, x)


@plain_of_plain
def xlogy(x: Any, y: Any) -> Variable:
    """x ln y, and 0 where x is 0. The gradient at y = 0 is 0.

    >>> print(xlogy(Variable(0.0), 0.0))
    variable(0.0)
    """
    return apply(entropies.xlogy, x, y)


@plain_of_plain
def xlog1py(x: Any, y: Any) -> Variable:
    """x ln (1 + y), and 0 where x is 0. The gradient at y = −1 is 0.

    >>> print(xlog1py(Variable(0.0), -1.0))
    variable(0.0)
    """
    return apply(entropies.xlog1py, x, y)


@plain_of_plain
def entr(x: Any) -> Variable:
    """−x ln x, which is 0 at 0 and −∞ for x < 0. The gradient at 0 is 0.

    >>> print(entr(Variable(0.0)))
    variable(0.0)
    """
    return apply(entropies.entr, x)


@plain_of_plain
def rel_entr(x: Any, y: Any) -> Variable:
    """x ln (x / y), which is 0 for x = 0 and y ≥ 0, and ∞ elsewhere out of the domain x, y > 0.

    >>> print(rel_entr(Variable(2.0), 2.0))
    variable(0.0)
    """
    return apply(entropies.rel_entr, x, y)


@plain_of_plain
def kl_div(x: Any, y: Any) -> Variable:
    """x ln (x / y) − x + y, the summand of the Kullback–Leibler divergence; see `rel_entr`.

    >>> print(kl_div(Variable(0.0), 2.0))
    variable(2.0)
    """
    return apply(entropies.kl_div, x, y)
