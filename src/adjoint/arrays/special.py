"""Special functions on NumPy arrays, which are SciPy's. It is imported when the first of them is used."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from adjoint.errors import MissingDependencyError

__all__ = ["special"]


@lru_cache(None)
def _function(name: str) -> Any:
    try:
        import scipy.special
    except ImportError:
        raise MissingDependencyError(
            f"the special function {name} needs the SciPy library: pip install 'adjoint[scipy]'"
        ) from None
    return getattr(scipy.special, name)


def special(*xs: Any, function: str) -> Any:
    """A function of `scipy.special` by its name, element by element, in the dtype that the arguments share.

    Raises:
        MissingDependencyError: without SciPy.
    """
    dtype = np.result_type(*xs)
    if dtype.kind == "c":
        raise TypeError(f"{function} of complex numbers is not there")
    result = _function(function)(*xs)
    # SciPy computes in larger floats than it need.
    return result.astype(dtype) if dtype.kind == "f" and result.dtype != dtype else result
