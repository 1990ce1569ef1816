"""Discrete Fourier transforms of Variables, with the names and arguments of `numpy.fft`.

The transform along an axis of n elements and its inverse are

    y[k] = Σ x[j] exp(−2πi jk/n)        x[j] = Σ y[k] exp(2πi jk/n) / n

`n`, or `s` for several axes, is the length to which an axis is cut or filled up with zeros first. `norm` says where the
factor 1/n stands: "backward", at the inverse; "forward", at the transform; "ortho", 1/√n at both. All of them can be
differentiated to any order; single precision stays single.

>>> import adjoint as ad
>>> print(ad.fft.rfft(ad.Variable([1.0, 0.0, 0.0, 0.0])))
variable[3]([1.+0.j 1.+0.j 1.+0.j])
"""

from adjoint.fft.frequencies import (
    fftfreq as fftfreq,
    fftshift as fftshift,
    ifftshift as ifftshift,
    rfftfreq as rfftfreq,
)
from adjoint.fft.many_axes import (
    fft2 as fft2,
    fftn as fftn,
    ifft2 as ifft2,
    ifftn as ifftn,
    irfft2 as irfft2,
    irfftn as irfftn,
    rfft2 as rfft2,
    rfftn as rfftn,
)
from adjoint.fft.one_axis import (
    fft as fft,
    hfft as hfft,
    ifft as ifft,
    ihfft as ihfft,
    irfft as irfft,
    rfft as rfft,
)

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
