"""Indexing of batches: NumPy's rules for mixed indices, with a hidden axis in front.

An index is taken apart into a basic one (slices and new axes) and the arrays, of which integers beside arrays are
some. With the hidden axis and then the indexed axes in front, x is read at (b, i, j, …), and the axes that the arrays
made are moved to where NumPy puts them: to the place of the arrays if these stand side by side, else to the front.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from adjoint.arrays import NAMESPACES
from adjoint.errors import TransformError
from adjoint.lifted.lifted import LIFTED as xp, Lifted

__all__ = ["batched_getitem", "batched_index_update", "batched_unindex", "selected_shape"]

Held = Callable[[int, Any], Any]


@dataclass
class _Parts:
    """An index taken apart.

    basic: a slice, a new axis or a number for each axis
    axes: of what `basic` leaves, those that `arrays` index
    arrays: the index arrays
    place: where the axes that they make go
    """

    basic: tuple[Any, ...]
    axes: list[int]
    arrays: list[Any]
    place: int


def _is_array(part: Any) -> bool:
    return not isinstance(part, (int, np.integer, slice, EllipsisType, type(None))) or isinstance(
        part, (bool, np.bool_)
    )


def _expanded(index: Any, ndim: int) -> tuple[list[Any], int | None]:
    """The parts of an index, one for each axis of x or new axis; masks as the places of their true elements.

    Also where an ellipsis was: it parts the arrays beside it, even if it stands for no axis.
    """
    parts: list[Any] = []
    used = 0
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, list):
            part = np.asarray(part) if part else np.zeros(0, np.intp)
        if _is_array(part) and part.dtype.kind == "b":
            if type(part) not in NAMESPACES or isinstance(part, Lifted):
                raise TransformError(
                    "within vmap a mask that differs from example to example cannot be an index; use F.where"
                )
            parts += list(np.nonzero(part))
            used += part.ndim
        else:
            parts.append(part)
            used += part is not None and part is not Ellipsis
    if used > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed")
    is_given = any(part is Ellipsis for part in parts)
    if not is_given:
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    return [*parts[:at], *(slice(None),) * (ndim - used), *parts[at + 1 :]], at if is_given else None


def _taken_apart(index: Any, ndim: int) -> _Parts:
    parts, gap = _expanded(index, ndim)
    if not any(_is_array(part) for part in parts):
        return _Parts(tuple(parts), [], [], 0)
    advanced = [i for i, part in enumerate(parts) if part is not None and not isinstance(part, slice)]
    basic = tuple(slice(None) if i in advanced else part for i, part in enumerate(parts))
    is_parted = gap is not None and advanced[0] < gap <= advanced[-1]
    side_by_side = advanced[-1] - advanced[0] == len(advanced) - 1 and not is_parted
    arrays = [np.asarray(parts[i]) if isinstance(parts[i], (int, np.integer)) else parts[i] for i in advanced]
    return _Parts(basic, advanced, arrays, advanced[0] if side_by_side else 0)


def _broadcast_ndim(arrays: list[Any]) -> int:
    return max(len(array.shape) for array in arrays)


def _index_arrays(level: int, parts: _Parts, held: Held, length: int, batched: bool) -> tuple[Any, ...]:
    """The arrays with the hidden axis in front where one of them has it, and the example's number before them."""
    ndim = _broadcast_ndim(parts.arrays)
    values = [held(level, array) for array in parts.arrays]
    if all(value is None for value in values):
        return (slice(None), *parts.arrays) if batched else tuple(parts.arrays)
    lined_up = [
        array
        if value is None
        else xp.reshape(value, (value.shape[0], *(1,) * (ndim + 1 - len(value.shape)), *value.shape[1:]))
        for array, value in zip(parts.arrays, values, strict=True)
    ]
    return (np.arange(length).reshape(-1, *(1,) * ndim), *lined_up) if batched else tuple(lined_up)


def _orders(parts: _Parts, ndim: int) -> tuple[int, ...]:
    """The axes of a value (B, ...) with the indexed ones right after the hidden one."""
    rest = [axis for axis in range(ndim) if axis not in parts.axes]
    return (0, *(axis + 1 for axis in parts.axes), *(axis + 1 for axis in rest))


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(order))


def _placing(parts: _Parts, ndim: int) -> tuple[int, ...]:
    """For a result (B, made…, rest…): its axes with the made ones at their place."""
    made = _broadcast_ndim(parts.arrays)
    rest = list(range(1 + made, 1 + made + ndim - len(parts.axes)))
    before, after = rest[: parts.place], rest[parts.place :]
    return (0, *before, *range(1, 1 + made), *after)


