"""Processes with one library each, on as many cores as they have threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_OF_THREADS = (
    "ADJOINT_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NPROC",  # which XLA reads
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_ALWAYS = {
    "ADJOINT_CACHE_DIR": "",  # no code from the disk
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONHASHSEED": "0",
}


def environment(threads: int = 1) -> dict[str, str]:
    """What processes run in: so many threads, and this checkout's packages."""
    paths = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        **_ALWAYS,
        **dict.fromkeys(_OF_THREADS, str(threads)),
        "XLA_FLAGS": _XLA_ONE_THREAD if threads == 1 else "",
        "PYTHONPATH": os.pathsep.join(paths),
    }


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pin(threads: int = 1) -> None:
    """Keeps this process, and those that it starts, on as many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
    """What a command, run to its end on one core, writes to standard output.

    variables: of the environment, beside those that every process gets.
    """
    pinned = [sys.executable, "-m", "benchmarks.pinned", *command]
    result = subprocess.run(
        pinned, cwd=ROOT, env={**environment(), **(variables or {})}, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {result.returncode}:\n{result.stderr}")
    return result.stdout


class Worker:
    """A process that runs a workload of one library, when it is told to: see `benchmarks.worker`."""

    def __init__(
        self,
        library: str,
        workload: str,
        threads: int = 1,
        variables: Mapping[str, str] | None = None,
        base: str = "",
    ) -> None:
        """
        variables: of the environment, beside those that every process gets
        base: another workload for the same process
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library, workload, str(threads), base],
            cwd=ROOT,
            env={**environment(threads), **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.hello = self._read()
        except BaseException:
            self.close()
            raise

    def ask(self, request: str, **arguments: Any) -> Any:
        """The answer to a request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"request": request, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._read()["answer"]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self._process.args))} ended with status {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
