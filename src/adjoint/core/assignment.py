"""Assignment to the elements of a Variable: ``x[index] = value``.

The Variable then shows another value, that of `index_update`, which is recorded; graphs that were recorded before keep
the earlier one. As in NumPy, what is written to a view goes to what it is a view of:

    y = x[0]; y[1] = v      x becomes index_update(x, y, 0), and y becomes x[0]

A leaf that nothing in a graph was computed from takes a constant as it is, and stays a leaf. One that was made to be
filled, a container, also takes a value of a graph; what it had before is a constant from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from adjoint.arrays import Place
from adjoint.config import RECORDING, recording_mode
from adjoint.core.graph import LevelLink, Link
from adjoint.core.indexing import split_index
from adjoint.core.nesting import holds_variables, stacked
from adjoint.core.references import HELD_ONCE
from adjoint.core.value import Value, raw
from adjoint.errors import DTypeError, GradientError
from adjoint.lifted import Lifted, levels_in
from adjoint.ops import Op, complex_numbers, indexing, products, reductions, shaping

__all__ = ["CONTAINER", "VIEWS", "assign", "is_container", "noted_view"]

Apply = Callable[..., Any]
Viewed = tuple[Any, Op, dict[str, Any]]

# The index in the link of a leaf that was made to be filled, by `ad.zeros` say: what it holds is a constant to anyone
# who writes to it.
CONTAINER = -1
# The ops that may give views.
VIEWS = frozenset({indexing.getitem, shaping.reshape, shaping.transpose, shaping.split, reductions.flip})
# Those of which NumPy's results may be views, while those here are values of their own.
_NO_VIEWS_HERE = frozenset({complex_numbers.real, complex_numbers.imag, products.einsum})
_DIFFERENTIABLE_KINDS = "fc"


class _ViewLink(LevelLink):
    """The link of a leaf that is a view, made where nothing was recorded: of what it is one.

    base: a weak reference to the Variable; `source` is its link and `array` what it held then
    op, params: what made the view
    """

    __slots__ = ("array", "base", "op", "params", "source")

    array: Any
    base: Callable[[], Any]
    op: Op
    params: dict[str, Any]
    source: Link | None


def noted_view(view: Any, base: Any, op: Op, params: dict[str, Any]) -> Any:
    """The view, with a note of what it is one, so that it can be written to."""
    if isinstance(base, Value) and base._data.dtype.kind in _DIFFERENTIABLE_KINDS:
        array = view._data
        if len(array.shape) > 0 and not any(isinstance(part, Place) for part in _parts(params.get("index"))):
            link = view._link = _ViewLink(None, 0, 0, array, ref(view))
            link.levels = frozenset(levels_in(array))
            link.base, link.source, link.array = ref(base), base._link, base._data
            link.op, link.params = op, params
    return view


def _as_indexing(op: Op, params: dict[str, Any], position: int, ndim: int) -> tuple[Op, dict[str, Any]]:
    """A part of a split, or what is flipped, as read at an index: what is written to it is written at that index."""
    if op is shaping.split:
        sizes = params["sizes"]
        start = sum(sizes[:position])
        before = (slice(None),) * (params["axis"] % ndim)
        return indexing.getitem, {"index": (*before, slice(start, start + sizes[position]))}
    if op is reductions.flip:
        axis = params.get("axis")
        axes = range(ndim) if axis is None else [a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
        backwards = slice(None, None, -1)
        return indexing.getitem, {"index": tuple(backwards if i in axes else slice(None) for i in range(ndim))}
    return op, params


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def is_container(link: Link) -> bool:
    """Whether a leaf was made to be filled."""
    return link.index == CONTAINER


def assign(apply: Apply, x: Any, index: Any, value: Any) -> None:
    """``x[index] = value``"""
    fixed, arrays = split_index(index)
    if holds_variables(value):
        value = stacked(apply, value)
    is_recorded = _is_recorded(x, value)
    _check_dtype(x, value)
    if is_recorded or (RECORDING.get() and x.dtype.kind in _DIFFERENTIABLE_KINDS):
        _check_replaceable(apply, x, is_recorded)
    _replace(apply, x, _updated(apply, x, value, fixed, arrays, is_recorded), is_recorded)


def _replace(apply: Apply, x: Any, new: Any, is_recorded: bool) -> None:
    """Gives x the value of another Variable, with its place in the graph; and what x is a view of, too."""
    viewed = _viewed(apply, x)
    _rebind(x, new, is_recorded)
    if viewed is None:
        return
    base, op, params = viewed
    given = x if is_recorded else x._data
    if op is indexing.getitem:
        whole = _updated(apply, base, given, params["index"], (), is_recorded)
    else:
        # Written to all of the base: it keeps its layout in memory, by which NumPy's rule says what is a view of it,
        # and is no view of this view in the graph.
        if op is shaping.reshape:
            moved = apply(shaping.reshape, given, shape=base.shape)
        else:
            axes = params.get("axes")
            order = None if axes is None else tuple(np.argsort([a % len(axes) for a in axes]).tolist())
            moved = apply(shaping.transpose, given, axes=order)
        whole = _updated(apply, base, moved, ..., (), is_recorded, keeps_some=False)
    _replace(apply, base, whole, is_recorded)
    _rebind(x, apply(op, base if is_recorded else base._data, **params), is_recorded)
    if isinstance(x._link, _ViewLink):  # by the base as it is now, which may have been made again
        x._link.base, x._link.source, x._link.array = ref(base), base._link, base._data


def _rebind(x: Any, new: Any, is_recorded: bool) -> None:
    """Gives x the value of another Variable, and its place in the graph if it is recorded."""
    x._data = new._data
    if is_recorded:
        x._grad = None
        link = x._link = new._link
        if link is not None:
            link.variable = ref(x)


def _is_recorded(x: Any, value: Any) -> bool:
    if not RECORDING.get() or x.dtype.kind not in _DIFFERENTIABLE_KINDS:
        return False
    link = x._link
    if link is not None and link.creator is not None:
        return True
    return isinstance(value, Value) and value.dtype.kind in _DIFFERENTIABLE_KINDS


def _check_dtype(x: Any, value: Any) -> None:
    """NumPy would drop the imaginary part, and round to integers: with it the gradient would be gone."""
    kind = getattr(getattr(value, "dtype", None), "kind", "c" if isinstance(value, complex) else "")
    if (kind == "c" and x.dtype.kind != "c") or (kind == "f" and isinstance(value, Value) and x.dtype.kind in "iub"):
        raise DTypeError(f"{value.dtype} values are assigned to {x._brief()}; make it by x.astype first")


def _check_leaf(x: Any) -> None:
    """Refuses to change a leaf that values in a graph were computed from."""
    link = x._link
    if link is None or link.creator is not None or is_container(link):
        return
    if sys.getrefcount(link) > HELD_ONCE:
        raise GradientError(
            f"{x._brief()} is a leaf that other values were computed from; writing to its elements would make its "
            "gradient ambiguous. Write to a copy, y = x.copy(); to x within ad.no_grad(), for a new value of a "
            "parameter; or make it by ad.zeros, if it is to be filled"
        )


def _check_replaceable(apply: Apply, x: Any, is_recorded: bool) -> None:
    """Refuses to make a leaf an intermediate value whose gradient someone may want; and stale views."""
    while True:
        _check_leaf(x)
        link = x._link
        is_leaf = link is None or link.creator is None
        if is_recorded and is_leaf and (x._grad is not None or link is None or not is_container(link)):
            raise GradientError(
                f"{x._brief()} is a leaf; with a value of a graph in it, it would be none any more, and get no "
                "gradient. Write to a copy, y = x.copy(), or make it by ad.zeros or numpy.zeros_like, if it is to be "
                "filled"
            )
        viewed = _viewed(apply, x)
        if viewed is None:
            return
        x = viewed[0]


def _viewed(apply: Apply, x: Any) -> Viewed | None:
    """What x is a view of, with the op that made it; None where it is none, or where its base is gone."""
    found = None if x._link is None else _behind(apply, x._link)
    if found is None or not _shares_memory(x, found[0], found[1]):
        return None
    return found


def _behind(apply: Apply, link: Link) -> Viewed | None:
    """What a link shows a view of. A base that is gone, as x.T is in x.T[0], is made again from its own base."""
    if isinstance(link, _ViewLink):
        source, base, op, params = link.source, link.base(), link.op, link.params
        is_current = base is not None and base._data is link.array
    else:
        node = link.creator
        if node is None or len(node.inputs) != 1 or node.inputs[0] is None:
            return None
        if node.op not in VIEWS:
            _check_lost(node)
            return None
        source, op, params = node.inputs[0], node.op, node.params
        base = source.variable()
        is_current = base is not None and base._link is source
    if base is None:
        behind = None if source is None else _behind(apply, source)
        if behind is None:
            return None
        with recording_mode(RECORDING.get() and not isinstance(link, _ViewLink)):
            made = apply(behind[1], behind[0], **behind[2])
        if not _shares_memory(made, behind[0], behind[1]):
            return None
        return made, *_as_indexing(op, params, link.index, len(made.shape))
    if not is_current:
        raise GradientError(
            f"{base._brief()} has changed since a view of it was taken; take the view again before you write to it"
        )
    return base, *_as_indexing(op, params, link.index, len(base.shape))


def _check_lost(node: Any) -> None:
    """Refuses to write to what would be a view in NumPy: the write would not arrive in what it is a view of."""
    if node.op not in _NO_VIEWS_HERE:
        return
    if node.op is products.einsum:
        (read,), shown = node.params["subscripts"]
        if set(read) != set(shown):
            return  # a sum, which is no view
    link = node.inputs[0]
    base = link.variable()
    while base is None and link.creator is not None and link.creator.op in VIEWS | _NO_VIEWS_HERE:
        link = link.creator.inputs[0]
        if link is None:
            return
        base = link.variable()
    if base is not None:
        raise GradientError(
            f"numpy.{node.op.name} gives a view of {base._brief()}, and here a value of its own: writing to it would "
            "leave the other as it is. Write to a copy of it, .copy(), or to the other at an index"
        )


def _shares_memory(x: Any, base: Any, op: Op) -> bool:
    """Whether x, the result of an op on `base`, shows its memory, as NumPy's would.

    Raises:
        GradientError: where it cannot be known.
    """
    array, other = x._data, base._data
    if isinstance(array, np.ndarray) and isinstance(other, np.ndarray):
        return np.may_share_memory(array, other)
    if op is not shaping.reshape or _long_axes(array) == _long_axes(other):
        return len(array.shape) > 0
    # Values lie in memory as they would without transforms, but for the axes of batches in front.
    array, other = _innermost(array), _innermost(other)
    if isinstance(array, np.ndarray) and isinstance(other, np.ndarray):
        if np.may_share_memory(array, other):
            return True
        is_known = not _lies_between(other, other.ndim - len(base.shape))
        is_view = False
    else:
        # The layout of what is traced is not there; what was computed is taken to be row by row.
        is_known = is_view = _is_row_major(base._link)
    if not is_known:
        raise GradientError(
            f"within this transform it is not known whether NumPy would make {x._brief()} by a reshape as a view or as "
            "a copy, so writing to it is ambiguous. Reshape a copy, y.copy().reshape(…), or write to what was reshaped"
        )
    return is_view


def _long_axes(array: Any) -> list[int]:
    """The lengths but those of 1, which a reshape adds and leaves out without a copy."""
    return [length for length in array.shape if length != 1]


def _innermost(array: Any) -> Any:
    """The array of the values in a lifted one."""
    while isinstance(array, Lifted):
        array = array.value  # type: ignore[attr-defined]
    return array


def _lies_between(array: Any, count: int) -> bool:
    """Whether one of the first `count` axes lies between others in memory, so that these are apart for its sake."""
    steps = [abs(step) for step, length in zip(array.strides[count:], array.shape[count:], strict=True) if length > 1]
    fronts = zip(array.strides[:count], array.shape[:count], strict=True)
    return any(length > 1 and min(steps) < abs(step) < max(steps) for step, length in fronts) if steps else False


def _is_row_major(link: Link | None) -> bool:
    """Whether a value was computed, or reshaped from what was: not a part or a transpose."""
    while link is not None and link.creator is not None and link.creator.op in VIEWS:
        if link.creator.op is not shaping.reshape:
            return False
        link = link.creator.inputs[0]
    return not isinstance(link, _ViewLink)


def _updated(
    apply: Apply, x: Any, value: Any, fixed: Any, arrays: Any, is_recorded: bool, keeps_some: bool = True
) -> Any:
    """x with `value` at an index: in place where x alone holds its array.

    keeps_some: whether elements stay as they are, so that the graph of x is behind the result
    """
    array = x._data
    in_place = (
        type(array) is np.ndarray
        and sys.getrefcount(array) == HELD_ONCE
        and array.base is None
        and array.flags.writeable
    )
    if not is_recorded:
        value = raw(value)
    link = x._link
    given = x if is_recorded and keeps_some and link is not None and link.creator is not None else array
    if in_place:
        return apply(indexing.index_update, given, value, *arrays, index=fixed, in_place=True)
    return apply(indexing.index_update, given, value, *arrays, index=fixed)
