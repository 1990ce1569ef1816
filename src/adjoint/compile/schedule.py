"""Kernels from instructions: what is fused with what, and in which order kernels run.

Instructions are taken in their order. An elementwise one or a reduction joins a loop over the same range of indices
that comes late enough for its inputs, best the one that makes them; any other operation is a kernel of its own.
What a later kernel, a view or the caller needs is stored.
"""

from __future__ import annotations

from adjoint.compile.layout import Layout, contiguous_strides, view
from adjoint.compile.passes.rewriting import users
from adjoint.compile.plan import CHECKS
from adjoint.compile.scheduled import REDUCTIONS, Kernel, LoopKernel, Schedule, is_complex, is_fusable
from adjoint.program import Instruction, Program
from adjoint.program.operations import OPERATIONS

__all__ = ["make_schedule"]

_VIEWS = frozenset(name for name, operation in OPERATIONS.items() if operation.kind == "view")
_MOST_MEMBERS = 96
_MOST_ACCESSES = 40
_CHEAP = frozenset("add sub mul neg cast eq ne lt le gt ge".split())
_CHEAP_NUMBERS = _CHEAP | {"div", "sqrt", "maximum", "minimum", "pow"}  # which a loop makes once
_MOST_ON_NUMBERS = 24  # operations that are made again
_MOST_ON_ARRAYS = 6


