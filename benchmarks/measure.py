"""The measurements, one function for each kind of case.

Libraries take turns, round by round, so that a machine that slows down for a while does so for all of them.
Each figure is the median of the rounds.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks import memory, processes
from benchmarks.cases import PACKAGES, Case

IMPORT = "import numpy, time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int = 15
    seconds: float = 0.3  # of each round
    compiled_rounds: int = 9
    compiled_seconds: float = 0.2
    steps: tuple[int, int] = (1_000, 100_000)  # between which memory must not grow
    command: tuple[str, ...] = ("adjoint", "lstm")


FULL = Effort()
QUICK = Effort(
    rounds=2,
    seconds=0.01,
    compiled_rounds=2,
    compiled_seconds=0.01,
    steps=(50, 500),
    command=("adjoint", "lstm", "--epochs", "2"),
)


@dataclass
class Result:
    """What was measured for one library: values of each round by name, in seconds or bytes."""

    rounds: dict[str, list[float]] = field(default_factory=dict)
    base: Result | None = None  # of the workload that it is a multiple of

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])

    def spread(self, name: str) -> float | None:
        """Half of what the middle half of the rounds spans, as a share of the median; None for a few rounds."""
        values = self.rounds[name]
        if len(values) < 4:
            return None
        low, middle, high = statistics.quantiles(values, n=4)
        return (high - low) / 2 / middle


Results = dict[str, Result]  # by library


def libraries_here(wanted: Iterable[str]) -> list[str]:
    """Those of the libraries that are installed. adjoint is that of this checkout."""
    return [
        library
        for library in wanted
        if PACKAGES[library] == "adjoint" or importlib.util.find_spec(PACKAGES[library]) is not None
    ]


def measure(case: Case, effort: Effort, versions: dict[str, str]) -> Results:
    """Measures a case for every library that is installed; adds the libraries' versions to `versions`."""
    libraries = libraries_here(case.libraries)
    if case.kind in ("peak", "compiled-peak", "growth") and not memory.is_measurable():
        return {}
    return _KINDS[case.kind](case, libraries, effort, versions)


def _time(case: Case, libraries: list[str], effort: Effort, versions: dict[str, str]) -> Results:
    return _take_turns(case, libraries, effort.rounds, effort.seconds, versions)


def _compiled(case: Case, libraries: list[str], effort: Effort, versions: dict[str, str]) -> Results:
    return _take_turns(case, libraries, effort.compiled_rounds, effort.compiled_seconds, versions)


def _take_turns(case: Case, libraries: list[str], rounds: int, seconds: float, versions: dict[str, str]) -> Results:
    results: Results = {}
    with ExitStack() as stack:
        timings = []
        for library in libraries:
            worker = stack.enter_context(processes.Worker(library, case.runs, case.threads, base=case.base))
            versions[library] = worker.hello["version"]
            try:
                found = {name: _Timing(worker, name, seconds) for name in worker.hello["workloads"]}
            except RuntimeError as error:  # the compiler of torch.compile is not everywhere
                if library != "torch_compiled":
                    raise
                print(f"{case.name}: left out, {error}", file=sys.stderr)
                continue
            timings += found.values()
            results[library] = found[case.runs].result if case.runs in found else Result()
            results[library].base = found[case.base].result if case.base in found else None
        for number in range(rounds):
            for timing in timings:
                if number < _FEW_ROUNDS or not timing.is_long:
                    timing.add_round()
    return results


class _Timing:
    """The times of one workload of a process.

    is_long: whether a step takes longer than several rounds
    """

    def __init__(self, worker: processes.Worker, workload: str, seconds: float) -> None:
        self._worker = worker
        self._workload = workload
        self.result = Result()
        self.result.add(first=worker.ask("make", workload=workload))
        self._steps, taken = _calibrate(worker, workload, seconds)
        self.is_long = taken > 2 * seconds

    def add_round(self) -> None:
        self.result.add(step=self._worker.ask("time", steps=self._steps, workload=self._workload) / self._steps)


_FEW_ROUNDS = 3  # of a workload whose steps are long

