"""NumPy's ufuncs on Variables: each by its op, with NumPy's options and methods."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint import special
from adjoint.core.apply import apply
from adjoint.core.numpy_protocol import FUNCTIONS, SCIPY_UFUNCS, UFUNC_FORMS, UFUNCS, ufunc_function
from adjoint.core.value import Value, raw
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError
from adjoint.functions import rounding
from adjoint.lifted.numpy_calls import OF_INTEGERS, TESTS
from adjoint.numpy.registering import as_value, as_values, delivered, in_dtype, on_data, plain, run
from adjoint.ops import arithmetic

__all__ = ["CONSTANT_UFUNCS", "UNSUPPORTED_UFUNCS"]

_LOG_2 = math.log(2.0)

# By the op of the same name.
_SAME_NAME = """
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh arctan2 exp exp2 expm1 log log2 log10 log1p
    sqrt square cbrt hypot logaddexp maximum minimum copysign remainder fmod floor_divide floor ceil trunc matmul
""".split()
_OTHER_NAME = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "negative": "neg",
    "positive": "copy",
    "absolute": "abs",
    "fabs": "abs",
    "conjugate": "conj",
    "rint": "round",
}
UFUNCS.update({getattr(np, name): run(name) for name in _SAME_NAME})
UFUNCS.update({getattr(np, name): run(op) for name, op in _OTHER_NAME.items()})
UFUNCS[np.sign] = rounding.sign  # of complex numbers it has a derivative


def _power(a: Any, b: Any) -> Any:
    if isinstance(b, np.integer) and getattr(a, "dtype", None) == np.float64:
        b = int(b)
    return a**b if isinstance(a, Variable) else apply(arithmetic.pow, a, b)


def _float_power(a: Any, b: Any) -> Any:
    wide = np.result_type(np.float64, *(x.dtype for x in (as_value(a), as_value(b))))
    return _power(in_dtype(a, wide), b if isinstance(b, (int, float)) else in_dtype(b, wide))


def _without_nan(extreme: Callable[..., Any]) -> Callable[..., Any]:
    """fmax and fmin: of a number and NaN, the number."""

    def function(a: Any, b: Any) -> Any:
        a, b = as_values(a, b)
        where = run("where")
        return extreme(where(np.isnan(a), b, a), where(np.isnan(b), a, b))

    return function


def _logaddexp2(a: Any, b: Any) -> Any:
    """log₂(2^a + 2^b)"""
    dtype = np.result_type(*(x if type(x) in (int, float) else as_value(x).dtype for x in (a, b)))
    a, b = in_dtype(a, dtype), in_dtype(b, dtype)
    return run("logaddexp")(a * _LOG_2, b * _LOG_2) / _LOG_2


def _heaviside(x: Any, at_zero: Any) -> Any:
    x = as_value(x)
    return run("where")(x == 0, at_zero, run("where")(np.isnan(x), math.nan, (x > 0) * x.dtype.type(1)))


def _modf(x: Any) -> tuple[Any, Any]:
    x = as_value(x)
    whole = run("trunc")(x)
    return run("copysign")(x - whole, x), whole


def _frexp(x: Any) -> tuple[Any, Any]:
    x = as_value(x)
    exponent = on_data(np.frexp)(x)[1]
    return x * np.exp2((-exponent).astype(x.dtype)), Variable(exponent)


def _vecdot(a: Any, b: Any) -> Any:
    a = as_value(a)
    return run("sum")(run("conj")(a) * b if a.dtype.kind == "c" else a * b, axis=-1)


def _matvec(a: Any, b: Any) -> Any:
    return run("matmul")(a, as_value(b)[..., None])[..., 0]


def _vecmat(a: Any, b: Any) -> Any:
    a = as_value(a)
    return run("matmul")((run("conj")(a) if a.dtype.kind == "c" else a)[..., None, :], b)[..., 0, :]


UFUNCS.update(
    {
        np.power: _power,
        np.float_power: _float_power,
        np.reciprocal: lambda x: 1.0 / as_value(x),
        np.deg2rad: lambda x: as_value(x) * (math.pi / 180.0),
        np.radians: lambda x: as_value(x) * (math.pi / 180.0),
        np.rad2deg: lambda x: as_value(x) * (180.0 / math.pi),
        np.degrees: lambda x: as_value(x) * (180.0 / math.pi),
        np.fmax: _without_nan(run("maximum")),
        np.fmin: _without_nan(run("minimum")),
        np.logaddexp2: _logaddexp2,
        np.heaviside: _heaviside,
        np.divmod: lambda a, b: (run("floor_divide")(a, b), run("remainder")(a, b)),
        np.modf: _modf,
        np.frexp: _frexp,
        np.ldexp: lambda x, exponent: as_value(x) * np.exp2(np.asarray(plain(exponent), as_value(x).dtype)),
        np.vecdot: _vecdot,
        np.matvec: _matvec,
        np.vecmat: _vecmat,
    }
)

CONSTANT_UFUNCS = TESTS + OF_INTEGERS
UNSUPPORTED_UFUNCS = (np.nextafter, np.spacing)


def _of_integers(ufunc: Any) -> Callable[..., Any]:
    def function(*inputs: Any) -> Any:
        try:
            return Variable(ufunc(*map(plain, inputs)))
        except TypeError as error:
            kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in inputs)
            raise DTypeError(f"{ufunc.__name__} of {kinds}: {error}") from None

    return function


def _test(ufunc: Any) -> Callable[..., Any]:
    return lambda *inputs: ufunc(*[raw(x) for x in inputs])


# Plain arrays of booleans; of whole numbers, Variables of whole numbers.
UFUNCS.update({ufunc: _test(ufunc) for ufunc in TESTS})
UFUNCS.update({ufunc: _of_integers(ufunc) for ufunc in OF_INTEGERS})

FUNCTIONS[np.i0] = special.i0
SCIPY_UFUNCS.update({name: getattr(special, name) for name in dir(special) if callable(getattr(special, name))})


# Options

_IGNORED = frozenset({"casting", "order", "subok"})


def _with_options(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc with out=, where= or dtype=. Where `where` is false the result is what `out` was, or 0."""
    if ufunc in CONSTANT_UFUNCS and not any(isinstance(x, Value) for x in options.get("out", ())):
        return ufunc(*map(plain, inputs), **plain(options))
    function = ufunc_function(ufunc)
    options = {name: value for name, value in options.items() if name not in _IGNORED}
    out, where, dtype = options.pop("out", None), options.pop("where", True), options.pop("dtype", None)
    if options:
        raise DTypeError(f"numpy.{ufunc.__name__} of a Variable takes no {', '.join(options)}")
    if dtype is not None:
        inputs = tuple(in_dtype(x, dtype) for x in inputs)
    if where is not True:
        # Where nothing is computed, 1 takes the place of what may be outside of the domain, and whose gradient is NaN.
        inputs = tuple(run("where")(plain(where), x, as_value(x).dtype.type(1)) for x in inputs)
    results = function(*inputs)
    if isinstance(results, tuple):
        return tuple(_delivered(r, o, where) for r, o in zip(results, out or (None,) * len(results), strict=True))
    return _delivered(results, None if out is None else out[0], where)


def _delivered(result: Any, out: Any, where: Any) -> Any:
    if out is None and where is not True:
        return run("where")(plain(where), result, result.dtype.type(0))
    return delivered(result, out, where)


UFUNC_FORMS["__call__"] = _with_options
