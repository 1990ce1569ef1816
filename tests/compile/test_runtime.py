"""The callable of a program and the loop over its tape: what is accepted, what is run, what is left as it was."""

from __future__ import annotations

import ctypes
import gc
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from adjoint.compile.codegen import entry, pool
from adjoint.compile.codegen.entry import ArgumentSpec, make_entry
from adjoint.compile.codegen.runtime import aligned_buffer, run, run_timed
from tests.compile.native_samples import (
    accumulate,
    address,
    chain,
    constant,
    fail,
    program,
    row,
    scale,
    script,
    turns_for,
)

both = pytest.mark.parametrize("by_ctypes", [False, True], ids=["builtin", "ctypes"])
locks = pytest.mark.parametrize("release_lock", [False, True], ids=["locked", "released"])


def arrays(size):
    return np.arange(size), np.zeros(size, np.int64)


def taker(*specs, by_ctypes):
    """A callable that takes arguments and runs nothing, and the table that it fills."""
    arena = aligned_buffer(64)
    table = np.zeros(1 + len(specs), np.int64)
    table[0] = arena.ctypes.data
    tape = np.zeros((0, 4), np.int64)
    return make_entry(specs, table, tape, False, owners=arena, by_ctypes=by_ctypes), table


def test_buffers_are_aligned():
    for size in (0, 1, 63, 64, 1000, 1 << 20):
        buffer = aligned_buffer(size)
        assert buffer.dtype == np.uint8
        assert buffer.shape == (size,)
        assert buffer.ctypes.data % 64 == 0


def test_a_tape_is_run_from_the_first_row_to_the_last():
    first, record = row(scale(), 100, factor=3)
    second, other = row(accumulate(), 50, factor=5)
    tape = np.concatenate([first, second, second])
    data, out = arrays(100)
    table = np.array([aligned_buffer(64).ctypes.data, data.ctypes.data, out.ctypes.data], np.int64)
    run(table, tape)
    np.testing.assert_array_equal(out, np.where(data < 50, 13, 3) * data)
    run(table, tape[:0])
    del record, other


def test_a_timed_run_tells_how_long_each_kernel_took():
    short, long = turns_for(0.2), turns_for(2)
    tape, records = zip(*(row(chain(), 1, factor=factor) for factor in (short, long, short)), strict=True)
    data, out = np.ones(1, np.int64), np.zeros(1, np.int64)
    table = np.array([aligned_buffer(64).ctypes.data, data.ctypes.data, out.ctypes.data], np.int64)
    every = [run_timed(table, np.concatenate(tape)) for _ in range(20)]
    times = [min(column) for column in zip(*every, strict=True)]  # other programs may have come between
    assert len(times) == 3
    assert all(isinstance(value, float) for value in times)
    assert times[1] > 3 * times[0] > 0
    assert 1e4 < sum(times) < 1e9
    assert run_timed(table, tape[0][:0]) == []
    assert out[0] == 1
    del records


@both
@locks
@pytest.mark.parametrize("chunks", [1, 3])
def test_an_entry_runs_its_program_on_the_arrays_given(by_ctypes, release_lock, chunks):
    step = program(scale(), 1000, chunks, 7, release_lock, by_ctypes=by_ctypes)
    for _ in range(3):
        data, out = arrays(1000)
        assert step(data, out) is None
        np.testing.assert_array_equal(out, 7 * data)


def test_the_fast_form_is_a_builtin():
    if not entry.is_native():
        pytest.skip("there is no fast form here")
    step = program(scale(), 10)
    assert type(step) is type(len)
    assert step.__name__ == "step"


@both
@pytest.mark.parametrize(
    "give",
    [
        lambda data, out: (),
        lambda data, out: (data,),
        lambda data, out: (data, out, out),
        lambda data, out: (None, out),
        lambda data, out: (data.tolist(), out),
        lambda data, out: (3, out),
        lambda data, out: (np.int64(3), out),
        lambda data, out: (data.view(np.recarray), out),
        lambda data, out: (np.ma.masked_array(data), out),
        lambda data, out: (data.astype(np.int32), out),
        lambda data, out: (data.view(np.uint64), out),
        lambda data, out: (data.view(np.float64), out),
        lambda data, out: (data.astype(data.dtype.newbyteorder()), out),
        lambda data, out: (data.astype(object), out),
        lambda data, out: (data.view("m8[s]"), out),
        lambda data, out: (data[:11], out),
        lambda data, out: (np.append(data, 1), out),
        lambda data, out: (data.reshape(1, 12), out),
        lambda data, out: (data.reshape(12, 1), out),
        lambda data, out: (np.array(3), out),
        lambda data, out: (data[:0], out),
        lambda data, out: (np.arange(24)[::2], out),
        lambda data, out: (data[::-1], out),
        lambda data, out: (np.broadcast_to(data[:1], 12), out),
        lambda data, out: (np.zeros(100, np.uint8)[1:97].view(np.int64), out),
        lambda data, out: (data, np.zeros(24, np.int64)[::2]),
        lambda data, out: (data, read_only(out)),
        lambda data, out: (data, out.astype(np.int32)),
    ],
)
def test_arguments_that_do_not_fit_are_refused_and_nothing_is_run(give, by_ctypes):
    step = program(accumulate(), 12, by_ctypes=by_ctypes)
    data, out = arrays(12)
    assert step(*give(data, out)) is NotImplemented
    np.testing.assert_array_equal(out, 0)
    assert step(data, out) is None
    np.testing.assert_array_equal(out, data)


