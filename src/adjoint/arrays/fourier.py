"""Discrete Fourier transforms of NumPy arrays along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fft", "ifft", "irfft", "rfft"]

Array = Any


def fft(x: Array, *, axis: int) -> Array:
    """Σ x[j] exp(−2πi jk/n)"""
    return np.fft.fft(x, axis=axis)


def ifft(x: Array, *, axis: int) -> Array:
    """Σ x[k] exp(2πi jk/n) / n"""
    return np.fft.ifft(x, axis=axis)


def rfft(x: Array, *, axis: int) -> Array:
    """The first half of the fft of real numbers."""
    return np.fft.rfft(x, axis=axis)


def irfft(x: Array, *, n: int, axis: int) -> Array:
    """The n real numbers whose rfft is x, of n//2 + 1 elements along the axis."""
    return np.fft.irfft(x, n, axis=axis)
