"""Cutting one kernel's extent among threads: the caller's fork and join, and the loop of the workers.

The pool is *claiming*: its state counts down the chunks that nobody has taken yet, the caller takes chunks as the
workers do, and waits at the end for taken ones only. So a worker that is late, asleep or dead costs nothing, and no
kernel runs on once the call has returned. The first chunk is always the caller's: where there are as many chunks as
threads, the same rows of one kernel after the other stay with a thread, and in its cache. The words of the job are read
after a successful claim alone, when they cannot change. All words of a pool have 64 bits; those that are written often
have a cache line each.
"""

from __future__ import annotations

import platform

from adjoint.compile.codegen.text import Function, written

__all__ = ["SLOT_WORDS", "Pool", "fork", "nap", "stop", "word", "work"]


class Pool:
    """The places of a pool's words. `ready` is 0 if workers are to be started before the next parallel kernel."""

    FORK, WORKERS, SPINS, READY, GENERATION, ACQUIRE, ACQUIRE_TIMED, RELEASE, HELD = range(9)
    BUSY = 16  # one job at a time
    STATE = 32  # the number of the job << 32 | chunks that are not taken
    JOB = 33  # kernel, table, record, extent, chunks: in the line of the state, which a claim has just brought
    DONE = 48  # chunks that workers have finished
    SLOTS = 64  # for each worker: PARKED, STOP, LOCK
    PARKED, STOP, LOCK = range(3)


SLOT_WORDS = 16


def word(pointer: str, place: int, name: str) -> str:
    """The line that makes `name` the address of a word."""
    return f"{name} = getelementptr i64, ptr {pointer}, i64 {place}"


