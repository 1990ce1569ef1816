"""Named arrays in files, in the safetensors format; every file appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from adjoint.errors import FormatError, MissingDependencyError

__all__ = ["read_arrays", "write_arrays", "write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file under a temporary name beside it, then renames: no reader sees a part of it."""
    import tempfile  # brings compression libraries along, which `import adjoint` need not wait for

    target = os.path.abspath(os.fspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".adjoint-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise MissingDependencyError(
            "saving and loading parameters needs the safetensors library: pip install 'adjoint[files]'"
        ) from None
    return safetensors.numpy


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """Writes named arrays. Raises MissingDependencyError without safetensors, OSError where writing fails."""
    save = _safetensors().save
    write_whole(path, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def read_arrays(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The named arrays of a file. Raises FormatError for a file that is none, OSError where reading fails."""
    from_bytes = _safetensors().load
    with open(path, "rb") as file:
        content = file.read()
    try:
        arrays: dict[str, Any] = from_bytes(content)
    except Exception as error:
        raise FormatError(f"{os.fspath(path)}: not a safetensors file: {error}") from None
    return arrays
