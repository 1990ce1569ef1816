"""Tracers: stand-ins for arrays that write down what is computed with them.

A `Tracer` has a shape and a dtype, and no values. Operators on tracers, and the functions of
`adjoint.program.namespace`, add instructions to the `Trace` that it belongs to. A `Number` stands for a Python
number that may be another at each call; as Python's, it takes the dtype of the arrays beside it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import ref

import numpy as np

from adjoint.config import TRACE
from adjoint.errors import TraceError
from adjoint.program.instruction import Instruction
from adjoint.program.operations import COMPARISONS, make

__all__ = ["Number", "Trace", "Tracer", "binary", "current_trace", "unary"]

_NUMBERS = (bool, int, float)
_ADVICE = (
    "its value is not known while a compiled function is traced. Use F.where instead of `if`, return the value and "
    "read it after the call, or leave this part out of the compiled function"
)
OPERATOR_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    **COMPARISONS,
}
_BINARY_UFUNCS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def current_trace() -> Trace | None:
    """The trace that is being made in this thread or task."""
    trace: Trace | None = TRACE.get()
    return trace


class Trace:
    """What is written down while a function runs on tracers.

    inputs: the instructions of operation "input", in the order of their making
    sources: for each input, what the caller said it is
    checks: flags that must all be true at run time
    pinned: numbers whose value was read: the program is right for these values only
    frozen: arrays whose values were read, with a copy
    arguments: inputs that belong to the caller: they are not changed in place
    """

    def __init__(self) -> None:
        self.inputs: list[Instruction] = []
        self.sources: list[Any] = []
        self.checks: list[Instruction] = []
        self.pinned: dict[Instruction, Any] = {}
        self.frozen: list[tuple[Any, Any]] = []
        self.arguments: set[Instruction] = set()
        self.on_capture: Callable[[Any], None] | None = None  # told of each array that is captured
        self.tracers: list[ref[Tracer]] = []
        self.is_open = True
        self._known: dict[tuple[Any, ...], Instruction] = {}
        self._captured: dict[int, tuple[Any, Instruction]] = {}

    def __enter__(self) -> Trace:
        self._token = TRACE.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        TRACE.reset(self._token)
        self.is_open = False

    def input(self, source: Any, shape: tuple[int, ...], dtype: Any) -> Instruction:
        """A new input."""
        instruction = Instruction("input", (), (len(self.inputs),), shape, dtype.newbyteorder("="))
        self.inputs.append(instruction)
        self.sources.append(source)
        return instruction

    def tracer(self, source: Any, array: Any) -> Tracer:
        """A tracer for an array that is given at each call."""
        return Tracer(self, self.input(source, array.shape, array.dtype))

    def number(self, source: Any, value: Any) -> Number:
        """A stand-in for a Python number that is given at each call."""
        dtype = np.dtype(np.float64 if isinstance(value, float) else np.int64)
        instruction = self.input(source, (), dtype)
        return Number(self, instruction, value, frozenset({instruction}))

    def add(self, op: str, *inputs: Instruction, params: tuple[Any, ...] = ()) -> Instruction:
        """An instruction; the same one for the same operation on the same inputs."""
        key = (op, params, *map(id, inputs))
        found = self._known.get(key)
        if found is None:
            if not self.is_open:
                raise TraceError(
                    "a value of a compiled function is used after the function was traced; return it from the function"
                )
            found = self._known[key] = make(op, *inputs, params=params)
        return found

    def constant(self, value: Any, dtype: Any) -> Instruction:
        """A number of a dtype. Raises OverflowError where it does not fit."""
        value = dtype.type(value).item()
        key = ("constant", value, dtype, math.copysign(1.0, value))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make("constant", params=(value, dtype))
        return found

    def captured(self, array: Any) -> Instruction:
        """The input for an array that the function found elsewhere; it is read anew at each call."""
        held = self._captured.get(id(array))
        if held is None:
            if self.on_capture is not None:
                self.on_capture(array)
            held = self._captured[id(array)] = (array, self.input(array, array.shape, array.dtype))
        return held[1]

    def captured_arrays(self) -> list[Any]:
        """The arrays that were captured."""
        return [array for array, _ in self._captured.values()]

    def values_of(self, array: Any) -> Any:
        """The array itself: its values go into the program, which is right as long as they stay."""
        self.frozen.append((array, array.copy()))
        return array

    def cast(self, instruction: Instruction, dtype: Any) -> Instruction:
        """In another dtype."""
        if instruction.dtype == dtype:
            return instruction
        if instruction.op == "constant" and not math.isnan(instruction.params[0]):
            with np.errstate(all="ignore"):
                return self.constant(np.asarray(instruction.params[0], instruction.dtype).astype(dtype).item(), dtype)
        return self.add("cast", instruction, params=(dtype,))

    def read(self, value: Any, dtype: Any = None) -> Instruction:
        """The instruction for a tracer, array or number, in `dtype` if one is given."""
        if isinstance(value, Tracer):
            if value.trace is not self:
                raise TraceError("values of two compiled functions that are traced separately are combined")
            instruction = value.instruction
        elif isinstance(value, _NUMBERS):
            return self.constant(value, np.dtype(type(value)) if dtype is None else dtype)
        elif isinstance(value, np.generic):
            instruction = self.constant(value.item(), value.dtype)
        else:
            instruction = self.captured(value if isinstance(value, np.ndarray) else np.asarray(value))
        return instruction if dtype is None else self.cast(instruction, dtype)

    def wrap(self, instruction: Instruction) -> Tracer:
        """A tracer for a result."""
        return Tracer(self, instruction)

    def view(self, instruction: Instruction) -> Tracer:
        """A tracer for what NumPy gives a view of."""
        tracer = Tracer(self, instruction)
        tracer.is_view = True
        return tracer


def _unreadable(what: str) -> TraceError:
    return TraceError(f"{what} of a traced value: {_ADVICE}")


class Tracer:
    """An array without values; see the head of this module."""

    __slots__ = ("__weakref__", "dtype", "instruction", "is_view", "shape", "trace")

    def __init__(self, trace: Trace, instruction: Instruction) -> None:
        self.is_view = False  # of what another tracer may show
        self.trace = trace
        self.instruction = instruction
        self.shape = instruction.shape
        self.dtype = instruction.dtype
        trace.tracers.append(ref(self))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.instruction.size

    @property
    def base(self) -> Tracer | None:
        """As for arrays: None unless it is a view."""
        return self if self.is_view else None

    @property
    def T(self) -> Tracer:
        return _namespace().permute_dims(self, None)

    # What cannot be known yet

    def __bool__(self) -> bool:
        raise _unreadable("the truth")

    def __float__(self) -> float:
        raise _unreadable("float()")

    def __int__(self) -> int:
        raise _unreadable("int()")

    def __index__(self) -> int:
        raise _unreadable("the use as an index or a size")

    def __complex__(self) -> complex:
        raise _unreadable("complex()")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise _unreadable("numpy.asarray()")

    def item(self, *index: int) -> Any:
        raise _unreadable("item()")

    def tolist(self) -> Any:
        raise _unreadable("tolist()")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TraceError(
            "elements of a traced array cannot be assigned; compute a new array by F.where or F.scatter_add"
        )

    def __contains__(self, value: Any) -> bool:
        raise _unreadable("`in`")

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<traced {self.dtype}{list(self.shape)}>"

    def __getitem__(self, index: Any) -> Any:
        return _namespace().getitem(self, index)

    # Methods of arrays

    def astype(self, dtype: Any, copy: bool = True) -> Tracer:
        return _namespace().astype(self, dtype)

    def copy(self) -> Tracer:
        return self.trace.wrap(self.instruction)

    def reshape(self, *shape: Any) -> Tracer:
        return _namespace().reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tracer:
        if not axes or axes == (None,):
            return self.T
        return _namespace().permute_dims(self, axes[0] if isinstance(axes[0], (tuple, list)) else axes)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return _namespace().sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        return _namespace().mean(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return _namespace().max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return _namespace().min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: Any = None) -> Tracer:
        return _namespace().argmax(self, axis=axis)

    def all(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return _namespace().all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        return _namespace().any(self, axis=axis, keepdims=keepdims)

    def dot(self, other: Any) -> Tracer:
        return _namespace().dot(self, other)

    def ravel(self) -> Tracer:
        return self.reshape(-1)

    # NumPy's functions on tracers

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return _namespace().apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _namespace().apply_function(function, args, kwargs)

    # Operators

    def __neg__(self) -> Any:
        return unary("neg", np.negative, self)

    def __pos__(self) -> Any:
        return self.copy()

    def __abs__(self) -> Any:
        return unary("abs", np.abs, self)

    def __invert__(self) -> Any:
        return unary("invert", np.invert, self)

    def __pow__(self, other: Any) -> Any:
        return power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return binary("pow", other, self)

    def __matmul__(self, other: Any) -> Any:
        return _namespace().matmul(self, other) if is_operand(other) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        return _namespace().matmul(other, self) if is_operand(other) else NotImplemented


def is_operand(value: Any) -> bool:
    """Whether a value may stand beside a tracer."""
    return isinstance(value, (Tracer, *_NUMBERS, np.ndarray, np.generic))


def _operators(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def direct(self: Tracer, other: Any) -> Any:
        return binary(name, self, other)

    def reflected(self: Tracer, other: Any) -> Any:
        return binary(name, other, self)

    return direct, reflected


def _in_place(name: str) -> Callable[..., Any]:
    def change(self: Tracer, other: Any) -> Any:
        result = binary(name, self, other)
        if not isinstance(result, Tracer) or isinstance(result, Number):
            return result
        if self.instruction.op == "input":
            if self.instruction in self.trace.arguments:
                raise TraceError(
                    "an array that is an argument is changed in place; compute a new one, x = x + …, and return it"
                )
            return result  # as in p.data -= …, which assigns
        if self.is_view:
            raise TraceError("a view of a traced array is changed in place; compute a new array by F.where or x + …")
        if result.shape != self.shape:
            raise ValueError(f"non-broadcastable output operand with shape {self.shape} for {result.shape}")
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"Cannot cast from {result.dtype} to {self.dtype} in place")
        self.instruction = self.trace.cast(result.instruction, self.dtype)
        return self

    return change


for _name, _method in {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "truediv",
    "floordiv": "floordiv",
    "mod": "mod",
    "and": "and",
    "or": "or",
    "xor": "xor",
}.items():
    _direct, _reflected = _operators(_name)
    setattr(Tracer, f"__{_method}__", _direct)
    setattr(Tracer, f"__r{_method}__", _reflected)
    setattr(Tracer, f"__i{_method}__", _in_place(_name))
for _name in COMPARISONS:
    setattr(Tracer, f"__{_name}__", _operators(_name)[0])


class Number(Tracer):
    """A Python number that is given at each call, or was computed from such.

    Reading its value is allowed: the program is then right for this value only, and made anew for another.
    """

    __slots__ = ("roots", "value")

    def __init__(self, trace: Trace, instruction: Instruction, value: Any, roots: frozenset[Instruction]) -> None:
        super().__init__(trace, instruction)
        self.value = value
        self.roots = roots

    def pin(self) -> Any:
        """The value, on which the program depends from now on."""
        for root in self.roots:
            self.trace.pinned[root] = None
        return self.value

    def __bool__(self) -> bool:
        return bool(self.pin())

    def __float__(self) -> float:
        return float(self.pin())

    def __int__(self) -> int:
        return int(self.pin())

    def __index__(self) -> int:
        return operator.index(self.pin())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.pin(), dtype)

    def item(self, *index: int) -> Any:
        return self.pin()

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.pin(), digits)

    def __pos__(self) -> Any:
        return self

    def copy(self) -> Number:
        return self

    def __neg__(self) -> Any:
        return Number(self.trace, self.trace.add("neg", self.instruction), -self.value, self.roots)

    def __abs__(self) -> Any:
        return Number(self.trace, self.trace.add("abs", self.instruction), abs(self.value), self.roots)

    def __format__(self, spec: str) -> str:
        return format(self.pin(), spec)


def _kind(value: Any) -> Any:
    """What NumPy's dtype resolution takes for a value: its dtype, or a type of Python for a number."""
    if isinstance(value, Number):
        return type(value.value) if type(value.value) is not bool else int
    if isinstance(value, (Tracer, np.ndarray, np.generic)):
        return value.dtype
    if isinstance(value, bool):
        return np.dtype(np.bool_)
    return type(value)


