"""Measures everything and writes the tables of benchmarks/README.md: ``python -m benchmarks``.

Run it from the root of the repository, with the Python of an environment that has NumPy, and PyTorch and JAX to
compare with (``pip install -e .[bench]``); those that are missing are left out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks import measure, processes, tables
from benchmarks.cases import CASES, Case


def chosen(only: Sequence[str], threads: Sequence[int]) -> Iterator[Case]:
    """The cases that are asked for; those of compiled steps with each of the numbers of threads."""
    for case in CASES:
        if only and case.name not in only:
            continue
        for count in threads if case.takes_threads else [case.threads]:
            yield replace(case, threads=count)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--only", action="append", choices=[case.name for case in CASES], help="measure this; may be repeated"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="of compiled steps, instead of one and of two")
    parser.add_argument("--quick", action="store_true", help="two short rounds: shows that it runs, not how fast")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # the tables have signs that Windows' own encoding lacks
    effort = measure.QUICK if options.quick else measure.FULL
    versions: dict[str, str] = {}
    measured = {}
    threads = [options.threads] if options.threads else range(1, min(processes.cores(), 2) + 1)
    for case in chosen(options.only or (), threads):
        print(f"{case.name} …", file=sys.stderr, flush=True)
        measured[case] = measure.measure(case, effort, versions)
    print(tables.render(measured, effort, versions))
    if not (options.quick or options.only or options.threads):
        tables.write(measured, effort, versions)
        print(f"\nwritten to {tables.README}", file=sys.stderr)


if __name__ == "__main__":
    main()
