"""Errors that say which op failed, on what, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.errors import AdjointError, AxisError, DTypeError, GradientError, OutOfRangeError, ShapeError
from adjoint.ops.declaration import Op

__all__ = ["explain_forward", "explain_rule"]

_KINDS: tuple[tuple[type[Exception], type[AdjointError]], ...] = (
    (np.exceptions.AxisError, AxisError),  # is a ValueError and an IndexError as well: before them
    (IndexError, OutOfRangeError),
    (TypeError, DTypeError),
    (ValueError, ShapeError),
)


def _describe(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return repr(value) if shape is None else f"{dtype} {tuple(shape)}"


def explain_forward(op: Op, arrays: Sequence[Any], params: dict[str, Any], error: Exception) -> Exception:
    """The error to raise for an op whose forward raised `error`; errors of other kinds stay as they are."""
    for kind, ours in _KINDS:
        if isinstance(error, kind) and not isinstance(error, AdjointError):
            given = ", ".join([_describe(array) for array in arrays] + [f"{k}={v!r}" for k, v in params.items()])
            needs = f"\n  it needs {op.requires}" if op.requires else ""
            return ours(f"{op.name}({given}): {error}{needs}")
    return error


def explain_rule(op: Op, inputs: Sequence[Any], error: Exception) -> Exception:
    """The error to raise for an op whose derivative rule raised `error`."""
    if isinstance(error, (AdjointError, MemoryError)):
        return error
    given = ", ".join("constant" if link is None else _describe(link) for link in inputs)
    return GradientError(f"the derivative rule of {op.name}({given}) failed: {type(error).__name__}: {error}")
