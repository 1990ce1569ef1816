"""The tangent, the inverses of trigonometric and hyperbolic functions, and sin x / x."""

from __future__ import annotations

import math

from adjoint.ops.arithmetic import BROADCASTABLE, PAIRS
from adjoint.ops.complex_numbers import is_complex
from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import divide_or_zero, interior, replaced, selected

tan = op(
    "tan", lambda xp, x: xp.tan(x), vjp=lambda F, g, y, _x: (g * (1.0 + y * y),), elementwise=True, domain=(-1.0, 1.0)
)


def _inside_one(F, x):
    """|x| < 1; for complex numbers, whose functions go on beyond, x ≠ ±1."""
    return (x != 1.0) & (x != -1.0) if is_complex(x) else F.abs(x) < 1.0


def _arcsin_rule(F, g, _y, x):
    """1 / √(1 − x²) for |x| < 1"""
    inside = interior(_inside_one(F, x))
    x = replaced(F, inside, x, 0.0)
    # Of a complex product the root may have the other sign.
    root = F.sqrt(1.0 - x) * F.sqrt(1.0 + x) if is_complex(x) else F.sqrt((1.0 - x) * (1.0 + x))
    return (selected(F, inside, g / root),)


def _arccosh_rule(F, g, _y, x):
    """1 / √(x² − 1) for x > 1"""
    inside = interior(_inside_one(F, x) if is_complex(x) else x > 1.0)
    x = replaced(F, inside, x, 2.0)
    return (selected(F, inside, g / (F.sqrt(x - 1.0) * F.sqrt(x + 1.0))),)


def _arctanh_rule(F, g, _y, x):
    """1 / (1 − x²) for |x| < 1"""
    inside = interior(_inside_one(F, x))
    x = replaced(F, inside, x, 0.0)
    return (selected(F, inside, g / ((1.0 - x) * (1.0 + x))),)


arcsin = op("arcsin", lambda xp, x: xp.asin(x), vjp=_arcsin_rule, elementwise=True, domain=(-0.8, 0.8))
arccos = op(
    "arccos",
    lambda xp, x: xp.acos(x),
    vjp=lambda F, g, _y, x: _arcsin_rule(F, -g, None, x),
    elementwise=True,
    domain=(-0.8, 0.8),
)
arcsinh = op("arcsinh", lambda xp, x: xp.asinh(x), vjp=lambda F, g, _y, x: (g / F.sqrt(1.0 + x * x),), elementwise=True)
arccosh = op("arccosh", lambda xp, x: xp.acosh(x), vjp=_arccosh_rule, elementwise=True, domain=(1.4, 4.0))
arctanh = op("arctanh", lambda xp, x: xp.atanh(x), vjp=_arctanh_rule, elementwise=True, domain=(-0.8, 0.8))


def _over_square(F, numerator, a, b):
    """numerator / (a² + b²), 0 at the origin."""
    square = a * a + b * b
    return divide_or_zero(F, numerator, square, square != 0.0)


arctan2 = op(
    "arctan2",
    lambda xp, a, b: xp.atan2(a, b),
    vjp=(lambda F, g, _y, a, b: _over_square(F, g * b, a, b), lambda F, g, _y, a, b: _over_square(F, -g * a, a, b)),
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)


def _sinc(xp, x, *, order=0):
    """The derivative of sin(t)/t, t = πx, in x; the derivative sₙ in t is ∫₀¹ uⁿ cos(tu + nπ/2) du.

    t sₙ + n sₙ₋₁ = sin(t + nπ/2), which is stable from t = n on; below, the sum of the integrals of the powers of t.
    """
    t = math.pi * x
    reach = order + 1.5
    near = xp.abs(t) < reach
    close = _sinc_series(xp.where(near, t, 0.0), order, reach)
    t = xp.where(near, reach, t)
    derivative = xp.sin(t) / t
    for n in range(1, order + 1):
        shifted = xp.cos(t) if n % 2 else xp.sin(t)
        derivative = ((shifted if n % 4 < 2 else -shifted) - n * derivative) / t
    return math.pi**order * xp.where(near, close, derivative)


def _sinc_series(t, order, reach):
    """Σₖ ± tᵏ / (k! (n + k + 1)) over the k that are as even as n is."""
    k = order % 2
    coefficients = []
    while not coefficients or reach**k / math.factorial(k) > 1e-18:
        sign = -1.0 if (order + k) % 4 == 2 else 1.0
        coefficients.append(sign / (math.factorial(k) * (order + k + 1)))
        k += 2
    square = t * t
    total = coefficients.pop() * square
    for coefficient in reversed(coefficients[1:]):
        total = (total + coefficient) * square
    total = total + coefficients[0]
    return total * t if order % 2 else total


sinc = op(
    "sinc",
    _sinc,
    vjp=lambda F, g, _y, x, *, order=0: (g * F.sinc(x, order=order + 1),),
    elementwise=True,
    samples=(Sample((2, 3), order=0), Sample((), order=1), Sample((0, 3), order=0), Sample((4,), order=2)),
)
