"""The primitives on tracers: the names in `adjoint.arrays.primitives`, each as a few instructions."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.arrays import Place
from adjoint.errors import TraceError
from adjoint.program import einsums, indexing
from adjoint.program.instruction import Instruction
from adjoint.program.operations import broadcast_shapes
from adjoint.program.tracer import Number, Trace, Tracer, binary, current_trace, is_operand, unary

Array = Any
Axis = int | tuple[int, ...] | None

TAKES_NUMPY = True  # NumPy's arrays beside tracers are read at each call

_FLUSHED = {np.dtype(np.float32): 2.0**23 * 1e-30, np.dtype(np.float64): 2.0**52 * 1e-280}
_FEW = 256


def _trace_of(*values: Any) -> Trace:
    for value in values:
        if isinstance(value, Tracer):
            return value.trace
    trace = current_trace()
    assert trace is not None, "a namespace of tracers outside of a trace"
    return trace


def _read(x: Any) -> tuple[Trace, Instruction]:
    trace = _trace_of(x)
    return trace, trace.read(x)


# Elementwise


def _unary(op: str, ufunc: Any) -> Any:
    def function(x: Array) -> Array:
        if not isinstance(x, Tracer):
            x = _trace_of().wrap(_trace_of().read(x))
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
erf = _unary("erf", np.exp)
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


def square(x: Array) -> Array:
    return x * x


def logical_not(x: Array) -> Array:
    return unary("invert", np.invert, astype(x, np.bool_))


def where(condition: Array, a: Array, b: Array) -> Array:
    trace = _trace_of(condition, a, b)
    dtype = np.result_type(*[_for_result(x) for x in (a, b)])
    flags = trace.read(condition, np.dtype(np.bool_))
    return trace.wrap(trace.add("where", flags, trace.read(a, dtype), trace.read(b, dtype)))


def _for_result(x: Any) -> Any:
    """What numpy.result_type takes: a dtype, or a number of Python."""
    if isinstance(x, Number):
        return x.value
    return x.dtype if hasattr(x, "dtype") else x


def flush_tiny(x: Array) -> Array:
    rounds = _FLUSHED.get(x.dtype)
    if rounds is None or x.size <= _FEW:
        return x
    return (x + rounds) - rounds


# Creation


def asarray(x: Any, dtype: Any = None) -> Array:
    trace, instruction = _read(x)
    return trace.wrap(instruction if dtype is None else trace.cast(instruction, np.dtype(dtype)))


def astype(x: Array, dtype: Any) -> Array:
    trace, instruction = _read(x)
    return trace.wrap(trace.cast(instruction, np.dtype(dtype)))


def copy(x: Array) -> Array:
    return asarray(x)


def _filled(value: Any, shape: Any, dtype: Any) -> Array:
    trace = _trace_of(value)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    instruction = trace.read(value, np.dtype(dtype))
    return trace.wrap(_broadcast(trace, instruction, shape))


def _broadcast(trace: Trace, instruction: Instruction, shape: tuple[int, ...]) -> Instruction:
    if instruction.shape == shape:
        return instruction
    if broadcast_shapes(instruction.shape, shape) != shape:
        raise ValueError(f"an array of shape {instruction.shape} cannot be broadcast to {shape}")
    return trace.add("broadcast", instruction, params=(shape,))


def zeros(shape: Any, dtype: Any = np.float64) -> Array:
    return _filled(0, shape, dtype)


def ones(shape: Any, dtype: Any = np.float64) -> Array:
    return _filled(1, shape, dtype)


def zeros_like(x: Array) -> Array:
    return _filled(0, x.shape, x.dtype)


def ones_like(x: Array) -> Array:
    return _filled(1, x.shape, x.dtype)


def full_like(x: Array, value: Any) -> Array:
    return _filled(value, x.shape, x.dtype)


# Shapes


def broadcast_to(x: Array, shape: Sequence[int]) -> Array:
    trace, instruction = _read(x)
    return trace.view(_broadcast(trace, instruction, tuple(int(n) for n in shape)))


def reshape(x: Array, shape: Any) -> Array:
    trace, instruction = _read(x)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(int(n) for n in shape)
    if -1 in shape:
        rest = math.prod(n for n in shape if n != -1)
        if shape.count(-1) > 1:
            raise ValueError("can only specify one unknown dimension")
        if rest == 0 or instruction.size % rest:
            raise ValueError(f"cannot reshape array of size {instruction.size} into shape {shape}")
        shape = tuple(instruction.size // rest if n == -1 else n for n in shape)
    if math.prod(shape) != instruction.size or builtins.any(n < 0 for n in shape):
        raise ValueError(f"cannot reshape array of size {instruction.size} into shape {shape}")
    return trace.view(reshaped(trace, instruction, shape))


def reshaped(trace: Trace, instruction: Instruction, shape: tuple[int, ...]) -> Instruction:
    return instruction if instruction.shape == shape else trace.add("reshape", instruction, params=(shape,))


def permute_dims(x: Array, axes: Any = None) -> Array:
    trace, instruction = _read(x)
    ndim = len(instruction.shape)
    axes = tuple(reversed(range(ndim))) if axes is None else tuple(axes)
    if len(axes) != ndim:
        raise ValueError("axes don't match array")
    axes = _axes(axes, ndim)
    if axes == tuple(range(ndim)):
        return trace.view(instruction)
    return trace.view(trace.add("permute", instruction, params=(axes,)))


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` as axes from 0, each once. Raises numpy.exceptions.AxisError and ValueError as NumPy does."""
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and 0 <= axis < ndim:
        return (axis,)
    return np.lib.array_utils.normalize_axis_tuple(axis, ndim)


