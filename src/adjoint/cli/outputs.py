"""Where results go: checks of output files before any work is done, and standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence

from adjoint.errors import ArgumentError

__all__ = ["check_distinct", "check_ending", "check_writable", "discard_output", "write_output"]


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
    """Writes to standard output at once, so that an error of it is one of this call."""
    print(text)
    sys.stdout.flush()


def discard_output() -> None:
    """Leads standard output nowhere: what is left of it is not tried again, and fails again, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
