"""What lowering makes: calls of kernels with their operands, and where memory is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adjoint.compile.codegen import pool
from adjoint.compile.codegen.text import Function
from adjoint.compile.layout import Layout
from adjoint.program import Instruction

__all__ = ["Call", "Lowered", "Operand", "Temporary", "chunks_for", "collapse", "operand_at"]


@dataclass
class Call:
    """One row of a tape.

    function: the kernel's code, or None for an operation that NumPy runs
    operands: roots and byte offsets; the record begins with them where the kernel says so
    """

    function: Function | None
    record: list[Any]  # numbers, and Operands, which become two numbers
    extent: int
    chunks: int
    title: str
    instruction: Instruction | None = None
    inputs: list[Instruction] = field(default_factory=list)  # for NumPy
    shares: list[tuple[Any, Any]] = field(default_factory=list)  # results that may lie where an input does
    flops: float = 0.0
    bytes: float = 0.0
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Operand:
    """Memory that a kernel works on: that of a root, or a temporary, at an offset in bytes."""

    root: Any
    offset: int


@dataclass(eq=False)
class Temporary:
    """Memory that only neighbouring calls use."""

    size: int


@dataclass
class Lowered:
    """Calls, and where memory is.

    slots: for roots that callers own, the number of the argument and the offset in bytes
    offsets: for the others, the place in the arena
    uses: the numbers of the calls that read or write each root
    """

    calls: list[Call]
    arena: int
    offsets: dict[Any, int]
    slots: dict[Any, tuple[int, int]]
    uses: dict[Any, list[int]]


def operand_at(layout: Layout) -> Operand:
    """The memory that a layout begins in."""
    return Operand(layout.root, layout.offset * layout.root.dtype.itemsize)


def collapse(lengths: Any, strides: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Axes without those of length 1, and neighbours joined where all strides go on from one to the next."""
    axes: list[int] = []
    columns: list[list[int]] = [[] for _ in strides]
    for i, length in enumerate(lengths):
        if length == 1:
            continue
        here = [steps[i] for steps in strides]
        if axes and all(column[-1] == step * length for column, step in zip(columns, here, strict=True)):
            axes[-1] *= length
            for column, step in zip(columns, here, strict=True):
                column[-1] = step
        else:
            axes.append(length)
            for column, step in zip(columns, here, strict=True):
                column.append(step)
    return axes, columns


def chunks_for(work: float, extent: int) -> int:
    """Into how many chunks a kernel is cut: one for each thread, for those next to one another to stay with it, and
    more where there is much to do, for the threads may be of different speed."""
    threads = pool.get_num_threads()
    if threads == 1 or work < 1 or extent < 2:
        return 1
    return min(extent, threads if work < 10 * threads else 4 * threads)
