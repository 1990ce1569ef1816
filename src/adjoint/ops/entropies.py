"""Logarithms that are multiplied by what may be 0, and log-odds. 0 log 0 is 0 in all of them."""

from __future__ import annotations

import math

from adjoint.ops.arithmetic import BROADCASTABLE, PAIRS
from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import op
from adjoint.ops.edges import divide_or_zero, interior, replaced, selected


def _logit(xp, x):
    """log(x / (1 − x)); near ½, where that is the logarithm of almost 1, by log1p."""
    middle = xp.abs(x - 0.5) < 0.2
    twice = xp.where(middle, 2.0 * x - 1.0, 0.0)
    ends = xp.where(middle, 0.5, x)
    return real_only(xp.where(middle, xp.log1p(twice) - xp.log1p(-twice), xp.log(ends / (1.0 - ends))))


logit = op(
    "logit",
    _logit,
    vjp=lambda F, g, _y, x: (divide_or_zero(F, g, x * (1.0 - x), (x > 0.0) & (x < 1.0)),),
    jvp=True,
    elementwise=True,
    domain=(0.1, 0.9),
)
log_expit = op(
    "log_expit",
    lambda xp, x: real_only(xp.minimum(x, 0)) - xp.log1p(xp.exp(-xp.abs(x))),
    vjp=lambda F, g, _y, x: (g * F.sigmoid(-x),),
    jvp=True,
    elementwise=True,
)


def _xlogy(xp, x, y):
    return real_only(x * xp.log(xp.where((x == 0) & (y == y), 1.0, y)))


def _xlog1py(xp, x, y):
    return real_only(x * xp.log1p(xp.where((x == 0) & (y == y), 0.0, y)))


xlogy = op(
    "xlogy",
    _xlogy,
    vjp=(
        lambda F, g, _y, _a, b: g * F.log(replaced(F, interior(b > 0.0), b)),
        lambda F, g, _y, a, b: divide_or_zero(F, g * a, b, b > 0.0),
    ),
    jvp=True,
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)
xlog1py = op(
    "xlog1py",
    _xlog1py,
    vjp=(
        lambda F, g, _y, _a, b: g * F.log1p(replaced(F, interior(b > -1.0), b, 0.0)),
        lambda F, g, _y, a, b: divide_or_zero(F, g * a, 1.0 + b, b > -1.0),
    ),
    jvp=True,
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)


def _entr(xp, x):
    """−x log x, −∞ for x < 0."""
    return real_only(xp.where(x < 0, -math.inf, 0.0 - x * xp.log(xp.where(x > 0, x, 1.0))))


def _entr_rule(F, g, _y, x):
    inside = interior(x > 0.0)
    return (selected(F, inside, -g * (F.log(replaced(F, inside, x)) + 1.0)),)


entr = op("entr", _entr, vjp=_entr_rule, jvp=True, elementwise=True, domain=(0.5, 2.0))


def _rel_entr(xp, x, y):
    """x log(x / y); 0 where x is 0, ∞ where one of the two is negative, or y is 0 and x is not."""
    inside = (x > 0) & (y > 0)
    value = x * xp.log(xp.where(inside, x, 1.0) / xp.where(inside, y, 1.0))
    outside = xp.where((x == x) & (y == y), math.inf, x + y)
    return real_only(xp.where(inside | ((x == 0) & (y >= 0)), value, outside))


def _log_ratio(F, g, a, b, more):
    """g (log(a / b) + more)"""
    inside = interior((a > 0.0) & (b > 0.0))
    return selected(F, inside, g * (F.log(replaced(F, inside, a) / replaced(F, inside, b)) + more))


rel_entr = op(
    "rel_entr",
    _rel_entr,
    vjp=(
        lambda F, g, _y, a, b: _log_ratio(F, g, a, b, 1.0),
        lambda F, g, _y, a, b: divide_or_zero(F, -g * a, b, (a >= 0.0) & (b > 0.0)),
    ),
    jvp=True,
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)
kl_div = op(
    "kl_div",
    lambda xp, x, y: _rel_entr(xp, x, y) + (y - x),
    vjp=(
        lambda F, g, _y, a, b: _log_ratio(F, g, a, b, 0.0),
        lambda F, g, _y, a, b: divide_or_zero(F, g * (b - a), b, (a >= 0.0) & (b > 0.0)),
    ),
    jvp=True,
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)
