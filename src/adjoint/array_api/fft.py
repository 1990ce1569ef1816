"""The extension `fft` of the standard: the functions of `adjoint.fft` with its signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import fft as transforms
from adjoint.array_api.arguments import named
from adjoint.core.creation import container
from adjoint.core.standard import check_device
from adjoint.core.variable import Variable

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]

Transform = Callable[..., Variable]


def _along_one(name: str) -> Transform:
    transform = getattr(transforms, name)

    def along_one(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Variable:
        return transform(x, n, axis, norm)

    return named(along_one, name, f"See `adjoint.fft.{name}`.")


def _along_many(name: str) -> Transform:
    transform = getattr(transforms, name)

    def along_many(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Variable:
        return transform(x, s, axes, norm)

    return named(along_many, name, f"See `adjoint.fft.{name}`.")


fft = _along_one("fft")
ifft = _along_one("ifft")
rfft = _along_one("rfft")
irfft = _along_one("irfft")
hfft = _along_one("hfft")
ihfft = _along_one("ihfft")
fftn = _along_many("fftn")
ifftn = _along_many("ifftn")
rfftn = _along_many("rfftn")
irfftn = _along_many("irfftn")


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Variable:
    """The frequency of each element of an `fft` of n samples with distance d.

    >>> print(fftfreq(4))
    variable[4]([ 0.    0.25 -0.5  -0.25])
    """
    return _frequencies(transforms.fftfreq(n, d), dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Variable:
    """The frequency of each element of an `rfft` of n samples with distance d.

    >>> print(rfftfreq(4))
    variable[3]([0.   0.25 0.5 ])
    """
    return _frequencies(transforms.rfftfreq(n, d), dtype, device)


def _frequencies(values: Any, dtype: Any, device: Any) -> Variable:
    check_device(device)
    return container(values if dtype is None else values.astype(np.dtype(dtype)))


def fftshift(x: Any, /, *, axes: Any = None) -> Variable:
    """The elements in the order of their frequencies, 0 in the middle.

    >>> print(fftshift(fftfreq(4)))
    variable[4]([-0.5  -0.25  0.    0.25])
    """
    return transforms.fftshift(x, axes)


def ifftshift(x: Any, /, *, axes: Any = None) -> Variable:
    """The inverse of `fftshift`.

    >>> print(ifftshift(fftshift(fftfreq(4))))
    variable[4]([ 0.    0.25 -0.5  -0.25])
    """
    return transforms.ifftshift(x, axes)