def read_only(array):
    array = array.view()
    array.flags.writeable = False
    return array


@both
def test_inputs_may_be_read_only(by_ctypes):
    step = program(scale(), 12, by_ctypes=by_ctypes)
    data, out = arrays(12)
    assert step(read_only(data), out) is None
    np.testing.assert_array_equal(out, data)


@both
@pytest.mark.parametrize("shape", [(), (1,), (0,), (5,), (2, 3), (2, 0, 3), (1, 2, 3, 4), (1,) * 12])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "?", "u1"])
def test_every_dtype_and_number_of_axes_is_passed_on(dtype, shape, by_ctypes):
    dtype = np.dtype(dtype)
    step, table = taker(ArgumentSpec(dtype, shape), ArgumentSpec(dtype, shape, True), by_ctypes=by_ctypes)
    one, two = np.zeros(shape, dtype), np.zeros(shape, dtype)
    assert step(one, two) is None
    assert list(table[1:]) == [one.ctypes.data, two.ctypes.data]
    other = np.dtype("f8" if dtype == "f4" else "f4")
    assert step(one.astype(other), two) is NotImplemented
    assert step(one[None], two) is NotImplemented
    if shape and 0 not in shape:
        assert step(one, np.zeros((*shape[:-1], shape[-1] + 1), dtype)) is NotImplemented
    assert list(table[1:]) == [one.ctypes.data, two.ctypes.data]


@both
def test_an_equal_dtype_that_is_another_object_fits(by_ctypes):
    step, table = taker(ArgumentSpec(np.dtype("f4"), (3,)), by_ctypes=by_ctypes)
    array = np.zeros(3, pickle.loads(pickle.dumps(np.dtype("f4"))).newbyteorder("="))
    labelled = np.zeros(3, np.dtype("f4", metadata={"unit": "m"}))
    for given in (array, labelled):
        assert step(given) is None
        assert table[1] == given.ctypes.data


@both
def test_no_arguments_and_many(by_ctypes):
    step, _ = taker(by_ctypes=by_ctypes)
    assert step() is None
    assert step(np.zeros(1)) is NotImplemented
    specs = [ArgumentSpec(np.dtype("f4"), (2, number)) for number in range(40)]
    step, table = taker(*specs, by_ctypes=by_ctypes)
    given = [np.zeros(spec.shape, spec.dtype) for spec in specs]
    assert step(*given) is None
    assert list(table[1:]) == [array.ctypes.data for array in given]
    assert step(*given[::-1]) is NotImplemented


@both
def test_keywords_are_an_error(by_ctypes):
    with pytest.raises(TypeError, match="keyword"):
        program(scale(), 12, by_ctypes=by_ctypes)(out=3)


@both
@locks
def test_a_status_that_was_set_gives_false_once(by_ctypes, release_lock):
    arena, record = aligned_buffer(64), np.array([5], np.int64)
    arena.view(np.int64)[0] = 99  # of an earlier life
    table = np.array([arena.ctypes.data], np.int64)
    bad = np.array([[address(fail()), record.ctypes.data, 1, 1]], np.int64)
    step = make_entry([], table, bad, release_lock, owners=(arena, record), by_ctypes=by_ctypes)
    for status, answer in ((5, False), (-1, False), (1 << 40, False), (0, None), (1, False)):
        record[0] = status
        assert step() is answer
        assert arena.view(np.int64)[0] == 0


@both
def test_the_first_slot_can_be_chosen(by_ctypes):
    arena, table = aligned_buffer(64), np.zeros(5, np.int64)
    table[:] = arena.ctypes.data
    spec = ArgumentSpec(np.dtype("f4"), (3,))
    step = make_entry([spec], table, np.zeros((0, 4), np.int64), False, first_slot=3, by_ctypes=by_ctypes)
    array = np.zeros(3, np.float32)
    assert step(array) is None
    assert list(table) == [arena.ctypes.data] * 3 + [array.ctypes.data, arena.ctypes.data]


@pytest.mark.parametrize(
    ("table", "tape"),
    [
        (np.zeros(1, np.int64), np.zeros((0, 4), np.int64)),
        (np.zeros(2, np.int32), np.zeros((0, 4), np.int64)),
        (np.zeros(2, np.int64), np.zeros((0, 4))),
    ],
)
def test_tables_and_tapes_that_cannot_be_are_refused(table, tape):
    with pytest.raises(TypeError, match="int64"):
        make_entry([ArgumentSpec(np.dtype("f4"), (3,))], table, tape, False)


