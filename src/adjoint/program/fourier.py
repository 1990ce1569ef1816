"""Fourier transforms of tracers, each an operation that NumPy runs."""

from __future__ import annotations

from typing import Any

from adjoint.program.shapes import axes_of
from adjoint.program.trace import read

__all__ = ["fft", "ifft", "irfft", "rfft"]

Array = Any


def _transform(op: str, x: Array, axis: int, *params: Any) -> Array:
    trace, instruction = read(x)
    (axis,) = axes_of(axis, len(instruction.shape))
    if instruction.shape[axis] == 0:
        raise ValueError("Invalid number of FFT data points (0) specified.")
    return trace.wrap(trace.add(op, instruction, params=(*params, axis)))


def fft(x: Array, *, axis: int) -> Array:
    """Σ x[j] exp(−2πi jk/n) along an axis."""
    return _transform("fft", x, axis)


def ifft(x: Array, *, axis: int) -> Array:
    """Σ x[k] exp(2πi jk/n) / n along an axis."""
    return _transform("ifft", x, axis)


def rfft(x: Array, *, axis: int) -> Array:
    """The first half of the fft of real numbers."""
    if x.dtype.kind == "c":
        raise TypeError("rfft of complex numbers; use fft")
    return _transform("rfft", x, axis)


def irfft(x: Array, *, n: int, axis: int) -> Array:
    """The n real numbers whose rfft is x."""
    return _transform("irfft", x, axis, n)