def flip(x: Array, axis: Axis = None) -> Array:
    trace, instruction = _read(x)
    axes = _axes(axis, len(instruction.shape))
    ranges = tuple((n - 1, n, -1) if i in axes and n else (0, n, 1) for i, n in enumerate(instruction.shape))
    return trace.view(trace.add("slice", instruction, params=(ranges,)))


def concat(arrays: Sequence[Array], axis: int = 0) -> Array:
    trace = _trace_of(*arrays)
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    dtype = np.result_type(*[_for_result(x) for x in arrays])
    parts = [trace.read(x, dtype) for x in arrays]
    ndim = len(parts[0].shape)
    if ndim == 0:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    (axis,) = _axes(axis, ndim)
    for part in parts:
        if len(part.shape) != ndim or builtins.any(
            n != m for i, (n, m) in enumerate(zip(part.shape, parts[0].shape, strict=True)) if i != axis
        ):
            raise ValueError(f"all the input array dimensions except for {axis} must match exactly")
    return trace.wrap(parts[0] if len(parts) == 1 else trace.add("concat", *parts, params=(axis,)))


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    if not arrays:
        raise ValueError("need at least one array to stack")
    shapes = {tuple(x.shape) if hasattr(x, "shape") else () for x in arrays}
    if len(shapes) != 1:
        raise ValueError("all input arrays must have the same shape")
    shape = shapes.pop()
    (axis,) = _axes(axis, len(shape) + 1)
    return concat([reshape(x, (*shape[:axis], 1, *shape[axis:])) for x in arrays], axis)


def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    trace, instruction = _read(x)
    if instruction.shape == shape:
        return trace.wrap(instruction)
    extra = len(instruction.shape) - len(shape)
    if extra < 0 or broadcast_shapes(instruction.shape, shape) != instruction.shape:
        raise ValueError(f"cannot sum an array of shape {x.shape} to {shape}")
    stretched = tuple(
        i for i in range(extra, extra + len(shape)) if shape[i - extra] == 1 and instruction.shape[i] != 1
    )
    return reshape(sum(x, axis=tuple(range(extra)) + stretched), shape)


# Reductions


def _reduction(op: str, x: Array, axis: Axis, keepdims: bool) -> Array:
    trace, instruction = _read(x)
    axes = _axes(axis, len(instruction.shape))
    result = trace.add(op, instruction, params=(axes,)) if axes else instruction
    if keepdims:
        kept = tuple(1 if i in axes else n for i, n in enumerate(instruction.shape))
        result = reshaped(trace, result, kept)
    return trace.wrap(result)


def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    trace, instruction = _read(x)
    if instruction.dtype.kind in "bui":  # NumPy adds small integers up in the largest
        wide = np.dtype(np.uint64 if instruction.dtype.kind == "u" else np.int64)
        x = trace.wrap(trace.cast(instruction, wide))
    return _reduction("sum", x, axis, keepdims)


