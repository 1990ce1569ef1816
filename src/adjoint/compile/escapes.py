"""What a function takes or leaves where the trace does not look: Variables not found before, values held elsewhere."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CellType, CodeType, FrameType
from typing import Any
from weakref import ref

from adjoint.compile.places import State
from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.errors import AdjointError, TraceError
from adjoint.program import Instruction, Trace, Tracer

__all__ = ["UnknownVariables", "check_survivors"]

_APPLY = apply.__code__
# What holds values for the time of the function only.
_PASSING = (
    "frame",
    "list_iterator",
    "tuple_iterator",
    "generator",
    "Link",
    "Node",
    "ManyNode",
    "weakref",
    "ReferenceType",
)
_FARTHEST = 5  # steps from a value to what holds it


class UnknownVariables:
    """The Variables that ops read and `state` lacks.

    Where one is kept somewhere, its array would stay what it is now.
    """

    def __init__(self, state: State, outermost: CodeType) -> None:
        self._state = state
        self._outermost = outermost  # the code that runs the function: no frame beyond is of interest
        self._read: list[tuple[ref[Variable], str | None]] = []
        self._before: list[tuple[Variable, Any, Any, Any]] = []

    def captured(self, array: Any) -> None:
        """Told of each array that is no tracer when it is read first."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not _APPLY:
            if frame.f_code is self._outermost:
                return
            frame = frame.f_back
        if frame is None:
            return
        for value in frame.f_locals["inputs"]:
            if isinstance(value, Variable) and value._data is array and id(value) not in self._state.variables:
                self._read.append((ref(value), AdjointError("").location))
                self._before.append((value, array, value._grad, value._link))

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Puts their arrays, gradients and graphs back after the block."""
        try:
            yield
        finally:
            for variable, data, grad, link in self._before:
                variable._data, variable._grad, variable._link = data, grad, link
            self._before.clear()

    def check(self) -> None:
        """Raises TraceError for those that are still there now that the function is left."""
        for reference, line in self._read:
            value = reference()
            holder = None if value is None else _holder(value)
            if value is not None and holder is not None:
                raise TraceError(
                    f"{value._brief()}, held {holder}, is used by the function at {line}, but was not found in what it "
                    "holds; pass the object that holds it as ad.compile(…, state=[…])"
                )


def check_survivors(trace: Trace, ours: set[int]) -> None:
    """Raises TraceError for tracers that something still holds: they would be read later, without a value.

    ours: the ids of those that the trace itself holds
    """
    if not _survivors(trace, ours):
        return
    gc.collect()
    survivors = _survivors(trace, ours)
    if survivors:
        holder = _holder(survivors[0]) or "somewhere"
        raise TraceError(
            f"a value that was computed in the function is still held {holder}; a compiled call cannot put another "
            "there. Return the value and store it after the call, or pass the object that holds it as "
            "ad.compile(…, state=[…])"
        )


def _survivors(trace: Trace, ours: set[int]) -> list[Any]:
    alive = (reference() for reference in trace.tracers)
    return [tracer for tracer in alive if tracer is not None and id(tracer) not in ours]


def _holder(held: Any) -> str | None:
    """Where something is held that outlives the function, in words; None where only frames and the graph hold it."""
    seen = {id(held)}
    level = [held]
    for _ in range(_FARTHEST):
        above = []
        for value in level:
            for referrer in gc.get_referrers(value):
                if id(referrer) in seen or referrer is level or type(referrer).__name__ in _PASSING:
                    continue
                seen.add(id(referrer))
                found = _place_in(referrer, value)
                if found is not None:
                    return found
                if isinstance(referrer, (list, tuple, dict, set, Variable, CellType)):
                    above.append(referrer)
        level = above
    return None


def _place_in(referrer: Any, value: Any) -> str | None:
    """Where in a module, a class or an object of the user's something is held."""
    if isinstance(referrer, dict) and "__name__" in referrer and "__builtins__" in referrer:
        names = [name for name, item in referrer.items() if item is value]
        return f"by the global name {names[0]!r} of {referrer['__name__']}" if names else None
    kind = type(referrer)
    if isinstance(referrer, type):
        return f"by the class {referrer.__name__}"
    if kind.__module__.partition(".")[0] in ("builtins", "weakref", "_weakref", "collections"):
        return None
    if isinstance(referrer, (Variable, Tracer, Instruction, Trace)) or kind.__module__.startswith("adjoint.compile"):
        return None
    names = [name for name, item in getattr(referrer, "__dict__", {}).items() if item is value]
    return f"by an attribute of a {kind.__name__}" + (f", {names[0]!r}" if names else "")
