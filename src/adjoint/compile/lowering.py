"""Kernels with their operands: from a schedule to rows of a tape, records, and a plan of memory."""

from __future__ import annotations

import math
from typing import Any

from adjoint.compile.codegen.matmul import Strides, plan_product
from adjoint.compile.codegen.target import Target
from adjoint.compile.layout import Layout
from adjoint.compile.looping import LoopLowering
from adjoint.compile.lowered import Call, Lowered, Operand, Temporary, chunks_for, collapse, operand_at
from adjoint.compile.memory import Interval, plan_memory
from adjoint.compile.moving import moving_step
from adjoint.compile.scheduled import Kernel, LoopKernel, Schedule
from adjoint.program import Instruction

__all__ = ["lower"]

_PARALLEL_FLOPS = 800_000
_PARALLEL_BYTES = 100_000.0


class _Lowering:
    def __init__(self, schedule: Schedule, target: Target, slots: dict[Any, tuple[int, int]]) -> None:
        self.schedule = schedule
        self.target = target
        self.slots = slots
        self.calls: list[Call] = []

    def run(self) -> Lowered:
        for kernel in self.schedule.kernels:
            if isinstance(kernel, LoopKernel):
                self._loop(kernel)
            else:
                self._single(kernel)
        uses: dict[Any, list[int]] = {}
        for number, call in enumerate(self.calls):
            for root in self._roots(call):
                uses.setdefault(root, []).append(number)
        offsets, arena = self._memory(uses)
        return Lowered(self.calls, arena, offsets, self.slots, uses)

    # Loops

    def _loop(self, kernel: LoopKernel) -> None:
        self.calls += LoopLowering(self.schedule, self.target, kernel).run()

    # Other kernels

    def _single(self, kernel: Kernel) -> None:
        x = kernel.instruction
        if x.op in ("matmul", "matmul_add"):
            if self._product(x, kernel.operands):
                return
        else:
            moving = moving_step(x, kernel.operands, self.target)
            if moving is not None:
                self._moving(x, kernel.operands, *moving)
                return
        self.calls.append(Call(None, [], 1, 1, x.op, x, kernel.operands, shape=x.shape))

    def _moving(self, x: Instruction, operands: list[Instruction], step: Any, places: list[int]) -> None:
        values = [x if place < 0 else operands[place] for place in places]
        record: list[Any] = [operand_at(self.schedule.layouts[value]) for value in values]
        touched = sum(float(value.size * value.dtype.itemsize) for value in values)
        chunks = 1 if x.op in ("require", "argmax") else chunks_for(touched / _PARALLEL_BYTES, step.extent)
        self.calls.append(
            Call(step.function, record + list(step.words), step.extent, chunks, x.op, x, bytes=touched, shape=x.shape)
        )

    def _product(self, x: Instruction, inputs: list[Instruction]) -> bool:
        a, b = (self.schedule.layouts[read] for read in inputs[-2:])
        c = self.schedule.layouts[x]
        if x.dtype.kind not in "fiu" or x.dtype.itemsize not in (4, 8) or x.dtype.name == "float16":
            return False
        batch = _batch(x.shape[:-2], a, b, c)
        if batch is None:
            return False
        sizes, strides = batch
        (m, k), n = a.shape[-2:], b.shape[-1]
        matrices = [
            Strides(layout.strides[-2], layout.strides[-1], *steps)
            for layout, steps in zip((a, b, c), strides, strict=True)
        ]
        plan = plan_product(self.target, x.dtype.name, m, n, k, *matrices, batch=sizes, accumulate=x.op == "matmul_add")
        operands = {name: operand_at(layout) for name, layout in (("a", a), ("b", b), ("c", c))}
        operands["scratch"] = Operand(Temporary(plan.scratch), 0)
        flops = 2.0 * m * n * k * math.prod(sizes)
        for step in plan.steps:
            record: list[Any] = [operands[name] for name in step.operands] + list(step.words)
            is_product = "c" in step.operands
            touched = float(x.dtype.itemsize * math.prod(sizes) * (m * k + k * n + m * n))
            work = flops / _PARALLEL_FLOPS if is_product else touched / _PARALLEL_BYTES
            title = "matmul" if is_product else "pack"
            self.calls.append(
                Call(
                    step.function,
                    record,
                    step.extent,
                    chunks_for(work, step.extent),
                    title,
                    x,
                    flops=flops if is_product else 0.0,
                    bytes=touched,
                    shape=(*sizes, m, k, n) if math.prod(sizes) > 1 else (m, k, n),
                )
            )
        return True

    # Memory

    def _memory(self, uses: dict[Any, list[int]]) -> tuple[dict[Any, int], int]:
        """Offsets in the arena for all roots that no caller owns."""
        first = {root: numbers[0] for root, numbers in uses.items()}
        last = {root: numbers[-1] for root, numbers in uses.items()}
        shared = self._shared(first, last)
        intervals: dict[Any, Interval] = {}
        for root in first:
            if root in self.slots:
                continue
            owner = root
            while owner in shared:
                owner = shared[owner]
            known = intervals.get(owner)
            end = last[root] if known is None else max(known.last, last[root])
            begin = first[root] if known is None else min(known.first, first[root])
            intervals[owner] = Interval(begin, end, _size(owner))
        offsets, arena = plan_memory(list(intervals.values()))
        places = dict(zip(intervals, offsets, strict=True))
        for root, owner in shared.items():
            while owner in shared:
                owner = shared[owner]
            places[root] = places[owner]
        return places, arena

    def _shared(self, first: dict[Any, int], last: dict[Any, int]) -> dict[Any, Any]:
        """Results of loops that lie where an input did that nothing reads any more."""
        shared: dict[Any, Any] = {}
        for number, call in enumerate(self.calls):
            taken = set()
            for out, given in call.shares:
                if out in self.slots or given in self.slots or out in shared or given in taken or out is given:
                    continue
                if first[out] == number == last[given] and first[given] < number and _size(out) == _size(given):
                    shared[out] = given
                    taken.add(given)
        return shared

    def _roots(self, call: Call) -> list[Any]:
        if call.function is not None:
            return [word.root for word in call.record if isinstance(word, Operand)]
        assert call.instruction is not None
        read = [self.schedule.layouts[x].root for x in call.inputs if x.op != "constant"]
        return [*read, self.schedule.layouts[call.instruction].root]


def _size(root: Any) -> int:
    return root.size if isinstance(root, Temporary) else root.size * root.dtype.itemsize


def _batch(stack: tuple[int, ...], a: Layout, b: Layout, c: Layout) -> Any:
    """The axes of a stack of matrices as two, with the strides of each operand; None where they are more."""
    strides = []
    for layout in (a, b, c):
        own = layout.strides[:-2]
        lengths = layout.shape[:-2]
        extra = len(stack) - len(own)
        strides.append([0] * extra + [0 if n == 1 else s for n, s in zip(lengths, own, strict=True)])
    axes, columns = collapse(stack, strides)
    if len(axes) > 2:
        return None
    axes = [1] * (2 - len(axes)) + axes
    columns = [[0] * (2 - len(steps)) + steps for steps in columns]
    return tuple(axes), columns


def lower(schedule: Schedule, target: Target, slots: dict[Any, tuple[int, int]]) -> Lowered:
    """The calls of a schedule; `slots` are the arguments of inputs and outputs."""
    return _Lowering(schedule, target, slots).run()
