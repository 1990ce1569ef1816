"""The primitives on NumPy arrays: the names in `adjoint.arrays.primitives`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.arrays.erf import erf as erf
from adjoint.arrays.fourier import fft as fft, ifft as ifft, irfft as irfft, rfft as rfft
from adjoint.arrays.matrices import (
    argsort as argsort,
    cholesky as cholesky,
    eig as eig,
    eigh as eigh,
    qr as qr,
    slogdet as slogdet,
    solve as solve,
    svd as svd,
)
from adjoint.arrays.special import special as special

Array = Any
Axis = int | tuple[int, ...] | None


def _keep_freed_memory() -> None:
    """Lets the C library keep memory that large temporaries return, instead of giving it to the system at once.

    glibc's malloc adapts its thresholds to the largest block freed so far (mallopt(3), M_MMAP_THRESHOLD): after
    one of just under 32 MiB it keeps up to 64 MiB. Fresh pages cost more than most arithmetic on them: without
    this, a gradient of 1,000,000 elements takes twice the time. The block is never touched, so this takes 10 µs
    and no memory; other C libraries do not mind it.
    """
    np.empty(2**25 - 2**13, np.uint8)


_keep_freed_memory()

# Elementwise
abs = np.abs
acos = np.arccos
acosh = np.arccosh
asin = np.arcsin
asinh = np.arcsinh
atan = np.arctan
atan2 = np.arctan2
atanh = np.arctanh
cbrt = np.cbrt
ceil = np.ceil
conj = np.conj
copysign = np.copysign
cos = np.cos
cosh = np.cosh
exp = np.exp
exp2 = np.exp2
expm1 = np.expm1
floor = np.floor
hypot = np.hypot
imag = np.imag
isfinite = np.isfinite
isnan = np.isnan
log = np.log
log10 = np.log10
log1p = np.log1p
log2 = np.log2
logaddexp = np.logaddexp
logical_not = np.logical_not
maximum = np.maximum
minimum = np.minimum
real = np.real
round = np.round
sign = np.sign
sin = np.sin
sinh = np.sinh
sqrt = np.sqrt
square = np.square
tan = np.tan
tanh = np.tanh
trunc = np.trunc
where = np.where

# Creation
asarray = np.asarray
copy = np.copy
full_like = np.full_like
ones = np.ones
zeros = np.zeros
zeros_like = np.zeros_like

# Shapes, indexing, the rest
argmax = np.argmax
concat = np.concatenate
flip = np.flip
permute_dims = np.transpose
stack = np.stack
take = np.take


def ones_like(x: Array) -> Array:
    # numpy.ones_like takes 1.4 µs for a scalar.
    return np.ones(x.shape, x.dtype) if x.shape else x.dtype.type(1)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), in place after the first temporary; exact to the last digits in both tails."""
    result = np.negative(x)
    if type(result) is not np.ndarray:
        with np.errstate(over="ignore"):
            return 1.0 / (np.exp(result) + 1.0)
    if result.dtype.kind != "f":
        result = result.astype(np.result_type(result, 1.0))
    with np.errstate(over="ignore"):  # exp(-x) = inf where sigmoid(x) is 0 to the last bit
        np.exp(result, out=result)
    result += 1.0
    return np.divide(1.0, result, out=result)


# The reductions call the ufuncs' own: numpy.sum and its like cost 1 µs more a call.
_add: Any = np.add
_maximum: Any = np.maximum
_minimum: Any = np.minimum


def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _add.reduce(x, axis=axis, keepdims=keepdims)


def max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _maximum.reduce(x, axis=axis, keepdims=keepdims)