@lru_cache(None)
def _loop(ufunc: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dtypes in which a ufunc computes on operands of these kinds, and its result's."""
    return tuple(ufunc.resolve_dtypes((*kinds, None)))


def binary(op: str, a: Any, b: Any) -> Any:
    """An elementwise operation of two operands, in the dtype that NumPy would take."""
    if not (is_operand(a) and is_operand(b)):
        return NotImplemented
    if isinstance(a, (Number, *_NUMBERS)) and isinstance(b, (Number, *_NUMBERS)):
        return _of_numbers(op, a, b)
    trace = a.trace if isinstance(a, Tracer) else b.trace
    kinds = (_kind(a), _kind(b))
    first, second, _ = _loop(_BINARY_UFUNCS[op], kinds)
    if op in COMPARISONS:
        if first != second:
            return _of_signed_and_unsigned(op, trace, a, b)
        for number, other in ((a, b), (b, a)):
            if type(number) is int and first.kind in "iu" and not _fits(number, first):
                low = OPERATOR_FUNCTIONS[op](*((0, number) if number is b else (number, 0)))
                return trace.wrap(_repeated(trace, trace.constant(low, np.dtype(np.bool_)), trace.read(other).shape))
    return trace.wrap(trace.add(op, trace.read(a, first), trace.read(b, second)))


def _fits(number: int, dtype: Any) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= number <= limits.max)


