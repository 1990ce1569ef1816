"""What the Python array API standard asks of an array object, besides NumPy's methods and operators.

The engine does not know the namespace of the standard by name: `adjoint.array_api` sets it.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from adjoint.config import IN_RULES
from adjoint.core.value import Value, raw
from adjoint.errors import ArgumentError, DTypeError

__all__ = ["CPU", "VERSIONS", "StandardArray", "check_device", "set_namespace"]

CPU = "cpu"
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")

_namespace: Any = None


def set_namespace(namespace: Any) -> None:
    """Says what `Variable.__array_namespace__` returns."""
    global _namespace
    _namespace = namespace


def check_device(device: Any) -> None:
    """Raises ArgumentError for another device than the one there is."""
    if device is not None and device != CPU:
        raise ArgumentError(f"there is the device {CPU!r} alone, not {device!r}")


class StandardArray(Value):
    """The namespace, the device, comparisons, the exchange by DLPack, and conversions to Python's numbers."""

    __slots__ = ()

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        if api_version is not None and api_version not in VERSIONS:
            raise ArgumentError(f"the array API is there in the versions {', '.join(VERSIONS)}, not in {api_version!r}")
        return _namespace

    @property
    def device(self) -> str:
        """Where the array is: "cpu"."""
        return CPU

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """The Variable itself, as there is one device.

        Raises:
            ArgumentError: for another device than "cpu", and for a stream.
        """
        check_device(device)
        if stream is not None:
            raise ArgumentError(f"the device {CPU!r} has no streams; leave stream out")
        return self

    # Comparisons: Variables of booleans, which are constants; plain arrays for rules

    def _compared(self, flags: Any) -> Any:
        if IN_RULES.get() or not hasattr(flags, "dtype"):  # NotImplemented, or what Python says of other objects
            return flags
        result: Any = type(self).__new__(type(self))
        result._data = flags
        result._grad = result._link = result.name = None
        return result

    def __lt__(self, other: Any) -> Any:
        return self._compared(self._data < raw(other))

    def __le__(self, other: Any) -> Any:
        return self._compared(self._data <= raw(other))

    def __gt__(self, other: Any) -> Any:
        return self._compared(self._data > raw(other))

    def __ge__(self, other: Any) -> Any:
        return self._compared(self._data >= raw(other))

    def __eq__(self, other: Any) -> Any:
        return self._compared(self._data == raw(other))

    def __ne__(self, other: Any) -> Any:
        return self._compared(self._data != raw(other))

    __hash__ = object.__hash__

    # The exchange of memory

    def __dlpack__(
        self,
        /,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        options = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
        given = {name: value for name, value in options.items() if value is not None}
        return np.asarray(self).__dlpack__(**given)

    def __dlpack_device__(self, /) -> tuple[Any, int]:
        return np.asarray(self.data).__dlpack_device__()

    # Python's numbers

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self.shape:
            raise DTypeError(f"an index is one whole number, not {self._brief()}")
        return operator.index(self.item())
