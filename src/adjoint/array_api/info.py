"""What the namespace can do, in the terms of the standard."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.array_api.dtypes import DTYPES, isdtype
from adjoint.core.standard import CPU, check_device

__all__ = ["NamespaceInfo"]

_DEFAULTS = {
    "real floating": np.dtype("float64"),
    "complex floating": np.dtype("complex128"),
    "integral": np.dtype(np.asarray(0).dtype),
    "indexing": np.dtype(np.intp),
}


class NamespaceInfo:
    """The capabilities, devices and dtypes of the namespace."""

    def capabilities(self) -> dict[str, Any]:
        """Which optional behaviour there is."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where arrays are made."""
        return CPU

    def devices(self) -> tuple[str, ...]:
        """All devices: there is one."""
        return (CPU,)

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:
        """The dtypes that arrays have where none is given."""
        check_device(device)
        return dict(_DEFAULTS)

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype[Any]]:
        """The dtypes by name; of one kind, or of some in a tuple."""
        check_device(device)
        return {name: dtype for name, dtype in DTYPES.items() if kind is None or isdtype(dtype, kind)}
