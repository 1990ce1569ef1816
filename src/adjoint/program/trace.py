"""Traces: what is written down while a function runs on tracers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.config import TRACE
from adjoint.errors import TraceError
from adjoint.program.instruction import Instruction, signs_of
from adjoint.program.operations import broadcast_shapes, make
from adjoint.program.tracer import NUMBERS, Number, Tracer
from adjoint.provenance.notes import note_instruction
from adjoint.provenance.watching import BLOCKS

__all__ = ["Trace", "current_trace", "read", "trace_of"]


class Trace:
    """What is written down while a function runs on tracers.

    inputs: the instructions of operation "input", in the order of their making
    sources: for each input, what the caller said it is
    checks: flags that must all be true at run time
    pinned: numbers whose value was read: the program is right for these values only
    frozen: arrays whose values were read, with a copy
    arguments: inputs that belong to the caller: they are not changed in place
    """

    def __init__(self) -> None:
        self.inputs: list[Instruction] = []
        self.sources: list[Any] = []
        self.checks: list[Instruction] = []
        self.pinned: dict[Instruction, Any] = {}
        self.frozen: list[tuple[Any, Any]] = []
        self.arguments: set[Instruction] = set()
        self.on_capture: Callable[[Any], None] | None = None  # told of each array that is captured
        self.tracers: list[ref[Tracer]] = []
        self.is_open = True
        self._known: dict[tuple[Any, ...], Instruction] = {}
        self._captured: dict[int, tuple[Any, Instruction]] = {}

    def __enter__(self) -> Trace:
        self._token = TRACE.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        TRACE.reset(self._token)
        self.is_open = False

    def input(self, source: Any, shape: tuple[int, ...], dtype: Any) -> Instruction:
        """A new input."""
        instruction = Instruction("input", (), (len(self.inputs),), shape, dtype.newbyteorder("="))
        self.inputs.append(instruction)
        self.sources.append(source)
        return instruction

    def tracer(self, source: Any, array: Any) -> Tracer:
        """A tracer for an array that is given at each call."""
        return Tracer(self, self.input(source, array.shape, array.dtype))

    def number(self, source: Any, value: Any) -> Number:
        """A stand-in for a Python number that is given at each call."""
        dtype = np.dtype(np.float64 if isinstance(value, float) else np.int64)
        instruction = self.input(source, (), dtype)
        return Number(self, instruction, value, frozenset({instruction}))

    def add(self, op: str, *inputs: Instruction, params: tuple[Any, ...] = ()) -> Instruction:
        """An instruction; the same one for the same operation on the same inputs."""
        key = (op, params, *map(id, inputs))
        found = self._known.get(key)
        if found is None:
            if not self.is_open:
                raise TraceError(
                    "a value of a compiled function is used after the function was traced; return it from the function"
                )
            found = self._known[key] = make(op, *inputs, params=params)
            if BLOCKS:
                note_instruction(found)
        return found

    def constant(self, value: Any, dtype: Any) -> Instruction:
        """A number of a dtype. Raises OverflowError where it does not fit."""
        value = dtype.type(value).item()
        key = ("constant", value, dtype, signs_of(value))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = make("constant", params=(value, dtype))
        return found

    def captured(self, array: Any) -> Instruction:
        """The input for an array that the function found elsewhere; it is read anew at each call."""
        held = self._captured.get(id(array))
        if held is None:
            if self.on_capture is not None:
                self.on_capture(array)
            held = self._captured[id(array)] = (array, self.input(array, array.shape, array.dtype))
        return held[1]

    def captured_arrays(self) -> list[Any]:
        """The arrays that were captured."""
        return [array for array, _ in self._captured.values()]

    def values_of(self, array: Any) -> Any:
        """The array itself: its values go into the program, which is right as long as they stay."""
        self.frozen.append((array, array.copy()))
        return array

    def cast(self, instruction: Instruction, dtype: Any) -> Instruction:
        """In another dtype."""
        if instruction.dtype == dtype:
            return instruction
        if instruction.op == "constant" and not np.isnan(instruction.params[0]):
            with np.errstate(all="ignore"):
                value = numpy_namespace.astype(np.asarray(instruction.params[0], instruction.dtype), dtype)
                return self.constant(value.item(), dtype)
        return self.add("cast", instruction, params=(dtype,))

    def reshaped(self, instruction: Instruction, shape: tuple[int, ...]) -> Instruction:
        """In another shape of as many elements."""
        return instruction if instruction.shape == shape else self.add("reshape", instruction, params=(shape,))

    def broadcast(self, instruction: Instruction, shape: tuple[int, ...]) -> Instruction:
        """Repeated to fill a shape. Raises ValueError where it does not fit."""
        if instruction.shape == shape:
            return instruction
        if broadcast_shapes(instruction.shape, shape) != shape:
            raise ValueError(f"an array of shape {instruction.shape} cannot be broadcast to {shape}")
        return self.add("broadcast", instruction, params=(shape,))

    def read(self, value: Any, dtype: Any = None) -> Instruction:
        """The instruction for a tracer, array or number, in `dtype` if one is given."""
        if isinstance(value, Tracer):
            if value.trace is not self:
                raise TraceError("values of two compiled functions that are traced separately are combined")
            instruction = value.instruction
        elif isinstance(value, NUMBERS):
            return self.constant(value, np.dtype(type(value)) if dtype is None else dtype)
        elif isinstance(value, np.generic):
            instruction = self.constant(value.item(), value.dtype)
        else:
            instruction = self.captured(value if isinstance(value, np.ndarray) else np.asarray(value))
        return instruction if dtype is None else self.cast(instruction, dtype)

    def wrap(self, instruction: Instruction) -> Tracer:
        """A tracer for a result."""
        return Tracer(self, instruction)

    def view(self, instruction: Instruction) -> Tracer:
        """A tracer for what NumPy gives a view of."""
        tracer = Tracer(self, instruction)
        tracer.is_view = True
        return tracer


def current_trace() -> Trace | None:
    """The trace that is being made in this thread or task."""
    trace: Trace | None = TRACE.get()
    return trace


def trace_of(*values: Any) -> Trace:
    """The trace that the tracers among some values belong to; for arrays and numbers alone, the current one."""
    for value in values:
        if isinstance(value, Tracer):
            return value.trace
    trace = current_trace()
    assert trace is not None, "a namespace of tracers outside of a trace"
    return trace


def read(x: Any) -> tuple[Trace, Instruction]:
    """The trace of a tracer, array or number, and its instruction there."""
    trace = trace_of(x)
    return trace, trace.read(x)
