"""The methods of NumPy's ufuncs on Variables: reduce, accumulate, reduceat, outer and at.

Where a function of its own does the same it is used; else the elements are combined one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.core.numpy_protocol import FUNCTIONS, UFUNC_FORMS, ufunc_function
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.functions import shapes as F
from adjoint.numpy.registering import as_value, delivered, in_dtype, plain, run
from adjoint.numpy.ufuncs import CONSTANT_UFUNCS

__all__: list[str] = []

_REDUCTIONS: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_SCANS: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
_REORDERABLE = frozenset({np.fmax, np.fmin, np.logaddexp, np.logaddexp2})
_OPTIONS = {
    "reduce": ("axis", "dtype", "out", "keepdims", "initial", "where"),
    "accumulate": ("axis", "dtype", "out"),
    "reduceat": ("indices", "axis", "dtype", "out"),
}


def _given(method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The array and the options of a method by their names, those that are not the default."""
    array, *rest = inputs
    options = {"axis": 0, **dict(zip(_OPTIONS[method], rest, strict=False)), **options}
    if options.get("out") in (None, (None,)):
        options.pop("out", None)
    return array, options


def _reduce(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if ufunc in CONSTANT_UFUNCS:
        return ufunc.reduce(*map(plain, inputs), **plain(options))
    array, options = _given("reduce", inputs, options)
    if ufunc in _REDUCTIONS:
        return FUNCTIONS[_REDUCTIONS[ufunc]](array, **options)
    x, axis, out = in_dtype(array, options.pop("dtype", None)), options.pop("axis"), options.pop("out", None)
    keepdims, initial = options.pop("keepdims", False), options.pop("initial", None)
    if options.pop("where", True) is not True:
        raise DTypeError(f"numpy.{ufunc.__name__}.reduce of a Variable takes no where; use numpy.where before it")
    axes = tuple(range(x.ndim)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    if len(axes) > 1 and ufunc.identity is None and ufunc not in _REORDERABLE:
        raise ArgumentError(f"numpy.{ufunc.__name__}.reduce along several axes: it depends on their order; give one")
    if ufunc is np.logaddexp:
        result = run("logsumexp")(x, axis=axes, keepdims=bool(keepdims))
        result = result if initial is None or initial is np._NoValue else np.logaddexp(initial, result)
        return delivered(result, out)
    result = _one_after_another(ufunc, x, axes, None if initial is np._NoValue else initial)
    return delivered(np.expand_dims(result, axes) if keepdims else result, out)


def _one_after_another(ufunc: Any, x: Any, axes: tuple[int, ...], initial: Any) -> Any:
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    lines = F.transpose(x, axes + rest).reshape((-1, *(x.shape[i] for i in rest)))
    parts = list(lines) if initial is None else [np.full_like(lines, initial, shape=lines.shape[1:]), *lines]
    if not parts and ufunc.identity is None:
        raise ArgumentError(f"numpy.{ufunc.__name__}.reduce along an axis without elements needs an initial value")
    result = parts[0] if parts else np.full_like(x, ufunc.identity, shape=lines.shape[1:])
    for part in parts[1:]:
        result = ufunc(result, part)
    return result


def _accumulate(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    if ufunc in CONSTANT_UFUNCS:
        return ufunc.accumulate(*map(plain, inputs), **plain(options))
    array, options = _given("accumulate", inputs, options)
    if ufunc in _SCANS:
        return FUNCTIONS[_SCANS[ufunc]](array, **options)
    x = np.moveaxis(in_dtype(array, options.get("dtype")), options["axis"], 0)
    found = list(x[:1])
    for part in x[1:]:
        found.append(ufunc(found[-1], part))
    whole: Any = F.stack(found) if found else x
    return delivered(np.moveaxis(whole, 0, options["axis"]), options.get("out"))


def _reduceat(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Of the parts between each index and the next one; where that is no larger, the element itself."""
    array, options = _given("reduceat", inputs, options)
    x = np.moveaxis(in_dtype(array, options.get("dtype")), options["axis"], 0)
    starts = np.asarray(plain(options["indices"])).tolist()
    parts = [
        ufunc.reduce(x[start:stop]) if stop is None or start < stop else x[start]
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
    ]
    whole: Any = F.stack(parts)
    return delivered(np.moveaxis(whole, 0, options["axis"]), options.get("out"))


def _outer(ufunc: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    a, b = map(as_value, inputs)
    return ufunc(a.reshape((*a.shape, *(1,) * b.ndim)), b, **options)


_SIGNS: dict[Any, Callable[[Any], Any]] = {np.add: lambda x: x, np.subtract: lambda x: -x}


def _at(ufunc: Any, inputs: tuple[Any, ...], _options: dict[str, Any]) -> None:
    """Adds at indices, each time that one is named."""
    target, index, *values = inputs
    if not isinstance(target, Variable):
        raise DTypeError(
            f"numpy.{ufunc.__name__}.at into a NumPy array would lose the gradient; make the array by ad.zeros"
        )
    if ufunc in _SIGNS:
        target[...] = F.scatter_add(target, index, _SIGNS[ufunc](as_value(values[0])))
        return
    places = np.arange(target.size).reshape(target.shape)[plain(index)]
    if len(np.unique(places)) < places.size:
        raise DTypeError(
            f"numpy.{ufunc.__name__}.at of a Variable names an element twice; there is at of numpy.add and "
            "numpy.subtract for it"
        )
    target[index] = ufunc_function(ufunc)(target[index], *values)


UFUNC_FORMS.update(reduce=_reduce, accumulate=_accumulate, reduceat=_reduceat, outer=_outer, at=_at)
