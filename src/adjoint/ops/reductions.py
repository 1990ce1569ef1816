"""Sums and extremes along axes, scans, and the spread that takes a cotangent back."""

from __future__ import annotations

import math

from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import divide_or_zero, interior, replaced


def axes_of(axis, ndim):
    """`axis` (None, a number, or numbers; negative from the end) as a tuple of numbers from 0; () without axes."""
    if axis is None or ndim == 0:  # where there is none, the axes 0 and −1 are allowed, as in NumPy
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def kept_shape(shape, axis):
    """`shape` with 1 for every reduced axis: what ``keepdims=True`` gives."""
    reduced = axes_of(axis, len(shape))
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


def keep_axes(F, array, shape, axis, keepdims):
    """A reduction's result (or its cotangent) with the reduced axes back in, as 1."""
    if keepdims or axis is None:
        return array  # with every axis reduced, one value broadcasts as it is
    return F.reshape(array, shape=kept_shape(shape, axis))


def spread(F, g, shape, axis, keepdims):
    """A reduction's cotangent, repeated along the reduced axes."""
    return F.broadcast_to(keep_axes(F, g, shape, axis, keepdims), shape=shape)


REDUCED = (
    Sample((2, 3, 2), axis=None, keepdims=False),
    Sample((2, 3, 2), axis=1, keepdims=False),
    Sample((2, 3, 2), axis=-1, keepdims=True),
    Sample((2, 3, 2), axis=(0, -1), keepdims=False),
    Sample((), axis=None, keepdims=False),
)
EMPTY = (Sample((0, 2), axis=0, keepdims=False), Sample((2, 0), axis=None, keepdims=True))
AXIS_EXISTS = "axes that the array has, from -ndim to ndim - 1, each once"

sum = op(
    "sum",
    lambda xp, x, *, axis=None, keepdims=False: xp.sum(x, axis=axis, keepdims=keepdims),
    vjp=lambda F, g, _y, _x, *, axis=None, keepdims=False: (spread(F, g, _x.shape, axis, keepdims),),
    linear=True,
    samples=REDUCED + EMPTY,
    requires=AXIS_EXISTS,
)


def _reduced_count(shape, axis):
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def _mean(xp, x, *, axis=None, keepdims=False):
    total = xp.sum(x, axis=axis, keepdims=keepdims)  # checks the axes
    count = _reduced_count(x.shape, axis)
    if count == 0:
        raise ValueError("the mean of no elements is undefined")
    return total / count


mean = op(
    "mean",
    _mean,
    vjp=lambda F, g, _y, _x, *, axis=None, keepdims=False: (
        spread(F, g / _reduced_count(_x.shape, axis), _x.shape, axis, keepdims),
    ),
    linear=True,
    samples=REDUCED,
    requires=AXIS_EXISTS,
)


def _tie_share(xp, x, extreme, *, axis):
    """1/n at the n elements that equal the extreme of their line, else 0. NaN is the extreme where it stands."""
    ties = xp.astype((x == extreme) | ((x != x) & (extreme != extreme)), x.dtype)
    return ties / xp.sum(ties, axis=axis, keepdims=True)


# Piecewise constant: no rule.
tie_share = op("tie_share", _tie_share)


def _extreme_rule(F, g, y, x, *, axis=None, keepdims=False):
    """Exact ties share the cotangent evenly; near-ties get nothing."""
    share = F.tie_share(x, keep_axes(F, y, x.shape, axis, keepdims), axis=axis)
    return (keep_axes(F, g, x.shape, axis, keepdims) * share,)


def _not_extreme(y, x, *, axis=None, keepdims=False):
    """Where x is not the extreme of its line."""
    if not keepdims and axis is not None:
        y = y.reshape(kept_shape(x.shape, axis))
    return (x != y,)


DISTINCT = tuple(Sample(*sample.shapes, distinct=True, **sample.params) for sample in REDUCED)
max = op(
    "max",
    lambda xp, x, *, axis=None, keepdims=False: real_only(xp.max(x, axis=axis, keepdims=keepdims)),
    vjp=_extreme_rule,
    selects=_not_extreme,
    samples=DISTINCT,
    requires=AXIS_EXISTS + "; at least one element to choose from",
)
min = op(
    "min",
    lambda xp, x, *, axis=None, keepdims=False: real_only(xp.min(x, axis=axis, keepdims=keepdims)),
    vjp=_extreme_rule,
    selects=_not_extreme,
    samples=DISTINCT,
    requires=AXIS_EXISTS + "; at least one element to choose from",
)


def _logsumexp(xp, x, *, axis=None, keepdims=False):
    """log Σ exp(x), shifted by the maximum; -inf for a line of -inf."""
    top = real_only(xp.max(x, axis=axis, keepdims=True))
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.sum(xp.exp(x - top), axis=axis, keepdims=True)
    nothing = total == 0
    result = xp.where(nothing, -math.inf, xp.log(xp.where(nothing, 1.0, total)) + top)
    if keepdims:
        return result
    reduced = axes_of(axis, len(x.shape))
    return xp.reshape(result, tuple(n for i, n in enumerate(x.shape) if i not in reduced))


def _logsumexp_rule(F, g, y, x, *, axis=None, keepdims=False):
    """exp(x − y), 0 throughout a line of −∞."""
    y = replaced(F, interior(y > -math.inf), y, 0.0)
    return (keep_axes(F, g, x.shape, axis, keepdims) * F.exp(x - keep_axes(F, y, x.shape, axis, keepdims)),)


logsumexp = op(
    "logsumexp",
    _logsumexp,
    vjp=_logsumexp_rule,
    samples=REDUCED,
    requires=AXIS_EXISTS,
)


def _norm(xp, x, *, axis=None, keepdims=False):
    """√Σ |x|²"""
    squares = xp.square(xp.real(x)) + xp.square(xp.imag(x)) if x.dtype.kind == "c" else x * x
    return xp.sqrt(xp.sum(squares, axis=axis, keepdims=keepdims))


norm = op(
    "norm",
    _norm,
    # The subgradient 0 at the origin, where x/|x| is undefined.
    vjp=lambda F, g, y, x, *, axis=None, keepdims=False: (
        (F.conj(x) if x.dtype.kind == "c" else x)
        * keep_axes(F, divide_or_zero(F, g, y, y != 0.0), x.shape, axis, keepdims),
    ),
    samples=REDUCED,
    domain=(0.5, 2.0),
    requires=AXIS_EXISTS,
)
flip = op(
    "flip",
    lambda xp, x, *, axis: xp.flip(x, axis=axis),
    vjp=lambda F, g, _y, _x, *, axis: (F.flip(g, axis=axis),),
    linear=True,
    samples=(Sample((3, 2), axis=0), Sample((2, 3), axis=-1)),
    requires=AXIS_EXISTS,
)
cumsum = op(
    "cumsum",
    lambda xp, x, *, axis: xp.cumulative_sum(x, axis=axis),
    vjp=lambda F, g, _y, _x, *, axis: (F.flip(F.cumsum(F.flip(g, axis=axis), axis=axis), axis=axis),),
    linear=True,
    samples=(Sample((3, 2), axis=0), Sample((2, 3), axis=-1), Sample((0, 2), axis=0)),
    requires=AXIS_EXISTS,
)
