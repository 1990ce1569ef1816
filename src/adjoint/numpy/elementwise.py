"""NumPy's functions that act element by element and are no ufuncs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.core.creation import container
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.numpy.registering import as_value, as_values, delivered, implements, in_dtype, on_data, plain, run

__all__: list[str] = []

_where = run("where")
_NUMPYS = (np.ndarray, np.generic, bool, int, list, tuple)


@implements(np.where)
def where(condition: Any, *args: Any) -> Any:
    if not args:
        return np.nonzero(plain(condition))
    x, y = args
    return _where(_flags(condition), *as_values(x, y))


def _flags(condition: Any) -> Any:
    flags = np.asarray(plain(condition)) if isinstance(condition, (bool, list, tuple)) else plain(condition)
    return flags if flags.dtype.kind == "b" else flags != 0


@implements(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None, **kwargs: Any
) -> Any:
    low, high = a_min if min is None else min, a_max if max is None else max
    x = in_dtype(a, kwargs.get("dtype"))
    if low is not None:
        x = (
            run("maximum")(x, low)
            if np.ndim(low)
            else run("clip")(x, lo=plain(low), hi=None)
            if _is_plain(low)
            else (run("maximum")(x, low))
        )
    if high is not None:
        x = (
            run("clip")(x, lo=None, hi=plain(high))
            if _is_plain(high) and not np.ndim(high)
            else (run("minimum")(x, high))
        )
    return delivered(x, out)


def _is_plain(bound: Any) -> bool:
    return not isinstance(bound, Variable)


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = as_value(x)
    if x.dtype.kind == "c":
        parts = [nan_to_num(part, True, nan, posinf, neginf) for part in (run("real")(x), run("imag")(x))]
        result = parts[0] + 1j * parts[1]
    elif x.dtype.kind == "f":
        limits = np.finfo(x.dtype)
        result = _where(np.isnan(x), nan, x)
        result = _where(x == math.inf, limits.max if posinf is None else posinf, result)
        result = _where(x == -math.inf, limits.min if neginf is None else neginf, result)
    else:
        result = run("copy")(x)
    return result if copy else delivered(result, x)


@implements(np.sinc)
def sinc(x: Any) -> Any:
    return run("sinc")(x)


@implements(np.real)
def real(val: Any) -> Any:
    return run("real")(val)


@implements(np.imag)
def imag(val: Any) -> Any:
    return run("imag")(val)


@implements(np.angle)
def angle(z: Any, deg: bool = False) -> Any:
    result = run("angle")(z)
    return result * (180.0 / math.pi) if deg else result


@implements(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    a = as_value(a)
    if a.dtype.kind != "c" or not np.isrealobj(on_data(np.real_if_close)(a, tol)):
        return a
    return run("real")(a)


@implements(np.copy)
def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    return run("copy")(a)


@implements(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    return x.astype(dtype)


@implements(np.fix)
def fix(x: Any, out: Any = None) -> Any:
    return delivered(run("trunc")(x), out)


@implements(np.round, np.around)
def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    if decimals == 0:
        return delivered(run("round")(a), out)
    scale = 10.0 ** abs(decimals)
    x = raw(as_value(a))
    rounded = raw(run("round")(x * scale if decimals > 0 else x / scale))
    return delivered(Variable(rounded / scale if decimals > 0 else rounded * scale), out)


@implements(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    p = as_value(p)
    # What is added are multiples of the period, which are constants.
    return p + on_data(lambda x: np.unwrap(x, discont, axis, period=period) - x)(p)


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    result = as_value(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = _where(_flags(condition), as_value(choice), result)
    return result


@implements(np.choose)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    count = len(choices)
    numbers = np.choose(plain(a), np.arange(count), mode=mode)  # type: ignore[call-overload]
    result = as_value(choices[0])
    for i in range(1, count):
        result = _where(numbers == i, as_value(choices[i]), result)
    return delivered(np.broadcast_to(result, np.broadcast_shapes(result.shape, numbers.shape)), out)


@implements(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    x = as_value(x)
    if isinstance(condlist, (list, tuple)) and not all(isinstance(raw(c), _NUMPYS) for c in condlist):
        return _piecewise_everywhere(x, [plain(c) for c in condlist], funclist, args, kw)
    flags = np.asarray(plain(condlist)).astype(bool)
    if flags.ndim == 0 or (flags.ndim == 1 and x.ndim != 0 and flags.shape == x.shape):
        flags = flags[None]
    if flags.shape[0] == len(funclist) - 1:
        flags = np.concatenate([flags, ~flags.any(axis=0, keepdims=True)])
    result = container(np.zeros(x.shape, x.dtype))
    for chosen, function in zip(flags, funclist, strict=True):
        if chosen.any():
            result[chosen] = function(x[chosen], *args, **kw) if callable(function) else function
    return result


def _piecewise_everywhere(x: Any, flags: list[Any], functions: Any, args: Any, kw: Any) -> Any:
    """Where it is not known which elements are chosen, each function is computed of all of them."""
    values = [function(x, *args, **kw) if callable(function) else function for function in functions]
    result = Variable(np.zeros(x.shape, x.dtype))
    if len(values) > len(flags):
        result = result + values.pop()
    for chosen, value in zip(flags, values, strict=True):
        result = _where(chosen, as_value(value).astype(x.dtype), result)
    return result
