"""Fused loops: many elementwise operations and reductions over one range of indices, in one pass over memory.

    for i in axis 0:  for j in axis 1:  for k, k+1, … k+15 in axis 2:
        load what varies along the last axis;  compute;  store;  add to the sums

A value is computed in the outermost loop that it varies in. Arrays are read and written by strides, so slices,
transposes and broadcasts cost nothing of their own. A reduction along the last axis is kept in a register and
combined across lanes at the end of a row; along other axes it is accumulated in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from adjoint.compile.codegen.elementwise import constant_text, emit, memory_scalar, vector_scalar
from adjoint.compile.codegen.loops import ARGUMENTS, counted, element, minimum, multiply, operand, word
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["Access", "Loop", "Node", "Reduction", "fused_kernel", "identity"]


@dataclass(frozen=True)
class Access:
    """An array that a loop reads or writes.

    pattern: for each axis "0" (does not vary), "1" (neighbours) or "n" (any stride, in the record)
    """

    dtype: Any
    pattern: str


@dataclass(frozen=True)
class Node:
    """A value: op "load" (params: the number of the access), "constant" (its value) or an operation on other nodes."""

    op: str
    operands: tuple[int, ...]
    dtype: Any
    param: Any = None


@dataclass(frozen=True)
class Reduction:
    """A sum, maximum or minimum of a node; `access` is where it goes.

    in_memory: whether it is added to what is there, which the kernel sets before; else each place is written once
    by_part: whether that is done for each index of the first axis, which has places of its own
    """

    kind: str
    node: int
    access: int
    in_memory: bool
    by_part: bool = False


@dataclass(frozen=True)
class Loop:
    """A fused kernel. Record: the length of each axis; for each access slot, offset, and its "n" strides in elements;
    for each reduction in memory, the number of its elements, or of those of a part.

    lanes: of the vectors
    exact: whether the length of the last axis is a multiple of them
    block: 0, or the length of the parts into which a single axis is cut, over which the first axis then counts
    """

    rank: int
    lanes: int
    exact: bool
    block: int
    accesses: tuple[Access, ...]
    nodes: tuple[Node, ...]
    stores: tuple[tuple[int, int], ...]  # (node, access)
    reductions: tuple[Reduction, ...]


@lru_cache(maxsize=4096)
def fused_kernel(loop: Loop, target: Target) -> Function:
    """The code of a loop."""
    return _Writer(loop, target).write()


_IDENTITY = {"sum": 0.0, "max": -np.inf, "min": np.inf}


def identity(kind: str, dtype: Any) -> Any:
    """What changes nothing: 0 for a sum, the lowest value for a maximum."""
    if dtype.kind == "f" or kind == "sum":
        return _IDENTITY[kind]
    if dtype.kind == "b":
        return kind == "min"
    limits = np.iinfo(dtype)
    return int(limits.min if kind == "max" else limits.max)


class _Writer:
    def __init__(self, loop: Loop, target: Target) -> None:
        self.loop = loop
        self.target = target
        self.f = Function("kernel", ARGUMENTS, attributes=target.attributes())
        self.values: dict[int, str] = {}
        self.last = loop.rank - 1
        self.mask: str | None = None
        self.levels = self._levels()

    def write(self) -> Function:
        f, loop = self.f, self.loop
        self.lengths = [word(f, i) for i in range(loop.rank)]
        place = loop.rank
        self.pointers, self.strides = [], []
        for access in loop.accesses:
            self.pointers.append(operand(f, place))
            place += 2
            strides = {}
            for axis, letter in enumerate(access.pattern):
                if letter == "n":
                    strides[axis] = word(f, place)
                    place += 1
            self.strides.append(strides)
        self.counts = {}
        for number, reduction in enumerate(loop.reductions):
            if reduction.in_memory:
                self.counts[number] = word(f, place)
                place += 1
        self._set_identities(by_part=False)
        self._emit_level(0)
        self._outer(0)
        f.do("ret void")
        return f

    def _levels(self) -> list[int]:
        """For each node the number of loops that it stands in."""
        levels: list[int] = []
        for node in self.loop.nodes:
            if node.op == "load":
                pattern = self.loop.accesses[node.param].pattern
                levels.append(max((axis + 1 for axis, letter in enumerate(pattern) if letter != "0"), default=0))
            else:
                levels.append(max((levels[i] for i in node.operands), default=0))
        return levels

    def _kind(self, dtype: Any) -> Vector:
        return Vector(vector_scalar(dtype), self.loop.lanes)

    def _set_identities(self, *, by_part: bool) -> None:
        for number, count in self.counts.items():
            if self.loop.reductions[number].by_part == by_part:
                self._set_identity(self.loop.reductions[number], count)

    def _set_identity(self, reduction: Reduction, count: str) -> None:
        f = self.f
        access = self.loop.accesses[reduction.access]
        scalar = memory_scalar(access.dtype)
        value = constant_text(access.dtype, identity(reduction.kind, access.dtype))
        with counted(f, "0", count) as i:
            f.do(f"store {scalar} {value}, ptr {element(f, scalar, self.pointers[reduction.access], i)}")

    def _outer(self, axis: int) -> None:
        """The loops from `axis` inwards."""
        f, loop = self.f, self.loop
        begin, end = ("%begin", "%end") if axis == 0 else ("0", self.lengths[axis])
        if loop.block:
            with counted(f, begin, end) as number:
                start = multiply(f, number, str(loop.block))
                stop = minimum(f, f.let(f"add i64 {start}, {loop.block}"), self.lengths[0])
                self._inner(start, stop, number)
        elif axis == self.last:
            self._inner(begin, end, None)
        else:
            with counted(f, begin, end) as i:
                outer = list(self.pointers)
                self._advance(axis, i)
                if axis == 0:
                    self._set_identities(by_part=True)
                self._emit_level(axis + 1)
                self._outer(axis + 1)
                self.pointers = outer

    def _advance(self, axis: int, index: str) -> None:
        for number, access in enumerate(self.loop.accesses):
            if access.pattern[axis] == "n":
                distance = multiply(self.f, index, self.strides[number][axis])
                self.pointers[number] = element(self.f, memory_scalar(access.dtype), self.pointers[number], distance)

    def _emit_level(self, level: int) -> None:
        for number, node in enumerate(self.loop.nodes):
            if self.levels[number] == level and (level <= self.last or level == self.last + 1):
                self.values[number] = self._node(node)

    def _node(self, node: Node) -> str:
        loop = self.loop
        if node.op == "constant":
            kind = self._kind(node.dtype)
            return f"splat ({kind.scalar} {constant_text(node.dtype, node.param)})"
        if node.op == "load":
            return self._load(node.param)
        dtypes = tuple(loop.nodes[i].dtype for i in node.operands)
        given = [self.values[i] for i in node.operands]
        return emit(self.f, node.op, dtypes, node.dtype, loop.lanes, self.target.fma, *given)

    # The innermost loop

    def _inner(self, begin: str, end: str, block: str | None) -> None:
        """The loop over the last axis, by vectors. Lanes beyond the end are masked: in each turn where masks are cheap,
        else in a turn of its own after whole vectors."""
        f, loop = self.f, self.loop
        kept = [r for r in loop.reductions if loop.accesses[r.access].pattern[self.last] == "0"]
        totals = []
        for reduction in kept:
            dtype = loop.accesses[reduction.access].dtype
            totals.append(f"splat ({vector_scalar(dtype)} {constant_text(dtype, self._start(reduction))})")
        if loop.exact or self.target.masks or loop.lanes == 1:
            totals = self._turns(begin, end, kept, totals, masked=not loop.exact)
        else:
            count = f.let(f"sub i64 {end}, {begin}")
            rest = f.let(f"urem i64 {count}, {loop.lanes}")
            middle = f.let(f"sub i64 {end}, {rest}")
            totals = self._turns(begin, middle, kept, totals, masked=False)
            totals = self._turns(middle, end, kept, totals, masked=True)
        self.mask = None
        for reduction, total in zip(kept, totals, strict=True):
            self._finish(reduction, total, block)

    def _turns(self, begin: str, end: str, kept: list[Reduction], starts: list[str], *, masked: bool) -> list[str]:
        """The turns from `begin` to `end`; the totals of reductions go from `starts` to what is returned."""
        f, loop = self.f, self.loop
        enter, head, body, latch, done = (f.fresh(stem) for stem in ("enter", "head", "body", "latch", "done"))
        counter, following = f"%{f.fresh('j')}", f"%{f.fresh('next')}"
        totals = [f"%{f.fresh('total')}" for _ in kept]
        f.do(f"br label %{enter}")
        f.label(enter)
        f.do(f"br label %{head}")
        f.label(head)
        f.do(f"{counter} = phi i64 [ {begin}, %{enter} ], [ {following}, %{latch} ]")
        phis = [f.placeholder() for _ in kept]
        f.do(f"br i1 {f.let(f'icmp slt i64 {counter}, {end}')}, label %{body}, label %{done}")
        f.label(body)
        self.counter = counter
        self.mask = self._mask(counter, end) if masked else None
        self._emit_level(self.last + 1)
        for node, access in loop.stores:
            self._store(self.values[node], access)
        for reduction in loop.reductions:
            if reduction not in kept:
                self._accumulate_vector(reduction)
        for reduction, start, total, phi in zip(kept, starts, totals, phis, strict=True):
            kind = self._kind(loop.accesses[reduction.access].dtype)
            new = self._combine(reduction, kind, total, self._masked(reduction, kind))
            f.fill(phi, f"{total} = phi {kind} [ {start}, %{enter} ], [ {new}, %{latch} ]")
        f.do(f"br label %{latch}")
        f.label(latch)
        f.do(f"{following} = add i64 {counter}, {loop.lanes}")
        f.do(f"br label %{head}")
        f.label(done)
        return totals

    def _start(self, reduction: Reduction) -> Any:
        return identity(reduction.kind, self.loop.accesses[reduction.access].dtype)

    def _mask(self, counter: str, end: str) -> str:
        """Which lanes are before the end."""
        f, lanes = self.f, self.loop.lanes
        left = f.let(f"trunc i64 {f.let(f'sub i64 {end}, {counter}')} to i32")
        numbers = ", ".join(f"i32 {i}" for i in range(lanes))
        whole = f.splat(Vector("i32", lanes), left)
        return f.let(f"icmp slt <{lanes} x i32> <{numbers}>, {whole}")

    def _masked(self, reduction: Reduction, kind: Vector) -> str:
        """The values to be reduced, with the identity in lanes beyond the end."""
        value = self.values[reduction.node]
        if self.mask is None:
            return value
        access = self.loop.accesses[reduction.access]
        neutral = f"splat ({kind.scalar} {constant_text(access.dtype, self._start(reduction))})"
        return self.f.let(f"select {kind.of('i1')} {self.mask}, {kind} {value}, {kind} {neutral}")

    def _combine(self, reduction: Reduction, kind: Vector, a: str, b: str) -> str:
        dtype = self.loop.accesses[reduction.access].dtype
        op = {"sum": "add", "max": "maximum", "min": "minimum"}[reduction.kind]
        return emit(self.f, op, (dtype, dtype), dtype, kind.lanes, self.target.fma, a, b)

    def _finish(self, reduction: Reduction, total: str, block: str | None) -> None:
        """Combines the lanes of a row's total, and writes it."""
        f = self.f
        access = self.loop.accesses[reduction.access]
        kind = self._kind(access.dtype)
        lanes = kind.lanes
        while lanes > 1:
            half = lanes // 2
            whole = Vector(kind.scalar, lanes)
            part = Vector(kind.scalar, half)
            low, high = (", ".join(f"i32 {i}" for i in range(k, k + half)) for k in (0, half))
            a = f.let(f"shufflevector {whole} {total}, {whole} poison, <{half} x i32> <{low}>")
            b = f.let(f"shufflevector {whole} {total}, {whole} poison, <{half} x i32> <{high}>")
            total = self._combine(reduction, part, a, b)
            lanes = half
        one = Vector(kind.scalar, 1)
        pointer = self.pointers[reduction.access]
        scalar = memory_scalar(access.dtype)
        if block is not None:
            pointer = element(f, scalar, pointer, block)
        if reduction.in_memory:
            total = self._combine(reduction, one, self._read_one(pointer, access.dtype), total)
        self._write_one(total, pointer, access.dtype)

    def _read_one(self, pointer: str, dtype: Any) -> str:
        value = self.f.let(f"load <1 x {memory_scalar(dtype)}>, ptr {pointer}, align {dtype.itemsize}")
        return self._from_memory(value, dtype, 1)

    def _write_one(self, value: str, pointer: str, dtype: Any) -> None:
        value = self._to_memory(value, dtype, 1)
        self.f.do(f"store <1 x {memory_scalar(dtype)}> {value}, ptr {pointer}, align {dtype.itemsize}")

    def _accumulate_vector(self, reduction: Reduction) -> None:
        """Adds a vector to what is in memory, where the last axis is not reduced."""
        access = self.loop.accesses[reduction.access]
        kind = self._kind(access.dtype)
        value = self.values[reduction.node]
        if reduction.in_memory:
            value = self._combine(reduction, kind, self._load(reduction.access), value)
        self._store(value, reduction.access)

    # Memory

    def _from_memory(self, value: str, dtype: Any, lanes: int) -> str:
        if dtype.kind != "b":
            return value
        return self.f.let(f"icmp ne <{lanes} x i8> {value}, zeroinitializer")

    def _to_memory(self, value: str, dtype: Any, lanes: int) -> str:
        if dtype.kind != "b":
            return value
        return self.f.let(f"zext <{lanes} x i1> {value} to <{lanes} x i8>")

    def _load(self, number: int) -> str:
        f, lanes = self.f, self.loop.lanes
        access = self.loop.accesses[number]
        dtype, letter = access.dtype, access.pattern[self.last]
        kind = Vector(memory_scalar(dtype), lanes)
        pointer = self.pointers[number]
        align = dtype.itemsize
        if letter == "0":
            one = f.let(f"load {kind.scalar}, ptr {pointer}, align {align}")
            value = f.splat(kind, one)
        elif letter == "1":
            pointer = element(f, kind.scalar, pointer, self.counter)
            if self.mask is None:
                value = f.let(f"load {kind}, ptr {pointer}, align {align}")
            else:
                value = self._masked_load(kind, pointer, align)
        else:
            value = self._gathered(kind, pointer, align, self._indices(number))
        return self._from_memory(value, dtype, lanes)

    def _masked_load(self, kind: Vector, pointer: str, align: int) -> str:
        name = f"llvm.masked.load.{kind.suffix}.p0"
        mask = kind.of("i1")
        self.f.declarations.add(f"declare {kind} @{name}(ptr, {mask}, {kind})")
        return self.f.let(
            f"call {kind} @{name}(ptr align {align} {pointer}, {mask} {self.mask}, {kind} zeroinitializer)"
        )

    def _indices(self, number: int) -> str:
        """The distances of the lanes' elements from the pointer, in elements."""
        f, lanes = self.f, self.loop.lanes
        kind = Vector("i64", lanes)
        numbers = ", ".join(f"i64 {i}" for i in range(lanes))
        places = f.let(f"add {kind} {f.splat(kind, self.counter)}, <{numbers}>")
        return f.let(f"mul {kind} {places}, {f.splat(kind, self.strides[number][self.last])}")

    def _addresses(self, kind: Vector, pointer: str, indices: str) -> str:
        return self.f.let(f"getelementptr {kind.scalar}, ptr {pointer}, <{kind.lanes} x i64> {indices}")

    def _whole_mask(self, lanes: int) -> str:
        return self.mask or "splat (i1 true)"

    def _gathered(self, kind: Vector, pointer: str, align: int, indices: str) -> str:
        f, mask = self.f, kind.of("i1")
        name = f"llvm.masked.gather.{kind.suffix}.v{kind.lanes}p0"
        f.declarations.add(f"declare {kind} @{name}(<{kind.lanes} x ptr>, {mask}, {kind})")
        addresses = self._addresses(kind, pointer, indices)
        given = f"<{kind.lanes} x ptr> align {align} {addresses}, {mask} {self._whole_mask(kind.lanes)}"
        return f.let(f"call {kind} @{name}({given}, {kind} zeroinitializer)")

    def _store(self, value: str, number: int) -> None:
        f, lanes = self.f, self.loop.lanes
        access = self.loop.accesses[number]
        dtype, letter = access.dtype, access.pattern[self.last]
        kind = Vector(memory_scalar(dtype), lanes)
        mask = kind.of("i1")
        value = self._to_memory(value, dtype, lanes)
        pointer, align = self.pointers[number], dtype.itemsize
        if letter == "1":
            pointer = element(f, kind.scalar, pointer, self.counter)
            if self.mask is None:
                f.do(f"store {kind} {value}, ptr {pointer}, align {align}")
                return
            name = f"llvm.masked.store.{kind.suffix}.p0"
            f.declarations.add(f"declare void @{name}({kind}, ptr, {mask})")
            f.do(f"call void @{name}({kind} {value}, ptr align {align} {pointer}, {mask} {self.mask})")
            return
        if letter == "0":  # a last axis of length 1
            one = f.let(f"extractelement {kind} {value}, i32 0")
            f.do(f"store {kind.scalar} {one}, ptr {pointer}, align {align}")
            return
        name = f"llvm.masked.scatter.{kind.suffix}.v{lanes}p0"
        f.declarations.add(f"declare void @{name}({kind}, <{lanes} x ptr>, {mask})")
        addresses = self._addresses(kind, pointer, self._indices(number))
        f.do(
            f"call void @{name}({kind} {value}, <{lanes} x ptr> align {align} {addresses}, "
            f"{mask} {self._whole_mask(lanes)})"
        )
