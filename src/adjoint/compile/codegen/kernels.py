"""From the text of kernels to their addresses: in memory, else from disk, else compiled, all missing ones together.

A kernel is known by its text alone, not by its name, so that programs share kernels, and processes as well.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from adjoint.compile.codegen import cache, llvm
from adjoint.compile.codegen.text import Function

__all__ = ["Counts", "addresses", "counts", "key_of", "known"]

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Counts:
    """Where the kernels that this process asked for were found, and the seconds that it took."""

    in_memory: int = 0
    on_disk: int = 0
    compiled: int = 0
    seconds: float = 0.0

    def __sub__(self, earlier: Counts) -> Counts:
        return Counts(
            self.in_memory - earlier.in_memory,
            self.on_disk - earlier.on_disk,
            self.compiled - earlier.compiled,
            self.seconds - earlier.seconds,
        )


_lock = threading.RLock()
_known: dict[str, int] = {}
_keys_of: WeakKeyDictionary[Function, str] = WeakKeyDictionary()
_names = itertools.count()
_counts = Counts()


def counts() -> Counts:
    """The sums since the process began; the difference of two is what happened in between."""
    return _counts


def addresses(functions: Sequence[Function]) -> list[int]:
    """The address of each function. They must not call one another, and stand for themselves without their name."""
    global _counts
    begin = time.perf_counter()
    keys = [key_of(function) for function in functions]
    with _lock:
        missing = {key: function for key, function in zip(keys, functions, strict=True) if key not in _known}
        in_memory = len(set(keys)) - len(missing)
        wanted = len(missing)
        for key in list(missing):
            if key in _known or _load(key):
                del missing[key]
        if missing:
            _compile(missing)
        _counts = replace(
            _counts,
            in_memory=_counts.in_memory + in_memory,
            on_disk=_counts.on_disk + wanted - len(missing),
            compiled=_counts.compiled + len(missing),
            seconds=_counts.seconds + time.perf_counter() - begin,
        )
        return [_known[key] for key in keys]


def known(keys: Sequence[str]) -> dict[str, int] | None:
    """The addresses of kernels by their keys; None if one is neither in memory nor on disk."""
    with _lock:
        if all(key in _known or not key or _load(key) for key in keys):
            return {key: _known[key] for key in keys if key}
    return None


def key_of(function: Function) -> str:
    """What a kernel is known by."""
    return _keys_of.setdefault(function, "") or _note(function)


def _note(function: Function) -> str:
    key = _keys_of[function] = _key(function)
    return key


def _key(function: Function) -> str:
    whole = "\n".join([cache.fingerprint(), *sorted(function.declarations), function.text("kernel")])
    return hashlib.sha256(whole.encode()).hexdigest()


def _load(key: str) -> bool:
    """Links the batch that holds a kernel, if both are on disk."""
    batch = cache.read(key)
    content = None if batch is None else cache.read(batch.hex())
    if content is None:
        return False
    count = int.from_bytes(content[:4], "little")
    end = 4 + count * _DIGEST
    keys = [content[place : place + _DIGEST].hex() for place in range(4, end, _DIGEST)]
    if key not in keys:
        return False
    try:
        _link(keys, content[end:])
    except RuntimeError:  # whole, but not what this process can link: compiling it again replaces it
        return False
    return True


def _compile(missing: dict[str, Function]) -> None:
    """Compiles a batch, and keeps it: the object under the hash of its kernels' keys, and that hash under each key."""
    declarations = sorted(set().union(*(function.declarations for function in missing.values())))
    texts = (function.text(_symbol(key)) for key, function in missing.items())
    content = llvm.compile_object("\n".join([*declarations, *texts, ""]))
    _link(missing, content)
    digests = b"".join(map(bytes.fromhex, missing))
    batch = hashlib.sha256(digests)
    cache.write(batch.hexdigest(), len(missing).to_bytes(4, "little") + digests + content)
    for key in missing:
        cache.write(key, batch.digest())


def _link(keys: Iterable[str], content: bytes) -> None:
    symbols = {key: _symbol(key) for key in keys}
    library = llvm.link(content, f"adjoint-{next(_names)}", list(symbols.values()))
    for key, symbol in symbols.items():
        _known.setdefault(key, library.address(symbol))


def _symbol(key: str) -> str:
    return f"k_{key}"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
