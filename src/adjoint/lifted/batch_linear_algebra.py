"""Matrices in the last two axes, of batches: the hidden axis is one more of the stack."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adjoint.lifted.batch import Batch, held
from adjoint.lifted.lifted import LIFTED as xp

__all__ = ["LINEAR_ALGEBRA_RULES"]


def _stacked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function of one stack of matrices."""

    def rule(level: int, x: Any) -> Any:
        found = function(x.value)
        if isinstance(found, tuple):
            return tuple(Batch(level, part) for part in found)
        return Batch(level, found)

    return rule


def _solve(level: int, a: Any, b: Any) -> Any:
    """The solution for each example; one for all right-hand sides where they share a single matrix."""
    left, right = held(level, a), held(level, b)
    if left is None and len(a.shape) == 2:
        return Batch(level, _of_one_matrix(a, right))
    ndim = max(len(a.shape), len(b.shape))
    return Batch(level, xp.solve(_lined_up(a, left, ndim), _lined_up(b, right, ndim)))


def _lined_up(x: Any, value: Any, ndim: int) -> Any:
    """What a batch holds, with axes of length 1 after the hidden one, so that `ndim` follow it; a constant as it is."""
    if value is None:
        return x
    return xp.reshape(value, (value.shape[0], *(1,) * (ndim + 1 - len(value.shape)), *value.shape[1:]))


def _of_one_matrix(a: Any, b: Any) -> Any:
    """a⁻¹ b for one matrix and a stack (..., n, k): the columns side by side, (n, … k)."""
    ndim, n = len(b.shape), b.shape[-2]
    order = (ndim - 2, *range(ndim - 2), ndim - 1)
    columns = xp.permute_dims(b, order)
    solution = xp.solve(a, xp.reshape(columns, (n, math.prod(columns.shape[1:]))))
    back = (*range(1, ndim - 1), 0, ndim - 1)
    return xp.permute_dims(xp.reshape(solution, columns.shape), back)


LINEAR_ALGEBRA_RULES: dict[str, Callable[..., Any]] = {
    "solve": _solve,
    **{name: _stacked(getattr(xp, name)) for name in ("cholesky", "eig", "eigh", "qr", "slogdet", "svd")},
}