def _repeated(trace: Trace, x: Instruction, shape: tuple[int, ...]) -> Instruction:
    return trace.add("broadcast", x, params=(shape,)) if shape else x


def _of_signed_and_unsigned(op: str, trace: Trace, a: Any, b: Any) -> Any:
    """A comparison of int64 with uint64, which no dtype holds both: negative numbers are smaller than all others."""
    wide = np.dtype(np.uint64)
    x, y = trace.wrap(trace.read(a)), trace.wrap(trace.read(b))
    as_wide = binary(op, x.astype(wide), y.astype(wide))
    signed = x if x.dtype.kind == "i" else y
    negative = binary("lt", signed, 0)
    if_negative = OPERATOR_FUNCTIONS[op](*((-1, 0) if signed is x else (0, -1)))
    return (as_wide | negative) if if_negative else (as_wide & ~negative)


def _of_numbers(op: str, a: Any, b: Any) -> Any:
    """Arithmetic of Python numbers, of which one at least is a stand-in, as Python does it."""
    trace = a.trace if isinstance(a, Number) else b.trace
    values = [x.value if isinstance(x, Number) else x for x in (a, b)]
    function = OPERATOR_FUNCTIONS.get(op)
    value = max(values) if op == "maximum" else min(values) if op == "minimum" else None
    if function is not None:
        value = function(*values)
    if not isinstance(value, _NUMBERS):
        raise _unreadable(f"{op} of numbers, as the result is complex, a reading")
    roots = frozenset().union(*(x.roots for x in (a, b) if isinstance(x, Number)))
    in_floats = op in ("div",) or any(isinstance(x, float) for x in values) or isinstance(value, float)
    dtype = np.dtype(np.float64 if in_floats else np.int64)
    instruction = trace.add(op, trace.read(a, dtype), trace.read(b, dtype))
    return Number(trace, instruction, value, roots)


