"""Operations by index, scans and checks as calls of their kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from adjoint.arrays import Place
from adjoint.compile.codegen import moves, scans
from adjoint.compile.codegen.matmul import Step
from adjoint.compile.codegen.rows import SCALARS
from adjoint.compile.codegen.target import Target
from adjoint.program import Instruction

__all__ = ["moving_step"]


def moving_step(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]] | None:
    """The call for an operation on contiguous operands, and which value is which of its operands; None without kernel.

    Values are given as the numbers of `operands`, and -1 for the result.
    """
    maker = _MAKERS.get(x.op)
    if any(value.dtype.name not in SCALARS for value in (x, *operands)):
        return None
    return None if maker is None else maker(x, operands, target)


def _gather(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]] | None:
    form = _adjacent(x.params[0], operands[0].shape, operands[1:])
    if form is None:
        return None
    sizes = _sizes(operands[0].shape, *form)
    dtypes = [array.dtype.name for array in operands[1:]]
    step = moves.gather_step(target, x.dtype.name, dtypes, **sizes, count=operands[1].size)
    return step, [0, -1, *range(1, len(operands))]


def _scatter_add(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]] | None:
    form = _adjacent(x.params[0], x.shape, operands[2:])
    if form is None:
        return None
    sizes = _sizes(x.shape, *form)
    dtypes = [array.dtype.name for array in operands[2:]]
    step = moves.scatter_add_step(target, x.dtype.name, dtypes, **sizes, count=operands[2].size)
    return step, [1, -1, *range(2, len(operands))]


def _adjacent(index: Any, shape: tuple[int, ...], arrays: Sequence[Instruction]) -> tuple[int, int] | None:
    """The first indexed axis and the number of them, for arrays of one shape in adjacent axes and nothing else."""
    named = sum(part is not None and part is not Ellipsis for part in index)
    if Ellipsis in index:
        place = index.index(Ellipsis)
        index = (*index[:place], *[(None, None, None)] * (len(shape) - named), *index[place + 1 :])
    axes = [axis for axis, part in enumerate(index) if isinstance(part, Place)]
    others = [part for part in index if not isinstance(part, Place)]
    if any(part != (None, None, None) for part in others) or len({array.shape for array in arrays}) != 1:
        return None
    if axes != list(range(axes[0], axes[0] + len(axes))) or [index[a] for a in axes] != list(range(len(axes))):
        return None
    if any(array.dtype.kind not in "iu" for array in arrays) or len(axes) > 6:
        return None
    return axes[0], len(axes)


def _sizes(shape: tuple[int, ...], first: int, count: int) -> dict[str, Any]:
    return {
        "outer": math.prod(shape[:first]),
        "sizes": shape[first : first + count],
        "inner": math.prod(shape[first + count :]),
    }


def _along_axis(x: Instruction, axis: int) -> dict[str, int]:
    shape = x.shape
    return {"outer": math.prod(shape[:axis]), "count": shape[axis], "inner": math.prod(shape[axis + 1 :])}


def _argmax(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]]:
    return scans.argmax_step(target, operands[0].dtype.name, **_along_axis(operands[0], x.params[0])), [0, -1]


def _cumsum(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]]:
    return scans.cumulative_sum_step(target, x.dtype.name, **_along_axis(operands[0], x.params[0])), [0, -1]


def _require(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]]:
    return scans.require_step(target, operands[0].size), [0]


def _iota(x: Instruction, operands: Sequence[Instruction], target: Target) -> tuple[Step, list[Any]]:
    return moves.iota_step(target, x.dtype.name, x.shape[0]), [-1]


_MAKERS = {
    "gather": _gather,
    "scatter_add": _scatter_add,
    "argmax": _argmax,
    "cumsum": _cumsum,
    "require": _require,
    "iota": _iota,
}
