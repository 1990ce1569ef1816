"""Transforms along one axis."""

from __future__ import annotations

import math
import operator
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.functions import complex_numbers
from adjoint.ops import fourier, indexing

__all__ = ["fft", "hfft", "ifft", "ihfft", "irfft", "real", "rfft"]

Norm = str | None
_OTHER = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def fft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """Σ a[j] exp(−2πi jk/n), for k = 0 … n − 1.

    Raises:
        AxisError: for an axis that `a` does not have.
        ArgumentError: for an axis without elements, another `n` than 1, 2, …, or another `norm`.

    >>> import adjoint as ad
    >>> print(ad.fft.fft(ad.Variable([1.0, 2.0])))
    variable[2]([ 3.+0.j -1.+0.j])
    """
    a, n, axis = _resized("fft", a, n, axis)
    return _scaled(apply(fourier.fft, a, axis=axis), _factor("fft", norm, n))


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """Σ a[k] exp(2πi jk/n) / n, for j = 0 … n − 1: the inverse of `fft`.

    >>> import adjoint as ad
    >>> print(ad.fft.ifft(ad.Variable([3.0, -1.0])))
    variable[2]([1.+0.j 2.+0.j])
    """
    a, n, axis = _resized("ifft", a, n, axis)
    return _scaled(apply(fourier.ifft, a, axis=axis), n * _factor("ifft", _opposite("ifft", norm), n))


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """The elements 0 to n//2 of the `fft` of real numbers; the others are their conjugates.

    Raises:
        DTypeError: for complex numbers.

    >>> import adjoint as ad
    >>> print(ad.fft.rfft(ad.Variable([1.0, 2.0, 3.0])))
    variable[2]([ 6. +0.j        -1.5+0.8660254j])
    """
    a, n, axis = _resized("rfft", real("rfft", a), n, axis)
    return _scaled(apply(fourier.rfft, a, axis=axis), _factor("rfft", norm, n))


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """The n real numbers whose `rfft` is `a`: its inverse. Without `n` an even one, 2 (m − 1) for m elements.

    The imaginary part of the first element counts for nothing, nor does that of the last, for even n.

    >>> import adjoint as ad
    >>> print(ad.fft.irfft(ad.fft.rfft(ad.Variable([1.0, 2.0, 3.0])), 3))
    variable[3]([1. 2. 3.])
    """
    a = as_variable(a)
    axis = axis_from_zero(axis, a.ndim, "irfft")
    n = _length("irfft", 2 * (a.shape[axis] - 1) if n is None else n)
    a, _, axis = _resized("irfft", a, n // 2 + 1, axis)
    return _scaled(apply(fourier.irfft, a, n=n, axis=axis), n * _factor("irfft", _opposite("irfft", norm), n))


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """The `fft`, which is real, of n numbers of which those beyond n//2 are the conjugates of those before.

    >>> import adjoint as ad
    >>> print(ad.fft.hfft(ad.Variable([1.0, 2.0, 1.0])))
    variable[4]([ 6.  0. -2.  0.])
    """
    return irfft(complex_numbers.conj(a), n, axis, _opposite("hfft", norm))


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Variable:
    """The elements 0 to n//2 of the `ifft` of real numbers: the inverse of `hfft`.

    >>> import adjoint as ad
    >>> print(ad.fft.ihfft(ad.Variable([6.0, 0.0, -2.0, 0.0])))
    variable[3]([1.-0.j 2.-0.j 1.-0.j])
    """
    return complex_numbers.conj(rfft(real("ihfft", a), n, axis, _opposite("ihfft", norm)))


def real(what: str, a: Any) -> Variable:
    """`a` as a Variable; raises DTypeError for complex numbers."""
    a = as_variable(a)
    if a.dtype.kind == "c":
        raise DTypeError(
            f"{what} takes real numbers, not an array of dtype {a.dtype}; use fft, ifft or fftn, or the real part alone"
        )
    return a


def _length(what: str, n: int) -> int:
    """A number of elements, which is at least 1."""
    if not hasattr(n, "__index__"):
        raise DTypeError(f"{what}: n is a whole number, not {n!r}")
    if operator.index(n) < 1:
        raise ArgumentError(f"{what} of {n} elements; there must be at least one")
    return operator.index(n)


def _resized(what: str, a: Any, n: int | None, axis: int) -> tuple[Variable, int, int]:
    """`a` with n elements along the axis, cut or filled up with zeros; n, and the axis from 0."""
    a = as_variable(a)
    axis = axis_from_zero(axis, a.ndim, what)
    length = a.shape[axis]
    n = _length(what, length if n is None else n)
    kept = (*(slice(None),) * axis, slice(min(n, length)))
    if n < length:
        a = a[kept]
    elif n > length:
        a = apply(indexing.unindex, a, index=kept, shape=(*a.shape[:axis], n, *a.shape[axis + 1 :]))
    return a, n, axis


def _opposite(what: str, norm: Norm) -> str:
    """The norm under which the transform has the factor that its inverse has under this one."""
    return _OTHER[_checked(what, norm)]


def _checked(what: str, norm: Norm) -> str:
    if norm is not None and norm not in _OTHER:
        raise ArgumentError(f'{what}: norm is "backward", "ortho" or "forward", not {norm!r}')
    return norm or "backward"


def _factor(what: str, norm: Norm, n: int) -> float:
    """What a transform of n elements is multiplied by."""
    return {"backward": 1.0, "ortho": 1.0 / math.sqrt(n), "forward": 1.0 / n}[_checked(what, norm)]


def _scaled(y: Variable, factor: float) -> Variable:
    return y if factor == 1.0 else y * factor
