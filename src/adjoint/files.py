"""Named arrays in files, in the safetensors format; every file appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from adjoint.errors import DTypeError, FormatError, MissingDependencyError

__all__ = ["read_arrays", "write_arrays", "write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file under a temporary name beside it, then renames: no reader sees a part of it."""
    target = os.path.realpath(os.fspath(path))  # a link stays a link
    temporary = os.path.join(os.path.dirname(target), f".adjoint-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingDependencyError(
            "saving and loading parameters needs the safetensors library: pip install 'adjoint[files]'"
        ) from None
    return safetensors.numpy


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes named arrays.

    Raises:
        DTypeError: for a dtype that the format lacks.
        MissingDependencyError: without safetensors.
        OSError: where writing fails.
    """
    to_bytes = _safetensors().save
    for name, array in arrays.items():
        if array.dtype.kind not in "fciub" or array.dtype.itemsize > 8:
            raise DTypeError(f"{name!r} is of dtype {array.dtype}, which safetensors files do not have")
    try:
        content = to_bytes({name: np.asarray(array, order="C") for name, array in arrays.items()})
    except Exception as error:
        if any(array.dtype.kind == "c" for array in arrays.values()):
            raise DTypeError(f"this version of safetensors has no complex numbers: {error}") from None
        raise
    write_whole(path, content)


def read_arrays(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The named arrays of a file. Raises FormatError for a file that is none, OSError where reading fails."""
    from_bytes = _safetensors().load
    with open(path, "rb") as file:
        content = file.read()
    try:
        arrays: dict[str, Any] = from_bytes(content)
    except Exception as error:
        raise FormatError(f"{os.fspath(path)}: not a safetensors file: {error}") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "fciub":
            raise FormatError(f"{os.fspath(path)}: {name!r} is of dtype {array.dtype}; only numbers can be read")
    return arrays
