"""Elementwise primitives on tracers that have no operation of their own: each is written with those that have one.

So they need no kernel, and are fused like any other arithmetic. Errors are a few units in the last place; ±0, ±∞ and
NaN give what NumPy gives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.program.arithmetic import converted, result_dtype
from adjoint.program.elementwise import (
    abs,
    asarray,
    atan,
    cos,
    exp,
    isfinite,
    log,
    log1p,
    maximum,
    minimum,
    sin,
    sqrt,
    where,
)
from adjoint.program.trace import trace_of

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "copysign",
    "exp2",
    "floor",
    "hypot",
    "log2",
    "log10",
    "logaddexp",
    "round",
    "special",
    "tan",
    "trunc",
]

Array = Any

_LOG_2 = 0.6931471805599453
_LOG_10 = 2.302585092994046


def _is_negative(x: Array) -> Array:
    """Whether the sign of x is set, that of −0 too."""
    return (x < 0.0) | (1.0 / x < 0.0)


def _signed(size: Array, x: Array) -> Array:
    """`size`, which is not negative, with the sign of x."""
    return where(_is_negative(x), -size, size)


# Trigonometric and hyperbolic functions and their inverses


def tan(x: Array) -> Array:
    """sin x / cos x"""
    (x,) = converted(np.tan, x)
    return sin(x) / cos(x)


def asin(x: Array) -> Array:
    """atan(x / √(1 − x²)), where 1 − x² keeps its digits near ±1."""
    (x,) = converted(np.arcsin, x)
    return atan(x / sqrt((1.0 - x) * (1.0 + x)))


def acos(x: Array) -> Array:
    """2 atan √((1 − x) / (1 + x))"""
    (x,) = converted(np.arccos, x)
    return 2.0 * atan(sqrt((1.0 - x) / (1.0 + x)))


def atan2(y: Array, x: Array) -> Array:
    """atan |y / x|, in the quadrant of the signs."""
    y, x = converted(np.arctan2, y, x)
    above, beside = abs(y), abs(x)
    equal = where(above == 0.0, 0.0 * above, 1.0)  # the ratio of two zeros, and of two infinities
    angle = atan(where(above == beside, equal, above / beside))
    return _signed(where(_is_negative(x), math.pi - angle, angle), y)


def asinh(x: Array) -> Array:
    """± log(|x| + √(x² + 1)), by log1p for small x."""
    (x,) = converted(np.arcsinh, x)
    size = abs(x)
    far = _far(x.dtype)
    near = minimum(size, far)
    square = near * near
    return _signed(where(size > far, log(size) + _LOG_2, log1p(near + square / (1.0 + sqrt(1.0 + square)))), x)


def acosh(x: Array) -> Array:
    """log(x + √(x² − 1)), by log1p near 1."""
    (x,) = converted(np.arccosh, x)
    far = _far(x.dtype)
    above = minimum(x, far) - 1.0
    value = where(x > far, log(x) + _LOG_2, log1p(above + sqrt(above * (above + 2.0))))
    return where(x >= 1.0, value, math.nan)


def _far(dtype: Any) -> float:
    """Where √(x² ± 1) is x to the last digit, and x² is no infinity yet."""
    return float(2.0 ** (np.finfo(dtype).nmant // 2 + 3))


def atanh(x: Array) -> Array:
    """± ½ log((1 + |x|) / (1 − |x|)), by log1p."""
    (x,) = converted(np.arctanh, x)
    size = abs(x)
    return _signed(0.5 * log1p(2.0 * size / (1.0 - size)), x)


# Powers, roots and logarithms


def exp2(x: Array) -> Array:
    """2ˣ"""
    (x,) = converted(np.exp2, x)
    return 2.0**x


def log2(x: Array) -> Array:
    """ln x / ln 2"""
    (x,) = converted(np.log2, x)
    return log(x) / _LOG_2


def log10(x: Array) -> Array:
    """ln x / ln 10"""
    (x,) = converted(np.log10, x)
    return log(x) / _LOG_10


def cbrt(x: Array) -> Array:
    """± |x| to the power of ⅓, and a step of Newton's method, since ⅓ is no floating point number."""
    (x,) = converted(np.cbrt, x)
    size = abs(x)
    root = size ** (1.0 / 3.0)
    refined = root - (root - size / (root * root)) / 3.0
    return _signed(where((size > 0.0) & isfinite(size), refined, size), x)


def hypot(a: Array, b: Array) -> Array:
    """√(a² + b²), as a multiple of the larger of the two: no square overflows."""
    a, b = (abs(x) for x in converted(np.hypot, a, b))
    larger = maximum(a, b)
    ratio = minimum(a, b) / larger
    length = where((larger > 0.0) & isfinite(larger), larger * sqrt(1.0 + ratio * ratio), larger)
    return where((a == math.inf) | (b == math.inf), math.inf, length)  # even beside NaN


def logaddexp(a: Array, b: Array) -> Array:
    """log(eᵃ + eᵇ)"""
    a, b = converted(np.logaddexp, a, b)
    return where(a == b, a + _LOG_2, maximum(a, b) + log1p(exp(-abs(a - b))))


# Signs and rounding


def copysign(a: Array, b: Array) -> Array:
    """|a| with the sign of b."""
    a, b = converted(np.copysign, a, b)
    return _signed(abs(a), b)


def round(x: Array) -> Array:
    """The nearest whole number, the even one of two. What is added leaves no digits after the point."""
    if x.dtype.kind != "f":
        return asarray(x)
    whole = 2.0 ** np.finfo(x.dtype).nmant
    size = abs(x)
    return _signed(where(size < whole, (size + whole) - whole, size), x)


def floor(x: Array) -> Array:
    """The largest whole number that is not above x."""
    if x.dtype.kind != "f":
        return asarray(x)
    near = round(x)
    return where(near > x, near - 1.0, near)


def ceil(x: Array) -> Array:
    """The smallest whole number that is not below x."""
    return floor(x) if x.dtype.kind != "f" else -floor(-x)


def trunc(x: Array) -> Array:
    """The whole number next to x towards 0."""
    return floor(x) if x.dtype.kind != "f" else _signed(floor(abs(x)), x)


# What SciPy computes


def special(*xs: Array, function: str) -> Array:
    """A function of `scipy.special`: an operation of its own, which NumPy's namespace runs."""
    trace = trace_of(*xs)
    dtype = result_dtype(*xs)
    if dtype.kind == "c":
        raise TypeError(f"{function} of complex numbers is not there")
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    return trace.wrap(trace.add("special", *(trace.read(x, dtype) for x in xs), params=(function,)))
