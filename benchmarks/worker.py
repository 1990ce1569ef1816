"""Runs one workload of one library as it is told: ``python -m benchmarks.worker LIBRARY WORKLOAD THREADS [BASE]``.

Requests are lines of JSON on standard input, answers lines on standard output. Nothing but the library that is
measured is imported. With a base, a second workload is there to compare the first with, and of the two those are run
that the library has.

    {"request": "make"}                 seconds of the first step, which may compile
    {"request": "time", "steps": 10}    seconds of 10 steps
    {"request": "peak", "steps": 10}    bytes: resident after the imports, and the peak of making and 10 steps
    {"request": "growth", "steps": [10, 100]}    bytes that are resident after 10 steps, and after 100

The first two take another "workload" than the first one, by its name.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import memory, processes
from benchmarks.workloads import Run


class Requests:
    def __init__(self, makers: dict[str, Callable[[], Run]], load: Callable[[], object]) -> None:
        """`load` imports what the library imports later on its own."""
        self._makers = makers
        self._load = load
        self._runs: dict[str, Run] = {}
        self._first = next(iter(makers))

    def make(self, workload: str = "") -> float:
        name = workload or self._first
        self._runs[name] = self._makers[name]()
        return self.time(1, name)

    def time(self, steps: int, workload: str = "") -> float:
        run = self._runs[workload or self._first]
        step = run.step
        started = time.perf_counter()
        for _ in range(steps):
            step()
        run.wait()
        return time.perf_counter() - started

    def peak(self, steps: int) -> dict[str, int]:
        self._load()
        gc.collect()
        before = memory.resident()
        memory.reset_peak()
        self.make()
        self.time(steps)
        return {"before": before, "peak": memory.peak()}

    def growth(self, steps: list[int]) -> list[int]:
        gc.collect()
        gc.disable()
        self.make()
        done, found = 1, []
        for count in steps:
            self.time(count - done)
            done = count
            found.append(memory.resident())
        return found


def main(library: str, workload: str, threads: str, base: str = "") -> None:
    processes.pin(int(threads))
    module: Any = importlib.import_module(f"benchmarks.workloads.{library}")
    wanted = [name for name in (workload, base) if name in module.WORKLOADS]
    if not wanted:
        raise KeyError(workload)
    requests = Requests({name: module.WORKLOADS[name] for name in wanted}, getattr(module, "load", lambda: None))
    print(json.dumps({"version": module.VERSION, "workloads": wanted}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = getattr(requests, asked.pop("request"))(**asked)
        print(json.dumps({"answer": answer}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
