"""NumPy's convolutions, polynomials, and interpolation."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.value import raw
from adjoint.errors import ArgumentError, ShapeError
from adjoint.functions import shapes
from adjoint.numpy.registering import as_value, implements, run

__all__: list[str] = []


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = as_value(a), as_value(v)
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ShapeError(f"convolve takes vectors with elements, not shapes {a.shape} and {v.shape}")
    if v.size > a.size:
        a, v = v, a
    return _cut(_windows(a, v.size) @ shapes.flip(v), a.size, v.size, mode)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    a, v = as_value(a), as_value(v)
    if v.dtype.kind == "c":
        v = run("conj")(v)
    if v.size > a.size:
        return shapes.flip(_cut(_windows(v, a.size) @ a, v.size, a.size, mode))
    return _cut(_windows(a, v.size) @ v, a.size, v.size, mode)


def _windows(a: Any, length: int) -> Any:
    """All stretches of `length` of a, which is surrounded by zeros, as rows."""
    padded = np.pad(a, length - 1)
    return padded[np.arange(a.size + length - 1)[:, None] + np.arange(length)]


def _cut(full: Any, n: int, m: int, mode: str) -> Any:
    """The part of a full convolution of n ≥ m elements that a mode gives."""
    if mode == "full":
        return full
    if mode == "valid":
        return full[m - 1 : n]
    if mode == "same":
        start = (m - 1) // 2
        return full[start : start + n]
    raise ArgumentError(f"mode {mode!r} of a convolution; there are 'full', 'same' and 'valid'")


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    p, x = as_value(p), as_value(x)
    total = x * 0.0
    for i in range(p.shape[0]):
        total = total * x + p[i]
    return total


@implements(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    a1, a2 = np.atleast_1d(as_value(a1), as_value(a2))
    length = max(a1.size, a2.size)
    return np.pad(a1, (length - a1.size, 0)) + np.pad(a2, (length - a2.size, 0))


@implements(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return polyadd(a1, -as_value(a2))


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    return convolve(*np.atleast_1d(as_value(a1), as_value(a2)))


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    p = as_value(p)
    for _ in range(m):
        p = p[:-1] * np.arange(p.size - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p = as_value(p)
    constants = np.zeros(m) if k is None else np.broadcast_to(as_value(k), (m,))
    for i in range(m):
        p = shapes.concat([p / np.arange(p.size, 0, -1), constants[i].reshape(1)])
    return p


@implements(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    zeros = as_value(seq_of_zeros)
    if zeros.ndim != 1:
        raise ShapeError(f"poly takes a vector of zeros, not an array of shape {zeros.shape}")
    p: Any = np.ones(1, zeros.dtype)
    for i in range(zeros.size):
        p = convolve(p, np.stack([np.ones((), zeros.dtype), -zeros[i]]))
    return p


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = as_value(x)
    count = x.shape[0] if N is None else N
    powers = [x**i for i in range(count)]
    return shapes.stack(powers if increasing else powers[::-1], 1)


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    x, xp, fp = as_value(x), as_value(xp), as_value(fp)
    if period is not None:
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = shapes.concat([xp[-1:] - period, xp, xp[:1] + period])
        fp = shapes.concat([fp[-1:], fp, fp[:1]])
        left = right = None
    if xp.size == 1:
        inside = shapes.broadcast_to(fp.reshape(()), x.shape)
    else:
        after = _places(xp, x)
        low, high = xp[after - 1], xp[after]
        share = (x - low) / (high - low)
        inside = fp[after - 1] + (fp[after] - fp[after - 1]) * share
    where = run("where")
    result = where(np.less(x, xp[0]), fp[0] if left is None else left, inside)
    return where(np.greater(x, xp[-1]), fp[-1] if right is None else right, result)


def _places(xp: Any, x: Any) -> Any:
    """For each element of x, the number of the first point behind it, from 1 to the last."""
    points, values = raw(xp), raw(x)
    if isinstance(points, np.ndarray) and isinstance(values, (np.ndarray, np.generic)):
        count = np.searchsorted(points, values, side="right")
    else:  # there is no searching where values are not known: points are counted
        count = raw(run("sum")((x.reshape((*x.shape, 1)) >= points).astype(np.intp), axis=-1))
    return raw(run("clip")(count, lo=1, hi=xp.size - 1))