_FEW_FACTORS = 8


def power(base: Any, exponent: Any) -> Any:
    """base ** exponent; small whole exponents are products, as in NumPy, ½ is a square root."""
    if type(exponent) not in _NUMBERS or isinstance(base, Number) or base.dtype.kind not in "fiu":
        return binary("pow", base, exponent)
    floats = base.dtype.kind == "f"
    if exponent == 0.5 and floats:
        return unary("sqrt", np.sqrt, base)
    if exponent != int(exponent) or not (0 < abs(exponent) <= _FEW_FACTORS) or (exponent < 0 and not floats):
        return binary("pow", base, exponent)
    if isinstance(exponent, float) and not floats:
        base = base.astype(np.float64)
    product = _product(base, int(abs(exponent)))
    return 1.0 / product if exponent < 0 else product


def _product(base: Any, count: int) -> Any:
    """base · base · …, by repeated squaring."""
    if count == 1:
        return base
    half = _product(base, count // 2)
    return half * half * base if count % 2 else half * half


def unary(op: str, ufunc: Any, x: Any) -> Any:
    """An elementwise operation of one operand."""
    dtype = _loop(ufunc, (x.dtype if not isinstance(x, Number) else np.dtype(np.float64),))[0]
    return x.trace.wrap(x.trace.add(op, x.trace.read(x, dtype)))


def _namespace() -> Any:
    from adjoint.program import namespace

    return namespace