def _pause() -> tuple[str, list[str]]:
    """What a thread does between two looks at a word, and its declaration."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return "call void @llvm.x86.sse2.pause()", ["declare void @llvm.x86.sse2.pause()"]
    if machine in ("aarch64", "arm64"):
        return "call void @llvm.aarch64.hint(i32 1)", ["declare void @llvm.aarch64.hint(i32)"]
    return "", []


def nap(pool: str) -> str:
    """The lines that sleep for 50 µs: waiting for a lock that nobody will release is sleeping on every system."""
    return f"""
      {word(pool, Pool.ACQUIRE_TIMED, "%timed_at")}
      %timed = load ptr, ptr %timed_at, align 8
      {word(pool, Pool.HELD, "%held_at")}
      %held = load ptr, ptr %held_at, align 8
      %slept = call i32 %timed(ptr %held, i64 50, i32 0)
    """


def _chunk(number: str) -> str:
    """The lines that run one chunk of %extent / %chunks."""
    return f"""
      %from_product = mul i64 %extent, {number}
      %from = udiv i64 %from_product, %chunks
      %to_product = add i64 %from_product, %extent
      %to = udiv i64 %to_product, %chunks
      call void %kernel(ptr %table, ptr %record, i64 %from, i64 %to)
    """


def fork() -> Function:
    """The function that runs a kernel in chunks, with the workers that are free."""
    pause, declarations = _pause()
    job = "".join(
        f"""
      {word("%pool", Pool.JOB + place, f"%job{place}")}
      store {what}, ptr %job{place}, align 8"""
        for place, what in enumerate(["ptr %kernel", "ptr %table", "ptr %record", "i64 %extent", "i64 %chunks"])
    )
    body = f"""
    entry:
      {word("%pool", Pool.WORKERS, "%workers_at")}
      {word("%pool", Pool.BUSY, "%busy_at")}
      {word("%pool", Pool.STATE, "%state_at")}
      {word("%pool", Pool.DONE, "%done_at")}
      %workers = load i64, ptr %workers_at, align 8
      %none = icmp eq i64 %workers, 0
      br i1 %none, label %alone, label %try
    try:
      %busy = atomicrmw xchg ptr %busy_at, i64 1 acquire, align 8
      %taken = icmp ne i64 %busy, 0
      br i1 %taken, label %alone, label %publish

    alone:
      br label %each
    each:
      %number = phi i64 [ 0, %alone ], [ %number_next, %each ]
      {_chunk("%number")}
      %number_next = add i64 %number, 1
      %more = icmp slt i64 %number_next, %chunks
      br i1 %more, label %each, label %out

    publish:
      {job}
      store atomic i64 0, ptr %done_at monotonic, align 8
      %last = load atomic i64, ptr %state_at monotonic, align 8
      %job = and i64 %last, -4294967296
      %job_next = add i64 %job, 4294967296
      %shared = sub i64 %chunks, 1
      %open = or i64 %job_next, %shared
      %before = atomicrmw xchg ptr %state_at, i64 %open seq_cst, align 8
      br label %wake
    wake:
      %slot_number = phi i64 [ 0, %publish ], [ %slot_next, %awake ]
      %all = icmp eq i64 %slot_number, %workers
      br i1 %all, label %first, label %look
    look:
      %slot_words = mul i64 %slot_number, {SLOT_WORDS}
      %slot_place = add i64 %slot_words, {Pool.SLOTS}
      %slot = getelementptr i64, ptr %pool, i64 %slot_place
      %slot_next = add i64 %slot_number, 1
      %parked = load atomic i64, ptr %slot seq_cst, align 8
      %asleep = icmp eq i64 %parked, 1
      br i1 %asleep, label %rouse, label %awake
    rouse:
      %roused = cmpxchg ptr %slot, i64 1, i64 0 seq_cst seq_cst, align 8
      %mine = extractvalue {{ i64, i1 }} %roused, 1
      br i1 %mine, label %release, label %awake
    release:
      {word("%slot", Pool.LOCK, "%lock_at")}
      %lock = load ptr, ptr %lock_at, align 8
      {word("%pool", Pool.RELEASE, "%release_at")}
      %release_lock = load ptr, ptr %release_at, align 8
      call void %release_lock(ptr %lock)
      br label %awake
    awake:
      %now = load atomic i64, ptr %state_at monotonic, align 8
      %now_left = and i64 %now, 4294967295
      %gone = icmp eq i64 %now_left, 0
      br i1 %gone, label %first, label %wake

    first:
      {_chunk("0").replace("%from", "%first_from").replace("%to", "%first_to")}
      br label %claim

    claim:
      %own = phi i64 [ 1, %first ], [ %own, %attempt ], [ %own_next, %take ]
      %state = load atomic i64, ptr %state_at monotonic, align 8
      %left = and i64 %state, 4294967295
      %empty = icmp eq i64 %left, 0
      br i1 %empty, label %settle, label %attempt
    attempt:
      %state_next = sub i64 %state, 1
      %claimed = cmpxchg ptr %state_at, i64 %state, i64 %state_next acq_rel monotonic, align 8
      %got = extractvalue {{ i64, i1 }} %claimed, 1
      br i1 %got, label %take, label %claim
    take:
      %chunk = sub i64 %chunks, %left
      {_chunk("%chunk").replace("%from", "%own_from").replace("%to", "%own_to")}
      %own_next = add i64 %own, 1
      br label %claim

    settle:
      %others = sub i64 %chunks, %own
      br label %join
    join:
      %spins = phi i64 [ 0, %settle ], [ %spins_next, %spin ], [ %spins, %sleep ]
      %done = load atomic i64, ptr %done_at acquire, align 8
      %complete = icmp eq i64 %done, %others
      br i1 %complete, label %close, label %wait
    wait:
      %patient = icmp slt i64 %spins, 5000
      br i1 %patient, label %spin, label %sleep
    spin:
      {pause}
      %spins_next = add i64 %spins, 1
      br label %join
    sleep:
      {nap("%pool")}
      br label %join
    close:
      store atomic i64 0, ptr %busy_at release, align 8
      br label %out
    out:
      ret void
    """
    arguments = "ptr %pool, ptr %kernel, ptr %table, ptr %record, i64 %extent, i64 %chunks"
    return written(arguments, body, declarations=declarations)


def work() -> Function:
    """The loop of a worker: it claims chunks, and sleeps when there were none for a while."""
    pause, declarations = _pause()
    loads = "".join(
        f"""
      {word("%pool", Pool.JOB + place, f"%job{place}")}
      %{name} = load {kind}, ptr %job{place}, align 8"""
        for place, (kind, name) in enumerate(
            [("ptr", "kernel"), ("ptr", "table"), ("ptr", "record"), ("i64", "extent"), ("i64", "chunks")]
        )
    )
    body = f"""
    entry:
      {word("%pool", Pool.STATE, "%state_at")}
      {word("%pool", Pool.DONE, "%done_at")}
      {word("%pool", Pool.SPINS, "%limit_at")}
      {word("%slot", Pool.STOP, "%stop_at")}
      br label %look
    look:
      %spins = phi i64 [ 0, %entry ], [ %more, %idle ], [ 0, %attempt ], [ 0, %take ], [ 0, %unpark ], [ 0, %sleep ]
      %stop = load atomic i64, ptr %stop_at acquire, align 8
      %stopped = icmp ne i64 %stop, 0
      br i1 %stopped, label %out, label %see
    see:
      %state = load atomic i64, ptr %state_at acquire, align 8
      %left = and i64 %state, 4294967295
      %empty = icmp eq i64 %left, 0
      br i1 %empty, label %idle, label %attempt
    attempt:
      %state_next = sub i64 %state, 1
      %claimed = cmpxchg ptr %state_at, i64 %state, i64 %state_next acq_rel monotonic, align 8
      %got = extractvalue {{ i64, i1 }} %claimed, 1
      br i1 %got, label %take, label %look
    take:
      {loads}
      %chunk = sub i64 %chunks, %left
      {_chunk("%chunk")}
      %finished = atomicrmw add ptr %done_at, i64 1 release, align 8
      br label %look

    idle:
      {pause}
      %more = add i64 %spins, 1
      %limit = load atomic i64, ptr %limit_at monotonic, align 8
      %patient = icmp slt i64 %more, %limit
      br i1 %patient, label %look, label %park
    park:
      store atomic i64 1, ptr %slot seq_cst, align 8
      %state_again = load atomic i64, ptr %state_at seq_cst, align 8
      %left_again = and i64 %state_again, 4294967295
      %stop_again = load atomic i64, ptr %stop_at seq_cst, align 8
      %reasons = or i64 %left_again, %stop_again
      %quiet = icmp eq i64 %reasons, 0
      br i1 %quiet, label %sleep, label %unpark
    unpark:
      %unparked = cmpxchg ptr %slot, i64 1, i64 0 seq_cst seq_cst, align 8
      %mine = extractvalue {{ i64, i1 }} %unparked, 1
      br i1 %mine, label %look, label %sleep
    sleep:
      {word("%pool", Pool.ACQUIRE, "%acquire_at")}
      %acquire = load ptr, ptr %acquire_at, align 8
      {word("%slot", Pool.LOCK, "%lock_at")}
      %lock = load ptr, ptr %lock_at, align 8
      %acquired = call i32 %acquire(ptr %lock, i32 1)
      br label %look
    out:
      ret void
    """
    return written("ptr %pool, ptr %slot", body, declarations=declarations)


def stop() -> Function:
    """The function that tells a worker to end, and wakes it for that."""
    body = f"""
    entry:
      {word("%slot", Pool.STOP, "%stop_at")}
      store atomic i64 1, ptr %stop_at seq_cst, align 8
      %roused = cmpxchg ptr %slot, i64 1, i64 0 seq_cst seq_cst, align 8
      %mine = extractvalue {{ i64, i1 }} %roused, 1
      br i1 %mine, label %release, label %out
    release:
      {word("%slot", Pool.LOCK, "%lock_at")}
      %lock = load ptr, ptr %lock_at, align 8
      {word("%pool", Pool.RELEASE, "%release_at")}
      %release_lock = load ptr, ptr %release_at, align 8
      call void %release_lock(ptr %lock)
      br label %out
    out:
      ret void
    """
    return written("ptr %pool, ptr %slot", body)
