"""Running a tape: memory for it, one run, and one run that tells how long each kernel took."""

from __future__ import annotations

import ctypes
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjoint.compile.codegen import pool
from adjoint.compile.codegen.native import native

__all__ = ["TAPE_WORDS", "address_of", "aligned_buffer", "is_parallel", "run", "run_timed"]

TAPE_WORDS = 4
"""A row of a tape: the address of the kernel, the address of its record, its extent, its number of chunks."""

Words = NDArray[np.int64]

aligned_buffer = pool.aligned


def address_of(array: NDArray[Any]) -> int:
    """Where the data of an array begins."""
    return int(array.ctypes.data)


def is_parallel(tape: Words) -> bool:
    """Whether a kernel of the tape is cut into chunks."""
    return bool((tape.reshape(-1, TAPE_WORDS)[:, 3] > 1).any())


def _prepared(tape: Words) -> None:
    if is_parallel(tape) and not pool.is_ready():
        pool.start()


def run(table: Words, tape: Words) -> None:
    """Runs all rows of a tape over a table of addresses. The interpreter lock is released."""
    _prepared(tape)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 2, ctypes.c_int64, ctypes.c_void_p)(native().run)
    function(address_of(table), address_of(tape), tape.size // TAPE_WORDS, pool.address())


def run_timed(table: Words, tape: Words) -> list[float]:
    """Runs all rows of a tape and returns the nanoseconds that each of them took."""
    _prepared(tape)
    count = tape.size // TAPE_WORDS
    ticks = np.zeros(count, np.int64)
    pointers = [ctypes.c_void_p] * 3
    function = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)(native().timed)
    arguments = (native().run, address_of(table), address_of(tape), count, pool.address(), address_of(ticks))
    begin = time.perf_counter_ns()
    function(*arguments)
    passed = time.perf_counter_ns() - begin
    # the counter's rate is known from this run alone
    nanoseconds: list[float] = (ticks * (passed / max(int(ticks.sum()), 1))).tolist()
    return nanoseconds
