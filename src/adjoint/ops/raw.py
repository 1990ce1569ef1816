"""Ops on arrays without Variables: the functions that derivative rules use in a plain backward pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from adjoint.ops.declaration import TABLE, Op

__all__ = ["forward_in", "raw_functions"]


class _RawFunctions:
    """``F.name(*arrays, **params)`` runs the forward of the op of that name; each is looked up once."""

    def __init__(self, namespace: Any) -> None:
        self._namespace = namespace

    def __getattr__(self, name: str) -> Any:
        if name not in TABLE:
            raise AttributeError(f"no op is named {name!r}")
        function = partial(forward_in(self._namespace, TABLE[name]), self._namespace)
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


def forward_in(namespace: Any, op: Op) -> Callable[..., Any]:
    """The op's forward; in the namespace of lifted arrays with the op's `jvp` for its derivatives, where it has one."""
    if op.jvp is None:
        return op.forward
    with_tangent = getattr(namespace, "with_tangent", None)
    if with_tangent is None:
        return op.forward
    lifted: Callable[..., Any] = with_tangent(op, partial(op.jvp, raw_functions(namespace)))
    if op.jvp != op.jvp_by_rule:
        return lifted

    def real_ones_lifted(xp: Any, *xs: Any, **params: Any) -> Any:
        """A complex function need not have one slope for all directions."""
        is_complex = any(getattr(x, "dtype", None) is not None and x.dtype.kind == "c" for x in xs)
        return (op.forward if is_complex else lifted)(xp, *xs, **params)

    return real_ones_lifted
