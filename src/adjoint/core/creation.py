"""New Variables: filled with one value, or drawn at random."""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

from adjoint import random
from adjoint.core.assignment import CONTAINER
from adjoint.core.graph import Link
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError

__all__ = ["container", "normal", "ones", "ones_like", "rand", "randn", "zeros", "zeros_like"]


def _shape(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape given as numbers or as one tuple."""
    lengths = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    for length in lengths:
        if isinstance(length, bool) or not hasattr(length, "__index__"):
            raise DTypeError(f"a shape is made of whole numbers, not of {length!r}")
        if length < 0:
            raise ArgumentError(f"a length in a shape is 0 or more, not {length}")
    return tuple(int(length) for length in lengths)


def container(array: Any) -> Variable:
    """A Variable on an array that was made to be filled: see `adjoint.core.assignment`."""
    variable = Variable(array)
    if array.dtype.kind in "fc":
        variable._link = Link(None, CONTAINER, 0, array, ref(variable))
    return variable


def zeros(*shape: Any, dtype: Any = np.float64) -> Variable:
    """Zeros of a shape given as numbers or as one tuple.

    >>> import adjoint as ad
    >>> print(ad.zeros(2, 3))
    variable[2, 3]([[0. 0. 0.]
     [0. 0. 0.]])
    """
    return container(np.zeros(_shape(shape), dtype))


def ones(*shape: Any, dtype: Any = np.float64) -> Variable:
    """Ones of a shape given as numbers or as one tuple.

    >>> import adjoint as ad
    >>> print(ad.ones(2))
    variable[2]([1. 1.])
    """
    return container(np.ones(_shape(shape), dtype))


def zeros_like(x: Any) -> Variable:
    """Zeros of the shape and dtype of `x`.

    >>> import adjoint as ad
    >>> print(ad.zeros_like(ad.Variable([1.0, 2.0])))
    variable[2]([0. 0.])
    """
    return container(np.zeros_like(array_of(x)))


def ones_like(x: Any) -> Variable:
    """Ones of the shape and dtype of `x`.

    >>> import adjoint as ad
    >>> print(ad.ones_like(ad.Variable([1.0, 2.0])))
    variable[2]([1. 1.])
    """
    return container(np.ones_like(array_of(x)))


def rand(*shape: Any, rng: Any = None) -> Variable:
    """Uniform draws from [0, 1). `rng` is a `numpy.random.Generator`; without one, entropy is fresh.

    >>> import adjoint as ad
    >>> ad.rand(2, 3, rng=ad.random.const()).shape
    (2, 3)
    """
    return Variable(random.draw(rng, "random", size=_shape(shape)))


def randn(*shape: Any, rng: Any = None) -> Variable:
    """Draws from the normal distribution with mean 0 and standard deviation 1; `rng` as for `rand`.

    >>> import adjoint as ad
    >>> ad.randn((2, 3), rng=ad.random.const()).shape
    (2, 3)
    """
    return Variable(random.draw(rng, "standard_normal", size=_shape(shape)))


def normal(shape: Any, mean: float = 0.0, std: float = 1.0, *, rng: Any = None) -> Variable:
    """Draws from the normal distribution with `mean` and standard deviation `std`; `rng` as for `rand`.

    Raises:
        ArgumentError: for a negative `std`.

    >>> import adjoint as ad
    >>> ad.normal((2, 3), 5.0, 0.1, rng=ad.random.const()).shape
    (2, 3)
    """
    if not std >= 0:
        raise ArgumentError(f"a standard deviation is 0 or more, not {std}")
    return Variable(random.draw(rng, "normal", mean, std, size=_shape((shape,))))
