"""Taylor series of tangents, inverse functions, logarithms and roots, and of functions of two arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint.lifted.edges import interior, replaced, selected
from adjoint.lifted.lifted import LIFTED as xp
from adjoint.lifted.series import plus
from adjoint.lifted.series_elementwise import by_slope, by_slope_of_value
from adjoint.lifted.tangents import by_tangent

__all__ = ["INVERSE_RULES"]

_LOG_2 = math.log(2.0)
_LOG_10 = math.log(10.0)


def _is_complex(x: Any) -> bool:
    return getattr(x, "dtype", None) is not None and x.dtype.kind == "c"


def _guarded(x: Any, inside: Any, by: float, slope: Callable[[Any], Any]) -> Any:
    """slope(x) inside, 0 elsewhere, where it is computed at `by`."""
    inside = interior(inside)
    return selected(inside, slope(replaced(inside, x, by)))


def _inside_one(x: Any) -> Any:
    """|x| < 1; for complex numbers, whose functions go on beyond, x ≠ ±1."""
    return (x != 1.0) & (x != -1.0) if _is_complex(x) else xp.abs(x) < 1.0


def _asin_slope(x: Any) -> Any:
    """1 / √(1 − x²). Of a complex product the root may have the other sign."""

    def slope(x: Any) -> Any:
        if _is_complex(x):
            return 1.0 / (xp.sqrt(1.0 - x) * xp.sqrt(1.0 + x))
        return 1.0 / xp.sqrt((1.0 - x) * (1.0 + x))

    return _guarded(x, _inside_one(x), 0.0, slope)


def _acosh_slope(x: Any) -> Any:
    inside = _inside_one(x) if _is_complex(x) else x > 1.0
    return _guarded(x, inside, 2.0, lambda x: 1.0 / (xp.sqrt(x - 1.0) * xp.sqrt(x + 1.0)))


def _logarithm_slope(factor: float) -> Callable[[Any], Any]:
    """1 / (factor · x) inside of the domain."""

    def slope(x: Any) -> Any:
        return _guarded(x, x != 0 if _is_complex(x) else x > 0, 1.0, lambda x: 1.0 / (factor * x))

    return slope


def _times(a: Any, b: Any) -> Any:
    return None if b is None else a * b


def _hypot(y: Any, xs: Any, ts: Any) -> Any:
    """(a a' + b b') / y"""
    (a, b), (of_a, of_b) = xs, ts
    inside = interior(y != 0.0)
    return selected(inside, plus(_times(a, of_a), _times(b, of_b)) / replaced(inside, y))


def _atan2(_y: Any, xs: Any, ts: Any) -> Any:
    """(b a' − a b') / (a² + b²)"""
    (a, b), (of_a, of_b) = xs, ts
    square = a * a + b * b
    inside = interior(square != 0.0)
    return selected(inside, plus(_times(b, of_a), _times(-a, of_b)) / replaced(inside, square))


def _logaddexp(_y: Any, xs: Any, ts: Any) -> Any:
    """The shares of eᵃ and eᵇ in their sum; half each for two equal infinities."""
    (a, b), (of_a, of_b) = xs, ts
    finite = (a != b) | (abs(a) != math.inf)
    difference = xp.where(finite, a, 0.0) - xp.where(finite, b, 0.0)
    return plus(_times(xp.sigmoid(difference), of_a), _times(xp.sigmoid(-difference), of_b))


def _copysign(y: Any, xs: Any, ts: Any) -> Any:
    """± a' as a has the sign of b or not, and 0 at a = 0, as for |a|"""
    return None if ts[0] is None else xp.sign(xs[0]) * xp.sign(y) * ts[0]


INVERSE_RULES: dict[str, Callable[..., Any]] = {
    "acos": by_slope(xp.acos, lambda x: -_asin_slope(x)),
    "acosh": by_slope(xp.acosh, _acosh_slope),
    "asin": by_slope(xp.asin, _asin_slope),
    "asinh": by_slope(xp.asinh, lambda x: 1.0 / xp.sqrt(1.0 + x * x)),
    "atan2": by_tangent(xp.atan2, _atan2, reads_value=False),
    "atanh": by_slope(xp.atanh, lambda x: _guarded(x, _inside_one(x), 0.0, lambda x: 1.0 / ((1.0 - x) * (1.0 + x)))),
    "cbrt": by_slope_of_value(xp.cbrt, lambda y, _x: _guarded(y, y != 0.0, 1.0, lambda y: 1.0 / (3.0 * y * y))),
    "copysign": by_tangent(xp.copysign, _copysign),
    "exp2": by_slope_of_value(xp.exp2, lambda y, _x: _LOG_2 * y),
    "hypot": by_tangent(xp.hypot, _hypot),
    "log10": by_slope(xp.log10, _logarithm_slope(_LOG_10)),
    "log2": by_slope(xp.log2, _logarithm_slope(_LOG_2)),
    "logaddexp": by_tangent(xp.logaddexp, _logaddexp, reads_value=False),
    "tan": by_slope_of_value(xp.tan, lambda y, _x: 1.0 + y * y),
}
