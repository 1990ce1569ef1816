"""`vmap`: a function of one example as a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from adjoint.arrays import NUMERIC_KINDS
from adjoint.core.apply import leaf
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, AxisError, DTypeError
from adjoint.lifted import LIFTED as xp, Batch, beneath
from adjoint.lifted.batch import spread
from adjoint.ops import Op
from adjoint.structures import flatten
from adjoint.transforms.arguments import (
    all_shown,
    are_plain,
    constant_or,
    deeper,
    is_array,
    lifting,
    lifting_in,
    lifting_op,
    transforming,
)

__all__ = ["entered", "left", "vmap"]


def _front(axis: int, ndim: int) -> tuple[int, ...]:
    """The axes with one of them first."""
    return (axis, *(i for i in range(ndim) if i != axis))


def _entered(x: Any, *, level: int, axis: int, length: int) -> Any:
    def in_front(added: int, x: Any) -> Any:
        place = axis + added
        return Batch(level, xp.permute_dims(x, _front(place, len(x.shape))) if place else x)

    return beneath(level, in_front, x)


def _left(y: Any, *, level: int, axis: int, length: int) -> Any:
    """(B, *shape) with the hidden axis at `axis`; what is no batch is the same for all examples."""

    def placed(added: int, y: Any) -> Any:
        value = spread(level, y, length)
        place = axis + added
        if not place:
            return value
        order = list(range(1, len(value.shape)))
        return xp.permute_dims(value, (*order[:place], 0, *order[place:]))

    return beneath(level, placed, y)


_enter: Op = lifting_op("enter_batch", _entered, lambda F, g, _count, **options: (lifting_in(_leave, g, **options),))
_leave: Op = lifting_op("leave_batch", _left, lambda F, g, _count, **options: (lifting_in(_enter, g, **options),))


def entered(x: Any, level: int, axis: int = 0) -> Variable:
    """A Variable on the batch that lies along an axis of x, in the graph of x."""
    return lifting(_enter, constant_or(x), level=level, axis=axis, length=x.shape[axis])


def left(y: Variable, level: int, axis: int, length: int) -> Variable:
    """The Variable whose axis holds the examples of a batch."""
    return lifting(_leave, y, level=level, axis=axis, length=length)


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Any:
    """The function that applies f to each example along an axis of its arguments, all at once.

    f is written for one example. It runs once, on arrays with a hidden axis. `vmap(grad(f))` gives the gradient of each
    example.

    Args:
        f: a function of Variables.
        in_axes: for each argument, the axis of its arrays that counts the examples, or None for what all examples
            share. A number for all arguments; a tuple with a number, None, or a structure of them for each. Keyword
            arguments are shared.
        out_axes: where the examples go in the results: a number, or a structure of them.

    Raises:
        ArgumentError: arguments of different numbers of examples, or none that is mapped; axes in another structure.
        TransformError: where f reads a value that differs from example to example.

    Random draws within f (`F.dropout`) are the same for all examples.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> ad.vmap(lambda x, w: (x * w).sum(), in_axes=(0, None))(np.eye(2), np.array([2.0, 3.0]))
    array([2., 3.])
    """

    if not callable(f):
        raise DTypeError(f"vmap takes a function, not {f!r}")

    @functools.wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten(args)
        if isinstance(in_axes, list):
            raise DTypeError("vmap: in_axes is a number or a tuple with one for each argument, not a list")
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ArgumentError(f"vmap: in_axes has {len(in_axes)} parts for {len(args)} arguments")
        axes = structure.spread(in_axes, "vmap: in_axes")
        mapped_axes = [
            _checked_axis(x, axis, path)
            for x, axis, path in zip(leaves, axes, structure.paths("argument"), strict=True)
        ]
        length = _common_length(leaves, mapped_axes, structure.paths("argument"))
        is_plain = not any(isinstance(x, Variable) for x in (*leaves, *flatten(tuple(kwargs.values()))[0]))
        with deeper() as level:
            values = [_value(x, level, axis) for x, axis in zip(leaves, mapped_axes, strict=True)]
            with transforming():
                out = f(*structure.build(values), **kwargs)
            found, structure = flatten(out)
            del out, values  # so that the constants among them go, unless somebody else holds them
            axes = structure.spread(out_axes, "vmap: out_axes")
            found = [_result(found.pop(0), axis, level, length) for axis in axes]
            is_plain = are_plain(is_plain, found)
            return structure.results(all_shown(found, is_plain=is_plain, given=leaves))

    return mapped


def _value(x: Any, level: int, axis: int | None) -> Any:
    """What f gets: arrays that are shared as Variables too, so that batches of whole numbers can index them."""
    if axis is not None:
        return entered(x, level, axis)
    return leaf(x) if isinstance(x, np.ndarray) and x.dtype.kind in NUMERIC_KINDS else x


def _checked_axis(x: Any, axis: Any, path: str) -> int | None:
    if axis is None:
        return None
    if not is_array(x):
        raise ArgumentError(f"vmap: {path} is {x!r}, which has no axis to map; give None for it in in_axes")
    try:
        return int(normalize_axis_index(axis, len(x.shape)))
    except Exception:
        raise AxisError(f"vmap: {path} of shape {x.shape} has no axis {axis}; give None for what is shared") from None


def _common_length(leaves: Sequence[Any], axes: Sequence[int | None], paths: Sequence[str]) -> int:
    lengths = {path: x.shape[axis] for x, axis, path in zip(leaves, axes, paths, strict=True) if axis is not None}
    if not lengths:
        raise ArgumentError("vmap: no argument is mapped; in_axes needs a number for one of them at least")
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{path}: {length}" for path, length in lengths.items())
        raise ArgumentError(f"vmap: arguments of different numbers of examples ({given})")
    return next(iter(lengths.values()))


def _result(y: Any, axis: Any, level: int, length: int) -> Any:
    """A result with the examples along an axis; what is no array or number as it is."""
    if not is_array(y) and not isinstance(y, (int, float, complex)):
        return y
    y = y if isinstance(y, Variable) else Variable(y)
    if axis is None:
        if isinstance(y._data, Batch) and y._data.level == level:
            raise ArgumentError("vmap: a result differs from example to example, but out_axes is None for it")
        return y
    try:
        place = normalize_axis_index(axis, len(y.shape) + 1)
    except np.exceptions.AxisError:
        count = len(y.shape) + 1
        raise AxisError(f"vmap: out_axes is {axis} for a result that has {count} axes with that of examples") from None
    return left(y, level, place, length)
