"""The frequencies that a transform's elements stand for, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.ops import shaping

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]

Axes = int | Sequence[int] | None


def fftfreq(n: int, d: float = 1.0) -> Any:
    """The frequency of each element of an `fft` of n samples with distance d, an array: 0, 1, … and then … −2, −1, each
    divided by n d.

    >>> import adjoint as ad
    >>> ad.fft.fftfreq(4, 0.5)
    array([ 0. ,  0.5, -1. , -0.5])
    """
    return np.fft.fftfreq(_count("fftfreq", n), d)


def rfftfreq(n: int, d: float = 1.0) -> Any:
    """The frequency of each element of an `rfft` of n samples with distance d, an array: 0, 1, … n//2, each divided by
    n d.

    >>> import adjoint as ad
    >>> ad.fft.rfftfreq(4, 0.5)
    array([0. , 0.5, 1. ])
    """
    return np.fft.rfftfreq(_count("rfftfreq", n), d)


def _count(what: str, n: int) -> int:
    if n < 1:
        raise ArgumentError(f"{what} of {n} samples; there must be at least one")
    return n


def fftshift(x: Any, axes: Axes = None) -> Variable:
    """The elements in the order of their frequencies, 0 in the middle, along `axes` or all.

    >>> import adjoint as ad
    >>> print(ad.fft.fftshift(ad.fft.fftfreq(4)))
    variable[4]([-0.5  -0.25  0.    0.25])
    """
    return _turned("fftshift", x, axes, lambda n: n - n // 2)


def ifftshift(x: Any, axes: Axes = None) -> Variable:
    """The inverse of `fftshift`.

    >>> import adjoint as ad
    >>> print(ad.fft.ifftshift([-0.5, -0.25, 0.0, 0.25]))
    variable[4]([ 0.    0.25 -0.5  -0.25])
    """
    return _turned("ifftshift", x, axes, lambda n: n // 2)


def _turned(what: str, x: Any, axes: Axes, first: Any) -> Variable:
    """The elements from number first(n) on, and then those before it, along each axis of n elements."""
    x = as_variable(x)
    if axes is None:
        axes = range(x.ndim)
    for axis in axes if isinstance(axes, Sequence) else (axes,):
        axis = axis_from_zero(axis, x.ndim, what)
        start = first(x.shape[axis])
        before = (slice(None),) * axis
        x = apply(shaping.concat, x[(*before, slice(start, None))], x[(*before, slice(start))], axis=axis)
    return x
