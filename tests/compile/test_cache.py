"""The cache of machine code on disk: what it keeps, what it does not believe, and that it is never needed."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

from adjoint.compile.codegen import cache

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
KEY = hashlib.sha256(b"a kernel").hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()


@pytest.fixture(autouse=True)
def fresh():
    cache._checked.cache_clear()
    yield
    cache._checked.cache_clear()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of the test's own."""
    path = tmp_path / "cache"
    monkeypatch.setenv("ADJOINT_CACHE_DIR", str(path))
    return path


def test_what_is_written_is_read(folder):
    assert cache.read(KEY) is None
    for content in (b"", b"code", bytes(range(256)) * 1000):
        cache.write(KEY, content)
        assert cache.read(KEY) == content
    assert cache.read(OTHER) is None
    assert [path.name for path in folder.iterdir()] == [KEY]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:20],
        lambda whole: whole[:-1],
        lambda whole: whole + b"x",
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: whole[:10] + bytes([whole[10] ^ 1]) + whole[11:],
        lambda whole: b"#!/bin/sh\necho a file of somebody else\n" * 10,
    ],
    ids="empty header-cut truncated longer bit-of-content bit-of-header foreign".split(),
)
def test_a_damaged_file_is_ignored_removed_and_replaced(folder, damage):
    cache.write(KEY, b"some code")
    path = folder / KEY
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read(KEY) is None
    assert not path.exists()
    cache.write(KEY, b"some code")
    assert cache.read(KEY) == b"some code"


def test_files_of_another_format_are_ignored(folder, monkeypatch):
    cache.write(KEY, b"code")
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)
    assert cache.read(KEY) is None


@posix
def test_the_directory_is_private(folder):
    cache.write(KEY, b"code")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_write_is_refused(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    assert cache.directory() is None
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None
    assert list(folder.iterdir()) == []


@posix
def test_a_directory_of_another_user_is_refused(folder, monkeypatch):
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.directory() is None


@pytest.mark.parametrize("value", ["", "0"])
def test_it_can_be_switched_off(monkeypatch, value):
    monkeypatch.setenv("ADJOINT_CACHE_DIR", value)
    assert cache.directory() is None
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None


def test_a_file_where_the_directory_should_be_is_no_cache(folder):
    folder.write_text("not a directory")
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None


@pytest.mark.parametrize("step", ["mkstemp", "replace"])
def test_a_disk_that_does_not_take_the_file_is_no_failure(folder, monkeypatch, step):
    def refuse(*arguments, **keywords):
        raise OSError("read-only file system")

    monkeypatch.setattr(*((tempfile, "mkstemp") if step == "mkstemp" else (os, "replace")), refuse)
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None
    assert list(folder.iterdir()) == []


def test_a_directory_that_is_gone_is_no_failure(folder):
    cache.write(KEY, b"code")
    (folder / KEY).unlink()
    folder.rmdir()
    cache.write(KEY, b"code")
    assert cache.read(KEY) is None


def test_the_files_used_longest_ago_are_evicted(folder):
    keys = [hashlib.sha256(bytes([number])).hexdigest() for number in range(8)]
    now = time.time()
    for age, key in enumerate(keys):
        cache.write(key, bytes(3000))
        os.utime(folder / key, (now - 7200 * age, now - 7200 * age))
    assert cache.read(keys[7]) is not None  # the oldest is in use again
    cache.evict(folder, limit=8 * 4096)
    assert len(list(folder.iterdir())) == 8
    cache.evict(folder, limit=7 * 4096)
    assert {path.name for path in folder.iterdir()} == {*keys[:4], keys[7]}


def test_eviction_happens_by_itself(folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 20 * 4096)
    monkeypatch.setattr(cache, "_writes", itertools.count())
    for number in range(200):
        cache.write(hashlib.sha256(bytes([number])).hexdigest(), b"code")
    assert len(list(folder.iterdir())) < 100


def test_what_an_interrupted_writer_left_is_removed(folder):
    cache.write(KEY, b"code")
    old, new = folder / "new-old", folder / "new-new"
    old.write_bytes(b"ha")
    new.write_bytes(b"ha")
    os.utime(old, (0, 0))
    cache.evict(folder)
    assert {path.name for path in folder.iterdir()} == {KEY, "new-new"}


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "{home}/x"}, "x/adjoint"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/adjoint"),
        ("linux", {}, ".cache/adjoint"),
        ("darwin", {}, "Library/Caches/adjoint"),
        ("win32", {"LOCALAPPDATA": "{home}/local"}, "local/adjoint/Cache"),
    ],
)
def test_the_default_is_the_system_s_directory_for_caches(tmp_path, monkeypatch, platform, environment, expected):
    for name in ("ADJOINT_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache.directory() == tmp_path / expected


def test_without_a_home_there_is_no_cache(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("ADJOINT_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.directory() is None
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache.directory() is None


def test_the_fingerprint_names_llvm_and_the_processor():
    lines = cache.fingerprint().splitlines()
    from adjoint.compile.codegen import llvm

    assert {llvm.version(), *llvm.host(), sys.platform, sys.implementation.cache_tag} <= set(lines)
