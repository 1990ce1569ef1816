"""Transforms along several axes: along one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.fft.one_axis import Norm, fft, ifft, irfft, real, rfft

__all__ = ["fft2", "fftn", "ifft2", "ifftn", "irfft2", "irfftn", "rfft2", "rfftn"]

Lengths = Sequence[int] | None
Axes = Sequence[int] | None
_LAST_TWO = (-2, -1)


def fftn(a: Any, s: Lengths = None, axes: Axes = None, norm: Norm = None) -> Variable:
    """The transform along `axes`: all of them, or, where `s` is given, as many of the last.

    Raises:
        ArgumentError: for another number of lengths `s` than of axes.

    >>> import adjoint as ad
    >>> print(ad.fft.fftn(ad.Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[10.+0.j -2.+0.j]
     [-4.+0.j  0.+0.j]])
    """
    return _along(fft, *_lengths_and_axes("fftn", a, s, axes), norm)


def ifftn(a: Any, s: Lengths = None, axes: Axes = None, norm: Norm = None) -> Variable:
    """The inverse of `fftn`.

    >>> import adjoint as ad
    >>> print(ad.fft.ifftn(ad.Variable([[10.0, -2.0], [-4.0, 0.0]])))
    variable[2, 2]([[1.+0.j 2.+0.j]
     [3.+0.j 4.+0.j]])
    """
    return _along(ifft, *_lengths_and_axes("ifftn", a, s, axes), norm)


def rfftn(a: Any, s: Lengths = None, axes: Axes = None, norm: Norm = None) -> Variable:
    """The transform of real numbers along `axes`, of which the last keeps the elements 0 to n//2 only.

    >>> import adjoint as ad
    >>> ad.fft.rfftn(ad.ones(3, 4)).shape
    (3, 3)
    """
    a, lengths, axes = _lengths_and_axes("rfftn", real("rfftn", a), s, axes)
    if not axes:
        raise ArgumentError("rfftn: at least one axis must be transformed")
    half = rfft(a, lengths[-1], axes[-1], norm)
    return _along(fft, half, lengths[:-1], axes[:-1], norm)


def irfftn(a: Any, s: Lengths = None, axes: Axes = None, norm: Norm = None) -> Variable:
    """The inverse of `rfftn`. Without `s`, the last axis gets an even length.

    >>> import adjoint as ad
    >>> ad.fft.irfftn(ad.ones(3, 3)).shape
    (3, 4)
    """
    a, lengths, axes = _lengths_and_axes("irfftn", a, s, axes)
    if not axes:
        raise ArgumentError("irfftn: at least one axis must be transformed")
    whole = _along(ifft, a, lengths[:-1], axes[:-1], norm)
    return irfft(whole, None if s is None else lengths[-1], axes[-1], norm)


def fft2(a: Any, s: Lengths = None, axes: Axes = _LAST_TWO, norm: Norm = None) -> Variable:
    """`fftn` along two axes, the last ones.

    >>> import adjoint as ad
    >>> print(ad.fft.fft2(ad.Variable([[1.0, 2.0], [3.0, 4.0]])))
    variable[2, 2]([[10.+0.j -2.+0.j]
     [-4.+0.j  0.+0.j]])
    """
    return fftn(a, s, axes, norm)


def ifft2(a: Any, s: Lengths = None, axes: Axes = _LAST_TWO, norm: Norm = None) -> Variable:
    """The inverse of `fft2`.

    >>> import adjoint as ad
    >>> print(ad.fft.ifft2(ad.Variable([[10.0, -2.0], [-4.0, 0.0]])))
    variable[2, 2]([[1.+0.j 2.+0.j]
     [3.+0.j 4.+0.j]])
    """
    return ifftn(a, s, axes, norm)


def rfft2(a: Any, s: Lengths = None, axes: Axes = _LAST_TWO, norm: Norm = None) -> Variable:
    """`rfftn` along two axes, the last ones.

    >>> import adjoint as ad
    >>> ad.fft.rfft2(ad.ones(5, 3, 4)).shape
    (5, 3, 3)
    """
    return rfftn(a, s, axes, norm)


def irfft2(a: Any, s: Lengths = None, axes: Axes = _LAST_TWO, norm: Norm = None) -> Variable:
    """The inverse of `rfft2`.

    >>> import adjoint as ad
    >>> ad.fft.irfft2(ad.ones(5, 3, 3)).shape
    (5, 3, 4)
    """
    return irfftn(a, s, axes, norm)


def _lengths_and_axes(what: str, a: Any, s: Lengths, axes: Axes) -> tuple[Variable, list[int], list[int]]:
    """`a`, the length of each axis that is transformed, and these axes from 0."""
    a = as_variable(a)
    if axes is None:
        count = a.ndim if s is None else len(s)
        axes = range(-count, 0)
    axes = [axis_from_zero(axis, a.ndim, what) for axis in axes]
    lengths = [-1] * len(axes) if s is None else list(s)
    if len(lengths) != len(axes):
        raise ArgumentError(f"{what}: {len(lengths)} lengths for {len(axes)} axes")
    # As in NumPy, -1 is the length that there is.
    return a, [a.shape[axis] if n == -1 else n for n, axis in zip(lengths, axes, strict=True)], axes


def _along(
    transform: Callable[..., Variable], a: Variable, lengths: Sequence[int], axes: Sequence[int], norm: Norm
) -> Variable:
    """One transform after the other, from the last axis to the first."""
    for n, axis in zip(reversed(lengths), reversed(axes), strict=True):
        a = transform(a, n, axis, norm)
    return a
