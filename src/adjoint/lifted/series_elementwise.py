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

from adjoint.lifted.lifted import LIFTED as xp, call
from adjoint.lifted.series import Series, coefficients_of, in_shape_of, order_of, plus, value_of

__all__ = ["ELEMENTWISE_RULES", "by_slope", "by_slope_of_value"]

Slope = Callable[..., Any]


def _times(a: Any, b: Any) -> Any:
    """a · b, where None is zero."""
    return None if a is None or b is None else a * b


def _scaled(factor: float, a: Any) -> Any:
    return None if a is None else factor * a


def _next(k: int, x: list[Any], s: list[Any]) -> Any:
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
        rest = [_next(k, x.coefficients, s) for k in range(1, n + 1)]
        return Series(level, [value, *rest])

    return rule


def by_slope_of_value(function: Callable[..., Any], slope: Slope) -> Callable[..., Any]:
    """The rule of y = function(x) with y' = slope(y, x) x'."""

    def rule(level: int, x: Any, **options: Any) -> Any:
        found = [function(x.value, **options)]
        for k in range(1, x.order + 1):
            known = found[0] if k == 1 else Series(level, found)
            s = _slope_coefficients(level, slope(known, x.truncated(k - 1), **options), k - 1)
            found.append(_next(k, x.coefficients, s))
        return Series(level, found)

    return rule


def _pair(first: str, second: str, sign: float) -> Callable[..., Any]:
    """The rule of f with f' = g x' and g' = sign · f x', as of sine and cosine."""
    f, g = getattr(xp, first), getattr(xp, second)

    def rule(level: int, x: Any) -> Any:
        a, b = [f(x.value)], [g(x.value)]
        for k in range(1, x.order + 1):
            next_a = _next(k, x.coefficients, b)
            if k < x.order:
                next_b = _next(k, x.coefficients, a)
                b.append(next_b if sign == 1.0 else _scaled(sign, next_b))
            a.append(next_a)
        return Series(level, a)

    return rule


def _cosine(level: int, x: Any) -> Any:
    """cos' = −sin x', sin' = cos x'"""
    c, s = [xp.cos(x.value)], [xp.sin(x.value)]
    for k in range(1, x.order + 1):
        next_c = _scaled(-1.0, _next(k, x.coefficients, s))
        if k < x.order:
            s.append(_next(k, x.coefficients, c))
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


def _positive(x: Any) -> Any:
    """x inside of the domain, else 1: so that nothing infinite arises where a slope is set to 0."""
    return xp.where(_inside(x), x, 1.0)


def _where_positive(x: Any, slope: Any) -> Any:
    """The slope inside of the domain, 0 at its edge, where it is infinite."""
    return xp.where(_inside(x), slope, 0.0)


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
        return by_slope_of_value(lambda x: x**b, lambda _y, x: b * _fractional(x, b))(level, a)
    return _general_power(level, a, b)


def _fractional(x: Any, b: float) -> Any:
    """x^(b−1), and 0 at the edge of the domain where it would be infinite."""
    if b > 1 and x.dtype.kind != "c":
        return call("pow", xp.where(x < 0, 0.0, x), b - 1.0)
    return _where_positive(x, call("pow", _positive(x), b - 1.0))


def value_at(x: Any) -> Any:
    """What a series is without its direction."""
    return x.value if isinstance(x, Series) else x


def _general_power(level: int, a: Any, b: Any) -> Any:
    """y' = b a^(b−1) a' + y ln(a) b'"""
    order = order_of(level, (a, b))
    found = [value_of(level, a) ** value_of(level, b)]
    left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)

    def part(coefficients: list[Any], k: int) -> Any:
        return coefficients[0] if k == 0 else Series(level, coefficients[: k + 1])

    for k in range(1, order + 1):
        total = None
        base, exponent, known = part(left, k - 1), part(right, k - 1), part(found, k - 1)
        if any(c is not None for c in left[1 : k + 1]):
            nothing = (value_at(base) == 0) & (value_at(exponent) == 0)
            slope = exponent * call("pow", xp.where(nothing, 1.0, base), exponent - 1.0)
            total = _next(k, left, coefficients_of(level, slope, k - 1))
        if any(c is not None for c in right[1 : k + 1]):
            slope = known * _logarithm(base)
            total = plus(total, _next(k, right, coefficients_of(level, slope, k - 1)))
        found.append(in_shape_of(found[0], total))
    return Series(level, found)


def _logarithm(x: Any) -> Any:
    """ln x, and 0 at 0, where y ln x has the limit 0. Of a number it stays a number, which takes any dtype."""
    if isinstance(x, (int, float)):
        return math.log(x) if x > 0 else 0.0 if x == 0 else math.nan
    return xp.log(xp.where(value_at(x) == 0, 1.0, x))


_SLOPES: dict[str, Slope] = {
    "atan": lambda x: 1.0 / (1.0 + x * x),
    "erf": lambda x: (2.0 / math.sqrt(math.pi)) * xp.exp(-(x * x)),
    "log": lambda x: _where_positive(x, 1.0 / _positive(x)),
    "log1p": lambda x: _where_positive(1.0 + x, 1.0 / _positive(1.0 + x)),
}
_SLOPES_OF_VALUE: dict[str, Slope] = {
    "exp": lambda y, _x: y,
    "expm1": lambda y, _x: y + 1.0,
    "sigmoid": lambda y, _x: y - y * y,
    "sqrt": lambda y, _x: _where_positive(y, 0.5 / _positive(y)),
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
