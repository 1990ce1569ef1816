"""Functions along axes: sums, extremes, norms, scans.

`axis` is None for all axes, a number, or several as a tuple; negative numbers count from the last axis.
`keepdims` keeps the reduced axes with length 1. An axis that is not there is an AxisError.
"""

from __future__ import annotations

import math
from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable, axis_from_zero
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, AxisError
from adjoint.functions import complex_numbers, elementwise
from adjoint.ops import arithmetic, reductions, shaping

__all__ = ["cumprod", "cumsum", "logsumexp", "max", "mean", "min", "norm", "prod", "std", "sum", "variance"]

Axis = Any


def _axis(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Σ x

    >>> print(sum(Variable([[1.0, 2.0], [3.0, 4.0]]), axis=0))
    variable[2]([4. 6.])
    """
    return apply(reductions.sum, x, axis=_axis(axis), keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Σ x / n

    >>> print(mean(Variable([1.0, 2.0, 6.0])))
    variable(3.0)
    """
    return apply(reductions.mean, x, axis=_axis(axis), keepdims=keepdims)


def variance(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Σ |x − mean|² / n

    >>> print(variance(Variable([1.0, 3.0])))
    variable(1.0)
    """
    centered = x - mean(x, axis, keepdims=True)
    if centered.dtype.kind == "c":
        real, imag = complex_numbers.real(centered), complex_numbers.imag(centered)
        return mean(elementwise.square(real) + elementwise.square(imag), axis, keepdims)
    return mean(elementwise.square(centered), axis, keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The standard deviation, √variance.

    >>> print(std(Variable([1.0, 3.0])))
    variable(1.0)
    """
    return elementwise.sqrt(variance(x, axis, keepdims))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The largest element. Elements that tie for it exactly share its gradient evenly.

    >>> print(max(Variable([[1.0, 5.0], [3.0, 4.0]]), axis=1))
    variable[2]([5. 4.])
    """
    return apply(reductions.max, x, axis=_axis(axis), keepdims=keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The smallest element. Elements that tie for it exactly share its gradient evenly.

    >>> print(min(Variable([[1.0, 5.0], [3.0, 4.0]]), axis=1))
    variable[2]([1. 3.])
    """
    return apply(reductions.min, x, axis=_axis(axis), keepdims=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """ln Σ exp(x), computed without overflow.

    >>> print(logsumexp(Variable([1000.0, 1000.0])))
    variable(1000.6931471805599)
    """
    return apply(reductions.logsumexp, x, axis=_axis(axis), keepdims=keepdims)


def norm(x: Any, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The vector norm (Σ |x|^ord)^(1/ord), for `ord` 1, 2 or infinity. The gradient of the 2-norm at 0 is 0.

    Raises:
        ArgumentError: for another `ord`.

    >>> print(norm(Variable([3.0, 4.0])))
    variable(5.0)
    """
    if ord == 2:
        return apply(reductions.norm, x, axis=_axis(axis), keepdims=keepdims)
    if ord == 1:
        return sum(elementwise.abs(x), axis, keepdims)
    if ord == math.inf:
        return max(elementwise.abs(x), axis, keepdims)
    raise ArgumentError(f"norm of order {ord}: only 1, 2 and inf are there; compose others from F.abs and F.sum")


def cumsum(x: Any, axis: int | None = None) -> Variable:
    """The running sum along `axis`; of all elements in one row for None.

    >>> print(cumsum(Variable([1.0, 2.0, 3.0])))
    variable[3]([1. 3. 6.])
    """
    x, axis = _one_axis(x, axis, "cumsum")
    return apply(reductions.cumsum, x, axis=axis)


def cumprod(x: Any, axis: int | None = None) -> Variable:
    """The running product along `axis`; of all elements in one row for None.

    Made of products alone (a scan in log₂ n rounds), so its derivatives of every order are exact at zeros too.

    >>> print(cumprod(Variable([1.0, 2.0, 3.0])))
    variable[3]([1. 2. 6.])
    """
    x, axis = _one_axis(x, axis, "cumprod")
    length = x.shape[axis]
    before = (slice(None),) * axis
    distance = 1
    if length <= distance:
        return apply(arithmetic.copy, x)  # a value of its own, as for other lengths
    while distance < length:
        # Every element times the one `distance` before it, which covers the `distance` elements up to there.
        head = x[(*before, slice(None, distance))]
        product = x[(*before, slice(distance, None))] * x[(*before, slice(None, length - distance))]
        x = apply(shaping.concat, head, product, axis=axis)
        distance *= 2
    return x


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Π x

    Made of pairwise products, so its derivatives of every order are exact at zeros too.

    >>> x = Variable([2.0, 0.0, 3.0])
    >>> prod(x).backward()
    >>> print(x.grad)
    variable[3]([0. 6. 0.])
    """
    x = as_variable(x)
    shape = x.shape
    axes = range(x.ndim) if axis is None else (axis if isinstance(axis, (tuple, list)) else (axis,))
    reduced = [axis_from_zero(a, x.ndim, "prod") for a in axes]
    if len(set(reduced)) < len(reduced):
        raise AxisError(f"prod: {axis} names an axis twice")
    whole = x
    for a in reduced:
        x = _prod_along(x, a)
    if x is whole:
        x = apply(arithmetic.copy, x)  # a value of its own, as for other lengths
    if keepdims:
        return x
    return apply(shaping.reshape, x, shape=tuple(n for i, n in enumerate(shape) if i not in reduced))


def _prod_along(x: Variable, axis: int) -> Variable:
    """The product along `axis`, which stays with length 1: halves are multiplied until one element is left."""
    before = (slice(None),) * axis
    length = x.shape[axis]
    if length == 0:
        return sum(x, axis, keepdims=True) + 1  # which is in the graph
    while length > 1:
        half = length // 2
        product = x[(*before, slice(None, half))] * x[(*before, slice(half, 2 * half))]
        if length % 2:
            product = apply(shaping.concat, product, x[(*before, slice(2 * half, None))], axis=axis)
        x, length = product, half + length % 2
    return x


def _one_axis(x: Any, axis: int | None, what: str) -> tuple[Variable, int]:
    """x and an axis from 0; for None, x in one row."""
    x = as_variable(x)
    if axis is None:
        return apply(shaping.reshape, x, shape=(-1,)), 0
    return x, axis_from_zero(axis, x.ndim, what)
