"""Slopes at the edges of a domain: 0 where the formula gives an infinity or NaN, as in the rules of the reverse mode.

The argument is replaced there before anything is computed from it, and the result by 0 afterwards.
"""

from __future__ import annotations

from typing import Any

from adjoint.arrays.edges import interior
from adjoint.lifted.lifted import LIFTED as xp

__all__ = ["interior", "replaced", "selected"]


def replaced(inside: Any, x: Any, by: float = 1.0) -> Any:
    """x inside, elsewhere a number at which everything is finite."""
    return x if inside is None else xp.where(inside, x, by)


def selected(inside: Any, slope: Any) -> Any:
    """The slope inside, 0 elsewhere."""
    return slope if inside is None else xp.where(inside, slope, 0.0)
