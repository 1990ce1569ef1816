"""Primitives on tracers of complex numbers that differ from those of real ones: operations that NumPy runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.program import composed
from adjoint.program.arithmetic import unary
from adjoint.program.elementwise import asarray, zeros_like

__all__ = ["acos", "acosh", "asin", "asinh", "atanh", "conj", "imag", "real", "tan"]

Array = Any


def _part(name: str, of_real: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A part of complex numbers, which for real ones needs no operation."""

    def function(x: Array) -> Array:
        x = asarray(x)
        return x.trace.wrap(x.trace.add(name, x.instruction)) if x.dtype.kind == "c" else of_real(x)

    function.__name__ = name
    return function


real = _part("real", lambda x: x)
imag = _part("imag", zeros_like)
conj = _part("conj", lambda x: x)


def _whole(name: str, ufunc: Any, of_real: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function whose form for real numbers is not that for complex ones."""

    def function(x: Array) -> Array:
        dtype = getattr(x, "dtype", None)
        return of_real(x) if dtype is None or dtype.kind != "c" else unary(name, ufunc, x)

    function.__name__ = name
    return function


acos = _whole("acos", np.arccos, composed.acos)
acosh = _whole("acosh", np.arccosh, composed.acosh)
asin = _whole("asin", np.arcsin, composed.asin)
asinh = _whole("asinh", np.arcsinh, composed.asinh)
atanh = _whole("atanh", np.arctanh, composed.atanh)
tan = _whole("tan", np.tan, composed.tan)
