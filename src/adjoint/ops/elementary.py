"""Functions of one array, element by element."""

from __future__ import annotations

from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import divide_or_zero, positive

sin = op("sin", lambda xp, x: xp.sin(x), vjp=lambda F, g, _y, x: (g * F.cos(x),), elementwise=True)
cos = op("cos", lambda xp, x: xp.cos(x), vjp=lambda F, g, _y, x: (-g * F.sin(x),), elementwise=True)
sinh = op("sinh", lambda xp, x: xp.sinh(x), vjp=lambda F, g, _y, x: (g * F.cosh(x),), elementwise=True)
cosh = op("cosh", lambda xp, x: xp.cosh(x), vjp=lambda F, g, _y, x: (g * F.sinh(x),), elementwise=True)
tanh = op("tanh", lambda xp, x: xp.tanh(x), vjp=lambda F, g, y, _x: (g * (1.0 - y * y),), elementwise=True)
arctan = op("arctan", lambda xp, x: xp.atan(x), vjp=lambda F, g, _y, x: (g / (1.0 + x * x),), elementwise=True)
exp = op("exp", lambda xp, x: xp.exp(x), vjp=lambda F, g, y, _x: (g * y,), elementwise=True)
expm1 = op("expm1", lambda xp, x: xp.expm1(x), vjp=lambda F, g, y, _x: (g * (y + 1.0),), elementwise=True)
log = op(
    "log",
    lambda xp, x: xp.log(x),
    vjp=lambda F, g, _y, x: (divide_or_zero(F, g, x, positive(x)),),
    elementwise=True,
    domain=(0.5, 3.0),
)
log1p = op(
    "log1p",
    lambda xp, x: xp.log1p(x),
    vjp=lambda F, g, _y, x: (divide_or_zero(F, g, 1.0 + x, positive(1.0 + x)),),
    elementwise=True,
    domain=(-0.5, 2.0),
)
sqrt = op(
    "sqrt",
    lambda xp, x: xp.sqrt(x),
    vjp=lambda F, g, y, _x: (divide_or_zero(F, 0.5 * g, y, positive(y)),),
    elementwise=True,
    domain=(0.5, 3.0),
)
_TWO_BY_SQRT_PI = 1.1283791670955126
erf = op(
    "erf",
    lambda xp, x: xp.erf(x),
    vjp=lambda F, g, _y, x: (g * (_TWO_BY_SQRT_PI * F.exp(-(x * x))),),
    elementwise=True,
)


def _abs_rule(F, g, _y, x):
    """g times the sign of x; of a complex z, g z̄/|z|, and 0 at 0."""
    if x.dtype.kind != "c":
        return (g * F.sign(x),)
    size = F.abs(x)
    return (g * F.conj(x) / F.where(size == 0, 1.0, size),)


abs = op(
    "abs",
    lambda xp, x: xp.abs(x),
    vjp=_abs_rule,
    elementwise=True,
    samples=(Sample((2, 3), distinct=True),),
)
# The derivative of a step is 0 wherever it exists: there is no rule, and results are constants.
sign = op("sign", lambda xp, x: xp.sign(x), elementwise=True)


def _clip(xp, x, *, lo, hi):
    """min(max(x, lo), hi)"""
    y = x if lo is None else xp.maximum(x, lo)
    return real_only(y if hi is None else xp.minimum(y, hi))


def _clip_rule(F, g, _y, x, *, lo, hi):
    """g where lo ≤ x ≤ hi."""
    if lo is not None:
        g = F.where(x >= lo, g, 0.0)
    return (g if hi is None else F.where(x <= hi, g, 0.0),)


def _clipped_away(x, lo, hi):
    """Where x is beyond a bound."""
    below = False if lo is None else x < lo
    return (below,) if hi is None else (below | (x > hi),)


clip = op(
    "clip",
    _clip,
    vjp=_clip_rule,
    jvp=True,
    selects=lambda y, x, *, lo, hi: _clipped_away(x, lo, hi),
    elementwise=True,
    samples=(
        Sample((2, 4), lo=-0.6, hi=0.6, distinct=True),
        Sample((4,), lo=0.1, hi=None, distinct=True),
        Sample((), lo=None, hi=0.3),
    ),
)
astype = op(
    "astype",
    lambda xp, x, *, dtype: xp.astype(x, dtype),
    vjp=lambda F, g, _y, _x, *, dtype: (g,),  # the engine casts a cotangent to its input's dtype
    linear=True,
    samples=(Sample((2, 3), dtype="float64"),),
)
