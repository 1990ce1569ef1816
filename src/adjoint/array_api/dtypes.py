"""Dtypes, constants, and the functions about dtypes. The dtypes are NumPy's, by their scalar types as in NumPy."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from adjoint.array_api.arguments import as_array
from adjoint.arrays import NUMBERS
from adjoint.core.standard import check_device
from adjoint.core.value import Value, raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError

__all__ = [
    "DTYPES",
    "FloatInfo",
    "IntegerInfo",
    "astype",
    "can_cast",
    "e",
    "finfo",
    "iinfo",
    "inf",
    "isdtype",
    "nan",
    "newaxis",
    "pi",
    "result_type",
]

DType = Any

e = math.e
inf = math.inf
nan = math.nan
pi = math.pi
newaxis = None

_NAMES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
""".split()
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in _NAMES}


class FloatInfo(NamedTuple):
    """The limits of a floating-point dtype; for complex numbers, those of their parts.

    bits: of one number
    eps: the distance from 1 to the next number
    max, min: the largest and the smallest number
    smallest_normal: the smallest positive number of full precision
    dtype: the dtype
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


class IntegerInfo(NamedTuple):
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating-point dtype, or of that of an array.

    Raises:
        DTypeError: for other dtypes.

    >>> finfo(np.float32).eps
    1.1920928955078125e-07
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "fc":
        raise DTypeError(f"finfo of {dtype}; it is for floating-point numbers, iinfo for integers")
    limits = np.finfo(dtype)
    eps, largest, smallest_normal = float(limits.eps), float(limits.max), float(limits.smallest_normal)
    return FloatInfo(int(limits.bits), eps, largest, -largest, smallest_normal, limits.dtype)


def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype, or of that of an array.

    Raises:
        DTypeError: for other dtypes.

    >>> iinfo(np.int8).max
    127
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "iu":
        raise DTypeError(f"iinfo of {dtype}; it is for integers, finfo for floating-point numbers")
    limits = np.iinfo(dtype)
    return IntegerInfo(int(limits.bits), int(limits.max), int(limits.min), dtype)


def _dtype_of(value: Any) -> np.dtype[Any]:
    if isinstance(value, (Value, np.ndarray)):
        return value.dtype
    return np.dtype(value)


def isdtype(dtype: DType, kind: Any) -> bool:
    """Whether a dtype is of a kind: a dtype, "bool", "integral", "real floating", "numeric", …, or one in a tuple.

    >>> isdtype(np.dtype("float32"), "real floating")
    True
    """
    return bool(np.isdtype(np.dtype(dtype), kind))


def can_cast(from_: Any, to: DType, /) -> bool:
    """Whether a dtype, or that of an array, can be promoted to another one.

    >>> can_cast(np.dtype("int8"), np.dtype("int16"))
    True
    """
    return bool(np.can_cast(_dtype_of(from_), _dtype_of(to)))


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that arrays, dtypes and Python's numbers have together.

    Raises:
        ArgumentError: for numbers alone.

    >>> result_type(np.dtype("float32"), 1.0)
    dtype('float32')
    """
    if all(type(x) in NUMBERS for x in arrays_and_dtypes):
        raise ArgumentError("result_type takes at least one array or dtype; numbers alone have no dtype")
    return np.result_type(*[x if type(x) in NUMBERS else _dtype_of(raw(x)) for x in arrays_and_dtypes])


def astype(x: Any, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Variable:
    """The values in another dtype; the cotangent comes back in that of x.

    Raises:
        DTypeError: for complex numbers that would become real. Use `real` or `abs`.

    >>> print(astype(Variable([1.0, 2.0]), np.dtype("float32")).dtype)
    float32
    """
    check_device(device)
    x, dtype = as_array(x), np.dtype(dtype)
    if x.dtype.kind == "c" and dtype.kind in "fiu":
        raise DTypeError(f"{x.dtype} to {dtype} would drop the imaginary part; take the real part first, xp.real(x)")
    return x if not copy and x.dtype == dtype else x.astype(dtype)
