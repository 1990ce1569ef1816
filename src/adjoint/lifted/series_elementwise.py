"""Taylor series of the functions that act element by element.

For y = f(x) the chain rule y' = s x', with the slope s, gives the coefficients one after the other:

    k yₖ = Σ j xⱼ sₖ₋ⱼ   for j = 1 … k

The slope is itself a series, of one power less. Where it needs x alone (of the logarithm, 1/x) it is computed once;
where it needs y (of the hyperbolic tangent, 1 − y²), from y as far as that is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.config import STRICT
from adjoint.lifted.edges import interior, replaced, selected
from adjoint.lifted.lifted import LIFTED as xp, OPERATORS, call
from adjoint.lifted.series import Series, coefficients_of, in_shape_of, order_of, plus
from adjoint.lifted.tangents import by_tangent

__all__ = ["ELEMENTWISE_RULES", "by_slope", "by_slope_of_value", "next_coefficient"]

Slope = Callable[..., Any]


def _times(a: Any, b: Any) -> Any:
    """a · b, where None is zero."""
    return None if a is None or b is None else a * b


def _scaled(factor: float, a: Any) -> Any:
    return None if a is None else factor * a


def next_coefficient(k: int, x: list[Any], s: list[Any]) -> Any:
    """Σ j xⱼ sₖ₋ⱼ / k"""
    total = None
    for j in range(1, k + 1):
        term = _times(x[j], s[k - j])
        total = plus(total, term if j == 1 else _scaled(float(j), term))
    return total if k == 1 or total is None else total / float(k)


def _slope_coefficients(level: int, slope: Any, order: int) -> list[Any]:
    return coefficients_of(level, slope, order)


def by_slope(function: Callable[..., Any], slope: Slope) -> Callable[..., Any]:
    """The rule of y = function(x) with y' = slope(x) x'."""

    def rule(level: int, x: Any, **options: Any) -> Any:
        n = x.order
        value = function(x.value, **options)
        s = _slope_coefficients(level, slope(x.truncated(n - 1), **options), n - 1)
        rest = [next_coefficient(k, x.coefficients, s) for k in range(1, n + 1)]
        return Series(level, [value, *rest])

    return rule


def by_slope_of_value(function: Callable[..., Any], slope: Slope) -> Callable[..., Any]:
    """The rule of y = function(x) with y' = slope(y, x) x'."""

    def rule(level: int, x: Any, **options: Any) -> Any:
        found = [function(x.value, **options)]
        for k in range(1, x.order + 1):
            known = found[0] if k == 1 else Series(level, found)
            s = _slope_coefficients(level, slope(known, x.truncated(k - 1), **options), k - 1)
            found.append(next_coefficient(k, x.coefficients, s))
        return Series(level, found)

    return rule


def _pair(first: str, second: str, sign: float) -> Callable[..., Any]:
    """The rule of f with f' = g x' and g' = sign · f x', as of sine and cosine."""
    f, g = getattr(xp, first), getattr(xp, second)

    def rule(level: int, x: Any) -> Any:
        a, b = [f(x.value)], [g(x.value)]
        for k in range(1, x.order + 1):
            next_a = next_coefficient(k, x.coefficients, b)
            if k < x.order:
                next_b = next_coefficient(k, x.coefficients, a)
                b.append(next_b if sign == 1.0 else _scaled(sign, next_b))
            a.append(next_a)
        return Series(level, a)

    return rule


def _cosine(level: int, x: Any) -> Any:
    """cos' = −sin x', sin' = cos x'"""
    c, s = [xp.cos(x.value)], [xp.sin(x.value)]
    for k in range(1, x.order + 1):
        next_c = _scaled(-1.0, next_coefficient(k, x.coefficients, s))
        if k < x.order:
            s.append(next_coefficient(k, x.coefficients, c))
        c.append(next_c)
    return Series(level, c)


def _quotient(level: int, a: Any, b: Any) -> Any:
    """qₖ = (aₖ − Σ bⱼ qₖ₋ⱼ) / b₀   for j = 1 … k"""
    order = order_of(level, (a, b))
    left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)
    found = [left[0] / right[0]]
    for k in range(1, order + 1):
        total = left[k]
        for j in range(1, k + 1):
            term = _times(right[j], found[k - j])
            if term is not None:
                total = -term if total is None else total - term
        found.append(None if total is None else in_shape_of(found[0], total / right[0]))
    return Series(level, found)


def _inside(x: Any) -> Any:
    """Where x is inside of the domain of a logarithm or root, and not at its edge."""
    return x != 0 if x.dtype.kind == "c" else x > 0


def _within(x: Any, slope: Slope) -> Any:
    """slope(x) where x is inside of the domain, else 0."""
    inside = interior(_inside(x))
    return selected(inside, slope(replaced(inside, x)))


def _whole_power(x: Any, power: int) -> Any:
    """x · x · …, by repeated squaring."""
    if power == 1:
        return x
    half = _whole_power(x, power // 2)
    return half * half * x if power % 2 else half * half


def _power(level: int, a: Any, b: Any) -> Any:
    """a to the power of b."""
    if isinstance(b, (int, float)) and not isinstance(b, bool):
        if b == 0:
            return Series(level, [a.value**b, *(None,) * a.order])
        if b == int(b):
            return _whole_power(a, int(b)) if b > 0 else 1.0 / _whole_power(a, int(-b))
        slope = lambda x: b * call("pow", x, b - 1.0)  # noqa: E731
        return by_slope(lambda x: x**b, lambda x: _within(x, slope))(level, a)
    return _general_power(level, a, b)


def _pow_by_base(y: Any, a: Any, b: Any) -> Any:
    """b a^(b−1) for a > 0 and for whole b; 0 elsewhere, and where both are 0. Complex powers end at a = 0 only."""
    if getattr(b, "dtype", _REAL).kind == "c":
        inside = a != 0
    else:
        inside = _inside(a) | ((xp.floor(xp.asarray(b)) == b) & ((a != 0) | (b != 0)))
    inside = interior(inside)
    return selected(inside, b * call("pow", replaced(inside, a), b - 1.0))


def _pow_by_exponent(y: Any, a: Any, b: Any) -> Any:
    """y ln a for a > 0; 0 elsewhere, which at a = 0 is the limit for b > 0."""
    if isinstance(a, (int, float)):  # which takes any dtype
        if a > 0:
            return y * math.log(a)
        return y * (-math.inf if a == 0 else math.nan) if STRICT.get() else xp.zeros_like(y)
    if b.dtype.kind == "c":
        a = a + 0j  # so that negative numbers have a logarithm
    inside = interior(_inside(a))
    return selected(inside, y) * xp.log(replaced(inside, a))


def _general_power_slope(y: Any, xs: Any, ts: Any) -> Any:
    (a, b), (of_a, of_b) = xs, ts
    of_base = None if of_a is None else _pow_by_base(y, a, b) * of_a
    return plus(of_base, None if of_b is None else _pow_by_exponent(y, a, b) * of_b)


_general_power = by_tangent(OPERATORS["pow"], _general_power_slope)
_REAL = np.dtype(np.float64)

_SLOPES: dict[str, Slope] = {
    "atan": lambda x: 1.0 / (1.0 + x * x),
    "erf": lambda x: (2.0 / math.sqrt(math.pi)) * xp.exp(-(x * x)),
    "log": lambda x: _within(x, lambda x: 1.0 / x),
    "log1p": lambda x: _within(1.0 + x, lambda x: 1.0 / x),
}
_SLOPES_OF_VALUE: dict[str, Slope] = {
    "exp": lambda y, _x: y,
    "expm1": lambda y, _x: y + 1.0,
    "sigmoid": lambda y, _x: y - y * y,
    "sqrt": lambda y, _x: _within(y, lambda y: 0.5 / y),
    "tanh": lambda y, _x: 1.0 - y * y,
}
ELEMENTWISE_RULES: dict[str, Callable[..., Any]] = {
    **{name: by_slope(getattr(xp, name), slope) for name, slope in _SLOPES.items()},
    **{name: by_slope_of_value(getattr(xp, name), slope) for name, slope in _SLOPES_OF_VALUE.items()},
    "cos": _cosine,
    "cosh": _pair("cosh", "sinh", 1.0),
    "div": _quotient,
    "pow": _power,
    "sin": _pair("sin", "cos", -1.0),
    "sinh": _pair("sinh", "cosh", 1.0),
}
