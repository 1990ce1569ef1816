"""The threads that share a kernel with its caller: Python's own, inside a native loop that takes no interpreter lock.

A worker looks for work for a while, then sleeps on one of Python's own locks, which the caller can release without the
interpreter lock. Workers are started by the first call that has work for them, and stopped before a fork, at exit, and
when their number changes; the next call that has work starts them again.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjoint.checks import check_size
from adjoint.compile.codegen.forkjoin import SLOT_WORDS, Pool
from adjoint.compile.codegen.native import native
from adjoint.errors import ArgumentError

__all__ = ["address", "aligned", "get_num_threads", "is_ready", "set_num_threads", "set_spinning", "start"]

_SPINS = 20_000  # about half a millisecond
_CAPACITY = max(os.cpu_count() or 1, 16)  # workers that the words have places for

_lock = threading.RLock()
_words: NDArray[np.int64] | None = None
_threads: list[threading.Thread] = []
_wanted: int | None = None
_spins = _SPINS
_ended = False


def aligned(size: int) -> NDArray[np.uint8]:
    """`size` bytes from an address that 64 divides, untouched: the system gives memory to the pages that are used."""
    whole = np.empty(size + 64, np.uint8)
    return whole[-whole.ctypes.data % 64 :][:size]


def _limit() -> int:
    """How many threads can run at the same time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _default() -> int:
    given = os.environ.get("ADJOINT_NUM_THREADS", "").strip()
    if not given:
        return _limit()
    try:
        number = int(given)
    except ValueError:
        raise ArgumentError(f"ADJOINT_NUM_THREADS is a whole number, not {given!r}") from None
    return min(check_size("ADJOINT_NUM_THREADS", number), _limit())


def get_num_threads() -> int:
    """How many threads share a kernel: what was set, else ``ADJOINT_NUM_THREADS``, else one for each CPU."""
    global _wanted
    with _lock:
        if _wanted is None:
            _wanted = _default()
        return _wanted


def set_num_threads(number: int) -> None:
    """Sets how many threads share a kernel, the caller's included; more than there are CPUs are not made.

    Raises:
        DTypeError: `number` is not a whole number.
        ArgumentError: it is less than 1.
    """
    global _wanted
    number = check_size("the number of threads", number)
    with _lock:
        _wanted = min(number, _limit())
        _stop()


def set_spinning(pauses: int) -> None:
    """Sets how long a worker looks for work before it sleeps, in pauses of the processor, some 10 to 100 ns each.

    Waking a worker takes many microseconds. A worker that looks for work takes its core from other programs.
    """
    global _spins
    with _lock:
        _spins = max(0, int(pauses))
        if _words is not None:
            _words[Pool.SPINS] = _spins


def address() -> int:
    """The address of the pool's words, the same for the whole life of the process."""
    return int(_block().ctypes.data)


def is_ready() -> bool:
    """Whether there is nothing to start."""
    return bool(_block()[Pool.READY])


def start() -> None:
    """Starts the workers that are missing. Where no thread can be started, the callers work alone."""
    with _lock:
        words = _block()
        if words[Pool.READY]:
            return
        work = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(native().work)
        for number in range(min(get_num_threads() - 1, _CAPACITY)):
            slot = _slot(number)
            words[slot + Pool.STOP] = 0
            thread = threading.Thread(
                target=work, args=(address(), address() + 8 * slot), name=f"adjoint-{number + 1}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                break
            _threads.append(thread)
        words[Pool.WORKERS] = len(_threads)
        words[Pool.READY] = 1


def _block() -> NDArray[np.int64]:
    global _words
    if _words is None:
        functions = native()
        with _lock:
            if _words is None:
                _words = _new_block(functions.fork)
    return _words


def _new_block(fork: int) -> NDArray[np.int64]:
    words = aligned(8 * _slot(_CAPACITY)).view(np.int64)
    words[:] = 0
    words[Pool.FORK] = fork
    words[Pool.SPINS] = _spins
    words[Pool.ACQUIRE] = _function("PyThread_acquire_lock")
    words[Pool.ACQUIRE_TIMED] = _function("PyThread_acquire_lock_timed")
    words[Pool.RELEASE] = _function("PyThread_release_lock")
    _renew(words)
    return words


def _renew(words: NDArray[np.int64]) -> None:
    """Everything that threads have left in the words as it is in the beginning."""
    words[Pool.GENERATION] += 1
    words[Pool.HELD] = _held_lock()
    words[Pool.BUSY] = words[Pool.STATE] = words[Pool.DONE] = words[Pool.WORKERS] = 0
    words[Pool.READY] = get_num_threads() == 1
    for slot in range(Pool.SLOTS, len(words), SLOT_WORDS):
        words[slot + Pool.PARKED] = words[slot + Pool.STOP] = 0
        words[slot + Pool.LOCK] = _held_lock()


def _slot(number: int) -> int:
    return Pool.SLOTS + SLOT_WORDS * number


def _function(name: str) -> int:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0


def _held_lock() -> int:
    """One of Python's locks without its object, taken. It is not given back: a worker may be asleep on it at exit."""
    python: Any = ctypes.pythonapi
    allocate = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", python))
    acquire = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", python))
    lock = allocate()
    if not lock:
        raise MemoryError("no lock could be made")
    acquire(lock, 0)
    return int(lock)


def _stop() -> None:
    """Ends the workers, after the chunks that they have in hand."""
    if _words is None:
        return
    _words[Pool.WORKERS] = 0
    _words[Pool.READY] = _ended or get_num_threads() == 1
    stop = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(native().stop)
    for number in range(len(_threads)):
        stop(address(), address() + 8 * _slot(number))
    while _threads:
        _threads.pop().join()


def _at_exit() -> None:
    global _ended
    with _lock:
        _ended = True
        _stop()


def _before_fork() -> None:
    _lock.acquire()
    _stop()


def _after_fork_in_child() -> None:
    if _words is not None:
        _renew(_words)
    _lock.release()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_lock.release, after_in_child=_after_fork_in_child)
