"""A program as native code: one tape, or several with operations between them for which there is no kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.codegen import kernels
from adjoint.compile.codegen.entry import ArgumentSpec, make_entry
from adjoint.compile.codegen.runtime import TAPE_WORDS, aligned_buffer, run, run_timed
from adjoint.compile.lowering import Call, Lowered, Operand
from adjoint.compile.moving import CHECKS
from adjoint.compile.schedule import Schedule
from adjoint.program import Instruction
from adjoint.program.operations import OPERATIONS

__all__ = ["NativeProgram"]

_RELEASE_LOCK_FROM = 2e6  # floating point operations, some 20 µs


class NativeProgram:
    """The tapes of a program, its memory, and the call that runs them.

    `replaces` says that outputs may lie where inputs do: what comes after the last check is then a tape of its own.

    run: called with arrays as `specs` say; None, or NotImplemented for an array that does not fit, or False where a
        check failed
    """

    def __init__(self, schedule: Schedule, lowered: Lowered, specs: Sequence[ArgumentSpec], replaces: bool) -> None:
        self.schedule = schedule
        self.lowered = lowered
        self.specs = list(specs)
        before = kernels.counts()
        addresses = iter(kernels.addresses([call.function for call in lowered.calls if call.function is not None]))
        self.kernel_counts = kernels.counts() - before
        self.arena = aligned_buffer(max(lowered.arena, 64))
        self.arena[:64] = 0
        self.table = np.zeros(1 + len(specs), np.int64)
        self.table[0] = self.arena.ctypes.data
        self.records: list[Any] = []
        self.hosts: list[Call | None] = []  # between two tapes; None where only the status is to be seen
        rows: list[list[list[int]]] = [[]]
        last_check = max((i for i, call in enumerate(lowered.calls) if call.title in CHECKS), default=-1)
        for i, call in enumerate(lowered.calls):
            if call.function is None:
                self.hosts.append(call)
                rows.append([])
                continue
            if i == last_check + 1 and i > 0 and replaces:
                self.hosts.append(None)
                rows.append([])
            record = np.array([word for part in call.record for word in _words(part, lowered)], np.int64)
            self.records.append(record)
            rows[-1].append([next(addresses), record.ctypes.data, call.extent, call.chunks])
        self.tapes = [np.array(part, np.int64).reshape(-1, TAPE_WORDS) for part in rows]
        releases = not self.hosts and sum(call.flops for call in lowered.calls) > _RELEASE_LOCK_FROM
        owners = (self.arena, self.records)
        self.entry = make_entry(self.specs, self.table, self.tapes[0], releases, owners=owners)
        self.run: Any = self._run_with_hosts if self.hosts else self.entry

    def _run_with_hosts(self, *given: Any) -> Any:
        answer = self.entry(*given)
        if answer is not None:
            return answer
        for host, tape in zip(self.hosts, self.tapes[1:], strict=True):
            if host is not None and not self._host(host, given):
                return False
            run(self.table, tape)
            if self.arena[0]:
                self.arena[0] = 0
                return False
        return None

    def _host(self, call: Call, given: Sequence[Any]) -> bool:
        """Runs an operation by NumPy; False where a check fails."""
        x = call.instruction
        assert x is not None
        inputs = [self._array(read, given) for read in call.inputs]
        try:
            with np.errstate(all="ignore"):
                result = OPERATIONS[x.op].evaluate(numpy_namespace, *inputs, *x.params)
        except IndexError:
            return False
        if x.op == "require" and not np.all(result):
            return False
        self._array(x, given)[...] = result
        return True

    def _array(self, value: Instruction, given: Sequence[Any]) -> Any:
        """A value that lies in memory, as an array."""
        layout = self.schedule.layouts[value]
        root = layout.root
        size = root.size * root.dtype.itemsize
        if root in self.lowered.slots:
            argument, offset = self.lowered.slots[root]
            base = given[argument].reshape(-1).view(np.uint8)[offset : offset + size]
        else:
            begin = self.lowered.offsets[root]
            base = self.arena[begin : begin + size]
        flat = base.view(root.dtype)
        strides = tuple(step * root.dtype.itemsize for step in layout.strides)
        return np.lib.stride_tricks.as_strided(flat[layout.offset :], layout.shape, strides)

    def timings(self, times: int = 5) -> list[float]:
        """The nanoseconds of each kernel that is native, the median of several runs on zeros."""
        given = [np.zeros(spec.shape, spec.dtype) for spec in self.specs]
        for i, array in enumerate(given):
            self.table[1 + i] = array.ctypes.data
        runs = []
        for _ in range(times + 1):
            spent = [run_timed(self.table, tape) if len(tape) else [] for tape in self.tapes]
            runs.append([nanoseconds for part in spent for nanoseconds in part])
        return [float(x) for x in np.median(runs[1:], axis=0)]


def _words(part: Any, lowered: Lowered) -> tuple[int, ...]:
    """A part of a record as numbers: an operand is its slot and its offset."""
    if not isinstance(part, Operand):
        return (part,)
    if part.root in lowered.slots:
        argument, offset = lowered.slots[part.root]
        return argument + 1, offset + part.offset
    return 0, lowered.offsets[part.root] + part.offset
