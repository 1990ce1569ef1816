"""Runs of the program: within the test's process, and in one of their own."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

import pytest

import adjoint
from adjoint.cli.main import main

SOURCES = pathlib.Path(adjoint.__file__).parents[1]


class Run(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def program(capsys, tmp_path, monkeypatch):
    """Runs the program in this process, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def program(*words):
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as end:
            status = end.code
        return Run(status, *capsys.readouterr())

    return program


@pytest.fixture
def start(tmp_path):
    """Starts the program in a process of its own, in an empty directory."""
    started = []

    def start(*words, before="pass", **streams):
        code = f"import sys; {before}; from adjoint.cli.main import main; sys.exit(main())"
        environment = {**os.environ, "PYTHONPATH": str(SOURCES), "PYTHONWARNINGS": "error"}
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, words)],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **streams},
            cwd=tmp_path,
            env=environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def sunspots(pytestconfig):
    """The words that choose the sunspot series."""
    return "--data", pytestconfig.rootpath / "examples" / "data" / "sunspots.csv", "--column", "SUNACTIVITY"


@pytest.fixture
def co2(pytestconfig):
    """The words that choose the series of carbon dioxide."""
    return "--data", pytestconfig.rootpath / "examples" / "data" / "co2.csv", "--column", "co2"
