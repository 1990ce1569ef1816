"""Errors that say which op failed, on what, and what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.errors import (
    AdjointError,
    AxisError,
    DTypeError,
    GradientError,
    LinearAlgebraError,
    OutOfRangeError,
    ShapeError,
)
from adjoint.ops.declaration import Op

__all__ = ["raise_forward_error", "raise_rule_error"]

_KINDS: tuple[tuple[type[Exception], type[AdjointError]], ...] = (
    (np.exceptions.AxisError, AxisError),  # is a ValueError and an IndexError as well: before them
    (np.linalg.LinAlgError, LinearAlgebraError),  # is a ValueError
    (IndexError, OutOfRangeError),
    (TypeError, DTypeError),
    (ValueError, ShapeError),
)


def _describe(value: Any) -> str:
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is None:
        return repr(value)
    examples = getattr(value, "length", None)  # of a batch, whose hidden axis NumPy's own text may show
    return f"{dtype} {tuple(shape)}" + ("" if examples is None else f" for each of {examples} examples")


def raise_forward_error(op: Op, arrays: Sequence[Any], params: dict[str, Any], error: Exception) -> None:
    """Raises what says more of an error of an op's forward; does nothing for errors of other kinds.

    The new error stands in no variable: it would be a cycle with its traceback, and keep the arrays alive.
    """
    for kind, ours in _KINDS:
        if isinstance(error, kind) and not isinstance(error, AdjointError):
            given = ", ".join([_describe(array) for array in arrays] + [f"{k}={v!r}" for k, v in params.items()])
            needs = f"\n  it needs {op.requires}" if op.requires else ""
            raise ours(f"{op.name}({given}): {error}{needs}") from error


def raise_rule_error(op: Op, inputs: Sequence[Any], error: Exception) -> None:
    """Raises what says more of an error of an op's derivative rule; does nothing for our own errors."""
    if not isinstance(error, (AdjointError, MemoryError)):
        given = ", ".join("constant" if link is None else _describe(link) for link in inputs)
        raise GradientError(
            f"the derivative rule of {op.name}({given}) failed: {type(error).__name__}: {error}"
        ) from error
