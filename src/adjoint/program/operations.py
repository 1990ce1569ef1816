"""The operations of programs: what each computes, on arrays of any namespace, and the type of its result.

Elementwise operations broadcast their inputs as NumPy does; their dtypes agree already, since the tracer converts.
Axes are numbers from 0, reductions drop the axes that they reduce.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from adjoint.arrays import fill
from adjoint.errors import ProgramError
from adjoint.program.instruction import Instruction

__all__ = ["COMPARISONS", "OPERATIONS", "Operation", "broadcast_shapes", "make", "real_dtype", "slice_index", "thawed"]

Shape = tuple[int, ...]
_BOOL = np.dtype(np.bool_)
_INDEX = np.dtype(np.intp)


@dataclass(frozen=True)
class Operation:
    """An operation of programs.

    evaluate: computes it: ``evaluate(xp, *arrays, *params)``
    infer: the shape and dtype of the result: ``infer(inputs, *params)``
    kind: "elementwise", "view" (the elements elsewhere), "reduction", or "other"
    """

    name: str
    evaluate: Callable[..., Any]
    infer: Callable[..., tuple[Shape, Any]]
    kind: str


OPERATIONS: dict[str, Operation] = {}


def make(op: str, *inputs: Instruction, params: tuple[Any, ...] = ()) -> Instruction:
    """An instruction, with the type that its operation infers."""
    shape, dtype = OPERATIONS[op].infer(inputs, *params)
    return Instruction(op, inputs, params, shape, dtype)


def _declare(name: str, evaluate: Callable[..., Any], infer: Callable[..., tuple[Shape, Any]], kind: str) -> None:
    OPERATIONS[name] = Operation(name, evaluate, infer, kind)


# Elementwise


@lru_cache(4096)
def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that arrays of these shapes are broadcast to. Raises ValueError where they cannot be."""
    return np.broadcast_shapes(*shapes)


def _common_shape(inputs: tuple[Instruction, ...]) -> Shape:
    shape = inputs[0].shape
    for instruction in inputs:
        if instruction.shape != shape:
            return broadcast_shapes(*[read.shape for read in inputs])
    return shape


def _same_dtype(inputs: tuple[Instruction, ...]) -> Any:
    dtype = inputs[0].dtype
    if any(instruction.dtype != dtype for instruction in inputs):
        raise ProgramError(f"operands of dtypes {[str(read.dtype) for read in inputs]}")
    return dtype


def _arithmetic(inputs: tuple[Instruction, ...]) -> tuple[Shape, Any]:
    return _common_shape(inputs), _same_dtype(inputs)


@lru_cache(None)
def real_dtype(dtype: Any) -> Any:
    """The dtype of the real part of what is of `dtype`."""
    return np.zeros((), dtype).real.dtype


def _magnitude(inputs: tuple[Instruction, ...]) -> tuple[Shape, Any]:
    return inputs[0].shape, real_dtype(inputs[0].dtype)


def _comparison(inputs: tuple[Instruction, ...]) -> tuple[Shape, Any]:
    _same_dtype(inputs)
    return _common_shape(inputs), _BOOL


def _selection(inputs: tuple[Instruction, ...]) -> tuple[Shape, Any]:
    return _common_shape(inputs), _same_dtype(inputs[1:])


UNARY = "atan cos cosh erf exp expm1 log log1p sigmoid sign sin sinh sqrt tanh".split()
PARTS = ("real", "imag")
OF_COMPLEX = "acos acosh asin asinh atanh conj tan".split()  # of real numbers they are composed of others
TESTS = "isfinite isnan".split()
COMPARISONS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}


