"""The functions of the standard along axes: sums, extremes, moments, running sums, differences, tests."""

from __future__ import annotations

import math
from typing import Any

from adjoint.array_api.arguments import as_array, constant, np
from adjoint.core.variable import Variable

__all__ = [
    "all",
    "any",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]

Array = Any
Axis = int | tuple[int, ...] | None
DType = Array


def sum(x: Array, /, *, axis: Axis = None, dtype: DType = None, keepdims: bool = False) -> Variable:
    """The sum.

    >>> print(sum(Variable([1.0, 2.0])))
    variable(3.0)
    """
    return _in_dtype(np.sum(as_array(x), axis=axis, dtype=dtype, keepdims=keepdims), dtype)


def prod(x: Array, /, *, axis: Axis = None, dtype: DType = None, keepdims: bool = False) -> Variable:
    """The product.

    >>> print(prod(Variable([2.0, 3.0])))
    variable(6.0)
    """
    return np.prod(_widened(x, dtype), axis=axis, dtype=dtype, keepdims=keepdims)


def mean(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The mean.

    >>> print(mean(Variable([1.0, 2.0])))
    variable(1.5)
    """
    x = as_array(x)
    return np.mean(x, axis=axis, keepdims=keepdims) if x.size else _of_nothing(x, axis, keepdims)


def var(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Variable:
    """Σ (x − mean)² / (n − correction)

    >>> print(var(Variable([1.0, 3.0])))
    variable(1.0)
    """
    x = as_array(x)
    return np.var(x, axis=axis, ddof=correction, keepdims=keepdims) if x.size else _of_nothing(x, axis, keepdims)


def std(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Variable:
    """√(Σ (x − mean)² / (n − correction))

    >>> print(std(Variable([1.0, 3.0])))
    variable(1.0)
    """
    x = as_array(x)
    return np.std(x, axis=axis, ddof=correction, keepdims=keepdims) if x.size else _of_nothing(x, axis, keepdims)


def _of_nothing(x: Variable, axis: Axis, keepdims: bool) -> Variable:
    """NaN, the mean of no elements."""
    return np.sum(x, axis=axis, keepdims=keepdims) * math.nan


def _in_dtype(x: Array, dtype: DType) -> Variable:
    """A sum in the dtype that is asked for: NumPy adds small whole numbers in a larger one."""
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def _widened(x: Array, dtype: DType) -> Variable:
    """x in the dtype of its sums: that of whole numbers is at least the default one."""
    x = as_array(x)
    return x.astype(np.sum(np.empty(0, x.dtype)).dtype) if dtype is None and x.dtype.kind in "biu" else x


def max(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The largest element.

    >>> print(max(Variable([1.0, 3.0])))
    variable(3.0)
    """
    return np.max(as_array(x), axis=axis, keepdims=keepdims)


def min(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """The smallest element.

    >>> print(min(Variable([1.0, 3.0])))
    variable(1.0)
    """
    return np.min(as_array(x), axis=axis, keepdims=keepdims)


def cumulative_sum(
    x: Array, /, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False
) -> Variable:
    """The running sum; from 0 with `include_initial`.

    >>> print(cumulative_sum(Variable([1.0, 2.0])))
    variable[2]([1. 3.])
    """
    result = np.cumulative_sum(as_array(x), axis=axis, dtype=dtype, include_initial=include_initial)
    return _in_dtype(result, dtype)


def cumulative_prod(
    x: Array, /, *, axis: int | None = None, dtype: DType = None, include_initial: bool = False
) -> Variable:
    """The running product; from 1 with `include_initial`.

    >>> print(cumulative_prod(Variable([2.0, 3.0])))
    variable[2]([2. 6.])
    """
    return np.cumulative_prod(_widened(x, dtype), axis=axis, dtype=dtype, include_initial=include_initial)


def diff(x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array = None, append: Array = None) -> Variable:
    """The differences between neighbours along an axis, n times over.

    >>> print(diff(Variable([1.0, 4.0, 9.0])))
    variable[2]([3. 5.])
    """
    return np.diff(as_array(x), n, axis, prepend=prepend, append=append)


def all(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Whether no element is 0.

    >>> print(all(Variable([True, False])))
    variable(False)
    """
    return constant(np.all, as_array(x), axis=axis, keepdims=keepdims)


def any(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Variable:
    """Whether an element is not 0.

    >>> print(any(Variable([True, False])))
    variable(True)
    """
    return constant(np.any, as_array(x), axis=axis, keepdims=keepdims)