class _Scheduler:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.instructions = program.instructions()
        self.readers = users(self.instructions)
        self.kernels: list[Kernel | LoopKernel] = []
        self.ready: dict[Instruction, int] = dict.fromkeys(program.inputs, -1)  # the kernel that makes a value
        self.member: dict[Instruction, int] = {}  # of a loop, elementwise: may be read in it
        self.layouts: dict[Instruction, Layout] = {}
        self.stored: set[Instruction] = set()
        self.placed: dict[Instruction, tuple[Instruction, int, int]] = {}
        self.stand_ins: dict[Instruction, Instruction] = {}
        self.by_domain: dict[tuple[int, ...], list[int]] = {}
        self.cheap: set[Instruction] = set()  # made again in each loop that reads them

    def run(self) -> Schedule:
        for instruction in self.program.inputs:
            self._own_memory(instruction)
        self._place_parts()
        for instruction in self.instructions:
            self._take(instruction)
        outputs = self._outputs()
        for check in self.program.keep:
            self._store(check)
        self._last_updates()
        return Schedule(self.program, self.kernels, self.stored, self.layouts, outputs, self.stand_ins)

    # One instruction

    def _take(self, x: Instruction) -> None:
        if x.op == "constant":
            self.ready[x] = -1
        elif x.op in _VIEWS:
            self._take_view(x)
        elif is_fusable(x):
            self._take_fusable(x)
        elif x.op == "concat" and not is_complex(x):
            self._take_join(x)
        elif x.op == "place" and not is_complex(x):
            self._take_place(x)
        else:
            self._take_other(x)

    def _take_view(self, x: Instruction) -> None:
        source = self._read(x.inputs[0])
        if source.op == "constant":  # a constant in any shape stays one for loops; others store it
            self.stand_ins[x] = source
            self.ready[x] = -1
            return
        self._store(source)
        layout = view(x.op, x.params, self.layouts[source], x.shape)
        if layout is None:
            source = self._copy(source, source.shape)
            layout = view(x.op, x.params, self.layouts[source], x.shape)
            assert layout is not None
        self.layouts[x] = layout
        self.ready[x] = self.ready[source]

    def _copy(self, x: Instruction, shape: tuple[int, ...]) -> Instruction:
        """A contiguous copy of a view, or an array of a constant."""
        copy = Instruction("copy", (x,), (), shape, x.dtype)
        if is_complex(x):
            self._copy_by_numpy(copy)
        else:
            self._take_fusable(copy)
            self._store(copy)
        return copy

    def _copy_by_numpy(self, copy: Instruction) -> None:
        """Takes a copy of complex numbers, which no loop moves."""
        (source,) = copy.inputs
        if source.op != "constant":
            self._store(source)
        if copy not in self.layouts:
            self._own_memory(copy)
        self.stored.add(copy)
        self.kernels.append(Kernel(copy, [source]))
        self.ready[copy] = len(self.kernels) - 1

    def _read(self, x: Instruction) -> Instruction:
        return self.stand_ins.get(x, x)

    def _take_fusable(self, x: Instruction) -> None:
        if self._is_cheap(x):
            self.cheap.add(x)
        else:
            self._put_in_loop(x)

    def _put_in_loop(self, x: Instruction) -> None:
        reduces = x.op in REDUCTIONS
        domain = x.inputs[0].shape if reduces else x.shape
        earliest, join_at = self._earliest(x, domain)
        number = self._loop_for(domain, earliest, join_at)
        kernel = self.kernels[number]
        assert isinstance(kernel, LoopKernel)
        self._include_inputs(kernel, x)
        kernel.add(x)
        self.ready[x] = number
        if reduces:
            self._store(x)
        else:
            self.member[x] = number

    def _is_cheap(self, x: Instruction) -> bool:
        """Whether loops that read a value make it again: a few operations on numbers, or on one array, which is then
        read instead of it."""
        if x.op not in (_CHEAP_NUMBERS if x.size == 1 else _CHEAP) or x in self.placed:
            return False
        leaves: set[Instruction] = set()
        count = 0
        level = [x]
        while level:
            count += 1
            for read in map(self._read, level.pop().inputs):
                if read in self.cheap:
                    level.append(read)
                elif read.op != "constant":
                    leaves.add(read)
        arrays = [leaf for leaf in leaves if leaf.size != 1]
        if x.size == 1:
            in_memory = all(leaf.op == "input" or leaf in self.layouts for leaf in leaves)
            return in_memory and not arrays and count < _MOST_ON_NUMBERS
        return len(arrays) == 1 and arrays[0].shape == x.shape and count < _MOST_ON_ARRAYS

    def _leaves(self, x: Instruction) -> list[Instruction]:
        """What a loop that makes x again reads."""
        if x not in self.cheap:
            return [x]
        return [leaf for read in x.inputs for leaf in self._leaves(self._read(read))]

    def _include_inputs(self, kernel: LoopKernel, x: Instruction) -> None:
        """Makes what x reads at hand in a loop: made there, made again, or stored by the loop that makes it."""
        for read in map(self._read, x.inputs):
            if read in kernel.inside or read.op == "constant":
                continue
            if read in self.cheap:
                self._include_inputs(kernel, read)
                kernel.add(read, again=True)
            else:
                self._store(read)

    def _earliest(self, x: Instruction, domain: tuple[int, ...]) -> tuple[int, int]:
        """The first kernel that may compute x, and the loop that makes one of its inputs in the same range."""
        earliest, join_at = 0, -1
        for read in (leaf for given in x.inputs for leaf in self._leaves(self._read(given))):
            made = self.ready[read]
            if made < 0:
                continue
            number = self.member.get(read, -1)
            if number >= 0 and read.shape == domain:
                earliest = max(earliest, number)
                join_at = max(join_at, number)
            else:
                earliest = max(earliest, made + 1)
        return earliest, join_at

    def _loop_for(self, domain: tuple[int, ...], earliest: int, join_at: int) -> int:
        """The loop that a value joins: where its inputs are made, else the last over the same range, else a new one."""
        candidates = self.by_domain.setdefault(domain, [])
        if join_at >= earliest and self._has_room(join_at):
            return join_at
        for number in reversed(candidates):
            if number < earliest:
                break
            if self._has_room(number):
                return number
        kernel = LoopKernel(domain)
        self.kernels.append(kernel)
        candidates.append(len(self.kernels) - 1)
        return len(self.kernels) - 1

    def _has_room(self, number: int) -> bool:
        kernel = self.kernels[number]
        assert isinstance(kernel, LoopKernel)
        if len(kernel.members) >= _MOST_MEMBERS:
            return False
        return len(kernel.outside) + 2 < _MOST_ACCESSES

    def _take_join(self, x: Instruction) -> None:
        if x not in self.layouts:
            if x in self.placed:
                self.layouts[x] = self._place_layout(x)
            else:
                self._own_memory(x)
        axis = x.params[0]
        start = 0
        made = 0
        for given in x.inputs:
            part = self._read(given)
            place = self.placed.get(part)
            if place is not None and place[0] is x and place[2] == start:
                self._store(part)
            else:
                part = self._copied_to(x, part, axis, start, given.shape)
            made = max(made, self.ready[part])
            start += given.shape[axis]
        self.ready[x] = made

    def _copied_to(
        self, root: Instruction, part: Instruction, axis: int, start: int, shape: tuple[int, ...]
    ) -> Instruction:
        """A copy of a part at its place in a join."""
        copy = Instruction("copy", (part,), (), shape, part.dtype)
        self.placed[copy] = (root, axis, start)
        self.layouts[copy] = self._place_layout(copy)
        self._take_fusable(copy)
        self.stored.add(copy)
        return copy

    def _place_layout(self, part: Instruction) -> Layout:
        root, axis, start = self.placed[part]
        if root not in self.layouts:
            if root in self.placed:
                self.layouts[root] = self._place_layout(root)
            else:
                self._own_memory(root)
        whole = self.layouts[root]
        return Layout(whole.root, whole.offset + start * whole.strides[axis], whole.strides, part.shape)

    def _take_place(self, x: Instruction) -> None:
        """Zeros, then the values at their place."""
        ranges, shape = x.params
        zero = Instruction("constant", (), (0, x.dtype), (), x.dtype)
        self.ready[zero] = -1
        filled = Instruction("copy", (zero,), (), shape, x.dtype)
        self._own_memory(x)
        self.layouts[filled] = Layout(x, 0, self.layouts[x].strides, shape)
        self._take_fusable(filled)
        self.stored.add(filled)
        copy = Instruction("copy", (self._read(x.inputs[0]), filled), (), x.inputs[0].shape, x.dtype)
        layout = view("slice", (ranges,), self.layouts[x], copy.shape)
        assert layout is not None
        self.layouts[copy] = layout
        self.member.pop(filled, None)
        self._take_fusable(copy)
        self.stored.add(copy)
        self.ready[x] = self.ready[copy]

    def _take_other(self, x: Instruction) -> None:
        if x.op == "scatter_add":
            operands = [self._filled_first(x, self._read(x.inputs[0])), *map(self._whole, x.inputs[1:])]
        else:
            operands = [self._whole(read) for read in x.inputs]
        for i, read in enumerate(operands):
            self._store(read)
            if x.op not in ("matmul", "matmul_add") and not self.layouts[read].is_contiguous:
                operands[i] = self._copy(read, read.shape)
        if x.op == "matmul_add":
            total = self.layouts[operands[0]]
            self.layouts[x] = Layout(total.root, total.offset, total.strides, x.shape)
        elif x not in self.layouts:
            self._own_memory(x)
        self.stored.add(x)
        self.kernels.append(Kernel(x, operands))
        self.ready[x] = len(self.kernels) - 1

    def _whole(self, x: Instruction) -> Instruction:
        """x, or, for a constant in some shape, an array of it."""
        value = self._read(x)
        return self._copy(value, x.shape) if value.op == "constant" else value

    def _filled_first(self, x: Instruction, start: Instruction) -> Instruction:
        """What is added to, copied to where the result will be."""
        copy = Instruction("copy", (start,), (), x.shape, x.dtype)
        self._own_memory(x)
        self.layouts[copy] = self.layouts[x]
        if is_complex(x):
            self._copy_by_numpy(copy)
            return copy
        self._take_fusable(copy)
        self.stored.add(copy)
        self.member.pop(copy)
        return copy

    # Memory

    def _own_memory(self, x: Instruction) -> None:
        self.layouts[x] = Layout(x, 0, contiguous_strides(x.shape), x.shape)

    def _store(self, x: Instruction) -> None:
        """Keeps a value in memory."""
        if x in self.cheap:
            self.cheap.remove(x)
            self._put_in_loop(x)
        if x in self.stored or x.op in _VIEWS or x.op == "input":
            return
        self.stored.add(x)
        if x in self.layouts:
            return
        if x in self.placed:
            self.layouts[x] = self._place_layout(x)
        else:
            self._own_memory(x)

    def _place_parts(self) -> None:
        """Decides which values are computed right at their place in a join: those with no other need of a place."""
        results = {*self.program.outputs, *self.program.keep}
        for x in reversed(self.instructions):
            if x.op != "concat" or is_complex(x):
                continue
            start = 0
            for part in x.inputs:
                readers = self.readers[part]
                free = part not in results and part not in self.placed and readers.count(x) == 1
                if part.op in REDUCTIONS and len(part.shape) > 1:
                    free = False  # reductions set their memory as one piece
                if (
                    free
                    and (is_fusable(part) or part.op == "concat")
                    and all(reader.op != "reshape" for reader in readers)
                ):
                    self.placed[part] = (x, x.params[0], start)
                start += part.shape[x.params[0]]

    def _outputs(self) -> list[Instruction]:
        """For each output a value of its own whose memory is the caller's array."""
        taken: set[Instruction] = set()
        outputs = []
        for x in self.program.outputs:
            value = self._read(x)
            if value.op == "constant":
                value = self._copy(value, x.shape)
            else:
                self._store(value)
                layout = self.layouts[value]
                root = layout.root
                whole = layout.is_contiguous and root.op != "input" and layout.offset == 0 and root.size == value.size
                if not whole or root in taken or self.layouts[root].root is not root:
                    value = self._copy(value, x.shape)
            root = self.layouts[value].root
            taken.add(root)
            outputs.append(root)
        return outputs

    def _last_updates(self) -> None:
        """Moves kernels whose results no kernel reads to the end: they replace what others read, and follow checks."""
        producer: dict[Instruction, int] = {}
        for number, kernel in enumerate(self.kernels):
            for result in kernel.results:
                producer.setdefault(result, number)
        needed: set[int] = set()
        for number in range(len(self.kernels) - 1, -1, -1):
            for read in self.kernels[number].reads():
                value = self._read(read)
                root = self.layouts[value].root if value in self.layouts else value
                for maker in (producer.get(value), producer.get(root)):
                    if maker is not None and maker != number:
                        needed.add(maker)
        roots: dict[Instruction, list[int]] = {}
        for number, kernel in enumerate(self.kernels):
            for result in kernel.results:
                if result in self.layouts:
                    roots.setdefault(self.layouts[result].root, []).append(number)
        for makers in roots.values():
            if len(makers) > 1:  # parts of one array: all stay in their order
                needed.update(makers)
        checks = {i for i, k in enumerate(self.kernels) if isinstance(k, Kernel) and k.instruction.op in CHECKS}
        first = [k for i, k in enumerate(self.kernels) if i in needed or i in checks]
        self.kernels = first + [k for i, k in enumerate(self.kernels) if not (i in needed or i in checks)]


def make_schedule(program: Program) -> Schedule:
    """The kernels of a program."""
    return _Scheduler(program).run()
