"""The edges of a domain, where derivatives are 0 instead of infinite, unless `strict_ieee` asks for the formula."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.arrays import NAMESPACES, numpy_namespace
from adjoint.config import STRICT

__all__ = ["interior"]


def interior(inside: Any) -> Any:
    """The flags, or None where there is nothing to guard: all are known to be true, or the mode is strict."""
    if STRICT.get() or inside is True:
        return None
    # Looking costs less than replacing. Flags that are no NumPy arrays may have no values yet.
    known = NAMESPACES.get(type(inside)) is numpy_namespace
    return None if known and np.count_nonzero(inside) == inside.size else inside
