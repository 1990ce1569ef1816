"""What the tests of native code share: kernels with visible effects, tables and tapes for them, forks, and scripts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from adjoint.compile.codegen import kernels
from adjoint.compile.codegen.entry import ArgumentSpec, make_entry
from adjoint.compile.codegen.runtime import aligned_buffer
from adjoint.compile.codegen.text import written

KERNEL = "ptr %table, ptr %record, i64 %begin, i64 %end"
_LOOP = """
entry:
  %factor = load i64, ptr %record, align 8
  %in_at = getelementptr ptr, ptr %table, i64 1
  %in = load ptr, ptr %in_at, align 8
  %out_at = getelementptr ptr, ptr %table, i64 2
  %out = load ptr, ptr %out_at, align 8
  %any = icmp slt i64 %begin, %end
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ %begin, %entry ], [ %j, %loop ]
  %source = getelementptr i64, ptr %in, i64 %i
  %target = getelementptr i64, ptr %out, i64 %i
  %x = load i64, ptr %source, align 8
BODY
  store i64 %y, ptr %target, align 8
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %end
  br i1 %more, label %loop, label %done
done:
  ret void
"""


def scale():
    """out[i] = factor · in[i]: in is slot 1, out is slot 2, the factor is the record's first word."""
    return written(KERNEL, _LOOP.replace("BODY", "%y = mul i64 %x, %factor"))


def accumulate():
    """out[i] += factor · in[i], not atomically: an element done twice, or at the wrong time, shows."""
    body = "%old = load i64, ptr %target, align 8\n%z = mul i64 %x, %factor\n%y = add i64 %old, %z"
    return written(KERNEL, _LOOP.replace("BODY", body))


def chain():
    """out[i] = in[i] after `factor` dependent multiplications by 1: as slow as one likes."""
    body = """
entry:
  %factor = load i64, ptr %record, align 8
  %in_at = getelementptr ptr, ptr %table, i64 1
  %in = load ptr, ptr %in_at, align 8
  %out_at = getelementptr ptr, ptr %table, i64 2
  %out = load ptr, ptr %out_at, align 8
  %any = icmp slt i64 %begin, %end
  br i1 %any, label %element, label %done
element:
  %i = phi i64 [ %begin, %entry ], [ %j, %store ]
  %source = getelementptr i64, ptr %in, i64 %i
  %x = load i64, ptr %source, align 8
  %start = sitofp i64 %x to double
  br label %loop
loop:
  %turn = phi i64 [ 0, %element ], [ %turn_next, %loop ]
  %value = phi double [ %start, %element ], [ %product, %loop ]
  %product = fmul double %value, 1.0
  %turn_next = add i64 %turn, 1
  %again = icmp slt i64 %turn_next, %factor
  br i1 %again, label %loop, label %store
store:
  %y = fptosi double %value to i64
  %target = getelementptr i64, ptr %out, i64 %i
  store i64 %y, ptr %target, align 8
  %j = add i64 %i, 1
  %more = icmp slt i64 %j, %end
  br i1 %more, label %element, label %done
done:
  ret void
"""
    return written(KERNEL, body)


def meet():
    """Counts up in[0] and waits, up to `factor` turns, for the other chunk to do so; out[begin] = how many came."""
    body = """
entry:
  %factor = load i64, ptr %record, align 8
  %in_at = getelementptr ptr, ptr %table, i64 1
  %in = load ptr, ptr %in_at, align 8
  %out_at = getelementptr ptr, ptr %table, i64 2
  %out = load ptr, ptr %out_at, align 8
  %before = atomicrmw add ptr %in, i64 1 seq_cst, align 8
  br label %loop
loop:
  %turn = phi i64 [ 0, %entry ], [ %turn_next, %loop ]
  %came = load atomic i64, ptr %in seq_cst, align 8
  %turn_next = add i64 %turn, 1
  %missing = icmp slt i64 %came, 2
  %patient = icmp slt i64 %turn_next, %factor
  %again = and i1 %missing, %patient
  br i1 %again, label %loop, label %done
done:
  %target = getelementptr i64, ptr %out, i64 %begin
  store i64 %came, ptr %target, align 8
  ret void
"""
    return written(KERNEL, body)


def fail():
    """The status word becomes the record's first word."""
    body = """
  %status = load i64, ptr %record, align 8
  %arena = load ptr, ptr %table, align 8
  store i64 %status, ptr %arena, align 8
  ret void
"""
    return written(KERNEL, body)


def constant(number):
    """A kernel unlike those of other numbers: table[0] points to where it stores it."""
    return written(KERNEL, f"%arena = load ptr, ptr %table, align 8\nstore i64 {number}, ptr %arena, align 8\nret void")


def address(function):
    return kernels.addresses([function])[0]


def row(function, extent, chunks=1, factor=1):
    """A tape of one row, and the record, which has to live as long."""
    record = np.array([factor], np.int64)
    return np.array([[address(function), record.ctypes.data, extent, chunks]], np.int64), record


def program(function, size, chunks=1, factor=1, release_lock=True, repeat=1, by_ctypes=None):
    """A callable of (in, out), int64 arrays of `size`."""
    tape, record = row(function, size, chunks, factor)
    arena = aligned_buffer(64)
    table = np.array([arena.ctypes.data, 0, 0], np.int64)
    whole = np.dtype(np.int64)
    specs = [ArgumentSpec(whole, (size,)), ArgumentSpec(whole, (size,), writeable=True)]
    tape = np.repeat(tape, repeat, axis=0)
    return make_entry(specs, table, tape, release_lock, owners=(arena, record), by_ctypes=by_ctypes)


def turns_for(milliseconds):
    """How many turns of `chain` take about so long."""
    turns = 100_000
    step, data, out = program(chain(), 1, factor=turns), np.ones(1, np.int64), np.zeros(1, np.int64)
    step(data, out)
    begin = time.perf_counter()
    step(data, out)
    return max(1, int(turns * milliseconds / 1000 / (time.perf_counter() - begin)))


def in_child(check, seconds=20):
    """Whether `check()` is true in a forked child that ends by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that other threads may hold locks
        child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if check() else 2
        finally:
            os._exit(status)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def script(text, **environment):
    """What a script of its own process prints; an error or a warning fails the test."""
    command = [sys.executable, "-W", "error", "-c", text]
    environment = {**os.environ, **environment}
    root = Path(__file__).parents[2]  # where `tests` is found
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=root)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()
