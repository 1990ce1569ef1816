"""Discrete Fourier transforms along one axis.

The matrix of the transform, exp(−2πi jk/n), is symmetric: the rule of fft is fft, that of ifft is ifft. Of real
numbers only half of the result is kept, the elements 0 to n//2, each of which but the first, and the last for even n,
stands for its conjugate too. So the rules of rfft and irfft are the other one, with these elements counted once or
twice.
"""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op

HAS_ELEMENTS = "an axis that the array has, of at least one element"


def _complex(*shape, axis):
    return Sample(shape, complex=True, axis=axis)


fft = op(
    "fft",
    lambda xp, x, *, axis: xp.fft(x, axis=axis),
    vjp=lambda F, g, _y, _x, *, axis: (F.fft(g, axis=axis),),
    linear=True,
    samples=(_complex(3, axis=0), _complex(2, 4, axis=-1), Sample((3, 2), axis=0), Sample((1,), axis=0)),
    requires=HAS_ELEMENTS,
)
ifft = op(
    "ifft",
    lambda xp, x, *, axis: xp.ifft(x, axis=axis),
    vjp=lambda F, g, _y, _x, *, axis: (F.ifft(g, axis=axis),),
    linear=True,
    samples=(_complex(3, axis=0), _complex(2, 4, axis=-1), Sample((3, 2), axis=0), Sample((1,), axis=0)),
    requires=HAS_ELEMENTS,
)


def _both_halves(xp, x, *, n, axis, times):
    """x, of n//2 + 1 elements along the axis, with those that stand for two `times` as large."""
    before = (n + 1) // 2 - 1
    ends = [xp.ones(1, dtype=x.dtype), times * xp.ones(before, dtype=x.dtype)]
    if n % 2 == 0:
        ends.append(ends[0])
    weights = xp.concat(ends)
    return x * xp.reshape(weights, (-1, *(1,) * (len(x.shape) - 1 - axis % len(x.shape))))


both_halves = op(
    "both_halves",
    _both_halves,
    vjp=lambda F, g, _y, _x, *, n, axis, times: (F.both_halves(g, n=n, axis=axis, times=times),),
    linear=True,
    samples=(
        Sample((3,), complex=True, n=4, axis=0, times=2.0),
        Sample((2, 3), complex=True, n=5, axis=-1, times=0.5),
        Sample((1, 2), complex=True, n=1, axis=0, times=2.0),
    ),
)


def _rfft_rule(F, g, _y, _x, *, axis):
    """n · irfft(ḡ), with the elements that irfft counts twice halved."""
    n = _x.shape[axis]
    return (n * F.irfft(F.both_halves(F.conj(g), n=n, axis=axis, times=0.5), n=n, axis=axis),)


def _irfft_rule(F, g, _y, _x, *, n, axis):
    """The conjugate of rfft(g) / n, with the elements that irfft counts twice doubled."""
    return (F.both_halves(F.conj(F.rfft(g, axis=axis)) / n, n=n, axis=axis, times=2.0),)


rfft = op(
    "rfft",
    lambda xp, x, *, axis: xp.rfft(x, axis=axis),
    vjp=_rfft_rule,
    linear=True,
    samples=(Sample((4,), axis=0), Sample((2, 5), axis=-1), Sample((3, 2), axis=0), Sample((1,), axis=0)),
    requires=HAS_ELEMENTS + ", of real numbers",
)
irfft = op(
    "irfft",
    lambda xp, x, *, n, axis: xp.irfft(x, n=n, axis=axis),
    vjp=_irfft_rule,
    linear=True,
    samples=(
        Sample((3,), complex=True, n=4, axis=0),
        Sample((2, 3), complex=True, n=5, axis=-1),
        Sample((2, 3), complex=True, n=2, axis=0),
        Sample((1,), complex=True, n=1, axis=0),
        Sample((3,), n=4, axis=0),
    ),
    requires="n//2 + 1 elements along the axis, which the array has",
)
