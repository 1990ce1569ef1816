"""Rounding, remainders and signs."""

from __future__ import annotations

from adjoint.ops.arithmetic import BROADCASTABLE, DISTINCT_PAIRS
from adjoint.ops.complex_numbers import is_complex, real_only
from adjoint.ops.declaration import Sample, op

# Piecewise constant: no rules.
floor = op("floor", lambda xp, x: real_only(xp.floor(x)), elementwise=True)
ceil = op("ceil", lambda xp, x: real_only(xp.ceil(x)), elementwise=True)
trunc = op("trunc", lambda xp, x: real_only(xp.trunc(x)), elementwise=True)
round = op("round", lambda xp, x: real_only(xp.round(x)), elementwise=True)
floor_divide = op("floor_divide", lambda xp, a, b: a // b, elementwise=True, requires=BROADCASTABLE)

# Quotients of these are no whole numbers, where remainders jump.
_BETWEEN_JUMPS = tuple(Sample(*sample.shapes, domain=(1.1, 1.9)) for sample in DISTINCT_PAIRS)
remainder = op(
    "remainder",
    lambda xp, a, b: a % b,
    vjp=(lambda F, g, _y, _a, _b: g, lambda F, g, _y, a, b: -g * F.floor_divide(a, b)),
    elementwise=True,
    samples=_BETWEEN_JUMPS,
    requires=BROADCASTABLE,
)


def _fmod(xp, a, b):
    """The remainder of |a| by |b|, with the sign of a."""
    if is_complex(a) or is_complex(b):
        real_only(a + b)
    size = abs(a) % abs(b)
    return xp.where(a < 0, -size, size)


fmod = op(
    "fmod",
    _fmod,
    vjp=(
        lambda F, g, _y, _a, _b: g,
        lambda F, g, _y, a, b: -g * (F.sign(a) * F.sign(b) * F.floor_divide(F.abs(a), F.abs(b))),
    ),
    jvp=True,
    elementwise=True,
    samples=_BETWEEN_JUMPS,
    requires=BROADCASTABLE,
)
copysign = op(
    "copysign",
    lambda xp, a, b: xp.copysign(a, b),
    # ±1 as a has the sign of b or not, and 0 at a = 0, as for |a|
    vjp=(lambda F, g, y, a, _b: g * (F.sign(a) * F.sign(y)), lambda F, g, _y, _a, _b: 0.0 * g),
    elementwise=True,
    samples=DISTINCT_PAIRS,
    requires=BROADCASTABLE,
)
