"""Values that count as constants."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import leaf
from adjoint.core.variable import Variable
from adjoint.lifted import Batch, Series
from adjoint.structures import flatten

__all__ = ["stop_gradient"]


def stop_gradient(x: Any) -> Any:
    """x, as a constant: its derivative is 0 in every mode.

    Args:
        x: a Variable, or a structure of them; anything else is returned as it is.

    >>> import adjoint as ad
    >>> print(ad.grad(lambda x: x * ad.stop_gradient(x))(3.0))
    3.0
    """
    leaves, structure = flatten(x)
    return structure.build([leaf(_without_series(v._data)) if isinstance(v, Variable) else v for v in leaves])


def _without_series(array: Any) -> Any:
    """The array without the derivatives that it carries along."""
    if isinstance(array, Series):
        return _without_series(array.value)
    if isinstance(array, Batch):
        return Batch(array.level, _without_series(array.value))
    return array
