"""The seam between the package and an array library.

Every op is written against a *namespace*: an object with the functions named in `PRIMITIVES`. A namespace is
found by the type of an array, once per type. NumPy's is always there; another kind of array (a GPU's, a
tracer's symbols, a batch) joins by `register_namespace`. What one library does otherwise than another is
settled in its namespace module and nowhere else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.arrays.places import Place, fill
from adjoint.arrays.primitives import PRIMITIVES
from adjoint.errors import DTypeError

__all__ = [
    "NAMESPACES",
    "NUMBERS",
    "PRIMITIVES",
    "Place",
    "as_array",
    "fill",
    "is_float_dtype",
    "namespace_of",
    "numpy_namespace",
    "register_namespace",
]

Namespace = Any

# The namespace of each array type seen so far. Python's numbers belong to none: they take the dtype of the
# arrays beside them.
NAMESPACES: dict[type, Namespace] = {np.ndarray: numpy_namespace}
NAMESPACES.update((scalar, numpy_namespace) for scalar in np.sctypeDict.values())
NUMBERS = frozenset({bool, int, float})
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
        if found is numpy_namespace and getattr(namespace, "TAKES_NUMPY", False):
            found = None  # NumPy's arrays are constants there
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
    if getattr(value.dtype, "kind", "f") not in "fiub":
        raise DTypeError(
            f"arrays of dtype {value.dtype} are not supported; use floating point numbers, integers or booleans"
        )
    return value


def is_float_dtype(dtype: Any) -> bool:
    """Whether gradients exist for values of `dtype`."""
    return bool(dtype.kind == "f")