def _extreme(op: str, x: Array, axis: Axis, keepdims: bool) -> Array:
    shape = x.shape
    axes = _axes(axis, len(shape))
    if math.prod(shape[a] for a in axes) == 0:
        raise ValueError(f"zero-size array to reduction operation {op}imum which has no identity")
    return _reduction(op, x, axis, keepdims)


def max(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _extreme("max", x, axis, keepdims)


def min(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _extreme("min", x, axis, keepdims)


def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    axes = _axes(axis, len(x.shape))
    total = sum(x, axis=axis, keepdims=keepdims)
    return total / math.prod(x.shape[a] for a in axes)


def any(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return sum(astype(x, np.bool_), axis=axis, keepdims=keepdims) != 0


def all(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return sum(logical_not(x), axis=axis, keepdims=keepdims) == 0


def argmax(x: Array, *, axis: Any = None) -> Array:
    trace, instruction = _read(x)
    if axis is None:
        instruction, axis = reshaped(trace, instruction, (instruction.size,)), 0
    (axis,) = _axes(axis, len(instruction.shape))
    if instruction.shape[axis] == 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    return trace.wrap(trace.add("argmax", instruction, params=(axis,)))


def cumulative_sum(x: Array, *, axis: int) -> Array:
    trace, instruction = _read(x)
    (axis,) = _axes(axis, len(instruction.shape))
    if instruction.dtype.kind in "bui":
        instruction = trace.cast(instruction, np.dtype(np.uint64 if instruction.dtype.kind == "u" else np.int64))
    one = instruction.op == "broadcast" and len(instruction.shape) == 1 and instruction.inputs[0].op == "constant"
    if one and instruction.inputs[0].params[0] == 1:  # 1, 2, 3, …
        numbers = trace.add("iota", params=(instruction.shape[0], instruction.dtype))
        return binary("add", trace.wrap(numbers), 1)
    return trace.wrap(trace.add("cumsum", instruction, params=(axis,)))


# Indexing


def getitem(x: Array, index: Any) -> Array:
    trace, instruction = _read(x)
    selected = indexing.getitem(trace, instruction, index)
    return trace.wrap(selected) if selected.op == "gather" else trace.view(selected)


def unindex(values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    trace = _trace_of(values, *(index if isinstance(index, tuple) else (index,)))
    return trace.wrap(indexing.unindex(trace, trace.read(values), index, tuple(shape)))


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    trace = _trace_of(x, values, *(index if isinstance(index, tuple) else (index,)))
    dtype = np.result_type(_for_result(x), _for_result(values))
    return trace.wrap(indexing.scatter_add(trace, trace.read(x, dtype), index, trace.read(values, dtype)))


def take(x: Array, indices: Array, *, axis: int = 0) -> Array:
    trace = _trace_of(x, indices)
    instruction = trace.read(x)
    (axis,) = _axes(axis, len(instruction.shape))
    return trace.wrap(indexing.getitem(trace, instruction, (*(slice(None),) * axis, indices)))


def pick(x: Array, labels: Array) -> Array:
    trace = _trace_of(x, labels)
    rows = trace.add("iota", params=(labels.shape[0], np.dtype(np.intp)))
    index = (Place(0), Place(1))
    return trace.wrap(trace.add("gather", trace.read(x), rows, trace.read(labels), params=(index,)))


def require(flags: Array, error: Any) -> None:
    trace, instruction = _read(flags)
    trace.checks.append(trace.add("require", trace.cast(instruction, np.dtype(np.bool_))))


# Products


def matmul(a: Array, b: Array) -> Array:
    trace = _trace_of(a, b)
    dtype = np.result_type(_for_result(a), _for_result(b))
    left, right = trace.read(a, dtype), trace.read(b, dtype)
    if not left.shape or not right.shape:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    rows, columns = left.shape, right.shape
    if len(rows) == 1:
        left = reshaped(trace, left, (1, *rows))
    if len(columns) == 1:
        right = reshaped(trace, right, (*columns, 1))
    if left.shape[-1] != right.shape[-2]:
        raise ValueError(f"matmul: Input operands have a mismatch in their core dimensions: {rows} and {columns}")
    stack = broadcast_shapes(left.shape[:-2], right.shape[:-2])
    if len(right.shape) == 2 and len(left.shape) > 2:  # one product of all rows
        left = reshaped(trace, left, (math.prod(left.shape[:-1]), left.shape[-1]))
    result = trace.add("matmul", left, right)
    shape = (*stack, *rows[-2:-1], *(columns[-1:] if len(columns) > 1 else ()))
    return trace.wrap(reshaped(trace, result, shape))


def dot(a: Array, b: Array) -> Array:
    """numpy.dot, for at most two axes on the right."""
    if not (np.ndim(a) and np.ndim(b)):
        return a * b
    if np.ndim(b) > 2:
        raise TraceError("numpy.dot of an array with more than two axes cannot be traced; use @ or numpy.einsum")
    return matmul(a, b)


def einsum(subscripts: str, *operands: Array) -> Array:
    trace = _trace_of(*operands)
    dtype = np.result_type(*[_for_result(x) for x in operands])
    return einsums.einsum(subscripts, [trace.wrap(trace.read(x, dtype)) for x in operands])


# NumPy's functions on tracers

_UFUNCS = {
    np.absolute: abs,
    np.arctan: atan,
    np.cos: cos,
    np.cosh: cosh,
    np.exp: exp,
    np.expm1: expm1,
    np.isfinite: isfinite,
    np.isnan: isnan,
    np.log: log,
    np.log1p: log1p,
    np.logical_not: logical_not,
    np.negative: lambda x: -x,
    np.sign: sign,
    np.sin: sin,
    np.sinh: sinh,
    np.sqrt: sqrt,
    np.square: square,
    np.tanh: tanh,
    np.maximum: maximum,
    np.minimum: minimum,
    np.add: _binary("add"),
    np.subtract: _binary("sub"),
    np.multiply: _binary("mul"),
    np.true_divide: _binary("div"),
    np.floor_divide: _binary("floordiv"),
    np.remainder: _binary("mod"),
    np.power: lambda a, b: a**b if isinstance(a, Tracer) else binary("pow", a, b),
    np.bitwise_and: _binary("and"),
    np.bitwise_or: _binary("or"),
    np.bitwise_xor: _binary("xor"),
    np.invert: lambda x: ~x,
    np.equal: _binary("eq"),
    np.not_equal: _binary("ne"),
    np.less: _binary("lt"),
    np.less_equal: _binary("le"),
    np.greater: _binary("gt"),
    np.greater_equal: _binary("ge"),
    np.matmul: matmul,
}
_FUNCTIONS = {
    np.sum: sum,
    np.mean: mean,
    np.max: max,
    np.min: min,
    np.any: any,
    np.all: all,
    np.argmax: argmax,
    np.where: where,
    np.concatenate: lambda xs, axis=0: concat([reshape(x, -1) for x in xs]) if axis is None else concat(xs, axis),
    np.stack: stack,
    np.reshape: reshape,
    np.transpose: permute_dims,
    np.broadcast_to: broadcast_to,
    np.flip: flip,
    np.take: lambda x, indices, axis=None: (
        take(reshape(x, -1), indices) if axis is None else take(x, indices, axis=axis)
    ),
    np.dot: lambda a, b: dot(a, b),
    np.einsum: einsum,
    np.zeros_like: zeros_like,
    np.ones_like: ones_like,
    np.full_like: full_like,
    np.cumsum: lambda x, axis: cumulative_sum(x, axis=axis),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
_POSITIONAL_AXIS = {np.sum, np.mean, np.max, np.min, np.any, np.all, np.argmax, np.take}


def apply_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """A NumPy ufunc called on tracers."""
    function = _UFUNCS.get(ufunc)
    if function is None or method != "__call__" or options:
        raise TraceError(f"numpy.{ufunc.__name__} cannot be traced in this form; use adjoint.functions")
    if not builtins.all(is_operand(x) for x in inputs):
        return NotImplemented
    return function(*inputs)


def apply_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function called on tracers."""
    known: Any = _FUNCTIONS.get(function)
    if known is None:
        raise TraceError(f"numpy.{function.__name__} cannot be traced; use adjoint.functions")
    if function in _POSITIONAL_AXIS and len(args) == (3 if function is np.take else 2):
        args, kwargs = args[:-1], {**kwargs, "axis": args[-1]}
    try:
        return known(*args, **kwargs)
    except TypeError as error:
        raise TraceError(f"numpy.{function.__name__} cannot be traced with these arguments: {error}") from None
