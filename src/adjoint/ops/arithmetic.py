"""Arithmetic of two arrays, and powers."""

from __future__ import annotations

from adjoint.ops.complex_numbers import is_complex, real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import interior, positive, replaced, selected

BROADCASTABLE = "shapes that are equal or can be broadcast (axes compared from the last are equal, or one is 1)"
PAIRS = (
    Sample((2, 3), (2, 3)),
    Sample((2, 3), (3,)),
    Sample((2, 1), (1, 3)),
    Sample((), (2,)),
    Sample((0, 3), (3,)),
)

add = op(
    "add",
    lambda xp, a, b: a + b,
    vjp=(lambda F, g, _y, _a, _b: g, lambda F, g, _y, _a, _b: g),
    elementwise=True,
    linear=True,
    samples=PAIRS,
    requires=BROADCASTABLE,
)
sub = op(
    "sub",
    lambda xp, a, b: a - b,
    vjp=(lambda F, g, _y, _a, _b: g, lambda F, g, _y, _a, _b: -g),
    elementwise=True,
    linear=True,
    samples=PAIRS,
    requires=BROADCASTABLE,
)
mul = op(
    "mul",
    lambda xp, a, b: a * b,
    vjp=(lambda F, g, _y, _a, b: g * b, lambda F, g, _y, a, _b: g * a),
    elementwise=True,
    samples=PAIRS,
    requires=BROADCASTABLE,
)
div = op(
    "div",
    lambda xp, a, b: a / b,
    vjp=(lambda F, g, _y, _a, b: g / b, lambda F, g, _y, a, b: -g * (a / b) / b),
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)
neg = op("neg", lambda xp, x: -x, vjp=lambda F, g, _y, _x: (-g,), elementwise=True, linear=True)
# Adding 0 would turn -0.0 into 0.0; a copy keeps every bit.
copy = op("copy", lambda xp, x: xp.copy(x), vjp=lambda F, g, _y, _x: (g,), elementwise=True, linear=True)
square = op("square", lambda xp, x: x * x, vjp=lambda F, g, _y, x: (2.0 * x * g,), elementwise=True)


def _power_rule(F, g, _y, x, *, power):
    """Integer powers come to an end: the derivative of x⁰ is 0, also at x = 0 where 0·x⁻¹ would be NaN.

    The zero is a power of x too, so that every further derivative is 0 and not missing. Other powers end at x = 0.
    """
    if power == 0:
        return (0.0 * F.power(x, power=0),)
    if float(power).is_integer():
        return (power * F.power(x, power=power - 1) * g,)
    inside = interior(positive(x))
    return (selected(F, inside, power * F.power(replaced(F, inside, x), power=power - 1) * g),)


power = op(
    "power",
    # x¹ is x itself: the rule of x² comes by here.
    lambda xp, x, *, power: x if power == 1 else x**power,
    vjp=_power_rule,
    elementwise=True,
    domain=(0.5, 2.0),
    samples=(
        Sample((2, 3), power=2),
        Sample((3,), power=3, domain=(-2.0, 2.0)),
        Sample((3,), power=1.5),
        Sample((), power=-1),
        Sample((2,), power=0),
        Sample((2,), power=1),
    ),
)


def _pow_base_rule(F, g, _y, a, b):
    """b a^(b-1) for a > 0 and for whole b; 0 elsewhere, and where both are 0. Complex powers end at a = 0 only."""
    inside = a != 0.0 if is_complex(b) else positive(a)
    if not is_complex(b):
        inside = inside | ((F.floor(b) == b) & ((a != 0.0) | (b != 0.0)))
    inside = interior(inside)
    return selected(F, inside, g * (b * F.pow(replaced(F, inside, a), b - 1.0)))


def _pow_exponent_rule(F, g, y, a, _b):
    """y ln a for a > 0; 0 elsewhere, which at a = 0 is the limit for b > 0."""
    if is_complex(_b):
        a = a + 0j  # so that negative numbers have a logarithm
    inside = interior(positive(a))
    return selected(F, inside, g) * (selected(F, inside, y) * F.log(replaced(F, inside, a)))


pow = op(
    "pow",
    lambda xp, a, b: a**b,
    vjp=(_pow_base_rule, _pow_exponent_rule),
    elementwise=True,
    domain=(0.5, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)


def _larger_rule(F, g, a, b):
    """The share of the larger: all of g, half of it on a tie."""
    return F.where(a > b, g, F.where(a == b, 0.5 * g, 0.0))


DISTINCT_PAIRS = tuple(Sample(*sample.shapes, distinct=True) for sample in PAIRS)
maximum = op(
    "maximum",
    lambda xp, a, b: real_only(xp.maximum(a, b)),
    vjp=(lambda F, g, _y, a, b: _larger_rule(F, g, a, b), lambda F, g, _y, a, b: _larger_rule(F, g, b, a)),
    selects=lambda y, a, b: (a < b, b < a),
    elementwise=True,
    samples=DISTINCT_PAIRS,
    requires=BROADCASTABLE,
)
minimum = op(
    "minimum",
    lambda xp, a, b: real_only(xp.minimum(a, b)),
    vjp=(lambda F, g, _y, a, b: _larger_rule(F, g, b, a), lambda F, g, _y, a, b: _larger_rule(F, g, a, b)),
    selects=lambda y, a, b: (b < a, a < b),
    elementwise=True,
    samples=DISTINCT_PAIRS,
    requires=BROADCASTABLE,
)
where = op(
    "where",
    lambda xp, condition, a, b: xp.where(condition, a, b),
    vjp=(
        None,
        lambda F, g, _y, condition, _a, _b: F.where(condition, g, 0.0),
        lambda F, g, _y, condition, _a, _b: F.where(condition, 0.0, g),
    ),
    selects=lambda y, condition, a, b: (None, condition == 0, condition != 0),
    elementwise=True,
    samples=(
        Sample((2, 3), (2, 3), (2, 3), arrays={0: [[True, False, True], [False, False, True]]}),
        Sample((3,), (2, 3), (), arrays={0: [True, False, True]}),
    ),
    requires=BROADCASTABLE,
)
