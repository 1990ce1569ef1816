"""`numpy.linalg`, recorded: the functions are those of `adjoint.linalg` when they are called with Variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint import linalg
from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.linalg.decompositions import symmetric
from adjoint.numpy.creation import taking_lists
from adjoint.numpy.registering import with_out

__all__ = ["LinAlgError"]

LinAlgError = np.linalg.LinAlgError

_FUNCTIONS = {name: f for name in np.linalg.__all__ if not isinstance(f := getattr(np.linalg, name), type)}
FUNCTIONS.update({f: with_out(getattr(linalg, name)) for name, f in _FUNCTIONS.items()})


def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, -2, -1, dtype)


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return linalg.cholesky(symmetric(a, "U" if upper else "L", "cholesky"), upper=upper)


def _eigh(a: Any, UPLO: str = "L") -> Any:
    return linalg.eigh(a, UPLO)


def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return linalg.eigvalsh(a, UPLO)


FUNCTIONS.update({np.linalg.trace: _trace, np.linalg.cholesky: _cholesky})
FUNCTIONS.update({np.linalg.eigh: _eigh, np.linalg.eigvalsh: _eigvalsh})
globals().update({name: taking_lists(f) for name, f in _FUNCTIONS.items()})
