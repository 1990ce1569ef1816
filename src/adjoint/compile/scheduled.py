"""What a schedule is made of: kernels in their order, and where each value that is stored lies."""

from __future__ import annotations

from dataclasses import dataclass, field

from adjoint.compile.codegen.elementwise import is_supported
from adjoint.compile.layout import Layout
from adjoint.compile.passes.rewriting import is_elementwise
from adjoint.program import Instruction, Program

__all__ = ["REDUCTIONS", "Kernel", "LoopKernel", "Schedule", "is_complex", "is_fusable"]

REDUCTIONS = frozenset({"sum", "max", "min"})


@dataclass
class Kernel:
    """One call. `instruction` is what it computes, from `operands`, its inputs or copies of them."""

    instruction: Instruction
    operands: list[Instruction]

    @property
    def results(self) -> list[Instruction]:
        return [self.instruction]

    def reads(self) -> list[Instruction]:
        return self.operands


@dataclass
class LoopKernel:
    """A fused loop over `domain`.

    members: elementwise instructions and reductions, in order
    results: those of them that this loop makes; the others are made again here, since that is cheaper than reading them
    """

    domain: tuple[int, ...]
    members: list[Instruction] = field(default_factory=list)
    results: list[Instruction] = field(default_factory=list)
    inside: set[Instruction] = field(default_factory=set)
    outside: set[Instruction] = field(default_factory=set)

    def reads(self) -> list[Instruction]:
        return list(self.outside)

    def add(self, instruction: Instruction, *, again: bool = False) -> None:
        """Computes an instruction in this loop; `again` if another loop makes it, or none."""
        self.members.append(instruction)
        if not again:
            self.results.append(instruction)
        self.inside.add(instruction)
        self.outside.update(read for read in instruction.inputs if read not in self.inside)


@dataclass
class Schedule:
    """Kernels in their order, and where each value that is stored lies.

    stored: instructions that are kept in memory
    layouts: of stored values and views
    outputs: the root of each output
    stand_ins: the constant that each view of one is
    """

    program: Program
    kernels: list[Kernel | LoopKernel]
    stored: set[Instruction]
    layouts: dict[Instruction, Layout]
    outputs: list[Instruction]
    stand_ins: dict[Instruction, Instruction]


def is_complex(x: Instruction) -> bool:
    """Whether it gives complex numbers, which kernels do not know: NumPy computes and moves them."""
    return bool(x.dtype.kind == "c")


def is_fusable(x: Instruction) -> bool:
    """Whether there is code for it in a loop."""
    if x.op in REDUCTIONS:
        return is_supported({"sum": "add", "max": "maximum", "min": "minimum"}[x.op], (x.dtype, x.dtype), x.dtype)
    if not is_elementwise(x) and x.op != "copy":
        return False
    return is_supported(x.op, tuple(read.dtype for read in x.inputs), x.dtype)
