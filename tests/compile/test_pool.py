"""The threads that share a kernel: every chunk once and within the call, whatever becomes of the workers."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from adjoint.compile.codegen import pool
from adjoint.compile.codegen.runtime import aligned_buffer, run
from adjoint.errors import ArgumentError, DTypeError
from tests.compile.native_samples import accumulate, chain, in_child, meet, program, row, scale, script, turns_for

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    """A pool that may have more threads than there are CPUs, so that all this happens on every machine."""
    wanted = pool.get_num_threads()
    monkeypatch.setattr(pool, "_limit", lambda: 4)
    yield
    monkeypatch.undo()
    pool.set_spinning(pool._SPINS)
    pool.set_num_threads(wanted)


def workers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("adjoint-")]


def check(size=1000, chunks=7, function=None, **options):
    """Whether a new program does every element exactly once."""
    step = program(function or accumulate(), size, chunks, **options)
    data, out = np.arange(size) + 1, np.zeros(size, np.int64)
    step(data, out)
    return bool((out == data).all())


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("release_lock", [False, True], ids=["locked", "released"])
def test_every_element_is_done_once(threads, release_lock):
    pool.set_num_threads(threads)
    for size, chunks in [(0, 2), (1, 2), (3, 7), (100, 2), (1000, 3), (4096, 64)]:
        step = program(accumulate(), size, chunks, repeat=30, release_lock=release_lock)
        data, out = np.arange(size) + 1, np.zeros(size, np.int64)
        for turn in range(1, 21):
            assert step(data, out) is None
            np.testing.assert_array_equal(out, 30 * turn * data)


def test_workers_are_started_at_need_and_never_for_one_thread():
    pool.set_num_threads(1)
    assert workers() == []
    assert check()
    assert workers() == []
    pool.set_num_threads(3)
    assert workers() == []
    assert check(chunks=1)
    assert workers() == []
    assert check()
    assert len(workers()) == 2
    assert all(thread.daemon for thread in workers())
    pool.set_num_threads(2)
    assert workers() == []
    assert check()
    assert len(workers()) == 1


def test_a_plain_run_starts_them_too():
    pool.set_num_threads(2)
    tape, record = row(scale(), 100, 2)
    data, out = np.arange(100), np.zeros(100, np.int64)
    table = np.array([aligned_buffer(64).ctypes.data, data.ctypes.data, out.ctypes.data], np.int64)
    run(table, tape)
    assert len(workers()) == 1
    np.testing.assert_array_equal(out, data)
    del record


@pytest.mark.parametrize(("threads", "met"), [(1, [1, 2]), (2, [2, 2])])
def test_chunks_run_at_the_same_time_on_several_threads(threads, met):
    """Each of two chunks waits for the other to begin, and gives up after a long while, or a short one if it has to."""
    pool.set_num_threads(threads)
    step = program(meet(), 2, 2, factor=10**10 if threads > 1 else 1000)
    for _ in range(20):
        data, out = np.zeros(2, np.int64), np.zeros(2, np.int64)
        step(data, out)
        assert out.tolist() == met


def test_sleeping_workers_are_woken():
    pool.set_num_threads(4)
    pool.set_spinning(0)
    for _ in range(200):
        assert check(64, 8)
    pool.set_spinning(100)
    assert check()
    time.sleep(0.05)  # they sleep now
    words = pool._block()
    slots = [pool._slot(number) for number in range(3)]
    assert [words[slot] for slot in slots] == [1, 1, 1]
    factor = turns_for(1)
    assert check(8, 8, chain(), factor=factor)
    deadline = time.monotonic() + 5
    while any(words[slot] == 0 for slot in slots) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert [words[slot] for slot in slots] == [1, 1, 1]


def test_no_kernel_runs_after_its_call():
    """The output is zeroed as soon as the call has returned: a chunk that was still running would show."""
    pool.set_num_threads(4)
    step = program(scale(), 20_000, 16)
    data, out = np.ones(20_000, np.int64), np.zeros(20_000, np.int64)
    for _ in range(300):
        step(data, out)
        assert (out == 1).all()
        out[:] = 0
    time.sleep(0.01)
    assert not out.any()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_several_python_threads_can_call_at_once(threads):
    pool.set_num_threads(threads)
    wrong = []

    def call():
        step = program(accumulate(), 500, 5, repeat=20)
        data, out = np.arange(500) + 1, np.zeros(500, np.int64)
        fine = [step(data, out) is None and (out == 20 * turn * data).all() for turn in range(1, 101)]
        wrong.append(fine.count(False))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == [0] * 4


def test_the_number_of_threads_can_change_while_programs_run():
    stop, wrong = threading.Event(), []

    def call():
        while not stop.is_set():
            if not check(300, 5):
                wrong.append(1)

    caller = threading.Thread(target=call)
    caller.start()
    for number in [2, 1, 4, 3, 1, 2]:
        pool.set_num_threads(number)
        time.sleep(0.003)
    stop.set()
    caller.join()
    assert not wrong


def test_there_are_never_more_threads_than_cpus():
    pool.set_num_threads(1000)
    assert pool.get_num_threads() == 4
    assert check()
    assert len(workers()) == 3


def test_the_limit_is_the_cpus_that_the_process_may_use(monkeypatch):
    monkeypatch.undo()
    if hasattr(os, "sched_getaffinity"):
        assert pool._limit() == len(os.sched_getaffinity(0))
        monkeypatch.delattr(os, "sched_getaffinity")
    assert pool._limit() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert pool._limit() == 1


@pytest.mark.parametrize("number", [0, -1])
def test_less_than_one_thread_is_an_error(number):
    with pytest.raises(ArgumentError, match="number of threads is at least 1"):
        pool.set_num_threads(number)


@pytest.mark.parametrize("number", [1.5, "2", None, True])
def test_a_number_of_threads_that_is_none_is_an_error(number):
    with pytest.raises(DTypeError, match="number of threads is a whole number"):
        pool.set_num_threads(number)


PRINT = "from adjoint.compile.codegen import pool; import threading; from tests.compile.native_samples import *;"


@pytest.mark.parametrize("given", ["1", " 2 ", "1000", ""])
def test_the_environment_sets_the_number(given):
    expected = min(int(given or 1000), pool.__dict__["_limit"]())
    text = PRINT + "pool._limit = lambda: 4; print(pool.get_num_threads()); data = np.arange(8); out = data * 0;"
    text += "program(scale(), 8, 4)(data, out); print(threading.active_count(), int((out == data).all()))"
    assert script(text, ADJOINT_NUM_THREADS=given) == [str(expected), str(expected), "1"]


@pytest.mark.parametrize("given", ["0", "-3", "two", "1.5"])
def test_an_environment_that_makes_no_sense_is_an_error(monkeypatch, given):
    monkeypatch.setenv("ADJOINT_NUM_THREADS", given)
    monkeypatch.setattr(pool, "_wanted", None)
    with pytest.raises(ArgumentError, match="ADJOINT_NUM_THREADS is"):
        pool.get_num_threads()


def test_a_thread_that_cannot_be_started_is_done_without(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    pool.set_num_threads(4)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert check()
    assert workers() == []


@forks
@pytest.mark.parametrize("threads", [1, 4])
def test_a_forked_child_and_its_parent_go_on(threads):
    pool.set_num_threads(threads)
    step = program(accumulate(), 100, 4)
    data, out = np.arange(100) + 1, np.zeros(100, np.int64)
    step(data, out)

    def child():
        step(data, out)  # the same program
        return check() and (out == 2 * data).all() and len(workers()) == threads - 1

    assert in_child(child)
    step(data, out)
    np.testing.assert_array_equal(out, 2 * data)
    assert len(workers()) == threads - 1


@forks
def test_a_fork_does_not_see_threads_of_ours():
    """Python warns of a fork with threads; the workers are none at that moment."""
    text = PRINT + "pool._limit = lambda: 4; pool.set_num_threads(4); data = np.arange(8); out = data * 0;"
    text += "program(scale(), 8, 4)(data, out); before = threading.active_count(); import os; pid = os.fork();"
    text += "pid or os._exit(0); os.waitpid(pid, 0); print(before, threading.active_count())"
    assert script(text, OPENBLAS_NUM_THREADS="1") == ["4", "1"]


@forks
def test_a_fork_while_a_job_runs():
    """The child finds programs and the pool free, though a thread that it does not have held them."""
    pool.set_num_threads(4)
    step = program(chain(), 16, 16, turns_for(3))
    data, out = np.arange(16), np.zeros(16, np.int64)
    results = []
    step(data, out)

    def call():
        for _ in range(10):
            out[:] = 0
            step(data, out)
            results.append((out == data).all())

    caller = threading.Thread(target=call)
    caller.start()
    time.sleep(0.01)

    def child():
        other = np.zeros(16, np.int64)
        step(data, other)
        return check() and (other == data).all()

    for _ in range(3):
        assert in_child(child)
    caller.join()
    assert len(results) == 10
    assert all(results)


def test_the_process_ends_with_workers_awake_and_asleep():
    for spins in (0, 10**9):
        text = PRINT + f"pool._limit = lambda: 4; pool.set_num_threads(4); pool.set_spinning({spins});"
        text += (
            "data = np.arange(8); out = data * 0; program(scale(), 8, 4)(data, out); print(threading.active_count())"
        )
        assert script(text) == ["4"]


def test_the_process_ends_while_another_thread_calls():
    text = (
        PRINT
        + """
pool._limit = lambda: 4
pool.set_num_threads(4)
step, data, out = program(scale(), 1000, 8, repeat=100), np.arange(1000), np.zeros(1000, np.int64)
def call():
    while True:
        step(data, out)
step(data, out)
thread = threading.Thread(target=call, daemon=True)
thread.start()
import time
time.sleep(0.1)
print("ends")
"""
    )
    assert script(text) == ["ends"]


def test_programs_run_in_functions_of_exit():
    text = (
        PRINT
        + """
import atexit
pool._limit = lambda: 4
pool.set_num_threads(4)
data, out = np.arange(8), np.zeros(8, np.int64)
step = program(scale(), 8, 4)
def last():
    step(data, out)
    print((out == data).all(), threading.active_count())
pool.atexit.unregister(pool._at_exit)
atexit.register(last)
atexit.register(pool._at_exit)
step(data, out)
"""
    )
    assert script(text) == ["True", "1"]
