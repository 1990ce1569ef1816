"""Runs one workload of one library as it is told: ``python -m benchmarks.worker LIBRARY WORKLOAD THREADS``.

Requests are lines of JSON on standard input, answers lines on standard output. Nothing but the library that is
measured is imported.

    {"request": "make"}                 seconds of the first step, which may compile
    {"request": "time", "steps": 10}    seconds of 10 steps
    {"request": "peak", "steps": 10}    bytes: resident after the imports, and the peak of making and 10 steps
    {"request": "growth", "steps": [10, 100]}    bytes that are resident after 10 steps, and after 100
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
    def __init__(self, make: Callable[[], Run], load: Callable[[], object]) -> None:
        """`load` imports what the library imports later on its own."""
        self._make = make
        self._load = load
        self._run: Run | None = None

    def make(self) -> float:
        self._run = self._make()
        return self.time(1)

    def time(self, steps: int) -> float:
        assert self._run is not None
        step = self._run.step
        started = time.perf_counter()
        for _ in range(steps):
            step()
        self._run.wait()
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


def main(library: str, workload: str, threads: str) -> None:
    processes.pin(int(threads))
    module: Any = importlib.import_module(f"benchmarks.workloads.{library}")
    requests = Requests(module.WORKLOADS[workload], getattr(module, "load", lambda: None))
    print(json.dumps({"version": module.VERSION}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = getattr(requests, asked.pop("request"))(**asked)
        print(json.dumps({"answer": answer}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
