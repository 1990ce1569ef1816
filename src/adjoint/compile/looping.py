"""Fused loops as calls: their nodes, their accesses, their axes, and the parts into which long ones are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from adjoint.compile.codegen.fused import Access, Loop, Node, Reduction, fused_kernel
from adjoint.compile.codegen.target import Target
from adjoint.compile.layout import Layout
from adjoint.compile.lowered import Call, Operand, Temporary, chunks_for, collapse, operand_at
from adjoint.compile.scheduled import REDUCTIONS, LoopKernel, Schedule
from adjoint.program import Instruction

__all__ = ["LoopLowering"]

_BLOCK = 4096  # elements of a part of a long axis
_COST = {"exp": 8, "log": 10, "tanh": 10, "sin": 9, "cos": 9, "erf": 14, "sigmoid": 10, "pow": 30, "div": 4, "sqrt": 4}
_PARALLEL_COST = 40_000.0  # elements times operations, some 5 µs: less is not worth a second thread
_MOST_PARTS = 8  # of a sum, each with a place of its own


@dataclass(frozen=True)
class _Partial:
    """Results of parts: where they lie, `count` for each part, and where their reduction goes."""

    kind: str
    dtype: Any
    count: int
    source: Operand
    target: Operand


class LoopLowering:
    """One loop: its nodes, its accesses, its axes."""

    def __init__(self, schedule: Schedule, target: Target, kernel: LoopKernel) -> None:
        self.schedule = schedule
        self.target = target
        self.kernel = kernel
        self.made = set(kernel.results)
        self.calls: list[Call] = []
        self.nodes: list[Node] = []
        self.number: dict[Instruction, int] = {}
        self.layouts: list[Layout] = []  # of each access
        self.dtypes: list[Any] = []
        self.strides: list[list[int]] = []
        self.stores: list[tuple[int, int]] = []
        self.reductions: list[tuple[str, int, int]] = []  # kind, node, access

    def run(self) -> list[Call]:
        """The calls: the loop's, and those that combine the results of its parts."""
        for x in self.kernel.members:
            if x.op in REDUCTIONS:
                self._reduction(x)
            else:
                self._elementwise(x)
        self._finish()
        return self.calls

    def _node(self, x: Instruction) -> int:
        """The number of a value's node: computed here, a constant, or loaded."""
        x = self.schedule.stand_ins.get(x, x)
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
        if x in self.schedule.stored and x in self.made:
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
        operands = [operand_at(layout) for layout in self.layouts]
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
        lanes = self._lanes(axes[-1], self.target)
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
        self.calls[-1].shares = self._shares()
        self._combine(partial, parts)

    def _shares(self) -> list[tuple[Any, Any]]:
        """Results and inputs that the loop goes through alike, each element read just before its place is written."""
        loads = [node.param for node in self.nodes if node.op == "load"]
        found = []
        for _, store in self.stores:
            for load in loads:
                out, given = self.layouts[store], self.layouts[load]
                alike = self.strides[store] == self.strides[load] and out.offset == given.offset == 0
                sizes = {out.root.size, given.root.size, math.prod(self.kernel.domain)}
                if alike and len(sizes) == 1 and self.dtypes[store].itemsize == self.dtypes[load].itemsize:
                    others = [i for i in loads if self.layouts[i].root is given.root and i != load]
                    if not others and self.dtypes[load].itemsize == given.root.dtype.itemsize:
                        found.append((out.root, given.root))
        return found

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
        self.calls.append(
            Call(
                fused_kernel(loop, self.target),
                record,
                extent,
                chunks_for(cost / _PARALLEL_COST, extent) if splits else 1,
                " ".join(names),
                self.kernel.members[-1],
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
        target = self.target
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
        call = Call(fused_kernel(loop, target), record, parts, 1, title, shape=tuple(axes))
        self.calls.append(call)


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
