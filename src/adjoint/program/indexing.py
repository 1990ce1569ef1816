"""Indices of tracers: NumPy's forms as slices, reshapes and gathers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from adjoint.arrays import Place
from adjoint.errors import TraceError
from adjoint.program.arithmetic import result_dtype
from adjoint.program.instruction import Instruction
from adjoint.program.shapes import axes_of
from adjoint.program.trace import Trace, read, trace_of
from adjoint.program.tracer import Number, Tracer

__all__ = ["getitem", "index_update", "pick", "require", "scatter_add", "take", "unindex"]

Array = Any
Ranges = tuple[tuple[int, int, int], ...]


def getitem(x: Array, index: Any) -> Array:
    """x[index]"""
    trace, instruction = read(x)
    selected = _selected(trace, instruction, _parts(index))
    return trace.wrap(selected) if selected.op == "gather" else trace.view(selected)


def unindex(values: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with `values` added at `index`."""
    parts, shape = _parts(index), tuple(shape)
    trace = trace_of(values, *parts)
    added = trace.read(values)
    if not any(_is_array(part) for part in parts):
        return trace.wrap(_placed(trace, added, parts, shape))
    zeros = trace.broadcast(trace.constant(0, added.dtype), shape)
    return trace.wrap(_scattered(trace, zeros, parts, added))


def scatter_add(x: Array, index: Any, values: Array) -> Array:
    """x with `values` added at `index`."""
    parts = _parts(index)
    trace = trace_of(x, values, *parts)
    dtype = result_dtype(x, values)
    into, added = trace.read(x, dtype), trace.read(values, dtype)
    if any(_is_array(part) for part in parts):
        return trace.wrap(_scattered(trace, into, parts, added))
    _, shape = _basic(parts, into.shape)
    return trace.wrap(trace.add("add", into, _placed(trace, trace.broadcast(added, shape), parts, into.shape)))


def index_update(x: Array, index: Any, values: Array, in_place: bool = False) -> Array:
    """x with `values` at `index`."""
    parts = _parts(index)
    trace = trace_of(x, values, *parts)
    into = trace.read(x)
    placed = trace.read(values, into.dtype)
    if any(_is_array(part) for part in parts):
        fixed, arrays = _with_places(trace, parts)
        selected = trace.add("gather", into, *arrays, params=(fixed,)).shape
        return trace.wrap(trace.add("index_update", into, _fitted(trace, placed, selected), *arrays, params=(fixed,)))
    ranges, selected = _basic(parts, into.shape)
    if all(wanted == (0, length, 1) for wanted, length in zip(ranges, into.shape, strict=True)):
        return trace.wrap(trace.reshaped(_fitted(trace, placed, selected), into.shape))
    flags = trace.broadcast(trace.constant(True, np.dtype(np.bool_)), selected)
    placed = _placed(trace, _fitted(trace, placed, selected), parts, into.shape)
    return trace.wrap(trace.add("where", _placed(trace, flags, parts, into.shape), placed, into))


def _fitted(trace: Trace, values: Instruction, shape: tuple[int, ...]) -> Instruction:
    """`values` broadcast to the shape that is assigned to, where leading axes of length 1 may be too many."""
    extra = len(values.shape) - len(shape)
    if extra > 0 and values.shape[:extra] == (1,) * extra:
        values = trace.reshaped(values, values.shape[extra:])
    return trace.broadcast(values, shape)


def take(x: Array, indices: Array, *, axis: int = 0) -> Array:
    """The parts of x with these numbers along an axis."""
    trace = trace_of(x, indices)
    instruction = trace.read(x)
    (axis,) = axes_of(axis, len(instruction.shape))
    return trace.wrap(_selected(trace, instruction, (*(slice(None),) * axis, indices)))


def pick(x: Array, labels: Array) -> Array:
    """The element of each row that its label says."""
    trace = trace_of(x, labels)
    rows = trace.add("iota", params=(labels.shape[0], np.dtype(np.intp)))
    index = (Place(0), Place(1))
    return trace.wrap(trace.add("gather", trace.read(x), rows, trace.read(labels), params=(index,)))


def require(flags: Array, error: Any) -> None:
    """Lets a call of the program fail unless all flags are true."""
    trace, instruction = read(flags)
    trace.checks.append(trace.add("require", trace.cast(instruction, np.dtype(np.bool_))))


