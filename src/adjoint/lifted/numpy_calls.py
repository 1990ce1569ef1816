"""NumPy's own functions called on lifted arrays.

What has a rule is done by it. A function without a derivative, of which only the data matters, such as `numpy.argsort`,
sees the value of a series; of a batch it is called on each example, and the results stand side by side again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from adjoint.arrays import NAMESPACES
from adjoint.errors import TransformError
from adjoint.lifted.batch import Batch, elementwise
from adjoint.lifted.lifted import LIFTED as xp, Lifted, call
from adjoint.lifted.series import Series

__all__ = ["CONSTANT", "OF_INTEGERS", "TESTS", "apply_function", "apply_ufunc", "on_data"]

# Comparisons, tests and logic.
TESTS = tuple(
    getattr(np, name)
    for name in """
        equal not_equal less less_equal greater greater_equal isnan isfinite isinf isnat signbit logical_and logical_or
        logical_xor logical_not
    """.split()
)
OF_INTEGERS = tuple(
    getattr(np, name)
    for name in "bitwise_and bitwise_or bitwise_xor invert left_shift right_shift bitwise_count gcd lcm".split()
)
# Shapes, indices, tests, counts, texts, files: what comes out is plain.
_CONSTANT = tuple(
    getattr(np, name)
    for name in """
        all allclose any argmax argmin argpartition argsort argwhere array2string array_equal array_equiv array_repr
        array_str can_cast common_type count_nonzero diag_indices_from digitize einsum_path flatnonzero isclose
        iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj ix_ lexsort may_share_memory min_scalar_type
        nanargmax nanargmin ndim nonzero packbits ravel_multi_index result_type save savetxt savez savez_compressed
        searchsorted shape shares_memory size tril_indices_from triu_indices_from unpackbits unravel_index
    """.split()
)
CONSTANT = (*_CONSTANT, np.linalg.matrix_rank)
# Those for which shapes and dtypes are enough: a stand-in takes the place of a batch.
_OF_SHAPES = frozenset(
    getattr(np, name)
    for name in """
        can_cast common_type diag_indices_from einsum_path iscomplexobj isrealobj may_share_memory min_scalar_type ndim
        result_type shape shares_memory size tril_indices_from triu_indices_from
    """.split()
)
_CONSTANT_UFUNCS = frozenset(TESTS + OF_INTEGERS)
_UFUNCS: dict[Any, str] = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "div", np.floor_divide: "floordiv",
    np.remainder: "mod", np.power: "pow", np.negative: "neg", np.matmul: "matmul", np.bitwise_and: "and",
    np.bitwise_or: "or", np.bitwise_xor: "xor", np.left_shift: "lshift", np.right_shift: "rshift",
    np.invert: "invert", np.equal: "eq", np.not_equal: "ne", np.less: "lt", np.less_equal: "le",
    np.greater: "gt", np.greater_equal: "ge", np.maximum: "maximum", np.minimum: "minimum", np.absolute: "abs",
    np.sqrt: "sqrt", np.floor: "floor", np.isnan: "isnan", np.isfinite: "isfinite",
}  # fmt: skip
_FUNCTIONS: dict[Any, str] = {np.sum: "sum", np.max: "max", np.min: "min", np.where: "where"}


def apply_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc, or one of its methods, on lifted arrays and others."""
    if not all(type(x) in NAMESPACES for x in inputs):
        return NotImplemented
    (out,) = options.pop("out", (None,))
    if out is not None and not (inputs and out is inputs[0]):
        raise TransformError("an array within a transform (jvp, vmap and those made of them) cannot be written to")
    # For ``array += x``, Python gives the name what is returned.
    if method == "__call__" and not options:
        name = _UFUNCS.get(ufunc)
        if name is not None:
            return call(name, *inputs)
        if ufunc in _CONSTANT_UFUNCS:
            return _test(ufunc, *inputs)
    elif ufunc in _CONSTANT_UFUNCS:
        return on_data(getattr(ufunc, method), inputs, options)
    return _of_constants(ufunc if method == "__call__" else getattr(ufunc, method), inputs, options)


