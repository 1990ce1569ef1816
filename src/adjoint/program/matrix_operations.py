"""Operations on matrices in the last two axes, for which there is no kernel.

An operation has one result: where a decomposition has several, they stand in one array, one below the other, of which
the namespace of tracers takes its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adjoint.errors import ProgramError
from adjoint.program.instruction import Instruction
from adjoint.program.operations import OPERATIONS, Operation, broadcast_shapes

__all__: list[str] = []

Inputs = tuple[Instruction, ...]
Type = tuple[tuple[int, ...], Any]
_INDEX = np.dtype(np.intp)


def _declare(name: str, evaluate: Callable[..., Any], infer: Callable[..., Type]) -> None:
    OPERATIONS[name] = Operation(name, evaluate, infer, "other")


def _turned(xp: Any, x: Any) -> Any:
    ndim = len(x.shape)
    return xp.permute_dims(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def _row(xp: Any, x: Any) -> Any:
    return xp.reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


def _square(x: Instruction) -> tuple[tuple[int, ...], int]:
    """The leading axes and the order of square matrices."""
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ProgramError(f"{x.shape} is no shape of square matrices")
    return x.shape[:-2], x.shape[-1]


def _cholesky(inputs: Inputs) -> Type:
    _square(inputs[0])
    return inputs[0].shape, inputs[0].dtype


def _solve(inputs: Inputs) -> Type:
    a, b = inputs
    stack, n = _square(a)
    if a.dtype != b.dtype or len(b.shape) < 2 or b.shape[-2] != n:
        raise ProgramError(f"solve of {a.dtype}{a.shape} and {b.dtype}{b.shape}")
    return (*broadcast_shapes(stack, b.shape[:-2]), n, b.shape[-1]), a.dtype


def _slogdet(inputs: Inputs) -> Type:
    stack, _ = _square(inputs[0])
    return (*stack, 2), inputs[0].dtype


def _eigh(inputs: Inputs) -> Type:
    stack, n = _square(inputs[0])
    return (*stack, n + 1, n), inputs[0].dtype


def _eig(inputs: Inputs) -> Type:
    shape, dtype = _eigh(inputs)
    return shape, np.result_type(dtype, np.complex64)


def _rectangular(x: Instruction) -> tuple[tuple[int, ...], int, int]:
    if len(x.shape) < 2:
        raise ProgramError(f"{x.shape} is no shape of matrices")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


def _svd(inputs: Inputs) -> Type:
    stack, rows, columns = _rectangular(inputs[0])
    return (*stack, rows + 1 + columns, min(rows, columns)), inputs[0].dtype


def _qr(inputs: Inputs) -> Type:
    stack, rows, columns = _rectangular(inputs[0])
    return (*stack, rows + columns, min(rows, columns)), inputs[0].dtype


def _values_over_vectors(xp: Any, w: Any, v: Any) -> Any:
    return xp.concat((_row(xp, w), v), axis=-2)


def _run_svd(xp: Any, x: Any) -> Any:
    u, s, vh = xp.svd(x)
    return xp.concat((u, _row(xp, s), _turned(xp, vh)), axis=-2)


def _run_qr(xp: Any, x: Any) -> Any:
    q, r = xp.qr(x)
    return xp.concat((q, _turned(xp, r)), axis=-2)


def _argsort(inputs: Inputs, axis: int) -> Type:
    if not 0 <= axis < len(inputs[0].shape):
        raise ProgramError(f"axis {axis} of {inputs[0].shape}")
    return inputs[0].shape, _INDEX


_declare("argsort", lambda xp, x, axis: xp.argsort(x, axis=axis), _argsort)
_declare("cholesky", lambda xp, x: xp.cholesky(x), _cholesky)
_declare("eig", lambda xp, x: _values_over_vectors(xp, *xp.eig(x)), _eig)
_declare("eigh", lambda xp, x: _values_over_vectors(xp, *xp.eigh(x)), _eigh)
_declare("qr", _run_qr, _qr)
_declare("slogdet", lambda xp, x: xp.stack(xp.slogdet(x), axis=-1), _slogdet)
_declare("solve", lambda xp, a, b: xp.solve(a, b), _solve)
_declare("svd", _run_svd, _svd)
