"""The functions of the standard that act element by element: a table of what computes each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.array_api.arguments import as_array, as_operand, constant, named, np, run
from adjoint.arrays import NUMBERS
from adjoint.core.variable import Variable

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "real",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]  # fmt: skip

Function = Callable[..., Any]


def _of_one(name: str, function: Function) -> Callable[[Any], Variable]:
    def of_one(x: Any, /) -> Variable:
        return function(as_array(x))

    return named(of_one, name, f"`{name}` of each element.")


def _of_two(name: str, function: Function) -> Callable[[Any, Any], Variable]:
    def of_two(x1: Any, x2: Any, /) -> Variable:
        x1, x2 = as_operand(x1), as_operand(x2)
        return function(as_array(x1) if type(x2) in NUMBERS else x1, x2)

    return named(of_two, name, f"`{name}` of each two elements; one of the arguments may be a number.")


def _on_data(function: Function) -> Function:
    """What has no derivative."""
    return lambda *xs: constant(function, *xs)


def _or_as_it_is(name: str) -> Function:
    """An op that leaves integers as they are."""
    return lambda x: run("copy" if x.dtype.kind in "biu" else name)(x)


def _rounded(x: Variable) -> Variable:
    """Complex numbers by their parts, which the op refuses."""
    return constant(np.round, x) if x.dtype.kind == "c" else _or_as_it_is("round")(x)


# Of one array

abs = _of_one("abs", run("abs"))
acos = _of_one("acos", np.arccos)
acosh = _of_one("acosh", np.arccosh)
asin = _of_one("asin", np.arcsin)
asinh = _of_one("asinh", np.arcsinh)
atan = _of_one("atan", np.arctan)
atanh = _of_one("atanh", np.arctanh)
bitwise_invert = _of_one("bitwise_invert", np.invert)
ceil = _of_one("ceil", _or_as_it_is("ceil"))
conj = _of_one("conj", run("conj"))
cos = _of_one("cos", np.cos)
cosh = _of_one("cosh", np.cosh)
exp = _of_one("exp", np.exp)
expm1 = _of_one("expm1", np.expm1)
floor = _of_one("floor", _or_as_it_is("floor"))
imag = _of_one("imag", run("imag"))
isfinite = _of_one("isfinite", _on_data(np.isfinite))
isinf = _of_one("isinf", _on_data(np.isinf))
isnan = _of_one("isnan", _on_data(np.isnan))
log = _of_one("log", np.log)
log10 = _of_one("log10", np.log10)
log1p = _of_one("log1p", np.log1p)
log2 = _of_one("log2", np.log2)
logical_not = _of_one("logical_not", _on_data(np.logical_not))
negative = _of_one("negative", np.negative)
positive = _of_one("positive", np.positive)
real = _of_one("real", run("real"))
reciprocal = _of_one("reciprocal", np.reciprocal)
round = _of_one("round", _rounded)
sign = _of_one("sign", np.sign)
signbit = _of_one("signbit", _on_data(np.signbit))
sin = _of_one("sin", np.sin)
sinh = _of_one("sinh", np.sinh)
sqrt = _of_one("sqrt", np.sqrt)
square = _of_one("square", np.square)
tan = _of_one("tan", np.tan)
tanh = _of_one("tanh", np.tanh)
trunc = _of_one("trunc", _or_as_it_is("trunc"))

# Of two

add = _of_two("add", np.add)
atan2 = _of_two("atan2", np.arctan2)
bitwise_and = _of_two("bitwise_and", np.bitwise_and)
bitwise_left_shift = _of_two("bitwise_left_shift", np.left_shift)
bitwise_or = _of_two("bitwise_or", np.bitwise_or)
bitwise_right_shift = _of_two("bitwise_right_shift", np.right_shift)
bitwise_xor = _of_two("bitwise_xor", np.bitwise_xor)
copysign = _of_two("copysign", np.copysign)
divide = _of_two("divide", np.divide)
equal = _of_two("equal", _on_data(np.equal))
floor_divide = _of_two("floor_divide", np.floor_divide)
greater = _of_two("greater", _on_data(np.greater))
greater_equal = _of_two("greater_equal", _on_data(np.greater_equal))
hypot = _of_two("hypot", np.hypot)
less = _of_two("less", _on_data(np.less))
less_equal = _of_two("less_equal", _on_data(np.less_equal))
logaddexp = _of_two("logaddexp", np.logaddexp)
logical_and = _of_two("logical_and", _on_data(np.logical_and))
logical_or = _of_two("logical_or", _on_data(np.logical_or))
logical_xor = _of_two("logical_xor", _on_data(np.logical_xor))
maximum = _of_two("maximum", np.maximum)
minimum = _of_two("minimum", np.minimum)
multiply = _of_two("multiply", np.multiply)
nextafter = _of_two("nextafter", _on_data(np.nextafter))
not_equal = _of_two("not_equal", _on_data(np.not_equal))
pow = _of_two("pow", np.power)
remainder = _of_two("remainder", np.remainder)
subtract = _of_two("subtract", np.subtract)


def clip(x: Any, /, min: Any = None, max: Any = None) -> Variable:
    """min(max(x, lowest), highest), with bounds that are numbers or arrays; None is no bound.

    >>> print(clip(Variable([-1.0, 0.5, 2.0]), 0.0, 1.0))
    variable[3]([0.  0.5 1. ])
    """
    x = as_array(x)
    if min is None and max is None:
        return run("copy")(x)
    low, high = (None if bound is None else _in_dtype(as_operand(bound), x.dtype) for bound in (min, max))
    if low is not None:
        x = run("clip")(x, lo=low, hi=None) if type(low) in NUMBERS else run("maximum")(x, low)
    if high is None:
        return x
    return run("clip")(x, lo=None, hi=high) if type(high) in NUMBERS else run("minimum")(x, high)


def _in_dtype(bound: Any, dtype: Any) -> Any:
    """A bound in the dtype of what is clipped."""
    return bound if type(bound) in NUMBERS or bound.dtype == dtype else bound.astype(dtype)
