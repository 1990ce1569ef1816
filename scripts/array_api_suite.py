"""Runs the official test suite of the Python array API standard on `adjoint.array_api`.

It is fetched by git, at a fixed commit, into a folder of its own, and needs a few packages beside this one:

    pip install pytest hypothesis ndindex pytest-json-report
    python scripts/array_api_suite.py

What follows is handed to pytest, as in ``python scripts/array_api_suite.py -k linalg --max-examples 500``. The tests
that are known to fail are in tests/array_api/xfails.txt.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/data-apis/array-api-tests"
COMMIT = "55fcc60179efa2680ddd6cd926ddf17b83530e2b"
FOLDER = Path(tempfile.gettempdir()) / f"array-api-tests-{COMMIT[:12]}"
MODULE = "adjoint.array_api"


def main() -> int:
    if not (FOLDER / "complete").exists():
        fetch(FOLDER)
    command = [sys.executable, "-m", "pytest", "array_api_tests", "-q", "-p", "no:cacheprovider", "--disable-deadline"]
    command += ["--xfails-file", str(ROOT / "tests" / "array_api" / "xfails.txt"), *sys.argv[1:]]
    environment = {**os.environ, "ARRAY_API_TESTS_MODULE": os.environ.get("ARRAY_API_TESTS_MODULE", MODULE)}
    return subprocess.run(command, cwd=FOLDER, env=environment, check=False).returncode


def fetch(folder: Path) -> None:
    """The suite at its commit, with the text of the standard that it reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for arguments in (
        ["init", "--quiet"],
        ["fetch", "--quiet", "--depth", "1", REPOSITORY, COMMIT],
        ["checkout", "--quiet", "FETCH_HEAD"],
        ["submodule", "update", "--quiet", "--init", "--depth", "1"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    (folder / "complete").touch()


if __name__ == "__main__":
    sys.exit(main())
