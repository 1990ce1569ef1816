"""From texts to addresses: what is shared, what is kept from one process to the next, what happens when it is not."""

from __future__ import annotations

import ctypes
import importlib
import os
import threading
import time

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from adjoint.compile.codegen import cache, kernels, llvm
from adjoint.compile.codegen.kernels import Counts, addresses, counts
from adjoint.compile.codegen.text import Function, module_text
from adjoint.errors import MissingDependencyError
from tests.compile.native_samples import KERNEL, constant, in_child, script


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty cache, and a process that knows no kernel."""
    monkeypatch.setenv("ADJOINT_CACHE_DIR", str(tmp_path / "cache"))
    cache._checked.cache_clear()
    monkeypatch.setattr(kernels, "_known", {})
    yield tmp_path / "cache"
    cache._checked.cache_clear()


def stored(address):
    """What a `constant` kernel stores."""
    arena, table = np.zeros(1, np.int64), np.zeros(1, np.int64)
    table[0] = arena.ctypes.data
    kinds = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    ctypes.CFUNCTYPE(None, *kinds)(address)(table.ctypes.data, None, 0, 1)
    return int(arena[0])


def found(functions):
    """The addresses, and (in memory, on disk, compiled)."""
    before = counts()
    result = addresses(functions)
    difference = counts() - before
    assert difference.seconds > 0
    return result, (difference.in_memory, difference.on_disk, difference.compiled)


def test_kernels_are_compiled_once_and_shared():
    first, how = found([constant(1), constant(2), constant(1)])
    assert how == (0, 0, 2)
    assert first[0] == first[2] != first[1]
    assert list(map(stored, first)) == [1, 2, 1]
    second, how = found([constant(2), constant(3)])
    assert how == (1, 0, 1)
    assert second[0] == first[1]
    assert addresses([]) == []


def test_the_name_of_a_function_does_not_matter():
    functions = []
    for name in ("one", "two"):
        function = Function(name, KERNEL)
        function.do("ret void")
        assert f"@{name}(" in function.text()
        functions.append(function)
    one, two = addresses(functions)
    assert one == two


def test_another_process_finds_them_on_disk():
    text = "from adjoint.compile.codegen import kernels; from tests.compile.native_samples import constant;"
    text += "kernels.addresses([constant(n) for n in range(10, {})]); c = kernels.counts();"
    text += "print(c.in_memory, c.on_disk, c.compiled)"
    assert script(text.format(20)) == ["0", "0", "10"]
    assert script(text.format(20)) == ["0", "10", "0"]
    assert script(text.format(22)) == ["0", "10", "2"]
    assert script(text.format(22)) == ["0", "12", "0"]
    assert script(text.format(22), ADJOINT_CACHE_DIR="") == ["0", "0", "12"]


def again(functions, monkeypatch):
    """What a process that begins now would find."""
    monkeypatch.setattr(kernels, "_known", {})
    return found(functions)


def test_each_kernel_of_a_batch_is_found_by_itself(monkeypatch):
    links = []
    link = llvm.link
    monkeypatch.setattr(llvm, "link", lambda *arguments: links.append(1) or link(*arguments))
    addresses([constant(number) for number in range(5)])
    (third,), how = again([constant(3)], monkeypatch)
    assert how == (0, 1, 0)
    assert stored(third) == 3
    assert found([constant(number) for number in range(5)])[1] == (5, 0, 0)
    assert len(links) == 2  # one batch is linked once


def test_a_batch_that_was_evicted_is_compiled_again(folder, monkeypatch):
    functions = [constant(number) for number in range(5)]
    addresses(functions)
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    largest.unlink()
    result, how = again(functions, monkeypatch)
    assert how == (0, 0, 5)
    assert list(map(stored, result)) == list(range(5))
    assert again(functions, monkeypatch)[1] == (0, 5, 0)


@pytest.mark.parametrize("keep", [4, 4 + 5 * 32, 1000])
def test_a_batch_that_cannot_be_linked_is_compiled_again(folder, monkeypatch, keep):
    """Whole files, but of something else: the checksum is right."""
    functions = [constant(number) for number in range(5)]
    addresses(functions)
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    content = cache.read(largest.name)
    cache.write(largest.name, content[:keep])
    result, how = again(functions, monkeypatch)
    assert how == (0, 0, 5)
    assert list(map(stored, result)) == list(range(5))
    assert again(functions, monkeypatch)[1] == (0, 5, 0)


def test_without_a_cache_everything_works(monkeypatch):
    monkeypatch.setenv("ADJOINT_CACHE_DIR", "0")
    assert stored(addresses([constant(7)])[0]) == 7
    assert again([constant(7)], monkeypatch)[1] == (0, 0, 1)


def test_threads_that_ask_for_the_same_kernels_compile_them_once():
    before, results = counts(), []
    functions = [constant(number) for number in range(30)]
    threads = [threading.Thread(target=lambda: results.append(addresses(functions))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (counts() - before).compiled == 30
    assert len({tuple(result) for result in results}) == 1


def test_a_text_that_is_not_ir_is_an_error_and_leaves_nothing(folder):
    wrong = Function("wrong", KERNEL)
    wrong.do("this is not an instruction")
    with pytest.raises(RuntimeError, match="parsing error"):
        addresses([constant(1), wrong])
    assert not folder.exists() or not list(folder.iterdir())
    assert stored(addresses([constant(1)])[0]) == 1


def test_other_threads_run_while_a_module_is_compiled():
    text = module_text([long_function(60)])
    ticks, done = [], threading.Event()

    def count():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.perf_counter()
    llvm.compile_object(text)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(begin < tick < end for tick in ticks) >= 3, f"of {end - begin} s"


def long_function(blocks):
    """A function that takes a while to compile."""
    function = Function(f"long{blocks}", "ptr %p", returns="double")
    value = "0.0"
    for number in range(blocks * 20):
        place = function.let(f"getelementptr double, ptr %p, i64 {number}")
        loaded = function.let(f"load double, ptr {place}, align 8")
        value = function.let(f"fadd double {value}, {loaded}")
        product = function.let(f"fmul double {value}, {loaded}")
        function.do(f"store double {product}, ptr {place}, align 8")
    function.do(f"ret double {value}")
    return function


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_forked_while_another_thread_compiles_can_compile():
    thread = threading.Thread(target=lambda: llvm.compile_object(module_text([long_function(50)])))
    thread.start()
    time.sleep(0.01)
    assert in_child(lambda: stored(addresses([constant(1234)])[0]) == 1234)
    thread.join()


@pytest.mark.parametrize("by_mcjit", [False, True], ids=["orc", "mcjit"])
def test_both_linkers_resolve_constants_and_functions_of_the_process(by_mcjit):
    text = """
    @table = private constant [2 x double] [double 2.0, double 3.0]
    declare double @fmod(double, double)
    define double @rest(double %x, i64 %i) {
      %place = getelementptr double, ptr @table, i64 %i
      %y = load double, ptr %place, align 8
      %z = call double @fmod(double %x, double %y)
      ret double %z
    }
    """
    content = llvm.compile_object(text, by_mcjit)
    for turn in range(2):
        library = llvm.link(content, f"test-{by_mcjit}-{turn}", ["rest"], by_mcjit)
        function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_int64)(library.address("rest"))
        assert (function(7.5, 0), function(7.5, 1)) == (1.5, 1.5)
        assert function(8.0, 1) == 2.0


def test_a_missing_llvmlite_is_told(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    assert llvm.is_available()
    monkeypatch.setattr(importlib, "import_module", missing)
    for function in (llvm.is_available, llvm._binding):
        function.cache_clear()
    try:
        assert not llvm.is_available()
        with pytest.raises(MissingDependencyError, match="pip install llvmlite"):
            llvm.compile_object("")
    finally:
        llvm.is_available.cache_clear()


def test_counts_can_be_subtracted():
    assert Counts(3, 2, 1, 0.5) - Counts(1, 1, 1, 0.25) == Counts(2, 1, 0, 0.25)
