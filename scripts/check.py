"""Sets up an environment and runs every check of the project: ``python scripts/check.py``.

Needs Python 3.11 or later with pip, and nothing else: the rest is installed into a virtual environment of its
own, `.venv-check`. The steps run in this order, and the first that fails ends the run with its exit status:

    lint     ruff check
    format   ruff format --check
    types    mypy
    docs     mkdocs build --strict, into a temporary folder
    tests    pytest with branch coverage, which fails under the figure in pyproject.toml; last, so that its
             closing line ends the output
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS: dict[str, tuple[str, ...]] = {  # the arguments of `python -m`
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "docs": ("mkdocs", "build", "--strict", "--quiet", "--site-dir"),
    "tests": ("pytest", "-q", "--cov", "-n", "auto"),
}


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - to say so in words
        print(f"scripts/check.py needs Python 3.11 or later; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    options = parse_arguments()
    sys.stdout.reconfigure(line_buffering=True)  # keeps our lines in order with those of the steps
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    if options.no_install:
        python = sys.executable
    else:
        for name in ("PYTHONPATH", "PYTHONHOME"):  # what is installed elsewhere on this machine must not count
            environment.pop(name, None)
        python = str(prepare(Path(options.venv), options.fresh, environment))
    names = options.only or list(STEPS)
    for name in names:
        if name == "docs" and not (ROOT / "mkdocs.yml").exists():
            print("== docs: none here")
            continue
        print(f"== {name}: {' '.join(STEPS[name])}")
        started = time.monotonic()
        status = run_step(name, python, environment)
        if status != 0 or name != names[-1]:
            print(f"== {name}: {'ok' if status == 0 else 'FAILED'}, {time.monotonic() - started:.1f} s")
        if status != 0:
            return status
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sets up an environment and runs every check of the project.")
    parser.add_argument("--only", action="append", choices=list(STEPS), help="run this step; may be repeated")
    parser.add_argument("--venv", default=ROOT / ".venv-check", help="the virtual environment (%(default)s)")
    parser.add_argument("--fresh", action="store_true", help="make the virtual environment anew")
    parser.add_argument(
        "--no-install", action="store_true", help="install nothing: use the environment of this Python as it is"
    )
    return parser.parse_args()


def prepare(folder: Path, fresh: bool, environment: dict[str, str]) -> Path:
    """Makes the virtual environment where there is none, and installs what pyproject.toml asks for."""
    if fresh and folder.exists():
        shutil.rmtree(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own_pip = importlib.util.find_spec("pip") is None
    if not python.exists():
        print(f"== environment: {folder}, Python {sys.version.split()[0]}")
        # This Python's pip installs into it: so it needs no ensurepip, which some distributions leave out.
        venv.create(folder, with_pip=own_pip)
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = folder / "installed-for"
    if not (stamp.exists() and stamp.read_text() == wanted):
        print("== install: pip install -e .[dev]")
        started = time.monotonic()
        pip = [python, "-m", "pip"] if own_pip else [sys.executable, "-m", "pip", "--python", python]
        command = [*pip, "--disable-pip-version-check", "install", "--quiet", "--editable", f"{ROOT}[dev]"]
        status = run(command, environment)
        if status != 0:
            raise SystemExit(status)
        stamp.write_text(wanted)
        print(f"== install: ok, {time.monotonic() - started:.1f} s")
    return python


def run_step(name: str, python: str, environment: dict[str, str]) -> int:
    command = [python, "-m", *STEPS[name]]
    if name == "tests":
        # The arrays are small: threads of the linear algebra would wait for one another more than they help.
        return run(command, {"OPENBLAS_NUM_THREADS": "1", **environment})
    if name != "docs":
        return run(command, environment)
    with tempfile.TemporaryDirectory(prefix="adjoint-site-") as site:
        return run([*command, site], environment)


def run(command: Sequence[str | Path], environment: dict[str, str]) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
