"""Kernels with their operands: from a schedule to rows of a tape, records, and a plan of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from adjoint.compile.codegen import pool
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
_PARALLEL_COST = 40_000.0  # elements times operations, some 5 µs: less is not worth a second thread
_PARALLEL_FLOPS = 800_000
_PARALLEL_BYTES = 100_000.0
_MOST_PARTS = 8  # of a sum, each with a place of its own


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
        chunks = 1 if x.op in ("require", "argmax") else _chunks(touched / _PARALLEL_BYTES, step.extent)
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
        operands = {name: self._operand(layout) for name, layout in (("a", a), ("b", b), ("c", c))}
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
                    _chunks(work, step.extent),
                    title,
                    x,
                    flops=flops if is_product else 0.0,
                    bytes=touched,
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


@dataclass(frozen=True)
class _Partial:
    """Results of parts: where they lie, `count` for each part, and where their reduction goes."""

    kind: str
    dtype: Any
    count: int
    source: Operand
    target: Operand


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
            self.reductions = [r for r in self.reductions if 0 not in self.layouts[r[2]].shape]
        operands = [self.lowering._operand(layout) for layout in self.layouts]
        elements = math.prod(axes)
        partial: list[_Partial] = []
        parts = self._parts(axes, columns, elements)
        if parts > 1:
            axes, columns, partial = self._in_parts(axes, columns, operands, parts)
        block = self._block(axes, columns)
        if block:
            parts = -(-axes[0] // block)
            partial = self._block_results(operands, parts)
        reductions, counts = self._reductions(axes, columns, block, elements)
        lanes = self._lanes(axes[-1], self.lowering.target)
        accesses = tuple(
            Access(dtype, "".join(_letter(step, axis == len(axes) - 1) for axis, step in enumerate(column)))
            for dtype, column in zip(self.dtypes, columns, strict=True)
        )
        exact = axes[-1] % lanes == 0
        loop = Loop(len(axes), lanes, exact, block, accesses, tuple(self.nodes), tuple(self.stores), reductions)
        record: list[Any] = list(axes)
        for operand, access, column in zip(operands, accesses, columns, strict=True):
            record.append(operand)
            record += [step for step, letter in zip(column, access.pattern, strict=True) if letter == "n"]
        record += counts
        splits = bool(block) or (len(axes) > 1 and all(r.by_part or not r.in_memory for r in reductions))
        self._call(loop, record, parts if block else axes[0], elements, splits)
        self._combine(partial, parts)

    def _work(self) -> int:
        """The cost of one element, about that of so many additions."""
        return sum(_COST.get(node.op, 1) for node in self.nodes)

    def _parts(self, axes: list[int], columns: list[list[int]], elements: int) -> int:
        """Into how many parts the first axis is cut, where a reduction goes along it and there is much to do."""
        if len(axes) < 2 or elements * self._work() < 2 * _PARALLEL_COST:
            return 1
        if not any(columns[access][0] == 0 for _, _, access in self.reductions):
            return 1
        return max(parts for parts in range(1, _MOST_PARTS + 1) if axes[0] % parts == 0)

    def _in_parts(
        self, axes: list[int], columns: list[list[int]], operands: list[Operand], parts: int
    ) -> tuple[list[int], list[list[int]], list[_Partial]]:
        """The axes with the first one cut; reductions along it get a place for each part."""
        rest = axes[0] // parts
        partial = []
        cut = [[column[0] * rest, *column] for column in columns]
        for kind, _, access in self.reductions:
            column = columns[access]
            if column[0] != 0:
                continue
            count = _count(axes, column)
            temporary = Operand(Temporary(parts * count * self.dtypes[access].itemsize), 0)
            partial.append(_Partial(kind, self.dtypes[access], count, temporary, operands[access]))
            operands[access] = temporary
            cut[access] = [count, 0, *column[1:]]
        return [parts, rest, *axes[1:]], cut, partial

    def _block(self, axes: list[int], columns: list[list[int]]) -> int:
        """The length of the blocks in which a single long axis is done."""
        whole = all(not any(columns[access]) for _, _, access in self.reductions)
        return _BLOCK if len(axes) == 1 and axes[0] > _BLOCK and whole else 0

    def _block_results(self, operands: list[Operand], parts: int) -> list[_Partial]:
        partial = []
        for kind, _, access in self.reductions:
            temporary = Operand(Temporary(parts * self.dtypes[access].itemsize), 0)
            partial.append(_Partial(kind, self.dtypes[access], 1, temporary, operands[access]))
            operands[access] = temporary
        return partial

    def _reductions(
        self, axes: list[int], columns: list[list[int]], block: int, elements: int
    ) -> tuple[tuple[Reduction, ...], list[int]]:
        """How each reduction is done, and the numbers of elements that are set before."""
        reductions, counts = [], []
        for kind, node, access in self.reductions:
            column = columns[access]
            last = column[-1] != 0
            in_memory = not block and (
                last or any(not step and n != 1 for step, n in zip(column[:-1], axes[:-1], strict=True))
            )
            if elements == 0:  # the sum of nothing
                reductions.append(Reduction(kind, node, access, True, False))
                counts.append(math.prod(self.layouts[access].shape))
                continue
            by_part = in_memory and len(axes) > 1 and column[0] != 0
            reductions.append(Reduction(kind, node, access, in_memory, by_part))
            if in_memory:
                counts.append(_count(axes[1:], column[1:]) if by_part else _count(axes, column))
        return tuple(reductions), counts

    def _lanes(self, length: int, target: Target) -> int:
        floats = [node.dtype.itemsize for node in self.nodes if node.dtype.kind == "f"]
        sizes = floats or [node.dtype.itemsize for node in self.nodes if node.dtype.kind != "b"] or [4]
        lanes = target.lanes(max(min(sizes), 4)) if len(set(floats)) > 1 else target.lanes(max(sizes))
        return _fitting_lanes(lanes, length)

    def _call(self, loop: Loop, record: list[Any], extent: int, elements: int, splits: bool) -> None:
        cost = float(elements * self._work())
        names = [x.op for x in self.kernel.members]
        touched = sum(
            float(dtype.itemsize) * _touched(self.kernel.domain, steps)
            for dtype, steps in zip(self.dtypes, self.strides, strict=True)
        )
        self.lowering.calls.append(
            Call(
                fused_kernel(loop, self.lowering.target),
                record,
                extent,
                _chunks(cost / _PARALLEL_COST, extent) if splits else 1,
                " ".join(names),
                self.kernel.members[-1],
                members=len(names),
                flops=float(elements * sum(node.op not in ("load", "constant", "copy") for node in self.nodes)),
                bytes=touched,
                shape=self.kernel.domain,
            )
        )

    def _combine(self, partial: list[_Partial], parts: int) -> None:
        """The reductions of the parts' results; those of equal sizes in one loop."""
        groups: dict[tuple[int, Any], list[_Partial]] = {}
        for one in partial:
            groups.setdefault((one.count, one.dtype), []).append(one)
        for (count, dtype), ones in groups.items():
            self._combine_equal(ones, parts, count, dtype)

    def _combine_equal(self, ones: list[_Partial], parts: int, count: int, dtype: Any) -> None:
        target = self.lowering.target
        single = count == 1
        axes = [parts] if single else [parts, count]
        lanes = _fitting_lanes(target.lanes(max(dtype.itemsize, 4)), axes[-1])
        loads = [Access(dtype, "1" if single else "n1")] * len(ones)
        results = [Access(dtype, "0" if single else "01")] * len(ones)
        nodes = tuple(Node("load", (), dtype, i) for i in range(len(ones)))
        reductions = tuple(Reduction(one.kind, i, len(ones) + i, not single) for i, one in enumerate(ones))
        loop = Loop(len(axes), lanes, axes[-1] % lanes == 0, 0, (*loads, *results), nodes, (), reductions)
        record: list[Any] = [*axes]
        for one in ones:
            record += [one.source] if single else [one.source, count]
        record += [one.target for one in ones]
        record += [] if single else [count] * len(ones)
        title = f"{' '.join(one.kind for one in ones)} of parts"
        call = Call(fused_kernel(loop, target), record, parts, 1, title, shape=tuple(axes), members=len(ones))
        self.lowering.calls.append(call)


def _chunks(work: float, extent: int) -> int:
    """Into how many chunks a kernel is cut: one for each thread, for those next to one another to stay with it, and
    more where there is much to do, for the threads may be of different speed."""
    threads = pool.get_num_threads()
    if threads == 1 or work < 1 or extent < 2:
        return 1
    return min(extent, threads if work < 10 * threads else 4 * threads)


def _fitting_lanes(lanes: int, length: int) -> int:
    """Fewer lanes for a short axis."""
    while lanes > 1 and lanes // 2 >= length:
        lanes //= 2
    return max(lanes, 1)


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
