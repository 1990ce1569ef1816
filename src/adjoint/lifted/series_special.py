"""Taylor series of the special functions, by the names of SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint.errors import GradientError, TransformError
from adjoint.lifted.edges import interior, replaced, selected
from adjoint.lifted.lifted import LIFTED as xp
from adjoint.lifted.series import plus
from adjoint.lifted.tangents import by_tangent

__all__ = ["special_rule"]

_TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)
_SQRT_2_PI = math.sqrt(2.0 * math.pi)


def _special(name: str, *xs: Any) -> Any:
    return xp.special(*xs, function=name)


def _of_inverse(slope: Callable[[Any], Any]) -> Callable[..., Any]:
    """The slope of an inverse as a function of its value; 0 at its ends, where it is infinite."""

    def guarded(y: Any, _x: Any) -> Any:
        inside = interior(xp.abs(y) < math.inf)  # which NaN is not, either
        return selected(inside, slope(replaced(inside, y)))

    return guarded


def _beta_part(a: Any, b: Any) -> Any:
    return _special("digamma", a) - _special("digamma", a + b)


def _betaln(y: Any, xs: Any, ts: Any) -> Any:
    (a, b), (of_a, of_b) = xs, ts
    return plus(
        None if of_a is None else _beta_part(a, b) * of_a,
        None if of_b is None else _beta_part(b, a) * of_b,
    )


def _incomplete_gamma(name: str, sign: float) -> Callable[..., Any]:
    """± xᵃ⁻¹ e⁻ˣ / Γ(a) x'; of the derivative in a there is none."""

    def tangent(_y: Any, xs: Any, ts: Any) -> Any:
        (a, x), (of_a, of_x) = xs, ts
        if of_a is not None:
            raise GradientError(f"{name}(a, x) has no derivative in a here, only in x; give a as an array")
        inside = interior(x > 0.0)
        x = replaced(inside, x)
        if isinstance(a, (int, float)):  # which takes the dtype of x
            log_gamma = math.lgamma(a) if a > 0 else math.inf
        else:
            a = xp.astype(a, x.dtype)
            log_gamma = _special("gammaln", a)
        return selected(inside, sign * xp.exp((a - 1.0) * xp.log(x) - x - log_gamma)) * of_x

    return tangent


def _zeta(_y: Any, xs: Any, ts: Any) -> Any:
    """−s ζ(s + 1, x)"""
    s, x = xs
    return -s * _special("zeta", s + 1.0, x) * ts[1]


def _bessel(name: str, is_scaled: bool) -> Callable[..., Any]:
    """½ (Iₙ₋₁ + Iₙ₊₁) x', less ± the function itself if it is scaled by exp(−|x|)."""

    def tangent(y: Any, xs: Any, ts: Any) -> Any:
        order, x = xs
        inside = None if float(order).is_integer() else interior(x > 0.0)
        x = replaced(inside, x)
        slope = 0.5 * (_special(name, order - 1.0, x) + _special(name, order + 1.0, x))
        return selected(inside, slope - xp.sign(x) * y if is_scaled else slope) * ts[1]

    return tangent


# y' / x', as a function of y and x
_SLOPES: dict[str, Callable[..., Any]] = {
    "digamma": lambda _y, x: _special("zeta", 2.0, x),
    "erfc": lambda _y, x: -_TWO_BY_SQRT_PI * xp.exp(-(x * x)),
    "erfcinv": _of_inverse(lambda y: -xp.exp(y * y) / _TWO_BY_SQRT_PI),
    "erfinv": _of_inverse(lambda y: xp.exp(y * y) / _TWO_BY_SQRT_PI),
    "gamma": lambda y, x: y * _special("digamma", x),
    "gammaln": lambda _y, x: _special("digamma", x),
    "i0": lambda _y, x: _special("i1", x),
    "i0e": lambda y, x: _special("i1e", x) - xp.sign(x) * y,
    "i1": lambda _y, x: 0.5 * (_special("i0", x) + _special("iv", 2.0, x)),
    "i1e": lambda y, x: 0.5 * (_special("i0e", x) + _special("ive", 2.0, x)) - xp.sign(x) * y,
    # The density over the distribution, both of which may be 0 where their quotient is large.
    "log_ndtr": lambda y, x: xp.exp(-0.5 * (x * x) - y) / _SQRT_2_PI,
    "ndtr": lambda _y, x: xp.exp(-0.5 * (x * x)) / _SQRT_2_PI,
    "ndtri": _of_inverse(lambda y: _SQRT_2_PI * xp.exp(0.5 * (y * y))),
}
# y' as a function of y, of all x, and of all x'
_TANGENTS: dict[str, Callable[..., Any]] = {
    "beta": lambda y, xs, ts: y * _betaln(y, xs, ts),
    "betaln": _betaln,
    "gammainc": _incomplete_gamma("gammainc", 1.0),
    "gammaincc": _incomplete_gamma("gammaincc", -1.0),
    "iv": _bessel("iv", is_scaled=False),
    "ive": _bessel("ive", is_scaled=True),
    "zeta": _zeta,
}


def _tangent(y: Any, xs: Any, ts: Any, *, function: str) -> Any:
    if function in _SLOPES:
        return _SLOPES[function](y, xs[0]) * ts[0]
    if function in _TANGENTS:
        return _TANGENTS[function](y, xs, ts)
    raise TransformError(f"the special function {function} has no derivative in forward mode")


special_rule = by_tangent(xp.special, _tangent)
