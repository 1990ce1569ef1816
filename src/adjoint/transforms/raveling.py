"""Structures as vectors, for mathematics that is written for vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.errors import ShapeError
from adjoint.ops import shaping
from adjoint.structures import flatten
from adjoint.transforms.arguments import is_array

__all__ = ["ravel"]


def ravel(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of a structure in one vector, and the function that puts such a vector back.

    Args:
        x: an array, Variable or number, or a structure of them; a model gives its parameters.

    Returns:
        ``(vector, unravel)``. The vector is an array if all leaves are plain, else a Variable, recorded. `unravel`
        takes a vector of that length, an array, a list or a Variable, and returns the structure with its numbers; for a
        model, the model with other parameters.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> vector, unravel = ad.ravel({"w": np.ones((2, 2)), "b": 3.0})
    >>> vector
    array([1., 1., 1., 1., 3.])
    >>> unravel(2 * vector)["b"]
    np.float64(6.0)
    """
    leaves, structure = flatten(x)
    parts = [leaf if is_array(leaf) else np.asarray(leaf) for leaf in leaves]
    shapes = [tuple(part.shape) for part in parts]
    starts = np.cumsum([0, *(math.prod(shape) for shape in shapes)]).tolist()

    def unravel(vector: Any) -> Any:
        vector = vector if is_array(vector) else np.asarray(vector)
        if tuple(vector.shape) != (starts[-1],):
            raise ShapeError(f"a vector of shape {tuple(vector.shape)} for a structure of {starts[-1]} numbers")
        cuts = zip(starts[:-1], starts[1:], shapes, strict=True)
        return structure.build([_shaped(vector[start:stop], shape) for start, stop, shape in cuts])

    return _joined(parts), unravel


def _joined(parts: list[Any]) -> Any:
    if any(isinstance(part, Variable) for part in parts):
        rows = [apply(shaping.reshape, part, shape=(-1,)) for part in parts]
        return apply(shaping.concat, *rows, axis=0)
    return np.concatenate([part.reshape(-1) for part in parts]) if parts else np.zeros(0)


def _shaped(part: Any, shape: tuple[int, ...]) -> Any:
    shaped = part.reshape(shape)
    return shaped[()] if isinstance(shaped, np.ndarray) else shaped
