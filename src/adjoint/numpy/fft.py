"""`numpy.fft`, recorded: the functions are those of `adjoint.fft` when they are called with Variables."""

from __future__ import annotations

import numpy.fft

from adjoint import fft
from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.numpy.creation import taking_lists
from adjoint.numpy.registering import with_out

__all__: list[str] = []

_FREQUENCIES = ("fftfreq", "rfftfreq")  # of numbers alone
_FUNCTIONS = {name: getattr(numpy.fft, name) for name in numpy.fft.__all__}
FUNCTIONS.update({f: with_out(getattr(fft, name)) for name, f in _FUNCTIONS.items() if name not in _FREQUENCIES})
globals().update({name: taking_lists(f) for name, f in _FUNCTIONS.items()})
