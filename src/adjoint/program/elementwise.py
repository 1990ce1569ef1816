"""Elementwise primitives on tracers, and those that make arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.program.arithmetic import binary, result_dtype, unary
from adjoint.program.trace import read, trace_of
from adjoint.program.tracer import Tracer

__all__ = [
    "abs",
    "asarray",
    "astype",
    "atan",
    "copy",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "flush_tiny",
    "full_like",
    "isfinite",
    "isnan",
    "log",
    "log1p",
    "logical_not",
    "maximum",
    "minimum",
    "ones",
    "ones_like",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tanh",
    "where",
    "zeros",
    "zeros_like",
]

Array = Any

_FLUSHED = {np.dtype(np.float32): 2.0**23 * 1e-30, np.dtype(np.float64): 2.0**52 * 1e-280}
_FEW = 256


def _unary(op: str, ufunc: Any) -> Any:
    def function(x: Array) -> Array:
        if not isinstance(x, Tracer):
            trace = trace_of()
            x = trace.wrap(trace.read(x))
        return unary(op, ufunc, x)

    function.__name__ = op
    return function


def _binary(op: str) -> Any:
    def function(a: Array, b: Array) -> Array:
        result = binary(op, a, b)
        if result is NotImplemented:
            raise TypeError(f"{op} of {type(a).__name__} and {type(b).__name__}")
        return result

    function.__name__ = op
    return function


abs = _unary("abs", np.abs)
atan = _unary("atan", np.arctan)
cos = _unary("cos", np.cos)
cosh = _unary("cosh", np.cosh)
exp = _unary("exp", np.exp)
expm1 = _unary("expm1", np.expm1)
isfinite = _unary("isfinite", np.isfinite)
isnan = _unary("isnan", np.isnan)
log = _unary("log", np.log)
log1p = _unary("log1p", np.log1p)
sigmoid = _unary("sigmoid", np.exp)
sign = _unary("sign", np.sign)
sin = _unary("sin", np.sin)
sinh = _unary("sinh", np.sinh)
sqrt = _unary("sqrt", np.sqrt)
tanh = _unary("tanh", np.tanh)
maximum = _binary("maximum")
minimum = _binary("minimum")


def erf(x: Array) -> Array:
    """The error function, of real numbers."""
    if getattr(x, "dtype", np.dtype(float)).kind == "c":
        raise TypeError("erf of complex numbers is not there")
    return _erf(x)


_erf = _unary("erf", np.exp)


def square(x: Array) -> Array:
    """x · x"""
    return x * x


def logical_not(x: Array) -> Array:
    """Where x is 0."""
    return unary("invert", np.invert, astype(x, np.bool_))


def where(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition is true, b elsewhere."""
    trace = trace_of(condition, a, b)
    dtype = result_dtype(a, b)
    flags = trace.read(condition, np.dtype(np.bool_))
    return trace.wrap(trace.add("where", flags, trace.read(a, dtype), trace.read(b, dtype)))


def flush_tiny(x: Array) -> Array:
    """0 for what is so small that it would soon be subnormal; a few elements are left as they are."""
    rounds = _FLUSHED.get(x.dtype)
    if rounds is None or x.size <= _FEW:
        return x
    return (x + rounds) - rounds


# Creation


def asarray(x: Any, dtype: Any = None) -> Array:
    """x as a tracer, in `dtype` if one is given."""
    trace, instruction = read(x)
    return trace.wrap(instruction if dtype is None else trace.cast(instruction, np.dtype(dtype)))


def astype(x: Array, dtype: Any) -> Array:
    """x in another dtype."""
    trace, instruction = read(x)
    return trace.wrap(trace.cast(instruction, np.dtype(dtype)))


def copy(x: Array) -> Array:
    """x as a tracer of its own."""
    return asarray(x)


def _filled(value: Any, shape: Any, dtype: Any) -> Array:
    trace = trace_of(value)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    instruction = trace.read(value, np.dtype(dtype))
    return trace.wrap(trace.broadcast(instruction, shape))


def zeros(shape: Any, dtype: Any = np.float64) -> Array:
    """Zeros of a shape."""
    return _filled(0, shape, dtype)


def ones(shape: Any, dtype: Any = np.float64) -> Array:
    """Ones of a shape."""
    return _filled(1, shape, dtype)


def zeros_like(x: Array) -> Array:
    """Zeros of x's shape and dtype."""
    return _filled(0, x.shape, x.dtype)


def ones_like(x: Array) -> Array:
    """Ones of x's shape and dtype."""
    return _filled(1, x.shape, x.dtype)


def full_like(x: Array, value: Any) -> Array:
    """`value` at every element, in x's shape and dtype."""
    return _filled(value, x.shape, x.dtype)
