"""The seam between the package and an array library.

Every op is written against a *namespace*: an object with the functions named in `PRIMITIVES`. A namespace is
found by the type of an array, once per type. NumPy's is always there; another kind of array (a GPU's, a
tracer's symbols, a batch) joins by `register_namespace`. What one library does otherwise than another is
settled in its namespace module and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.arrays.places import Place, fill
from adjoint.arrays.primitives import PRIMITIVES
from adjoint.errors import DTypeError

__all__ = [
    "DIFFERENTIABLE_KINDS",
    "NAMESPACES",
    "NUMBERS",
    "NUMERIC_KINDS",
    "PRIMITIVES",
    "Place",
    "as_array",
    "complex_beside",
    "fill",
    "is_differentiable_dtype",
    "namespace_of",
    "numpy_namespace",
    "register_namespace",
]

Namespace = Any

# As NumPy's `dtype.kind`: what has gradients, and what arrays may be made of.
DIFFERENTIABLE_KINDS = "fc"
NUMERIC_KINDS = "fciub"

# The namespace of each array type seen so far. Python's numbers belong to none: they take the dtype of the
# arrays beside them.
NAMESPACES: dict[type, Namespace] = {np.ndarray: numpy_namespace}
NAMESPACES.update((scalar, numpy_namespace) for scalar in np.sctypeDict.values())
NUMBERS = frozenset({bool, int, float, complex})
NAMESPACES.update((number, None) for number in NUMBERS)


def register_namespace(array_type: type, namespace: Namespace) -> None:
    """Makes ops on arrays of `array_type` run in `namespace`, which offers every name in `PRIMITIVES`."""
    NAMESPACES[array_type] = namespace


def namespace_of(*arrays: Any) -> Namespace:
    """The namespace that the given arrays belong to; NumPy's for numbers alone.

    Raises DTypeError for arrays of two libraries at once, and for objects that are no arrays.
    """
    found = None
    for array in arrays:
        kind = type(array)
        if kind not in NAMESPACES:
            raise DTypeError(f"{kind.__name__!r} is not an array; wrap numbers and lists by numpy.asarray first")
        namespace = NAMESPACES[kind]
        if namespace is None or namespace is found:
            continue
        if getattr(found, "TAKES_ALL", False):
            continue
        if getattr(namespace, "TAKES_ALL", False):
            found = None  # all others are constants there
        if found is numpy_namespace and getattr(namespace, "TAKES_NUMPY", False):
            found = None  # and NumPy's arrays there
        if namespace is numpy_namespace and getattr(found, "TAKES_NUMPY", False):
            continue
        if found is not None:
            raise DTypeError("arrays of different libraries in one operation; convert one of them")
        found = namespace
    return numpy_namespace if found is None else found


def as_array(value: Any) -> Any:
    """`value` as an array with a numeric dtype: arrays as they are, numbers and nested lists by NumPy."""
    if NAMESPACES.get(type(value)) is None:
        try:
            value = np.asarray(value)
        except ValueError as error:
            raise DTypeError(f"not a rectangular array of numbers: {error}") from None
    if getattr(value.dtype, "kind", "f") not in NUMERIC_KINDS:
        raise DTypeError(
            f"arrays of dtype {value.dtype} are not supported; use real or complex floating point numbers, integers or "
            "booleans"
        )
    return value


def complex_beside(number: complex, others: Iterable[Any]) -> Any:
    """A complex number as NumPy's, in the precision of the arrays beside it.

    Python's own, times a numpy.float64, would give Python's again, which has no dtype.
    """
    dtypes = [other.dtype for other in others if hasattr(other, "dtype")]
    return np.result_type(number, *dtypes).type(number)


def is_differentiable_dtype(dtype: Any) -> bool:
    """Whether gradients exist for values of `dtype`: real or complex floating point numbers."""
    return dtype.kind in DIFFERENTIABLE_KINDS
