"""A plan as native code: one tape, or several with something between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compile.codegen.entry import make_entry
from adjoint.compile.codegen.runtime import TAPE_WORDS, aligned_buffer, run, run_timed
from adjoint.compile.plan import Plan

__all__ = ["Between", "NativeProgram"]

_RELEASE_LOCK_FROM = 2e6  # floating point operations, some 20 µs

# Runs an operation by NumPy: called with the arena and the arguments, False where a check fails.
Between = Callable[[Any, Sequence[Any]], bool]


class NativeProgram:
    """The tapes of a plan, its memory, and the call that runs them.

    run: called with arrays as the plan says; None, or NotImplemented for an array that does not fit, or False where
        a check failed
    """

    def __init__(self, plan: Plan, addresses: dict[str, int], between: Sequence[Between | None]) -> None:
        self.plan = plan
        self.arena = aligned_buffer(max(plan.arena, 64))
        self.arena[:64] = 0
        self.table = np.zeros(1 + len(plan.specs), np.int64)
        self.table[0] = self.arena.ctypes.data
        self.between = list(between)  # of two tapes; None where only the status is to be seen
        words = [word for row in plan.rows() for word in row.record]
        records = np.array(words, np.int64)
        place = records.ctypes.data
        self.tapes = []
        for segment in plan.segments:
            rows = []
            for row in segment:
                if row.kernel:
                    rows.append([addresses[row.kernel], place, row.extent, row.chunks])
                place += 8 * len(row.record)
            self.tapes.append(np.array(rows, np.int64).reshape(-1, TAPE_WORDS))
        alone = len(self.tapes) == 1
        releases = alone and sum(row.flops for row in plan.rows()) > _RELEASE_LOCK_FROM
        self.entry = make_entry(plan.specs, self.table, self.tapes[0], releases, owners=(self.arena, records))
        self.run: Any = self.entry if alone else self._run_segments
        self._records = records

    def _run_segments(self, *given: Any) -> Any:
        answer = self.entry(*given)
        if answer is not None:
            return answer
        status = self.arena[:8].view(np.int64)
        for operation, tape in zip(self.between, self.tapes[1:], strict=True):
            if operation is not None and not operation(self.arena, given):
                return False
            run(self.table, tape)
            if status[0]:
                status[0] = 0
                return False
        return None

    def timings(self, times: int = 5) -> list[float]:
        """The nanoseconds of each kernel, in the order of the plan, the median of several runs on zeros."""
        given = [np.zeros(spec.shape, spec.dtype) for spec in self.plan.specs]
        for i, array in enumerate(given):
            self.table[1 + i] = array.ctypes.data
        runs = []
        for _ in range(times + 1):
            spent = [run_timed(self.table, tape) if len(tape) else [] for tape in self.tapes]
            runs.append([nanoseconds for part in spent for nanoseconds in part])
        self.arena[:8] = 0
        measured = iter(np.median(runs[1:], axis=0).tolist())
        return [next(measured) if row.kernel else 0.0 for row in self.plan.rows()]
