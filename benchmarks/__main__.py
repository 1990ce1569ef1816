"""Measures everything and writes the tables of benchmarks/README.md: ``python -m benchmarks``.

Run it from the root of the repository, with the Python of an environment that has NumPy, and PyTorch and JAX to
compare with (``pip install -e .[bench]``); those that are missing are left out.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import measure, tables
from benchmarks.cases import CASES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--only", action="append", choices=[case.name for case in CASES], help="measure this; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="two short rounds: shows that it runs, not how fast")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")  # the tables have signs that Windows' own encoding lacks
    effort = measure.QUICK if options.quick else measure.FULL
    versions: dict[str, str] = {}
    measured = {}
    for case in CASES:
        if options.only and case.name not in options.only:
            continue
        print(f"{case.name} …", file=sys.stderr, flush=True)
        measured[case] = measure.measure(case, effort, versions)
    print(tables.render(measured, effort, versions))
    if not (options.quick or options.only):
        tables.write(measured, effort, versions)
        print(f"\nwritten to {tables.README}", file=sys.stderr)


if __name__ == "__main__":
    main()
