"""Kernels with their operands: from a schedule to rows of a tape, records, and a plan of memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adjoint.compile.codegen.fused import Access, Loop, Node, Reduction, fused_kernel
from adjoint.compile.codegen.matmul import Strides, plan_product
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function
from adjoint.compile.layout import Layout
from adjoint.compile.memory import Interval, plan_memory
from adjoint.compile.moving import moving_step
from adjoint.compile.schedule import Kernel, LoopKernel, Schedule
from adjoint.program import Instruction

__all__ = ["Call", "Lowered", "lower"]

_BLOCK = 4096  # elements of a part of a long axis
_COST = {"exp": 8, "log": 10, "tanh": 10, "sin": 9, "cos": 9, "erf": 14, "sigmoid": 10, "pow": 30, "div": 4, "sqrt": 4}
_PARALLEL_COST = 60_000.0  # elements times operations, some 10 µs
_PARALLEL_FLOPS = 800_000
_PARALLEL_BYTES = 200_000.0
_MOST_CHUNKS = 16


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
    members: int = 1
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
    """

    calls: list[Call]
    arena: int
    offsets: dict[Any, int]
    slots: dict[Any, tuple[int, int]]
    in_place: dict[int, int] = field(default_factory=dict)


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
        offsets, arena = self._memory()
        return Lowered(self.calls, arena, offsets, self.slots)

    def _read(self, x: Instruction) -> Instruction:
        return self.schedule.stand_ins.get(x, x)

    def _operand(self, layout: Layout) -> Operand:
        return Operand(layout.root, layout.offset * layout.root.dtype.itemsize)

    # Loops

    def _loop(self, kernel: LoopKernel) -> None:
        _LoopLowering(self, kernel).run()

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
        record: list[Any] = [self._operand(self.schedule.layouts[value]) for value in values]
        touched = sum(float(value.size * value.dtype.itemsize) for value in values)
        chunks = max(1, min(int(touched / _PARALLEL_BYTES), step.extent, _MOST_CHUNKS))
        if x.op in ("require", "argmax"):
            chunks = 1
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
        plan = plan_product(
            self.target, x.dtype.name, m, n, k, *matrices, batch=sizes, accumulate=x.op == "matmul_add"
        )
        operands = {name: self._operand(layout) for name, layout in (("a", a), ("b", b), ("c", c))}
        operands["scratch"] = Operand(Temporary(plan.scratch), 0)
        flops = 2.0 * m * n * k * math.prod(sizes)
        for step in plan.steps:
            record: list[Any] = [operands[name] for name in step.operands] + list(step.words)
            is_product = "c" in step.operands
            chunks = max(1, min(int(flops // _PARALLEL_FLOPS), step.extent, _MOST_CHUNKS)) if is_product else 1
            title = "matmul" if is_product else "pack"
            self.calls.append(
                Call(
                    step.function,
                    record,
                    step.extent,
                    chunks,
                    title,
                    x,
                    flops=flops if is_product else 0.0,
                    bytes=float(x.dtype.itemsize * math.prod(sizes) * (m * k + k * n + m * n)),
                    shape=(*sizes, m, k, n) if math.prod(sizes) > 1 else (m, k, n),
                )
            )
        return True

    # Memory

    def _memory(self) -> tuple[dict[Any, int], int]:
        """Offsets in the arena for all roots that no caller owns."""
        first: dict[Any, int] = {}
        last: dict[Any, int] = {}
        for number, call in enumerate(self.calls):
            for root in self._roots(call):
                first.setdefault(root, number)
                last[root] = number
        roots = [root for root in first if root not in self.slots]
        intervals = [Interval(first[root], last[root], _size(root)) for root in roots]
        offsets, arena = plan_memory(intervals)
        return dict(zip(roots, offsets, strict=True)), arena

    def _roots(self, call: Call) -> list[Any]:
        if call.function is not None:
            return [word.root for word in call.record if isinstance(word, Operand)]
        assert call.instruction is not None
        read = [self.schedule.layouts[x].root for x in call.inputs]
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


class _LoopLowering:
    """One loop: its nodes, its accesses, its axes."""

    def __init__(self, lowering: _Lowering, kernel: LoopKernel) -> None:
        self.lowering = lowering
        self.schedule = lowering.schedule
        self.kernel = kernel
        self.nodes: list[Node] = []
        self.number: dict[Instruction, int] = {}
        self.layouts: list[Layout] = []  # of each access
        self.dtypes: list[Any] = []
        self.strides: list[list[int]] = []
        self.stores: list[tuple[int, int]] = []
        self.reductions: list[tuple[str, int, int]] = []  # kind, node, access
        self.loads: dict[Any, int] = {}

    def run(self) -> None:
        for x in self.kernel.members:
            if x.op in ("sum", "max", "min") and x.inputs[0].shape == self.kernel.domain and x.params:
                self._reduction(x)
            else:
                self._elementwise(x)
        self._finish()

    def _node(self, x: Instruction) -> int:
        """The number of a value's node: computed here, a constant, or loaded."""
        x = self.lowering._read(x)
        number = self.number.get(x)
        if number is None:
            if x.op == "constant":
                node = Node("constant", (), x.dtype, x.params[0])
            else:
                layout = self.schedule.layouts[x]
                node = Node("load", (), x.dtype, self._access(layout, x.dtype, _spread(layout, self.kernel.domain)))
            number = self.number[x] = self._add(node)
        return number

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _access(self, layout: Layout, dtype: Any, strides: list[int]) -> int:
        self.layouts.append(layout)
        self.dtypes.append(dtype)
        self.strides.append(strides)
        return len(self.layouts) - 1

    def _elementwise(self, x: Instruction) -> None:
        reads = x.inputs[:1] if x.op == "copy" else x.inputs
        operands = tuple([self._node(read) for read in reads])
        self.number[x] = self._add(Node(x.op, operands, x.dtype))
        if x in self.schedule.stored:
            layout = self.schedule.layouts[x]
            self.stores.append((self.number[x], self._access(layout, x.dtype, _spread(layout, self.kernel.domain))))

    def _reduction(self, x: Instruction) -> None:
        node = self._node(x.inputs[0])
        layout = self.schedule.layouts[x]
        own = iter(layout.strides)
        strides = [0 if axis in x.params[0] else next(own) for axis in range(len(self.kernel.domain))]
        self.reductions.append((x.op, node, self._access(layout, x.dtype, strides)))

    def _finish(self) -> None:
        axes, columns = collapse(self.kernel.domain, self.strides)
        if not axes:
            axes, columns = [math.prod(self.kernel.domain)], [[0] for _ in columns]
        if 0 in self.kernel.domain:
            axes, columns = [0], [[0] for _ in columns]
        target = self.lowering.target
        lanes = self._lanes(axes[-1], target)
        reduced = [column for (_, _, access), column in zip(self.reductions, [columns[a] for _, _, a in self.reductions], strict=True)]
        whole = bool(self.reductions) and all(not any(column) for column in reduced) and len(axes) == 1
        block = _BLOCK if len(axes) == 1 and axes[0] > _BLOCK and (whole or not self.reductions) else 0
        accesses = tuple(
            Access(dtype, "".join(_letter(step, axis == len(axes) - 1) for axis, step in enumerate(column)))
            for dtype, column in zip(self.dtypes, columns, strict=True)
        )
        reductions, record_tail, combine = [], [], []
        for kind, node, access in self.reductions:
            in_memory = not block and self._needs_memory(axes, columns[access], accesses[access])
            reductions.append(Reduction(kind, node, access, in_memory))
            if in_memory:
                record_tail.append(self.layouts[access].root.size if False else _count(axes, columns[access]))
        parts = -(-axes[0] // _BLOCK) if block else 0
        operands = [self.lowering._operand(layout) for layout in self.layouts]
        if block:
            for kind, _, access in self.reductions:
                temporary = Operand(Temporary(parts * self.dtypes[access].itemsize), 0)
                combine.append((kind, temporary, operands[access], self.dtypes[access]))
                operands[access] = temporary
        exact = axes[-1] % lanes == 0
        loop = Loop(len(axes), lanes, exact, block, accesses, tuple(self.nodes), tuple(self.stores), tuple(reductions))
        record: list[Any] = list(axes)
        for operand, access, column in zip(operands, accesses, columns, strict=True):
            record.append(operand)
            record += [step for step, letter in zip(column, access.pattern, strict=True) if letter == "n"]
        record += record_tail
        extent = parts if block else axes[0]
        self._call(loop, record, extent, math.prod(axes), bool(block) or self._may_split(axes, accesses, reductions))
        for kind, temporary, operand, dtype in combine:
            self._combine(kind, temporary, operand, dtype, parts)

    def _needs_memory(self, axes: list[int], column: list[int], access: Access) -> bool:
        """Whether a place is written more than once: an outer axis is reduced, or the last is not."""
        outer = any(step == 0 and length != 1 for step, length in zip(column[:-1], axes[:-1], strict=True))
        return outer or access.pattern[-1] != "0"

    def _may_split(self, axes: list[int], accesses: tuple[Access, ...], reductions: list[Reduction]) -> bool:
        """Whether parts of the first axis may run at the same time."""
        return len(axes) > 1 and not any(r.in_memory for r in reductions)

    def _lanes(self, length: int, target: Target) -> int:
        floats = [node.dtype.itemsize for node in self.nodes if node.dtype.kind == "f"]
        sizes = floats or [node.dtype.itemsize for node in self.nodes if node.dtype.kind != "b"] or [4]
        lanes = target.lanes(max(min(sizes), 4)) if len(set(floats)) > 1 else target.lanes(max(sizes))
        while lanes > 1 and lanes // 2 >= length:
            lanes //= 2
        return max(lanes, 1)

    def _call(self, loop: Loop, record: list[Any], extent: int, elements: int, splits: bool) -> None:
        work = sum(_COST.get(node.op, 1) for node in self.nodes)
        cost = float(elements * work)
        chunks = max(1, min(int(cost // _PARALLEL_COST), extent, _MOST_CHUNKS)) if splits else 1
        names = [x.op for x in self.kernel.members]
        moved = sum(dtype.itemsize * _count_all(loop, column) for dtype, column in ())
        touched = sum(
            float(dtype.itemsize) * _touched(self.kernel.domain, steps)
            for dtype, steps in zip(self.dtypes, self.strides, strict=True)
        )
        self.lowering.calls.append(
            Call(
                fused_kernel(loop, self.lowering.target),
                record,
                extent,
                chunks,
                " ".join(names),
                self.kernel.members[-1],
                members=len(names),
                flops=float(elements * sum(node.op not in ("load", "constant", "copy") for node in self.nodes)),
                bytes=touched + moved,
                shape=self.kernel.domain,
            )
        )

    def _combine(self, kind: str, source: Operand, operand: Operand, dtype: Any, parts: int) -> None:
        """The reduction of the parts' results."""
        target = self.lowering.target
        lanes = target.lanes(max(dtype.itemsize, 4))
        loop = Loop(
            1,
            lanes,
            parts % lanes == 0,
            0,
            (Access(dtype, "1"), Access(dtype, "0")),
            (Node("load", (), dtype, 0),),
            (),
            (Reduction(kind, 0, 1, False),),
        )
        record = [parts, source, operand]
        self.lowering.calls.append(Call(fused_kernel(loop, target), record, parts, 1, f"{kind} of parts", shape=(parts,)))


def _count_all(loop: Loop, column: Any) -> int:
    return 0


def _touched(domain: tuple[int, ...], strides: list[int]) -> int:
    return math.prod(n for n, step in zip(domain, strides, strict=True) if step)


def _count(axes: list[int], column: list[int]) -> int:
    """The number of places that a reduction writes."""
    return math.prod(length for length, step in zip(axes, column, strict=True) if step)


def _letter(step: int, is_last: bool) -> str:
    if step == 0:
        return "0"
    return "1" if step == 1 and is_last else "n"


def _spread(layout: Layout, domain: tuple[int, ...]) -> list[int]:
    """The strides of an array that is broadcast to a loop's range."""
    extra = len(domain) - len(layout.shape)
    assert extra >= 0, (layout, domain)
    return [0] * extra + [0 if n == 1 else step for n, step in zip(layout.shape, layout.strides, strict=True)]


def lower(schedule: Schedule, target: Target, slots: dict[Any, tuple[int, int]]) -> Lowered:
    """The calls of a schedule; `slots` are the arguments of inputs and outputs."""
    return _Lowering(schedule, target, slots).run()


__all__ += ["Callable", "np"]
