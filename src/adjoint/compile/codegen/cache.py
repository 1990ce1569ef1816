"""Machine code kept on disk from one process to the next: a directory of checked, private, replaceable files.

The cache is never needed: whatever goes wrong with it is a miss. What it gives back is executed, hence the checks.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import os
import platform
import stat
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from adjoint.compile.codegen import llvm

__all__ = ["FORMAT", "LIMIT", "directory", "evict", "fingerprint", "read", "write"]

# The number of what this package generates and how it stores it. Code is found by its text, so that a change of the
# generators needs no new number; a change of what an equal text means does (a calling convention, a tape's layout).
FORMAT = 1

LIMIT = 256 << 20
"""How many bytes the files may take together, in whole blocks of the disk."""

_HEADER = struct.Struct("<8sI32s")  # magic, format, SHA-256 of the content
_MAGIC = b"adjoint\x00"
_BLOCK = 4096
_TEMPORARY = "new-"
_HOUR = 3600.0
_WRITES_PER_CHECK = 64

_writes = itertools.count()


def _wanted() -> Path | None:
    given = os.environ.get("ADJOINT_CACHE_DIR")
    if given is not None:
        return None if given in ("", "0") else Path(given).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local, "adjoint", "Cache") if local else None
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "adjoint"
    shared = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(shared) if os.path.isabs(shared) else Path.home() / ".cache") / "adjoint"


@functools.lru_cache(maxsize=16)
def _checked(path: Path) -> Path | None:
    """The directory, made if it is missing; None where others could put code into it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return None
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        return None
    return path


def directory() -> Path | None:
    """Where the files are; None where there is no cache."""
    try:
        path = _wanted()
    except RuntimeError:  # a user without a home
        return None
    return None if path is None else _checked(path)


def read(key: str) -> bytes | None:
    """The content written under `key`, a hexadecimal hash; None if there is none, or none to be trusted."""
    folder = directory()
    if folder is None:
        return None
    path = folder / key
    try:
        with open(path, "rb") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            whole = file.read()
    except OSError:
        return None
    content = whole[_HEADER.size :]
    if whole[: _HEADER.size] != _header(content):
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    if age > _HOUR:  # eviction goes by the time of the last use, to the hour
        with contextlib.suppress(OSError):
            os.utime(path)
    return content


def write(key: str, content: bytes) -> None:
    """Keeps `content` under `key`, if that is possible."""
    folder = directory()
    if folder is None:
        return
    name = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
        with open(descriptor, "wb") as file:
            file.write(_header(content) + content)
        os.replace(name, folder / key)
    except OSError:
        if name is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)
        return
    if next(_writes) % _WRITES_PER_CHECK == 0:
        evict(folder)


def evict(folder: Path, limit: int | None = None) -> None:
    """Removes the files that were not used for longest until they take three quarters of the limit."""
    limit = LIMIT if limit is None else limit
    found: list[tuple[float, int, str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found.append((status.st_mtime, -(-status.st_size // _BLOCK) * _BLOCK, entry.path))
    abandoned = time.time() - _HOUR  # by processes that ended while they wrote
    total = sum(size for _, size, _ in found)
    goal = total if total <= limit else limit * 3 // 4
    for when, size, path in sorted(found):
        if total > goal or (when < abandoned and os.path.basename(path).startswith(_TEMPORARY)):
            with contextlib.suppress(OSError):
                os.unlink(path)
                total -= size


def _header(content: bytes) -> bytes:
    return _HEADER.pack(_MAGIC, FORMAT, hashlib.sha256(content).digest())


@functools.cache
def fingerprint() -> str:
    """Everything but its text that machine code depends on."""
    parts = (
        FORMAT,
        llvm.version(),
        *llvm.host(),
        8 * struct.calcsize("P"),
        sys.platform,
        platform.machine(),
        sys.implementation.cache_tag,
        np.__version__.partition(".")[0],
    )
    return "\n".join(map(str, parts))
