"""What runs around the kernels, as native code: the loop over a tape, and the launch of a program.

A tape is rows of four words: the address of a kernel, the address of its record, its extent, and the number of chunks
that the extent is cut into, whoever runs them, so that results do not depend on threads.
"""

from __future__ import annotations

import functools
import platform
from typing import NamedTuple

from adjoint.compile.codegen import forkjoin, kernels
from adjoint.compile.codegen.forkjoin import Pool, nap, word
from adjoint.compile.codegen.text import Function, written

__all__ = ["Native", "Plan", "native"]


class Plan:
    """The places of the words that `launch`, and the entry point above it, are called with."""

    TABLE, FIRST_SLOT, ARGUMENTS, TAPE, COUNT, POOL, RUN, BUSY, LAUNCH, SPECS, RELEASE_LOCK, PARALLEL = range(12)
    NDARRAY, NONE, NOT_IMPLEMENTED, FALSE, INCREMENT, DECREMENT, SAVE, RESTORE, CALL, START = range(12, 22)
    WORDS = 22


class Native(NamedTuple):
    """The addresses of the functions, whose arguments are words and pointers.

    run(table, tape, count, pool)
    timed(run, table, tape, count, pool, ticks)
    fork(pool, kernel, table, record, extent, chunks)
    work(pool, slot), until it is stopped
    stop(pool, slot)
    launch(plan, items, offset) -> status: table[first slot + i] = *(items[i] + offset); run; at most one at a time
    """

    run: int
    timed: int
    fork: int
    work: int
    stop: int
    launch: int


def _clock() -> str:
    """A counter of constant rate: on ARM, programs may not read the one of cycles."""
    steady = platform.machine().lower() in ("aarch64", "arm64")
    return "llvm.readsteadycounter" if steady else "llvm.readcyclecounter"


@functools.cache
def native() -> Native:
    """The functions, compiled at the first use, or loaded."""
    functions = [_run(), _timed(), forkjoin.fork(), forkjoin.work(), forkjoin.stop(), _launch()]
    return Native(*kernels.addresses(functions))


def _run() -> Function:
    body = f"""
    entry:
      %words = shl i64 %count, 2
      %end = getelementptr i64, ptr %tape, i64 %words
      br label %next
    next:
      %row = phi ptr [ %tape, %entry ], [ %following, %done ]
      %finished = icmp eq ptr %row, %end
      br i1 %finished, label %out, label %one
    one:
      %kernel = load ptr, ptr %row, align 8
      {word("%row", 1, "%record_at")}
      %record = load ptr, ptr %record_at, align 8
      {word("%row", 2, "%extent_at")}
      %extent = load i64, ptr %extent_at, align 8
      {word("%row", 3, "%chunks_at")}
      %chunks = load i64, ptr %chunks_at, align 8
      %parallel = icmp sgt i64 %chunks, 1
      br i1 %parallel, label %several, label %alone
    alone:
      call void %kernel(ptr %table, ptr %record, i64 0, i64 %extent)
      br label %done
    several:
      %fork = load ptr, ptr %pool, align 8
      call void %fork(ptr %pool, ptr %kernel, ptr %table, ptr %record, i64 %extent, i64 %chunks)
      br label %done
    done:
      {word("%row", 4, "%following")}
      br label %next
    out:
      ret void
    """
    return written("ptr %table, ptr %tape, i64 %count, ptr %pool", body)


def _timed() -> Function:
    body = f"""
    entry:
      %any = icmp sgt i64 %count, 0
      br i1 %any, label %one, label %out
    one:
      %index = phi i64 [ 0, %entry ], [ %following, %one ]
      %place = shl i64 %index, 2
      %row = getelementptr i64, ptr %tape, i64 %place
      %begin = call i64 @{_clock()}()
      call void %run(ptr %table, ptr %row, i64 1, ptr %pool)
      %end = call i64 @{_clock()}()
      %passed = sub i64 %end, %begin
      %tick = getelementptr i64, ptr %ticks, i64 %index
      store i64 %passed, ptr %tick, align 8
      %following = add i64 %index, 1
      %more = icmp slt i64 %following, %count
      br i1 %more, label %one, label %out
    out:
      ret void
    """
    arguments = "ptr %run, ptr %table, ptr %tape, i64 %count, ptr %pool, ptr %ticks"
    return written(arguments, body, declarations=[f"declare i64 @{_clock()}()"])


def _launch() -> Function:
    loads = "".join(
        f"""
      {word("%plan", place, f"%{name}_at")}
      %{name} = load {kind}, ptr %{name}_at, align 8"""
        for place, kind, name in [
            (Plan.TABLE, "ptr", "table"),
            (Plan.FIRST_SLOT, "i64", "first"),
            (Plan.ARGUMENTS, "i64", "arguments"),
            (Plan.TAPE, "ptr", "tape"),
            (Plan.COUNT, "i64", "count"),
            (Plan.POOL, "ptr", "pool"),
            (Plan.RUN, "ptr", "run"),
        ]
    )
    # A plan in use holds the generation of the process: what a fork caught in use is free in the child.
    body = f"""
    entry:
      {loads}
      {word("%pool", Pool.GENERATION, "%generation_at")}
      %generation = load i64, ptr %generation_at, align 8
      {word("%plan", Plan.BUSY, "%busy_at")}
      %slots = getelementptr ptr, ptr %table, i64 %first
      br label %look
    look:
      %holder = load atomic i64, ptr %busy_at monotonic, align 8
      %busy = icmp eq i64 %holder, %generation
      br i1 %busy, label %wait, label %try
    wait:
      {nap("%pool")}
      br label %look
    try:
      %tried = cmpxchg ptr %busy_at, i64 %holder, i64 %generation acquire monotonic, align 8
      %mine = extractvalue {{ i64, i1 }} %tried, 1
      br i1 %mine, label %fill, label %look
    fill:
      %index = phi i64 [ 0, %try ], [ %index_next, %copy ]
      %filled = icmp eq i64 %index, %arguments
      br i1 %filled, label %go, label %copy
    copy:
      %item_at = getelementptr ptr, ptr %items, i64 %index
      %item = load ptr, ptr %item_at, align 8
      %base_at = getelementptr i8, ptr %item, i64 %offset
      %base = load ptr, ptr %base_at, align 8
      %slot = getelementptr ptr, ptr %slots, i64 %index
      store ptr %base, ptr %slot, align 8
      %index_next = add i64 %index, 1
      br label %fill
    go:
      %arena = load ptr, ptr %table, align 8
      store i64 0, ptr %arena, align 8
      call void %run(ptr %table, ptr %tape, i64 %count, ptr %pool)
      %status = load i64, ptr %arena, align 8
      store i64 0, ptr %arena, align 8
      store atomic i64 0, ptr %busy_at release, align 8
      ret i64 %status
    """
    return written("ptr %plan, ptr %items, i64 %offset", body, returns="i64")
