"""Where results go: checks of output files before any work is done, and the two standard streams."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence

from adjoint.errors import ArgumentError

__all__ = ["check_distinct", "check_ending", "check_writable", "discard_output", "tell", "write_output"]


def check_writable(option: str, path: str) -> None:
    """Raises ArgumentError or OSError where a file cannot be written, or one that is no plain file stands there."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ArgumentError(f"{option} {path}: there is a directory or a device of this name")
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise ArgumentError(f"{option} {path}: there is no directory {folder}")
    try:
        # Permissions alone do not tell: file systems can be read-only or full.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ArgumentError(f"{option} {path}: cannot write to {folder}: {error.strerror}") from None


def check_ending(option: str, path: str, endings: Sequence[str]) -> None:
    """Raises ArgumentError for a file name that ends otherwise."""
    if os.path.splitext(path)[1].lower() not in endings:
        raise ArgumentError(f"{option} {path}: the name ends in {' or '.join(endings)}")


def check_distinct(files: dict[str, str | None]) -> None:
    """Raises ArgumentError where two options name one file."""
    seen: dict[str, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise ArgumentError(f"{seen[real]} and {option} name the same file, {path}")
        seen[real] = option


def write_output(text: str) -> None:
    """Writes a line or lines to standard output, at once: an error of it is then one of this call."""
    if sys.stdout is not None:
        print(text)
        sys.stdout.flush()


def tell(text: str) -> None:
    """Writes a line to standard error; nothing where that is closed, for `print` would take standard output."""
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


def discard_output() -> None:
    """Leads what is still to be written nowhere, so that it does not fail once more when the program ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
