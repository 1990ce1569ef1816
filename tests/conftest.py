"""Fixtures for all tests. Property tests draw the same examples in every run."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import settings

from adjoint import config, ops

CACHE = pytest.StashKey[Path]()

settings.register_profile("ci", derandomize=True, max_examples=100, deadline=None, database=None)
settings.register_profile("search", parent=settings.get_profile("ci"), derandomize=False, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config):
    """Compiled code is kept in a directory of the run's own, which its processes share."""
    run = os.environ.setdefault("ADJOINT_TEST_RUN", uuid.uuid4().hex)  # workers and subprocesses inherit it
    config.stash[CACHE] = Path(tempfile.gettempdir(), f"adjoint-tests-{run}")
    os.environ["ADJOINT_CACHE_DIR"] = str(config.stash[CACHE])


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)


@pytest.fixture(autouse=True)
def no_mode_leaks():
    """Fails a test after which a mode is not what it was: the next test would run in that mode."""
    yield
    left = config.is_recording(), config.is_training(), config.STRICT.get()
    config.RECORDING.set(True)
    config.TRAINING.set(True)
    config.STRICT.set(False)
    assert left == (True, True, False), f"left behind: recording {left[0]}, training {left[1]}, strict {left[2]}"


@pytest.fixture
def without_collector():
    """Switches the garbage collector off, so that only reference counts free what is dropped."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def op_table():
    """The op table, whose entries are after the test what they were before."""
    before = dict(ops.TABLE)
    yield ops.TABLE
    ops.TABLE.clear()
    ops.TABLE.update(before)
