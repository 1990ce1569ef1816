"""Taylor series of functions that are known by their slopes in each argument, of which there may be several.

For y = f(a, b) the chain rule is y' = s a' + t b', with slopes s and t that are series themselves, of one power less.
At the edge of a domain, where a slope is infinite, it is 0, as in the backward pass (see `adjoint.ops.edges`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from adjoint.errors import GradientError
from adjoint.lifted.lifted import LIFTED as xp
from adjoint.lifted.series import Series, coefficients_of, in_shape_of, order_of, plus, value_of
from adjoint.lifted.series_elementwise import next_coefficient

__all__ = ["SLOPE_RULES"]

Slope = Callable[..., Any]
_LOG_2 = math.log(2.0)
_LOG_10 = math.log(10.0)
_TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)
_SQRT_2_PI = math.sqrt(2.0 * math.pi)


def _by_slopes(function: Callable[..., Any], slopes: Sequence[Slope]) -> Callable[..., Any]:
    """The rule of y = function(*xs), with ``slope(y, *xs)`` for each of xs."""

    def rule(level: int, *xs: Any) -> Any:
        order = order_of(level, xs)
        columns = [coefficients_of(level, x, order) for x in xs]
        found = [function(*(value_of(level, x) for x in xs))]
        for k in range(1, order + 1):
            known = found[0] if k == 1 else Series(level, found)
            arguments = [_truncated(level, x, k - 1) for x in xs]
            total = None
            for column, slope in zip(columns, slopes, strict=True):
                if any(c is not None for c in column[1 : k + 1]):
                    s = coefficients_of(level, slope(known, *arguments), k - 1)
                    total = plus(total, next_coefficient(k, column, s))
            found.append(in_shape_of(found[0], total))
        return Series(level, found)

    return rule


def _truncated(level: int, x: Any, order: int) -> Any:
    return x.truncated(order) if isinstance(x, Series) and x.level == level else x


def _quotient(numerator: Any, denominator: Any, inside: Any) -> Any:
    """numerator / denominator inside, 0 elsewhere."""
    return xp.where(inside, numerator / xp.where(inside, denominator, 1.0), 0.0)


def _inside(x: Any) -> Any:
    """Whether a logarithm or root has a slope at x."""
    return x != 0.0 if x.dtype.kind == "c" else x > 0.0


def _leg(x: Any) -> Any:
    """1 / √(1 − x²), 0 where |x| ≥ 1."""
    if x.dtype.kind == "c":
        return 1.0 / xp.sqrt(1.0 - x * x)
    inside = xp.abs(x) < 1.0
    x = xp.where(inside, x, 0.0)
    return xp.where(inside, 1.0 / xp.sqrt((1.0 - x) * (1.0 + x)), 0.0)


def _arccosh_slope(x: Any) -> Any:
    if x.dtype.kind == "c":
        return 1.0 / (xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0))
    inside = x > 1.0
    x = xp.where(inside, x, 2.0)
    return xp.where(inside, 1.0 / (xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0)), 0.0)


def _arctanh_slope(x: Any) -> Any:
    inside = x * x != 1.0 if x.dtype.kind == "c" else xp.abs(x) < 1.0
    return _quotient(1.0, (1.0 - x) * (1.0 + x), inside)


def _angle_slope(numerator: Any, a: Any, b: Any) -> Any:
    square = a * a + b * b
    return _quotient(numerator, square, square != 0.0)


def _share(a: Any, b: Any) -> Any:
    """eᵃ / (eᵃ + eᵇ), half for two equal infinities."""
    finite = (a != b) | (abs(a) != math.inf)
    return xp.sigmoid(xp.where(finite, a, 0.0) - xp.where(finite, b, 0.0))


def _sign_kept(y: Any, a: Any, _b: Any) -> Any:
    return xp.sign(a) * xp.sign(y)


_SLOPES: dict[str, tuple[Slope, ...]] = {
    "acos": (lambda _y, x: -_leg(x),),
    "acosh": (lambda _y, x: _arccosh_slope(x),),
    "asin": (lambda _y, x: _leg(x),),
    "asinh": (lambda _y, x: 1.0 / xp.sqrt(1.0 + x * x),),
    "atan2": (lambda _y, a, b: _angle_slope(b, a, b), lambda _y, a, b: _angle_slope(-a, a, b)),
    "atanh": (lambda _y, x: _arctanh_slope(x),),
    "cbrt": (lambda y, _x: _quotient(1.0, 3.0 * y * y, y != 0.0),),
    "copysign": (_sign_kept, lambda _y, _a, _b: 0.0 * _y),
    "exp2": (lambda y, _x: _LOG_2 * y,),
    "hypot": (lambda y, a, _b: _quotient(a, y, y != 0.0), lambda y, _a, b: _quotient(b, y, y != 0.0)),
    "log10": (lambda _y, x: _quotient(1.0, _LOG_10 * x, _inside(x)),),
    "log2": (lambda _y, x: _quotient(1.0, _LOG_2 * x, _inside(x)),),
    "logaddexp": (lambda _y, a, b: _share(a, b), lambda _y, a, b: _share(b, a)),
    "tan": (lambda y, _x: 1.0 + y * y,),
}

# The functions of SciPy, by the name that the primitive `special` is given


def _of(name: str, *xs: Any) -> Any:
    return xp.special(*xs, function=name)


def _gamma_slope(x: Any) -> Any:
    return _of("digamma", x)


def _beta_slope(a: Any, b: Any) -> Any:
    return _gamma_slope(a) - _gamma_slope(a + b)


def _inverse_slope(y: Any, slope: Callable[[Any], Any]) -> Any:
    """The slope of an inverse from its value, which is infinite at the ends."""
    inside = xp.abs(y) < math.inf
    return xp.where(inside, slope(xp.where(inside, y, 1.0)), 0.0)


def _density(a: Any, x: Any) -> Any:
    """xᵃ⁻¹ e⁻ˣ / Γ(a)"""
    inside = x > 0.0
    x = xp.where(inside, x, 1.0)
    return xp.where(inside, xp.exp((a - 1.0) * xp.log(x) - x - _of("gammaln", a)), 0.0)


def _no_slope(*_: Any) -> Any:
    raise GradientError("the incomplete gamma functions have no derivative in a here, only in x; give a as an array")


def _neighbours(name: str, order: float, x: Any) -> Any:
    """½ (Iₙ₋₁ + Iₙ₊₁); an order that is not whole needs x > 0."""
    if float(order).is_integer():
        below, above = (_of(name, float(n), x) for n in (abs(order - 1.0), abs(order + 1.0)))
        return 0.5 * (below + above)
    inside = x > 0.0
    x = xp.where(inside, x, 1.0)
    return xp.where(inside, 0.5 * (_of(name, order - 1.0, x) + _of(name, order + 1.0, x)), 0.0)


def _scaled_neighbours(y: Any, order: float, x: Any) -> Any:
    return _neighbours("ive", order, x) - xp.sign(x) * y


_SPECIAL_SLOPES: dict[str, tuple[Slope, ...]] = {
    "beta": (lambda y, a, b: y * _beta_slope(a, b), lambda y, a, b: y * _beta_slope(b, a)),
    "betaln": (lambda _y, a, b: _beta_slope(a, b), lambda _y, a, b: _beta_slope(b, a)),
    "digamma": (lambda _y, x: _of("zeta", 2.0, x),),
    "erfc": (lambda _y, x: -_TWO_BY_SQRT_PI * xp.exp(-(x * x)),),
    "erfcinv": (lambda y, _x: _inverse_slope(y, lambda z: -xp.exp(z * z) / _TWO_BY_SQRT_PI),),
    "erfinv": (lambda y, _x: _inverse_slope(y, lambda z: xp.exp(z * z) / _TWO_BY_SQRT_PI),),
    "gamma": (lambda y, x: y * _gamma_slope(x),),
    "gammainc": (_no_slope, lambda _y, a, x: _density(a, x)),
    "gammaincc": (_no_slope, lambda _y, a, x: -_density(a, x)),
    "gammaln": (lambda _y, x: _gamma_slope(x),),
    "i0": (lambda _y, x: _of("i1", x),),
    "i0e": (lambda y, x: _scaled_neighbours(y, 0.0, x),),
    "i1": (lambda _y, x: _neighbours("iv", 1.0, x),),
    "i1e": (lambda y, x: _scaled_neighbours(y, 1.0, x),),
    "iv": (_no_slope, lambda _y, order, x: _neighbours("iv", order, x)),
    "ive": (_no_slope, lambda y, order, x: _scaled_neighbours(y, order, x)),
    "log_ndtr": (lambda y, x: xp.exp(-0.5 * (x * x) - y) / _SQRT_2_PI,),
    "ndtr": (lambda _y, x: xp.exp(-0.5 * (x * x)) / _SQRT_2_PI,),
    "ndtri": (lambda y, _x: _inverse_slope(y, lambda z: _SQRT_2_PI * xp.exp(0.5 * (z * z))),),
    "zeta": (_no_slope, lambda _y, s, x: -s * _of("zeta", s + 1.0, x)),
}


def _special(level: int, *xs: Any, function: str) -> Any:
    def value(*arrays: Any) -> Any:
        return _of(function, *arrays)

    return _by_slopes(value, _SPECIAL_SLOPES[function])(level, *xs)


SLOPE_RULES: dict[str, Callable[..., Any]] = {
    **{name: _by_slopes(getattr(xp, name), slopes) for name, slopes in _SLOPES.items()},
    "special": _special,
}
