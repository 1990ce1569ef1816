"""The one door to LLVM: text in, machine code out, by llvmlite, which is imported at the first use and only here.

No IR passes are run: the kernels are written as explicit vectors, and code generation at level 1 gives what
optimised IR would give at a third of the time.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
from collections.abc import Sequence
from typing import Any

from adjoint.errors import MissingDependencyError

__all__ = ["Library", "compile_object", "host", "is_available", "link", "version"]

# llvmlite takes a lock of its own for every call; this one is held around forks as well, so that a child never
# inherits LLVM in the middle of another thread's compilation.
_lock = threading.RLock()
_libraries: list[Library] = []

# RuntimeDyld, all that ORC has there, is not reliable with COFF objects: ELF objects under MCJIT are.
_BY_MCJIT = sys.platform == "win32"


class Library:
    """Linked machine code. It stays in memory for ever: there is no telling who holds an address."""

    def __init__(self, addresses: dict[str, int], engine: Any) -> None:
        self._addresses = addresses
        self._engine = engine

    def address(self, symbol: str) -> int:
        """Where a function begins."""
        return self._addresses[symbol]


@functools.cache
def _binding() -> Any:
    try:
        binding = importlib.import_module("llvmlite.binding")
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
    except (ImportError, OSError, RuntimeError) as problem:
        raise MissingDependencyError(f"native code needs llvmlite: pip install llvmlite ({problem})") from problem
    return binding


@functools.cache
def is_available() -> bool:
    """Whether there is an LLVM to compile with."""
    try:
        _binding()
    except MissingDependencyError:
        return False
    return True


@functools.cache
def version() -> str:
    """The versions of llvmlite and of its LLVM."""
    numbers = ".".join(str(number) for number in _binding().llvm_version_info)
    return f"{importlib.import_module('llvmlite').__version__}/{numbers}"


@functools.cache
def host() -> tuple[str, str]:
    """The processor's name and its features, as LLVM writes them."""
    binding = _binding()
    with _lock:
        return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def _target_machine(by_mcjit: bool) -> Any:
    binding = _binding()
    cpu, features = host()
    target = binding.Target.from_triple(binding.get_process_triple())
    # "jitdefault" gives ELF on Windows, and distances that do not matter; the others link anywhere, being relative
    relocation, model = ("default", "jitdefault") if by_mcjit else ("pic", "small")
    return target.create_target_machine(
        cpu=cpu, features=features, opt=1, reloc=relocation, codemodel=model, jit=by_mcjit
    )


@functools.cache
def _machine(by_mcjit: bool) -> Any:
    return _target_machine(by_mcjit)


@functools.cache
def _linker() -> Any:
    return _binding().create_lljit_compiler(_machine(False), use_jit_link=True)


def _by_orc(content: bytes, name: str, symbols: Sequence[str]) -> Library:
    builder = _binding().JITLibraryBuilder().add_object_img(content).add_current_process()
    for symbol in symbols:
        builder.export_symbol(symbol)
    tracker = builder.link(_linker(), name)
    addresses = {symbol: int(tracker[symbol]) for symbol in symbols}
    tracker.detach()  # else the code would be unloaded with the tracker
    return Library(addresses, None)


def _by_mcjit(content: bytes, symbols: Sequence[str]) -> Library:
    binding = _binding()
    module = binding.parse_assembly("", binding.create_context())
    engine = binding.create_mcjit_compiler(module, _target_machine(True))  # owns its target machine
    engine.add_object_file(binding.ObjectFileRef.from_data(content))
    engine.finalize_object()
    return Library({symbol: int(engine.get_function_address(symbol)) for symbol in symbols}, engine)


def compile_object(text: str, by_mcjit: bool = _BY_MCJIT) -> bytes:
    """The object code of a module of textual IR. Other threads of the interpreter run meanwhile."""
    with _lock:
        return _emitted(text, by_mcjit)


def _emitted(text: str, by_mcjit: bool) -> bytes:
    # A function of its own, so that the module is freed under the lock as well. The context goes with it: a shared one
    # keeps every type and constant for ever.
    binding, machine = _binding(), _machine(by_mcjit)
    module = binding.parse_assembly(text, binding.create_context())
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    return bytes(machine.emit_object(module))


def link(content: bytes, name: str, symbols: Sequence[str], by_mcjit: bool = _BY_MCJIT) -> Library:
    """Loads object code, with the addresses of `symbols`; no two libraries of a process may have the same name."""
    with _lock:
        library = _by_mcjit(content, symbols) if by_mcjit else _by_orc(content, name, symbols)
        _libraries.append(library)
        return library


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