def _selected(trace: Trace, x: Instruction, parts: tuple[Any, ...]) -> Instruction:
    if not any(_is_array(part) for part in parts):
        ranges, shape = _basic(parts, x.shape)
        return trace.reshaped(_slice(trace, x, ranges), shape)
    fixed, arrays = _with_places(trace, parts)
    return trace.add("gather", x, *arrays, params=(fixed,))


def _scattered(trace: Trace, x: Instruction, parts: tuple[Any, ...], values: Instruction) -> Instruction:
    fixed, arrays = _with_places(trace, parts)
    selected = trace.add("gather", x, *arrays, params=(fixed,)).shape
    return trace.add("scatter_add", x, trace.broadcast(values, selected), *arrays, params=(fixed,))


def _placed(trace: Trace, values: Instruction, parts: tuple[Any, ...], shape: tuple[int, ...]) -> Instruction:
    ranges, _ = _basic(parts, shape)
    values = trace.reshaped(values, tuple(length for _, length, _ in ranges))
    return trace.add("place", values, params=(ranges, shape)) if ranges else values


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _is_array(part: Any) -> bool:
    if isinstance(part, (Tracer, list, np.ndarray)) and not isinstance(part, Number):
        return True
    return isinstance(part, (bool, np.bool_))


def _with_places(trace: Trace, parts: tuple[Any, ...]) -> tuple[Any, list[Instruction]]:
    """The index with places for its arrays, and the arrays as whole numbers."""
    arrays: list[Instruction] = []
    fixed: list[Any] = []
    for part in parts:
        if not _is_array(part):
            fixed.append(part if part is None or part is Ellipsis or isinstance(part, slice) else operator.index(part))
            continue
        for array in _whole_numbers(trace, part):
            fixed.append(Place(len(arrays)))
            arrays.append(array)
    return tuple(_hashable(part) for part in fixed), arrays


def _hashable(part: Any) -> Any:
    """Slices cannot be hashed before Python 3.12: programs hold them as tuples."""
    return (part.start, part.stop, part.step) if isinstance(part, slice) else part


def _whole_numbers(trace: Trace, part: Any) -> list[Instruction]:
    """An index array as it is; one of booleans as the places of its True elements, which must be known."""
    if isinstance(part, Tracer):
        if part.dtype.kind == "b":
            raise TraceError(
                "an index of traced booleans selects a number of elements that is not known while tracing; "
                "use F.where to replace the others"
            )
        return [trace.read(part)]
    array = np.asarray(part)
    if array.dtype.kind == "b":
        return [trace.captured(places) for places in np.nonzero(trace.values_of(array))]
    return [trace.captured(array.astype(np.intp) if array.size == 0 else array)]


def _basic(parts: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Ranges, tuple[int, ...]]:
    """A range for each axis, and the shape that is left without the numbered axes and with the new ones."""
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if named > len(shape):
        raise IndexError(f"too many indices for array: array is {len(shape)}-dimensional, but {named} were indexed")
    if sum(part is Ellipsis for part in parts) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if not any(part is Ellipsis for part in parts):
        parts = (*parts, Ellipsis)
    ranges: list[tuple[int, int, int]] = []
    result: list[int] = []
    for part in parts:
        length = shape[len(ranges)] if len(ranges) < len(shape) else 0
        if part is None:
            result.append(1)
        elif part is Ellipsis:
            for rest in shape[len(ranges) : len(ranges) + len(shape) - named]:
                ranges.append((0, rest, 1))
                result.append(rest)
        elif isinstance(part, slice):
            start, stop, step = part.indices(length)
            count = len(range(start, stop, step))
            ranges.append((start, count, step) if count else (0, 0, 1))
            result.append(count)
        else:
            ranges.append((_position(part, length, len(ranges)), 1, 1))
    return tuple(ranges), tuple(result)


def _position(part: Any, length: int, axis: int) -> int:
    if isinstance(part, (float, str)):
        raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and integer or boolean arrays are valid")
    position = operator.index(part)
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of bounds for axis {axis} with size {length}")
    return position % length


def _slice(trace: Trace, x: Instruction, ranges: Ranges) -> Instruction:
    if all(wanted == (0, length, 1) for wanted, length in zip(ranges, x.shape, strict=True)):
        return x
    return trace.add("slice", x, params=(ranges,))
