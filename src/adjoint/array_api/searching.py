"""The functions of the standard that search, sort, and find distinct elements. Indices and counts are constants."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjoint.array_api.arguments import as_array, as_operand, constant, np, run
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import AxisError

__all__ = [
    "UniqueAll",
    "UniqueCounts",
    "UniqueInverse",
    "argmax",
    "argmin",
    "argsort",
    "count_nonzero",
    "isin",
    "nonzero",
    "searchsorted",
    "sort",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "where",
]

Axis = int | tuple[int, ...] | None


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Variable
    indices: Variable
    inverse_indices: Variable
    counts: Variable


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Variable
    counts: Variable


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Variable
    inverse_indices: Variable


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Variable:
    """Where the largest elements are.

    >>> print(argmax(Variable([1.0, 3.0, 2.0])))
    variable(1)
    """
    return constant(np.argmax, as_array(x), axis=axis, keepdims=keepdims)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Variable:
    """Where the smallest elements are.

    >>> print(argmin(Variable([1.0, 3.0, 2.0])))
    variable(0)
    """
    return constant(np.argmin, as_array(x), axis=axis, keepdims=keepdims)


def count_nonzero(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """How many elements are not 0.

    >>> print(count_nonzero(Variable([1.0, 0.0, 2.0])))
    variable(2)
    """
    return constant(np.count_nonzero, as_array(x), axis=axis, keepdims=keepdims)


def nonzero(x: Any, /) -> tuple[Variable, ...]:
    """The indices of the elements that are not 0, along each axis.

    Raises:
        AxisError: for an array without axes.

    >>> print(nonzero(Variable([1.0, 0.0, 2.0]))[0])
    variable[2]([0 2])
    """
    x = as_array(x)
    if x.ndim == 0:
        raise AxisError("nonzero of an array without axes; there are no indices")
    return tuple(map(Variable, np.nonzero(raw(x))))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Variable:
    """Where each element of x2 would go, so that x1 stays sorted.

    >>> print(searchsorted(Variable([1.0, 2.0]), Variable([1.5])))
    variable(1)
    """
    return constant(np.searchsorted, as_array(x1), as_operand(x2), side=side, sorter=raw(sorter))


def where(condition: Any, x1: Any, x2: Any, /) -> Variable:
    """x1 where the condition is true, else x2. What is left out gets the gradient 0.

    >>> print(where(Variable([True, False]), Variable([1.0, 2.0]), 0.0))
    variable[2]([1. 0.])
    """
    x1, x2 = as_operand(x1), as_operand(x2)
    if not isinstance(x1, Variable) and not isinstance(x2, Variable):
        x1 = as_array(x1)
    return run("where")(as_array(condition), x1, x2)


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Variable:  # noqa: ARG001
    """The indices that sort along an axis. Equal elements stay in order.

    >>> print(argsort(Variable([1.0, 3.0, 2.0]), descending=True))
    variable[3]([1 2 0])
    """
    x = as_array(x)
    if x.ndim == 0:
        return Variable(np.zeros((), np.intp))
    if not descending:
        return run("argsort")(x, axis=axis)
    # In reverse, so that equal elements stay in order.
    backwards = run("argsort")(np.flip(x, axis), axis=axis)
    return np.flip((x.shape[axis] - 1) - backwards, axis)


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Variable:
    """The elements in order along an axis.

    >>> print(sort(Variable([1.0, 3.0, 2.0])))
    variable[3]([1. 2. 3.])
    """
    x = as_array(x)
    if x.ndim == 0:
        return run("copy")(x)
    order = argsort(x, axis=axis, descending=descending, stable=stable)
    return run("take_along_axis")(x, raw(order), axis=axis)


# Sets


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Variable:
    """Whether each element of x1 is one of x2.

    >>> print(isin(Variable([1, 2, 3]), Variable([2, 5])))
    variable[3]([False  True False])
    """
    return constant(np.isin, as_operand(x1), as_operand(x2), invert=invert)


def _unique(x: Any) -> UniqueAll:
    """The distinct elements, of which each NaN is one. Gradients go to where each of them comes first."""
    x = as_array(x)
    _, indices, inverse, counts = np.unique(raw(x), True, True, True, equal_nan=False)
    values = run("take")(x.reshape(-1), indices, axis=0)
    return UniqueAll(values, Variable(indices), Variable(inverse.reshape(x.shape)), Variable(counts))


def unique_all(x: Any, /) -> UniqueAll:
    """The distinct elements, where each comes first, which of them each element is, and how often they are there.

    >>> print(unique_all(Variable([3.0, 1.0, 3.0])).counts)
    variable[2]([1 2])
    """
    return _unique(x)


def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct elements, and how often they are there.

    >>> print(unique_counts(Variable([3.0, 1.0, 3.0])).values)
    variable[2]([1. 3.])
    """
    found = _unique(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct elements, and which of them each element is.

    >>> print(unique_inverse(Variable([3.0, 1.0, 3.0])).inverse_indices)
    variable[3]([1 0 1])
    """
    found = _unique(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Variable:
    """The distinct elements.

    >>> print(unique_values(Variable([3.0, 1.0, 3.0])))
    variable[2]([1. 3.])
    """
    return _unique(x).values
