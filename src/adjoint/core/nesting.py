"""Lists that hold Variables, as one Variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.core.value import Value
from adjoint.ops import shaping

__all__ = ["holds_variables", "stacked"]


def holds_variables(nested: Any) -> bool:
    """Whether a value is a list or tuple with a Variable somewhere inside."""
    return isinstance(nested, (list, tuple)) and any(isinstance(x, Value) or holds_variables(x) for x in nested)


def stacked(apply: Callable[..., Any], nested: Any) -> Any:
    """Nested lists of Variables, arrays and numbers as one Variable; recorded."""
    if not isinstance(nested, (list, tuple)):
        return nested
    return apply(shaping.stack, *[stacked(apply, part) for part in nested], axis=0)
