"""Assignment to the elements of a Variable: ``x[index] = value``.

The Variable then shows another value, that of `index_update`, which is recorded; graphs that were recorded before keep
the earlier one. As in NumPy, what is written to a view goes to what it is a view of:

    y = x[0]; y[1] = v      x becomes index_update(x, y, 0), and y becomes x[0]

A leaf that nothing in a graph was computed from takes a constant as it is, and stays a leaf. If it takes a value
of a graph, what it had before is a constant from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from adjoint.config import RECORDING
from adjoint.core.graph import Link, Node
from adjoint.core.indexing import split_index
from adjoint.core.nesting import holds_variables, stacked
from adjoint.core.references import HELD_ONCE
from adjoint.core.value import Value, raw
from adjoint.errors import DTypeError, GradientError
from adjoint.ops import indexing, shaping

__all__ = ["CONTAINER", "assign", "is_container", "rebind", "replace"]

Apply = Callable[..., Any]

# The index in the link of a leaf that was made to be filled, by `ad.zeros` say: what it holds is a constant to anyone
# who writes to it.
CONTAINER = -1
_DIFFERENTIABLE_KINDS = "fc"


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
    if not is_recorded:
        if RECORDING.get() and x.dtype.kind in _DIFFERENTIABLE_KINDS:
            _check_leaf(x)
        x._data = _updated(apply, x, raw(value), fixed, arrays, is_constant=True)._data
        return
    _check_replaceable(x)
    replace(apply, x, _updated(apply, x, value, fixed, arrays))


def replace(apply: Apply, x: Any, new: Any) -> None:
    """Gives x the value of another Variable, and its place in the graph; and what x is a view of, too."""
    viewed = _viewed(x)
    rebind(x, new)
    if viewed is None:
        return
    base, node = viewed
    if node.op is indexing.getitem:
        whole = _updated(apply, base, x, node.params["index"], ())
    elif node.op is shaping.reshape:
        whole = apply(shaping.reshape, x, shape=base.shape)
    else:
        axes = node.params.get("axes")
        whole = apply(shaping.transpose, x, axes=None if axes is None else tuple(np.argsort(axes).tolist()))
    replace(apply, base, whole)
    rebind(x, apply(node.op, base, **node.params))


def rebind(x: Any, new: Any) -> None:
    """Gives x the value of another Variable, and its place in the graph."""
    x._data = new._data
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


def _check_replaceable(x: Any) -> None:
    """Refuses to make a leaf an intermediate value whose gradient someone may want; and stale views."""
    while True:
        _check_leaf(x)
        link = x._link
        if link is None or link.creator is None:
            if x._grad is not None:
                raise GradientError(
                    f"{x._brief()} is a leaf with a gradient; with values of a graph in it, it would be none any "
                    "more. Write to a copy, y = x.copy()"
                )
            return
        viewed = _viewed(x)
        if viewed is None:
            return
        x = viewed[0]


def _viewed(x: Any) -> tuple[Any, Node] | None:
    """What x is a view of, with the node that made it; None where it is none, or where its base is gone."""
    link = x._link
    node = None if link is None else link.creator
    if node is None or node.op not in _VIEWS or len(node.inputs) != 1:
        return None
    source = node.inputs[0]
    base = None if source is None else source.variable()
    if base is None:
        return None
    if base._link is not source:
        raise GradientError(
            f"{x._brief()} is a view of a Variable that has changed since; take the view again before you write to it"
        )
    return (base, node) if _shares_memory(x._data, base._data) else None


_VIEWS = (indexing.getitem, shaping.reshape, shaping.transpose)


def _shares_memory(array: Any, base: Any) -> bool:
    if isinstance(array, np.ndarray) and isinstance(base, np.ndarray):
        return np.may_share_memory(array, base)
    return array.ndim > 0 and not isinstance(base, np.ndarray)


def _updated(apply: Apply, x: Any, value: Any, fixed: Any, arrays: Any, is_constant: bool = False) -> Any:
    """x with `value` at an index: in place where x alone holds its array."""
    array = x._data
    in_place = (
        type(array) is np.ndarray
        and sys.getrefcount(array) == HELD_ONCE
        and array.base is None
        and array.flags.writeable
    )
    link = x._link
    given = array if is_constant or link is None or link.creator is None else x
    if in_place:
        return apply(indexing.index_update, given, value, *arrays, index=fixed, in_place=True)
    return apply(indexing.index_update, given, value, *arrays, index=fixed)