_CACHES = {"adjoint_compiled": "ADJOINT_CACHE_DIR", "torch_compiled": "TORCHINDUCTOR_CACHE_DIR"}


def _first(case: Case, libraries: list[str], effort: Effort, versions: dict[str, str]) -> Results:
    """First calls, each of a process of its own: cold, and with the code that the process before left on the disk."""
    results = {}
    for library in libraries:
        result = Result()
        ours = library == "adjoint_compiled"
        for _ in range(min(effort.rounds, 3) if ours else 1):
            with tempfile.TemporaryDirectory() as cache:
                result.add(cold=_first_call(case, library, cache, versions))
                if ours:
                    result.add(from_disk=_first_call(case, library, cache, versions))
        results[library] = result
    return results


def _first_call(case: Case, library: str, cache: str, versions: dict[str, str]) -> float:
    variables = {_CACHES[library]: cache} if library in _CACHES else {}
    with processes.Worker(library, case.runs, case.threads, variables) as worker:
        versions[library] = worker.hello["version"]
        return worker.ask("make")


def _calibrate(worker: processes.Worker, workload: str, seconds: float) -> tuple[int, float]:
    """How many steps take about that long, and the seconds of one; they warm the library up as well."""
    steps = 1
    while True:
        taken = worker.ask("time", steps=steps, workload=workload)
        if taken > 0.2 * seconds:
            return max(1, round(steps * seconds / taken)), taken / steps
        steps *= 4


def _peak(case: Case, libraries: list[str], effort: Effort, versions: dict[str, str]) -> Results:
    results = {library: Result() for library in libraries}
    for _ in range(min(effort.rounds, 3)):
        for library in libraries:
            with processes.Worker(library, case.runs) as worker:
                versions[library] = worker.hello["version"]
                found = worker.ask("peak", steps=20)
            results[library].add(growth=found["peak"] - found["before"], total=found["peak"])
    return results


def _growth(case: Case, libraries: list[str], effort: Effort, versions: dict[str, str]) -> Results:
    results = {library: Result() for library in libraries}
    for library in libraries:
        with processes.Worker(library, case.runs) as worker:
            versions[library] = worker.hello["version"]
            early, late = worker.ask("growth", steps=list(effort.steps))
        results[library].add(early=early, late=late)
    return results


def _import(_case: Case, libraries: list[str], effort: Effort, _versions: dict[str, str]) -> Results:
    """With bytecode, as an installed package has it: the first import, which is not counted, writes it."""
    results = {library: Result() for library in libraries}
    with tempfile.TemporaryDirectory() as bytecode:
        variables = {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(effort.rounds + 1):
            for library in libraries:
                printed = processes.run([sys.executable, "-c", IMPORT.format(PACKAGES[library])], variables)
                results[library].add(seconds=float(printed))
    for result in results.values():
        result.rounds["seconds"].pop(0)
    return results


def _command(_case: Case, libraries: list[str], effort: Effort, _versions: dict[str, str]) -> Results:
    result = Result()
    for _ in range(min(effort.rounds, 3)):
        started = time.perf_counter()
        processes.run([sys.executable, "-m", *effort.command])
        result.add(seconds=time.perf_counter() - started)
    return dict.fromkeys(libraries, result)


_KINDS: dict[str, Callable[[Case, list[str], Effort, dict[str, str]], Results]] = {
    "time": _time,
    "compiled": _compiled,
    "multiple": _compiled,
    "derivative": _compiled,
    "limit": _compiled,
    "first": _first,
    "compiled-peak": _peak,
    "peak": _peak,
    "growth": _growth,
    "import": _import,
    "command": _command,
}


def describe_libraries(versions: dict[str, str]) -> str:
    titles = {"adjoint": "adjoint", "torch": "PyTorch", "jax": "JAX", "numpy": "NumPy"}
    found: dict[str, Any] = {PACKAGES[library]: version for library, version in versions.items()}
    found.setdefault("numpy", __import__("numpy").__version__)
    return ", ".join(f"{title} {found[package]}" for package, title in titles.items() if package in found)