def _example_count(level: int, held: Held, *xs: Any) -> int:
    return next(x.shape[0] for x in (held(level, x) for x in xs) if x is not None)


def batched_getitem(level: int, x: Any, index: Any, held: Held) -> Any:
    """What a batch of x[index] holds, where x or arrays of the index are batches of this level."""
    parts = _taken_apart(index, len(x.shape))
    value = held(level, x)
    if not parts.arrays:
        return xp.getitem(value, (slice(None), *parts.basic))
    length = _example_count(level, held, x, *parts.arrays)
    if value is None:
        value = xp.broadcast_to(x, (length, *x.shape))
    value = xp.getitem(value, (slice(None), *parts.basic))
    ndim = len(value.shape) - 1
    moved = xp.permute_dims(value, _orders(parts, ndim))
    found = xp.getitem(moved, _index_arrays(level, parts, held, length, batched=True))
    return xp.permute_dims(found, _placing(parts, ndim))


def batched_unindex(level: int, values: Any, index: Any, shape: tuple[int, ...], held: Held) -> Any:
    """What a batch of zeros of `shape` with `values` added at `index` holds."""
    parts = _taken_apart(index, len(shape))
    given = held(level, values)
    if not parts.arrays:
        return xp.unindex(given, (slice(None), *parts.basic), (given.shape[0], *shape))
    length = _example_count(level, held, values, *parts.arrays)
    wanted = selected_shape(shape, index)
    if given is None:
        given = xp.broadcast_to(values, (length, *values.shape))
    given = xp.broadcast_to(given, (length, *wanted)) if given.shape[1:] != wanted else given
    basic_shape = np.broadcast_to(np.zeros((), np.bool_), shape)[parts.basic].shape
    ndim = len(basic_shape)
    order = _orders(parts, ndim)
    moved_shape = tuple((length, *basic_shape)[axis] for axis in order)
    found = xp.permute_dims(given, _inverse(_placing(parts, ndim)))
    moved = xp.unindex(found, _index_arrays(level, parts, held, length, batched=True), moved_shape)
    return xp.unindex(xp.permute_dims(moved, _inverse(order)), (slice(None), *parts.basic), (length, *shape))


def selected_shape(shape: tuple[int, ...], index: Any) -> tuple[int, ...]:
    """The shape of x[index] for x of this shape; of an index that is a batch, for one example."""
    parts, gap = _expanded(index, len(shape))
    stand_ins = [np.broadcast_to(np.zeros((), np.intp), part.shape) if _is_array(part) else part for part in parts]
    # An array reads position 0 here, which an axis without elements does not have.
    indexed = {i - sum(part is None for part in parts[:i]) for i, part in enumerate(parts) if _is_array(part)}
    lengths = tuple(max(n, 1) if axis in indexed else n for axis, n in enumerate(shape))
    if gap is not None:
        stand_ins.insert(gap, Ellipsis)
    return np.broadcast_to(np.zeros((), np.bool_), lengths)[tuple(stand_ins)].shape


def batched_index_update(level: int, x: Any, index: Any, values: Any, held: Held) -> Any:
    """What a batch of copies of x with `values` at an index holds.

    x lies flat for it, and the index is read from the numbers of its elements: so it is one number for each. Of several
    values for one element the last stays, as in NumPy.
    """
    wanted = selected_shape(x.shape, index)
    places = xp.getitem(np.arange(math.prod(x.shape)).reshape(x.shape), index)
    length = _example_count(level, held, x, values, places)
    given = held(level, places)
    places = xp.reshape(places if given is None else given, (1 if given is None else length, math.prod(wanted)))
    flat = xp.reshape(_spread_to(held(level, x), x, x.shape, length), (length, math.prod(x.shape)))
    new = xp.reshape(_spread_to(held(level, values), values, wanted, length), (length, math.prod(wanted)))
    updated = xp.index_update(flat, (np.arange(length).reshape(-1, 1), places), new)
    return xp.reshape(updated, (length, *x.shape))


def _spread_to(value: Any, x: Any, shape: tuple[int, ...], length: int) -> Any:
    """What a batch of x holds, with x broadcast to a shape, (length, *shape).

    As in an assignment, x may have more axes, if they have length 1.
    """
    if value is None:
        value = xp.reshape(xp.asarray(x), (1, *getattr(x, "shape", ())))
    own = value.shape[1:]
    own = own[max(len(own) - len(shape), 0) :]
    lined_up = xp.reshape(value, (value.shape[0], *(1,) * (len(shape) - len(own)), *own))
    return xp.broadcast_to(lined_up, (length, *shape))
