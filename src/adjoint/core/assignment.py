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
from adjoint.lifted import levels_in
from adjoint.ops import Op, indexing, shaping

__all__ = ["CONTAINER", "VIEWS", "assign", "is_container", "noted_view"]

Apply = Callable[..., Any]
Viewed = tuple[Any, Op, dict[str, Any]]

# The index in the link of a leaf that was made to be filled, by `ad.zeros` say: what it holds is a constant to anyone
# who writes to it.
CONTAINER = -1
# The ops that may give views.
VIEWS = frozenset({indexing.getitem, shaping.reshape, shaping.transpose})
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
    elif op is shaping.reshape:
        whole = apply(shaping.reshape, given, shape=base.shape)
    else:
        axes = params.get("axes")
        whole = apply(shaping.transpose, given, axes=None if axes is None else tuple(np.argsort(axes).tolist()))
    _replace(apply, base, whole, is_recorded)
    _rebind(x, apply(op, base if is_recorded else base._data, **params), is_recorded)
    if isinstance(x._link, _ViewLink):
        x._link.array = base._data


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
    if found is None or not _shares_memory(x._data, found[0]._data):
        return None
    return found


def _behind(apply: Apply, link: Link) -> Viewed | None:
    """What a link shows a view of. A base that is gone, as x.T is in x.T[0], is made again from its own base."""
    if isinstance(link, _ViewLink):
        source, base, op, params = link.source, link.base(), link.op, link.params
        is_current = base is not None and base._data is link.array
    else:
        node = link.creator
        if node is None or node.op not in VIEWS or len(node.inputs) != 1 or node.inputs[0] is None:
            return None
        source, op, params = node.inputs[0], node.op, node.params
        base = source.variable()
        is_current = base is not None and base._link is source
    if base is None:
        behind = None if source is None else _behind(apply, source)
        if behind is None:
            return None
        with recording_mode(RECORDING.get() and not isinstance(link, _ViewLink)):
            return apply(behind[1], behind[0], **behind[2]), op, params
    if not is_current:
        raise GradientError(
            f"{base._brief()} has changed since a view of it was taken; take the view again before you write to it"
        )
    return base, op, params


def _shares_memory(array: Any, base: Any) -> bool:
    """Whether a result of an op on `base` shows its memory, as NumPy's would."""
    if isinstance(array, np.ndarray) and isinstance(base, np.ndarray):
        return np.may_share_memory(array, base)
    return len(array.shape) > 0


def _updated(apply: Apply, x: Any, value: Any, fixed: Any, arrays: Any, is_recorded: bool) -> Any:
    """x with `value` at an index: in place where x alone holds its array."""
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
    given = x if is_recorded and link is not None and link.creator is not None else array
    if in_place:
        return apply(indexing.index_update, given, value, *arrays, index=fixed, in_place=True)
    return apply(indexing.index_update, given, value, *arrays, index=fixed)
