"""Powers of 2, logarithms to other bases, the cube root, and what two arrays make of them."""

from __future__ import annotations

import math

from adjoint.ops.arithmetic import BROADCASTABLE, PAIRS
from adjoint.ops.declaration import op
from adjoint.ops.edges import divide_or_zero, positive

_LOG_2 = math.log(2.0)
_LOG_10 = math.log(10.0)

exp2 = op("exp2", lambda xp, x: xp.exp2(x), vjp=lambda F, g, y, _x: (_LOG_2 * g * y,), elementwise=True)
log2 = op(
    "log2",
    lambda xp, x: xp.log2(x),
    vjp=lambda F, g, _y, x: (divide_or_zero(F, g, _LOG_2 * x, positive(x)),),
    elementwise=True,
    domain=(0.5, 3.0),
)
log10 = op(
    "log10",
    lambda xp, x: xp.log10(x),
    vjp=lambda F, g, _y, x: (divide_or_zero(F, g, _LOG_10 * x, positive(x)),),
    elementwise=True,
    domain=(0.5, 3.0),
)
cbrt = op(
    "cbrt",
    lambda xp, x: xp.cbrt(x),
    vjp=lambda F, g, y, _x: (divide_or_zero(F, g, 3.0 * y * y, y != 0.0),),
    elementwise=True,
    domain=(0.5, 3.0),
)
hypot = op(
    "hypot",
    lambda xp, a, b: xp.hypot(a, b),
    vjp=(
        lambda F, g, y, a, _b: divide_or_zero(F, g * a, y, y != 0.0),
        lambda F, g, y, _a, b: divide_or_zero(F, g * b, y, y != 0.0),
    ),
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)


def _share(F, g, a, b):
    """The share of eᵃ in eᵃ + eᵇ; half for two equal infinities."""
    finite = (a != b) | (abs(a) != math.inf)
    return g * F.sigmoid(F.where(finite, a, 0.0) - F.where(finite, b, 0.0))


logaddexp = op(
    "logaddexp",
    lambda xp, a, b: xp.logaddexp(a, b),
    vjp=(lambda F, g, _y, a, b: _share(F, g, a, b), lambda F, g, _y, a, b: _share(F, g, b, a)),
    elementwise=True,
    samples=PAIRS,
    requires=BROADCASTABLE,
)
