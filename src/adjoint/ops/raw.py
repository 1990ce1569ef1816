"""The functions that derivative rules use in a plain backward pass: every op, on plain arrays."""

from __future__ import annotations

from functools import partial
from typing import Any

from adjoint.ops.declaration import TABLE, Op

__all__ = ["raw_functions"]


class _RawFunctions:
    """``F.name(*arrays, **params)`` runs the forward of the op of that name; each is looked up once."""

    def __init__(self, namespace: Any) -> None:
        self._namespace = namespace

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE:
            raise AttributeError(f"no op is named {name!r}")
        function = partial(TABLE[name].forward, self._namespace)
        if type(TABLE[name]) is Op:  # a user may declare an op again
            setattr(self, name, function)
        return function


_BY_NAMESPACE: dict[Any, _RawFunctions] = {}


def raw_functions(namespace: Any) -> Any:
    """The functions on plain arrays of `namespace`."""
    try:
        return _BY_NAMESPACE[namespace]
    except KeyError:
        functions = _BY_NAMESPACE[namespace] = _RawFunctions(namespace)
        return functions