def _by_operator(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xp, a, b: function(a, b)


def _by_namespace(name: str) -> Callable[..., Any]:
    return lambda xp, *xs: getattr(xp, name)(*xs)


for _name in (*UNARY, *OF_COMPLEX):
    _declare(_name, _by_namespace(_name), _arithmetic, "elementwise")
for _name in ("abs", *PARTS):
    _declare(_name, _by_namespace(_name), _magnitude, "elementwise")
for _name in TESTS:
    _declare(_name, _by_namespace(_name), _comparison, "elementwise")
for _name, _function in BINARY.items():
    _declare(_name, _by_operator(_function), _arithmetic, "elementwise")
for _name, _function in COMPARISONS.items():
    _declare(_name, _by_operator(_function), _comparison, "elementwise")
for _name in ("maximum", "minimum"):
    _declare(_name, _by_namespace(_name), _arithmetic, "elementwise")
_declare("neg", lambda xp, x: -x, _arithmetic, "elementwise")
_declare("invert", lambda xp, x: ~x, _arithmetic, "elementwise")
_declare("where", _by_namespace("where"), _selection, "elementwise")
_declare(
    "cast", lambda xp, x, dtype: xp.astype(x, dtype), lambda inputs, dtype: (inputs[0].shape, dtype), "elementwise"
)


def _special(inputs: tuple[Instruction, ...], function: str) -> tuple[Shape, Any]:
    return _arithmetic(inputs)


_declare("special", lambda xp, *args: xp.special(*args[:-1], function=args[-1]), _special, "other")

# Sources


def _constant(inputs: tuple[Instruction, ...], value: Any, dtype: Any) -> tuple[Shape, Any]:
    return (), dtype


_declare("constant", lambda xp, value, dtype: xp.asarray(value, dtype=dtype), _constant, "other")
_declare(
    "iota",
    lambda xp, length, dtype: xp.cumulative_sum(xp.ones(length, dtype=dtype), axis=0) - 1,
    lambda inputs, length, dtype: ((length,), dtype),
    "other",
)


def _input(inputs: tuple[Instruction, ...], *params: Any) -> tuple[Shape, Any]:
    raise ProgramError("an input is not computed")


_declare("input", _input, _input, "other")

# Views


def _reshape(inputs: tuple[Instruction, ...], shape: Shape) -> tuple[Shape, Any]:
    if math.prod(shape) != inputs[0].size:
        raise ProgramError(f"reshape of {inputs[0].shape} to {shape}")
    return shape, inputs[0].dtype


def _permute(inputs: tuple[Instruction, ...], axes: tuple[int, ...]) -> tuple[Shape, Any]:
    if sorted(axes) != list(range(len(inputs[0].shape))):
        raise ProgramError(f"axes {axes} for shape {inputs[0].shape}")
    return tuple(inputs[0].shape[axis] for axis in axes), inputs[0].dtype


def _broadcast(inputs: tuple[Instruction, ...], shape: Shape) -> tuple[Shape, Any]:
    if broadcast_shapes(inputs[0].shape, shape) != shape:
        raise ProgramError(f"broadcast of {inputs[0].shape} to {shape}")
    return shape, inputs[0].dtype


def _slice(inputs: tuple[Instruction, ...], ranges: tuple[tuple[int, int, int], ...]) -> tuple[Shape, Any]:
    for (start, length, step), available in zip(ranges, inputs[0].shape, strict=True):
        last = start + (length - 1) * step
        if length and not (0 <= start < available and 0 <= last < available):
            raise ProgramError(f"slice {ranges} of {inputs[0].shape}")
    return tuple(length for _, length, _ in ranges), inputs[0].dtype


def slice_index(ranges: tuple[tuple[int, int, int], ...]) -> tuple[slice, ...]:
    """Python's slices for (start, length, step), where a step may be negative."""
    index = []
    for start, length, step in ranges:
        stop = start + length * step
        index.append(slice(start, stop if stop >= 0 else None, step) if length else slice(0, 0))
    return tuple(index)


_declare("reshape", lambda xp, x, shape: xp.reshape(x, shape), _reshape, "view")
_declare("permute", lambda xp, x, axes: xp.permute_dims(x, axes), _permute, "view")
_declare("broadcast", lambda xp, x, shape: xp.broadcast_to(x, shape), _broadcast, "view")
_declare("slice", lambda xp, x, ranges: xp.getitem(x, slice_index(ranges)), _slice, "view")

# Reductions and scans


def _reduced(inputs: tuple[Instruction, ...], axes: tuple[int, ...]) -> tuple[Shape, Any]:
    shape = inputs[0].shape
    if any(not 0 <= axis < len(shape) for axis in axes):
        raise ProgramError(f"axes {axes} of {shape}")
    return tuple([n for axis, n in enumerate(shape) if axis not in axes]), inputs[0].dtype


for _name in ("sum", "max", "min"):
    _declare(
        _name,
        # NumPy would add small integers up in larger ones
        lambda xp, x, axes, name=_name: xp.astype(getattr(xp, name)(x, axis=axes), x.dtype),
        _reduced,
        "reduction",
    )
_declare(
    "argmax",
    lambda xp, x, axis: xp.argmax(x, axis=axis),
    lambda inputs, axis: (_reduced(inputs, (axis,))[0], _INDEX),
    "other",
)
_declare(
    "cumsum",
    lambda xp, x, axis: xp.cumulative_sum(x, axis=axis),
    lambda inputs, axis: (inputs[0].shape, inputs[0].dtype),
    "other",
)


def _placed(xp: Any, values: Any, ranges: Any, shape: Shape) -> Any:
    return xp.unindex(values, slice_index(ranges), shape)


_declare("place", _placed, lambda inputs, ranges, shape: (shape, inputs[0].dtype), "other")

# Products and joins


def _matmul(inputs: tuple[Instruction, ...]) -> tuple[Shape, Any]:
    a, b = inputs
    if len(a.shape) < 2 or len(b.shape) < 2 or a.shape[-1] != b.shape[-2]:
        raise ProgramError(f"matmul of {a.shape} and {b.shape}")
    return (*broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), _same_dtype(inputs)


def _concat(inputs: tuple[Instruction, ...], axis: int) -> tuple[Shape, Any]:
    shape = list(inputs[0].shape)
    shape[axis] = sum(instruction.shape[axis] for instruction in inputs)
    return tuple(shape), _same_dtype(inputs)


_declare("matmul", lambda xp, a, b: xp.matmul(a, b), _matmul, "other")
_declare(
    "matmul_add",
    lambda xp, total, a, b: total + xp.matmul(a, b),
    lambda inputs: (inputs[0].shape, _same_dtype(inputs)),
    "other",
)
_declare("copy", lambda xp, x: xp.copy(x), lambda inputs: (inputs[0].shape, inputs[0].dtype), "other")
_declare("concat", lambda xp, *args: xp.concat(args[:-1], axis=args[-1]), _concat, "other")

# Fourier transforms: NumPy computes in double precision, but for single precision


@lru_cache(None)
def _complex_dtype(dtype: Any) -> Any:
    return np.result_type(dtype, 1.0, np.complex64)


def _fft(inputs: tuple[Instruction, ...], axis: int) -> tuple[Shape, Any]:
    return inputs[0].shape, _complex_dtype(inputs[0].dtype)


def _with_length(shape: Shape, axis: int, length: int) -> Shape:
    return (*shape[:axis], length, *shape[axis + 1 :])


def _rfft(inputs: tuple[Instruction, ...], axis: int) -> tuple[Shape, Any]:
    shape = inputs[0].shape
    return _with_length(shape, axis, shape[axis] // 2 + 1), _complex_dtype(inputs[0].dtype)


def _irfft(inputs: tuple[Instruction, ...], n: int, axis: int) -> tuple[Shape, Any]:
    return _with_length(inputs[0].shape, axis, n), real_dtype(_complex_dtype(inputs[0].dtype))


_declare("fft", lambda xp, x, axis: xp.fft(x, axis=axis), _fft, "other")
_declare("ifft", lambda xp, x, axis: xp.ifft(x, axis=axis), _fft, "other")
_declare("rfft", lambda xp, x, axis: xp.rfft(x, axis=axis), _rfft, "other")
_declare("irfft", lambda xp, x, n, axis: xp.irfft(x, n=n, axis=axis), _irfft, "other")

# Indexing: `index` holds a Place for each of the index arrays, which are inputs


def thawed(index: Any) -> Any:
    """An index with its slices, which programs hold as tuples, since Python 3.11 cannot hash a slice."""
    return tuple(slice(*part) if isinstance(part, tuple) else part for part in index)


def _gathered_shape(shape: Shape, index: Any, arrays: tuple[Instruction, ...]) -> Shape:
    stand_ins = [np.broadcast_to(np.zeros((), np.intp), array.shape) for array in arrays]
    return np.broadcast_to(np.zeros((), np.bool_), shape)[fill(thawed(index), stand_ins)].shape


def _gather(inputs: tuple[Instruction, ...], index: Any) -> tuple[Shape, Any]:
    return _gathered_shape(inputs[0].shape, index, inputs[1:]), inputs[0].dtype


_declare("gather", lambda xp, x, *rest: xp.getitem(x, fill(thawed(rest[-1]), rest[:-1])), _gather, "other")
_declare(
    "scatter_add",
    lambda xp, x, values, *rest: xp.scatter_add(x, fill(thawed(rest[-1]), rest[:-1]), values),
    lambda inputs, index: (inputs[0].shape, _same_dtype(inputs[:2])),
    "other",
)
_declare(
    "index_update",
    lambda xp, x, values, *rest: xp.index_update(x, fill(thawed(rest[-1]), rest[:-1]), values),
    lambda inputs, index: (inputs[0].shape, _same_dtype(inputs[:2])),
    "other",
)
_declare(
    "require",
    lambda xp, flags: flags,
    lambda inputs: (inputs[0].shape, _BOOL),
    "other",
)
