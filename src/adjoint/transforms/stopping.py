"""Values that count as constants."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import leaf
from adjoint.core.variable import Variable
from adjoint.lifted import without_series
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
    return structure.build([leaf(without_series(v._data)) if isinstance(v, Variable) else v for v in leaves])