def apply_function(function: Any, types: Iterable[type], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function on lifted arrays and others."""
    if not all(kind in NAMESPACES for kind in types):
        return NotImplemented
    if function in CONSTANT:
        return on_data(function, args, kwargs)
    if function in _FUNCTIONS and (function is not np.where or len(args) == 3):
        name, given = _FUNCTIONS[function], {key: value for key, value in kwargs.items() if value is not np._NoValue}
        if not set(given) - {"axis", "keepdims"}:
            return call(name, *args, **given) if len(args) != 2 else call(name, args[0], axis=args[1], **given)
    return _of_constants(function, args, kwargs)


def _of_constants(function: Any, args: Any, kwargs: Any) -> Any:
    """Any function, where no derivative can be lost: there is no series of floats."""
    for x in _lifted_in((args, kwargs)):
        if _has_series(x):
            raise TransformError(
                f"numpy.{getattr(function, '__name__', function)} would lose the derivative of an array within a "
                "transform (jvp, hessian and those made of them); compute with the Variable and the functions of "
                "adjoint.functions or adjoint.numpy instead of its .data"
            )
    return on_data(function, args, kwargs)


def _has_series(x: Any) -> bool:
    while isinstance(x, Batch):
        x = x.value
    return isinstance(x, Series)


def _stand_in(x: Any) -> Any:
    return np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, Lifted) else x


def _lifted_in(nested: Any) -> Iterator[Lifted]:
    if isinstance(nested, Lifted):
        yield nested
    elif isinstance(nested, (list, tuple)):
        for part in nested:
            yield from _lifted_in(part)
    elif isinstance(nested, dict):
        yield from _lifted_in(list(nested.values()))


def _mapped(change: Callable[[Any], Any], nested: Any) -> Any:
    """A structure of lists, tuples and dictionaries with other leaves."""
    if isinstance(nested, (list, tuple)):
        return type(nested)([_mapped(change, part) for part in nested])
    if isinstance(nested, dict):
        return {key: _mapped(change, part) for key, part in nested.items()}
    return change(nested)


def on_data(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """A function of which the data matters and no derivative, level by level from the highest."""
    top = max(_lifted_in((args, kwargs)), key=lambda x: x.level, default=None)
    if top is None:
        return function(*args, **kwargs)
    if function in _OF_SHAPES:
        return function(*_mapped(_stand_in, args), **_mapped(_stand_in, kwargs))
    level = top.level

    def within(change: Callable[[Any], Any]) -> Any:
        def of_this_level(x: Any) -> Any:
            return change(x) if isinstance(x, Lifted) and x.level == level else x

        return on_data(function, _mapped(of_this_level, args), _mapped(of_this_level, kwargs))

    def example(i: int) -> Any:
        return within(lambda x: x.value[i])

    if isinstance(top, Series):
        return within(lambda x: x.value)
    if not isinstance(top, Batch):
        raise TransformError(f"numpy.{function.__name__} cannot read what is within this transform")
    if not top.length:  # the shapes of results are found by an example of zeros
        found = [within(lambda x: np.zeros(x.shape, x.dtype))]
    else:
        found = [example(i) for i in range(top.length)]
    return _side_by_side(function, level, found, top.length)


def _side_by_side(function: Any, level: int, results: list[Any], length: int) -> Any:
    first = results[0]
    if isinstance(first, (list, tuple)):
        parts = [_side_by_side(function, level, list(column), length) for column in zip(*results, strict=True)]
        return parts if isinstance(first, list) else tuple(parts)
    arrays = [np.asarray(x) if NAMESPACES.get(type(x)) is None else x for x in results]
    if any(array.shape != arrays[0].shape or array.dtype.kind not in "biufc" for array in arrays):
        raise TransformError(
            f"the results of numpy.{function.__name__} are no arrays of one shape for all examples of a vmap; use a "
            "mask, numpy.where, instead of choosing elements"
        )
    return Batch(level, xp.stack(arrays)[:length])


def _test(ufunc: Any, *xs: Any) -> Any:
    """A ufunc without a derivative, on all examples at once."""
    top = max(_lifted_in(xs), key=lambda x: x.level, default=None)
    if top is None:
        return ufunc(*xs)
    if isinstance(top, Batch):
        return elementwise(partial(_test, ufunc))(top.level, *xs)
    if not isinstance(top, Series):
        raise TransformError(f"numpy.{ufunc.__name__} cannot read what is within this transform")
    return _test(ufunc, *(x.value if isinstance(x, Series) and x.level == top.level else x for x in xs))