def min(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _minimum.reduce(x, axis=axis, keepdims=keepdims)


def cumulative_sum(x: Array, *, axis: int) -> Array:
    return _add.accumulate(x, axis=axis)


def broadcast_to(x: Array, shape: Sequence[int]) -> Array:
    """A read-only view of `x` with `shape`. One value spread over a whole shape, the most common case in a
    backward pass, is built directly: numpy.broadcast_to takes 5 µs."""
    if type(x) is np.ndarray and x.size == 1 and x.ndim <= len(shape):
        spread = np.ndarray(shape, x.dtype, x if x.flags.forc else x.copy(), 0, (0,) * len(shape))
        spread.flags.writeable = False
        return spread
    return np.broadcast_to(x, shape)


def reshape(x: Array, shape: Sequence[int]) -> Array:
    return np.asarray(x).reshape(shape)  # the method: numpy.reshape takes 0.5 µs more


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """The sum of `x` over the axes along which `shape` would be broadcast to `x.shape`."""
    if shape == x.shape[1:]:
        return _add.reduce(x, axis=0)  # the gradient of a bias, most often
    extra = x.ndim - len(shape)
    if extra < 0:
        raise ValueError(f"cannot sum an array of shape {x.shape} to {shape}")
    stretched = tuple(axis for axis in range(extra, x.ndim) if shape[axis - extra] == 1 and x.shape[axis] != 1)
    axes = tuple(range(extra)) + stretched
    result = _add.reduce(x, axis=axes, keepdims=bool(stretched)) if axes else x
    if extra and stretched:
        result = result.reshape(result.shape[extra:])
    if result.shape != shape:
        raise ValueError(f"cannot sum an array of shape {x.shape} to {shape}")
    return result


_LARGE = 8192  # elements


def matmul(a: Array, b: Array) -> Array:
    # For matrices dot is the same product, and takes 0.3 to 1.3 µs less; but it fills its result with zeros first,
    # which costs more where the result is large.
    try:
        if a.ndim == 2 == b.ndim and (a.shape[0] * b.shape[1] < _LARGE or a.shape[1] == 1):
            return a.dot(b)
    except AttributeError:
        pass  # a number, which numpy.matmul refuses
    return np.matmul(a, b)


def einsum(subscripts: str, *operands: Array) -> Array:
    return np.einsum(subscripts, *operands, optimize=len(operands) > 1)


def getitem(x: Array, index: Any) -> Array:
    return x[index]


def _may_repeat(index: Any) -> bool:
    """Whether an element may stand in `index` twice: only lists and arrays of integers can name one twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, (list, np.ndarray)) and np.asarray(part).dtype.kind != "b" for part in parts)


def unindex(values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with `values` added at `index`: the adjoint of `getitem`."""
    result = np.zeros(shape, values.dtype)
    if _may_repeat(index):
        np.add.at(result, index, values)
    else:
        result[index] = values
    return result


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    """A copy of `x` with `values` added at `index`; values of repeated indices add up."""
    result = x.astype(np.result_type(x, values))
    np.add.at(result, index, values)
    return result


def index_update(x: Array, index: Any, values: Array, in_place: bool = False) -> Array:
    """A copy of `x` with `values` at `index`; x itself, changed, if it is to be done in place."""
    result = x if in_place else np.array(x)
    if _may_repeat(index):
        # NumPy goes through them in the order of memory; the last one in the order of the index is to win.
        parts = index if isinstance(index, tuple) else (index,)
        index = tuple(np.asarray(part, order="C") if isinstance(part, np.ndarray) else part for part in parts)
        values = np.asarray(values, order="C")
    result[index] = values
    return result


def pick(x: Array, labels: Array) -> Array:
    """x[n, labels[n]] for x (N, C) and labels (N,)."""
    return x[np.arange(len(labels)), labels]


def require(flags: Array, error: Callable[[], Exception]) -> None:
    """Raises the error that `error` makes, unless all flags are true."""
    if not flags.all():
        raise error()


def astype(x: Array, dtype: Any) -> Array:
    """`x` in another dtype; of complex numbers the real part where it is one of real numbers."""
    if x.dtype.kind == "c" and np.dtype(dtype).kind not in "cb":
        x = x.real
    return x.astype(dtype)


# Adding and subtracting one of these rounds to multiples of 2²³ or 2⁵² times less, 1e-30 or 1e-280: far from
# anything that a training run could tell from 0, and so far from the subnormal numbers that products of the
# multiples with learning rates are normal too.
_ROUNDS_TINY = {np.dtype(np.float32): np.float32(2.0**23 * 1e-30), np.dtype(np.float64): 2.0**52 * 1e-280}
_FEW = 256  # elements


def flush_tiny(x: Array) -> Array:
    """x, which is overwritten, with what is tiny rounded to a multiple of a number just less tiny.

    Arithmetic on subnormal numbers can be a hundred times slower, and a decaying average of zeros ends there: the
    moments of a unit that gets no gradient any more would make every update of Adam take three times as long.
    """
    rounds = _ROUNDS_TINY.get(x.dtype)
    if rounds is not None and x.size > _FEW:
        x += rounds
        x -= rounds
    return x