@both
@locks
def test_calls_leave_no_references(by_ctypes, release_lock):
    step = program(scale(), 4, 2, 1, release_lock, by_ctypes=by_ctypes)
    data, out = arrays(4)
    wrong = np.zeros(3)
    watched = data, out, wrong, step, data.dtype, np.ndarray, pool.start

    def calls(number):
        for _ in range(number):
            step(data, out)
            step(wrong, out)
            step(data)

    calls(10)
    singletons = None, NotImplemented, False
    before = [sys.getrefcount(what) for what in (*watched, *singletons)]
    calls(10_000)
    after = [sys.getrefcount(what) for what in (*watched, *singletons)]
    changes = np.subtract(after, before)
    assert not changes[: len(watched)].any()
    assert (abs(changes[len(watched) :]) < 100).all()  # other threads of the process use them as well


class Owned:
    """Something that can be watched."""


@both
def test_an_entry_keeps_its_owners_and_no_longer_than_it_lives(by_ctypes, without_collector):
    owner = Owned()
    watch = weakref.ref(owner)
    arena = aligned_buffer(64)
    table = np.array([arena.ctypes.data], np.int64)
    step = make_entry([], table, np.zeros((0, 4), np.int64), False, owners=(arena, owner), by_ctypes=by_ctypes)
    table_watch = weakref.ref(table)
    del owner, table, arena
    assert step() is None
    assert watch() is not None
    assert table_watch() is not None
    del step
    assert watch() is None
    assert table_watch() is None


@both
def test_entries_that_come_and_go_leave_no_memory_behind(by_ctypes):
    def live():
        gc.collect()
        return len(gc.get_objects()), sys.getallocatedblocks()

    def come_and_go(number):
        for _ in range(number):
            data, out = arrays(10)
            program(scale(), 10, by_ctypes=by_ctypes)(data, out)

    come_and_go(20)
    before = live()
    come_and_go(200)
    after = live()
    assert after[0] - before[0] < 100
    assert after[1] - before[1] < 200


@both
def test_one_program_called_by_several_threads_runs_one_call_after_the_other(by_ctypes):
    """The arena is one: a call that began before the other ended would spoil it. Here, the table would."""
    step = program(chain(), 4, factor=turns_for(0.3), by_ctypes=by_ctypes)
    wrong = []

    def call(number):
        data, out = np.full(4, number), np.zeros(4, np.int64)
        for _ in range(20):
            out[:] = 0
            if step(data, out) is not None or (out != number).any():
                wrong.append(out)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@both
@locks
def test_other_threads_run_during_a_call_if_the_lock_is_released(by_ctypes, release_lock):
    step = program(chain(), 1, factor=turns_for(60), release_lock=release_lock, by_ctypes=by_ctypes)
    data, out = np.ones(1, np.int64), np.zeros(1, np.int64)
    ticks, done, begun = [0], threading.Event(), threading.Event()

    def count():
        while not done.wait(0.002):
            ticks[0] += 1
            begun.set()

    thread = threading.Thread(target=count)
    thread.start()
    begun.wait()
    passed = []
    for _ in range(5):
        before = ticks[0]
        step(data, out)
        passed.append(ticks[0] - before)
    done.set()
    thread.join()
    if release_lock:
        assert max(passed) >= 5
    else:
        assert min(passed) <= 2


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the layout is CPython's")
def test_arrays_are_laid_out_as_they_are_expected_to_be():
    assert all(map(entry._lies_as_expected, entry._samples()))
    assert entry.is_native() or hasattr(sys, "_is_gil_enabled")


@pytest.mark.parametrize("name", ["_DATA", "_NDIM", "_DTYPE", "_FLAGS"])
def test_another_layout_is_noticed_and_avoided(monkeypatch, name):
    monkeypatch.setattr(entry, name, getattr(entry, name) + (4 if name in ("_NDIM", "_FLAGS") else 1))
    assert not all(map(entry._lies_as_expected, entry._samples()))
    entry.is_native.cache_clear()
    try:
        assert not entry.is_native()
        step = program(scale(), 4)
        assert type(step) is not type(len)
        data, out = arrays(4)
        assert step(data, out) is None
    finally:
        monkeypatch.undo()
        entry.is_native.cache_clear()


def test_the_interpreter_can_end_while_entries_live():
    text = "from tests.compile.native_samples import *; import builtins; data = np.arange(4); out = data * 0;"
    text += "step = builtins.step = program(scale(), 4, 2); step(data, out); print(out)"
    assert script(text) == ["[0", "1", "2", "3]"]


def test_a_kernel_that_ctypes_calls_sees_table_record_and_range():
    arena, table = np.zeros(1, np.int64), np.zeros(1, np.int64)
    table[0] = arena.ctypes.data
    kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    ctypes.CFUNCTYPE(None, *kinds)(address(constant(41)))(table.ctypes.data, None, 0, 1)
    assert arena[0] == 41
