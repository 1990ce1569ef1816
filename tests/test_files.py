"""Files appear whole or not at all."""

import os
import stat
import sys
import threading

import numpy as np
import pytest

from adjoint import files
from adjoint.errors import DTypeError


def test_writes_the_content(tmp_path):
    path = tmp_path / "file"
    for content in (b"first", b"", b"second" * 1000):
        files.write_whole(path, content)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["file"]


def test_takes_strings_and_relative_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_whole("file", b"content")
    files.write_whole(str(tmp_path / "other"), b"content")
    assert sorted(os.listdir()) == ["file", "other"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(failing, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_args):
        raise OSError("no space left")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="no space left"):
        files.write_whole(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_whole(path, b"new")
    monkeypatch.undo()
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"old", ["file"])


def test_readers_see_the_old_content_or_the_new(tmp_path):
    path, seen, done = tmp_path / "file", set(), threading.Event()
    contents = [bytes([i]) * 100_000 for i in range(20)]
    files.write_whole(path, contents[0])

    def read():
        while not done.is_set():
            try:
                seen.add(path.read_bytes())
            except PermissionError:  # Windows, while the file is replaced
                continue

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for content in contents:
            for _ in range(100):
                try:
                    files.write_whole(path, content)
                    break
                except PermissionError:  # Windows, while the file is read
                    continue
    finally:
        done.set()
        reader.join()
    assert seen <= set(contents)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.write_whole(tmp_path / "none" / "file", b"content")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        files.write_whole(tmp_path / "file", b"content")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(mask, mode, tmp_path):
    before = os.umask(mask)
    try:
        files.write_whole(tmp_path / "file", b"content")
        now = os.umask(mask)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode
    assert now == mask


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files.write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_arrays_come_back(tmp_path):
    pytest.importorskip("safetensors")
    arrays = {"a": np.arange(6.0).reshape(2, 3), "ü.b": np.array(True), "": np.zeros((0, 2), np.int8)}
    files.write_arrays(tmp_path / "file", arrays)
    back = files.read_arrays(tmp_path / "file")
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back[name], array)


def test_dtypes_that_the_format_lacks(tmp_path):
    pytest.importorskip("safetensors")
    if np.dtype(np.longdouble) == np.dtype(np.float64):
        pytest.skip("long doubles are doubles here")
    with pytest.raises(DTypeError, match=r"'a' .*float128|longdouble"):
        files.write_arrays(tmp_path / "file", {"a": np.zeros(2, np.longdouble)})
    assert os.listdir(tmp_path) == []
