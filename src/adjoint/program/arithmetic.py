"""Elementwise arithmetic of tracers and numbers, in the dtypes that NumPy would take; and the operators for it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from adjoint.errors import TraceError
from adjoint.program.operations import COMPARISONS
from adjoint.program.trace import Trace, trace_of
from adjoint.program.tracer import NUMBERS, Number, Tracer, is_operand, unreadable

__all__ = ["BINARY_UFUNCS", "binary", "converted", "power", "result_dtype", "unary"]

_ON_NUMBERS: dict[str, Callable[..., Any]] = {  # as Python computes them
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "maximum": max,
    "minimum": min,
    **COMPARISONS,
}
BINARY_UFUNCS = {
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
_FEW_FACTORS = 8  # a power of more is no product


def _kind(value: Any) -> Any:
    """What NumPy's dtype resolution takes for a value: its dtype, or a type of Python for a number."""
    if isinstance(value, Number):
        return type(value.value) if type(value.value) is not bool else int
    if isinstance(value, (Tracer, np.ndarray, np.generic)):
        return value.dtype
    if isinstance(value, bool):
        return np.dtype(np.bool_)
    return type(value)


def result_dtype(*values: Any) -> Any:
    """The dtype of a result that holds elements of all the values, where numbers take that of the arrays."""
    return np.result_type(*[x.value if isinstance(x, Number) else getattr(x, "dtype", x) for x in values])


@lru_cache(None)
def _loop(ufunc: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """The dtypes in which a ufunc computes on operands of these kinds, and its result's."""
    return tuple(ufunc.resolve_dtypes((*kinds, None)))


def binary(op: str, a: Any, b: Any) -> Any:
    """An elementwise operation of two operands, in the dtype that NumPy would take."""
    if not (is_operand(a) and is_operand(b)):
        return NotImplemented
    if isinstance(a, (Number, *NUMBERS)) and isinstance(b, (Number, *NUMBERS)):
        return _of_numbers(op, a, b)
    trace = a.trace if isinstance(a, Tracer) else b.trace
    kinds = (_kind(a), _kind(b))
    first, second, _ = _loop(BINARY_UFUNCS[op], kinds)
    if op in COMPARISONS:
        if first != second:
            return _of_signed_and_unsigned(op, trace, a, b)
        for number, other in ((a, b), (b, a)):
            if type(number) is int and first.kind in "iu" and not _fits(number, first):
                low = _ON_NUMBERS[op](*((0, number) if number is b else (number, 0)))
                return trace.wrap(trace.broadcast(trace.constant(low, np.dtype(np.bool_)), trace.read(other).shape))
    return trace.wrap(trace.add(op, trace.read(a, first), trace.read(b, second)))


def _fits(number: int, dtype: Any) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= number <= limits.max)


def _of_signed_and_unsigned(op: str, trace: Trace, a: Any, b: Any) -> Any:
    """A comparison of int64 with uint64, which no dtype holds both: negative numbers are smaller than all others."""
    wide = np.dtype(np.uint64)
    x, y = trace.wrap(trace.read(a)), trace.wrap(trace.read(b))
    as_wide = binary(op, x.astype(wide), y.astype(wide))
    signed = x if x.dtype.kind == "i" else y
    negative = binary("lt", signed, 0)
    if_negative = _ON_NUMBERS[op](*((-1, 0) if signed is x else (0, -1)))
    return (as_wide | negative) if if_negative else (as_wide & ~negative)


def _of_numbers(op: str, a: Any, b: Any) -> Any:
    """Arithmetic of Python numbers, of which one at least is a stand-in, as Python does it."""
    trace = a.trace if isinstance(a, Number) else b.trace
    values = [x.value if isinstance(x, Number) else x for x in (a, b)]
    function = _ON_NUMBERS.get(op)
    value = None if function is None else function(*values)
    if not isinstance(value, NUMBERS):
        raise unreadable(f"{op} of numbers, a reading")
    if isinstance(value, complex) or any(isinstance(x, complex) for x in values):
        # Only real numbers are given at each call: the program holds for these ones.
        assert function is not None
        return function(*[x.pin() if isinstance(x, Number) else x for x in (a, b)])
    roots = frozenset().union(*(x.roots for x in (a, b) if isinstance(x, Number)))
    in_floats = op == "div" or any(isinstance(x, float) for x in values) or isinstance(value, float)
    dtype = np.dtype(np.float64 if in_floats else np.int64)
    instruction = trace.add(op, trace.read(a, dtype), trace.read(b, dtype))
    return Number(trace, instruction, value, roots)


def power(base: Any, exponent: Any) -> Any:
    """base ** exponent; small whole exponents are products, as in NumPy, ½ is a square root."""
    if type(exponent) not in NUMBERS or isinstance(base, Number) or base.dtype.kind not in "fciu":
        return binary("pow", base, exponent)
    if isinstance(exponent, complex):
        return binary("pow", base, exponent)
    floats = base.dtype.kind in "fc"
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


def converted(ufunc: Any, *xs: Any) -> list[Any]:
    """The operands as tracers, in the dtypes in which the ufunc computes on them."""
    trace = trace_of(*xs)
    kinds = tuple(_kind(x) for x in xs)
    if all(isinstance(kind, type) for kind in kinds):  # numbers alone
        kinds = (np.dtype(np.float64),) * len(kinds)
    return [trace.wrap(trace.read(x, dtype)) for x, dtype in zip(xs, _loop(ufunc, kinds), strict=False)]


def unary(op: str, ufunc: Any, x: Any) -> Any:
    """An elementwise operation of one operand."""
    dtype = _loop(ufunc, (x.dtype if not isinstance(x, Number) else np.dtype(np.float64),))[0]
    return x.trace.wrap(x.trace.add(op, x.trace.read(x, dtype)))


# Operators


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


def _of_one(name: str, ufunc: Any) -> Callable[..., Any]:
    def result(self: Tracer) -> Any:
        return unary(name, ufunc, self)

    return result


_METHODS = {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "div": "truediv",
    "floordiv": "floordiv",
    "mod": "mod",
    "and": "and",
    "or": "or",
    "xor": "xor",
}
for _name, _method in _METHODS.items():
    _direct, _reflected = _operators(_name)
    setattr(Tracer, f"__{_method}__", _direct)
    setattr(Tracer, f"__r{_method}__", _reflected)
    setattr(Tracer, f"__i{_method}__", _in_place(_name))
for _name in COMPARISONS:
    setattr(Tracer, f"__{_name}__", _operators(_name)[0])
for _name, _ufunc in {"neg": np.negative, "abs": np.abs, "invert": np.invert}.items():
    setattr(Tracer, f"__{_name}__", _of_one(_name, _ufunc))
for _name, _function in {"__pow__": power, "__rpow__": _operators("pow")[1]}.items():
    setattr(Tracer, _name, _function)
