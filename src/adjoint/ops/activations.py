"""Activations and normalised exponentials."""

from __future__ import annotations

from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.reductions import AXIS_EXISTS

sigmoid = op("sigmoid", lambda xp, x: xp.sigmoid(x), vjp=lambda F, g, y, _x: (g * (y * (1.0 - y)),), elementwise=True)
relu = op(
    "relu",
    lambda xp, x: real_only(xp.maximum(x, 0)),
    vjp=lambda F, g, y, _x: (F.where(y > 0, g, 0.0),),
    jvp=True,
    selects=lambda y, x: (y <= 0,),
    elementwise=True,
    samples=(Sample((2, 4), distinct=True), Sample((), domain=(0.5, 1.0))),
)
leaky_relu = op(
    "leaky_relu",
    lambda xp, x, *, slope: real_only(xp.where(x > 0, x, slope * x)),
    vjp=lambda F, g, _y, x, *, slope: (F.where(x > 0, g, slope * g),),
    elementwise=True,
    samples=(Sample((2, 4), slope=0.1, distinct=True),),
)
elu = op(
    "elu",
    lambda xp, x, *, alpha: real_only(xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, 0)))),
    vjp=lambda F, g, _y, x, *, alpha: (F.where(x > 0, g, g * (alpha * F.exp(F.minimum(x, 0.0)))),),
    jvp=True,
    elementwise=True,
    samples=(Sample((2, 4), alpha=1.5, distinct=True),),
)
softplus = op(
    "softplus",
    lambda xp, x: real_only(xp.maximum(x, 0)) + xp.log1p(xp.exp(-xp.abs(x))),
    vjp=lambda F, g, _y, x: (g * F.sigmoid(x),),
    jvp=True,
    elementwise=True,
)
# What softplus adds to max(x, 0), whose derivative at the tie is ½.
softplus_tail = op(
    "softplus_tail",
    lambda xp, x: xp.log1p(xp.exp(-xp.abs(real_only(x)))),
    vjp=lambda F, g, _y, x: (g * (F.sigmoid(x) - 0.5 * (F.sign(x) + 1.0)),),
    jvp=True,
    elementwise=True,
    samples=(Sample((2, 3), distinct=True),),
)
_SQRT_2_BY_PI = 0.7978845608028654
_CUBIC = 0.044715
_SQRT_HALF = 0.7071067811865476
_INVERSE_SQRT_2PI = 0.3989422804014327


def _gelu_tanh_rule(F, g, _y, x):
    t = F.tanh(_SQRT_2_BY_PI * (x + _CUBIC * (x * x * x)))
    slope = _SQRT_2_BY_PI * (1.0 + 3.0 * _CUBIC * (x * x))
    return (g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope),)


gelu_tanh = op(
    "gelu_tanh",
    lambda xp, x: 0.5 * x * (1.0 + xp.tanh(_SQRT_2_BY_PI * (x + _CUBIC * (x * x * x)))),
    vjp=_gelu_tanh_rule,
    elementwise=True,
)
gelu_erf = op(
    "gelu_erf",
    lambda xp, x: 0.5 * x * (1.0 + xp.erf(_SQRT_HALF * x)),
    vjp=lambda F, g, _y, x: (
        g * (0.5 * (1.0 + F.erf(_SQRT_HALF * x)) + x * (_INVERSE_SQRT_2PI * F.exp(-0.5 * (x * x)))),
    ),
    elementwise=True,
)


def _shifted(xp, x, axis):
    """x less its maximum along `axis`, so that no exponential overflows."""
    return x - real_only(xp.max(x, axis=axis, keepdims=True))


def _softmax(xp, x, *, axis=-1):
    """exp(x) / Σ exp(x)"""
    e = xp.exp(_shifted(xp, x, axis))
    return e / xp.sum(e, axis=axis, keepdims=True)


def _softmax_rule(F, g, y, _x, *, axis=-1):
    weighted = g * y
    return (weighted - y * F.sum(weighted, axis=axis, keepdims=True),)


ROWS = (Sample((2, 3), axis=-1), Sample((2, 3, 2), axis=1), Sample((3, 2), axis=0), Sample((0, 2), axis=-1))
softmax = op("softmax", _softmax, vjp=_softmax_rule, samples=ROWS, requires=AXIS_EXISTS)


def _log_softmax(xp, x, *, axis=-1):
    shifted = _shifted(xp, x, axis)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


log_softmax = op(
    "log_softmax",
    _log_softmax,
    vjp=lambda F, g, y, _x, *, axis=-1: (g - F.exp(y) * F.sum(g, axis=axis, keepdims=True),),
    samples=ROWS,
    requires=AXIS_EXISTS,
)
