"""From a traced program to a plan: passes, schedule, lowering, and which inputs may be replaced where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint.compile.codegen import kernels
from adjoint.compile.codegen.entry import ArgumentSpec
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function
from adjoint.compile.hosts import host_operation
from adjoint.compile.lowered import Call, Lowered, Operand
from adjoint.compile.lowering import lower
from adjoint.compile.native import Between
from adjoint.compile.passes import optimized
from adjoint.compile.plan import CHECKS, Plan, Row, can_fail
from adjoint.compile.schedule import make_schedule
from adjoint.compile.scheduled import Schedule
from adjoint.compile.traced import Traced
from adjoint.program import Instruction, Program

__all__ = ["make_plan"]


def make_plan(traced: Traced, donated: dict[int, int]) -> tuple[Plan, list[Function], list[Between | None]]:
    """The plan of a program, the code of its kernels, and what runs between its segments.

    `donated` are outputs that replace an input each.
    """
    return _Planner(traced, optimized(traced.program), donated).build()


def _row(call: Call, lowered: Lowered) -> Row:
    return Row(
        kernels.key_of(call.function) if call.function is not None else "",
        tuple(word for part in call.record for word in _words(part, lowered)),
        call.extent,
        call.chunks,
        call.title,
        call.shape,
        call.flops,
        call.bytes,
    )


def _words(part: Any, lowered: Lowered) -> tuple[int, ...]:
    """A part of a record as numbers: an operand is its slot and its offset."""
    if not isinstance(part, Operand):
        return (int(part),)
    if part.root in lowered.slots:
        argument, offset = lowered.slots[part.root]
        return argument + 1, offset + part.offset
    return 0, lowered.offsets[part.root] + part.offset


def _bytes(root: Any) -> int:
    return int(root.size * root.dtype.itemsize) if isinstance(root, Instruction) else 0


@dataclass
class _Arguments:
    """How inputs and outputs are given: arrays, then the floats in one array, the whole numbers in another, outputs."""

    specs: list[ArgumentSpec]
    slots: dict[Any, tuple[int, int]]  # argument and offset in bytes, by root


class _Planner:
    def __init__(self, traced: Traced, program: Program, donated: dict[int, int]) -> None:
        self.traced = traced
        self.program = program
        self.donated = donated

    def build(self) -> tuple[Plan, list[Function], list[Between | None]]:
        """The plan, its kernels' code, and what runs between its segments."""
        schedule = make_schedule(self.program)
        arguments = self._arguments(schedule)
        lowered = lower(schedule, Target.host(), arguments.slots)
        last_check = max((i for i, call in enumerate(lowered.calls) if call.title in CHECKS), default=-1)
        in_place = self._in_place(schedule, lowered, last_check)
        segments: list[list[Row]] = [[]]
        between: list[Between | None] = []
        functions = []
        for i, call in enumerate(lowered.calls):
            if call.function is None:
                between.append(host_operation(call, schedule, lowered))
                segments.append([])
            elif i == last_check + 1 and i > 0 and in_place:
                between.append(None)  # inputs are replaced only once nothing can fail any more
                segments.append([])
            segments[-1].append(_row(call, lowered))
            if call.function is not None:
                functions.append(call.function)
        values = sum(_bytes(root) for root in lowered.offsets)
        plan = Plan(segments, lowered.arena, arguments.specs, in_place, can_fail(self.program), values)
        return plan, functions, between

    def _arguments(self, schedule: Schedule) -> _Arguments:
        kinds = [source.kind for source in self.traced.sources]
        specs: list[ArgumentSpec] = []
        slots: dict[Any, tuple[int, int]] = {}
        for instruction, kind in zip(self.program.inputs, kinds, strict=True):
            if kind not in ("float", "int"):
                slots[instruction] = (len(specs), 0)
                specs.append(ArgumentSpec(instruction.dtype, instruction.shape))
        for kind, dtype in (("float", np.float64), ("int", np.int64)):
            numbers = [x for x, k in zip(self.program.inputs, kinds, strict=True) if k == kind]
            for i, instruction in enumerate(numbers):
                slots[instruction] = (len(specs), 8 * i)
            if numbers:
                specs.append(ArgumentSpec(np.dtype(dtype), (len(numbers),)))
        for root, output in zip(schedule.outputs, self.program.outputs, strict=True):
            slots[root] = (len(specs), 0)
            specs.append(ArgumentSpec(output.dtype, output.shape, writeable=True))
        return _Arguments(specs, slots)

    def _in_place(self, schedule: Schedule, lowered: Lowered, last_check: int) -> dict[int, int]:
        """Which outputs may be written where the input that they replace lies."""
        return {
            output: i
            for output, i in self.donated.items()
            if _may_overwrite(lowered, schedule.outputs[output], self.program.inputs[i], last_check)
        }


def _may_overwrite(lowered: Lowered, root: Any, source: Any, last_check: int) -> bool:
    """Whether nothing reads `source` once `root` is written, or where they meet, each element just before."""
    first, readers = lowered.uses[root][0], lowered.uses.get(source, [])
    if first <= last_check or any(reader > first for reader in readers):
        return False
    return first not in readers or (root, source) in lowered.calls[first].shares
