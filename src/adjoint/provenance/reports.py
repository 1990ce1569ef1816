"""What is noted of an operation that may have gone wrong, and the error that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adjoint.errors import AnomalyError
from adjoint.provenance.places import Place
from adjoint.provenance.values import Operand, bad_elements, described

__all__ = ["Given", "Held", "Record", "Step", "anomaly"]

_MOST_STEPS = 12  # of a chain, in the text

Held = list[tuple[str | None, Any]]  # arrays or instructions, with what they are


@dataclass(frozen=True)
class Step:
    """An op on the way to another.

    depth: how many ops it is away
    location, layer: where it was applied; None where that is not known
    """

    op: str
    depth: int
    shape: tuple[int, ...]
    location: str | None
    layer: str | None

    def __str__(self) -> str:
        where = f" in layer {self.layer}" if self.layer else ""
        line = f"  at {self.location}" if self.location else ""
        return f"{'  ' * max(self.depth - 1, 0)}{self.op} {self.shape}{where}{line}"


@dataclass
class Given:
    """One of the values that an operation computed with.

    note: what it is, such as "a constant"
    """

    name: str
    held: Held
    note: str | None = None


@dataclass
class Record:
    """An operation, what it had and what it made.

    action: what was done, for the text: "{action} made NaN"
    result_name: what the result is, for the text
    place: of the op, None where it is not known
    steps: the chain of ops, found when it is needed
    heading: what the chain is
    candidates: what this is the sum of; where the result of one is not finite, that one is to blame
    """

    op: str | None
    phase: str
    action: str
    operands: list[Given]
    result: Held
    result_name: str
    place: Place | None
    steps: Callable[[], Iterable[Step]] = field(default=tuple)
    heading: str = ""
    is_elementwise: bool = False
    remarks: Sequence[str] = ()
    candidates: Sequence[Record] = ()


def anomaly(record: Record, value_of: Callable[[Any], Any], *, infinity: bool) -> AnomalyError:
    """The error for an operation whose result is not finite; `value_of` gives the values of what was held."""
    for candidate in record.candidates:
        if any(_is_bad(x, infinity) for _, x in _values(candidate.result, value_of)):
            return anomaly(candidate, value_of, infinity=infinity)
    note, result = next((note, x) for note, x in _values(record.result, value_of) if _is_bad(x, infinity))
    wrong = np.asarray(bad_elements(result, infinity=infinity))
    index = tuple(map(int, np.argwhere(wrong)[0])) if wrong.ndim else ()
    made = described(record.result_name, note, result, index)
    operands = [*_operands(record, value_of, made, index), made]
    steps = tuple(record.steps())
    carried = [x for x in operands[:-1] if x.nan or (infinity and x.infinite)]
    lines = [f"{record.action} {_counts(made, infinity)}{_origin(carried)}"]
    lines += [f"  {operand}" for operand in operands]
    if steps:
        lines += [f"  {record.heading}", *(f"    {step}" for step in _shown(steps))]
    lines += [f"  {remark}" for remark in record.remarks]
    error = AnomalyError("\n".join(lines))
    error.op, error.phase, error.operands, error.chain = record.op, record.phase, tuple(operands), steps
    if record.place is not None:
        error.location, error.layer = record.place.location, record.place.layer
    return error


def _shown(steps: Sequence[Step]) -> list[Any]:
    """The steps that the text has: of many, the first and the last."""
    if len(steps) <= _MOST_STEPS:
        return list(steps)
    half = _MOST_STEPS // 2
    return [*steps[:half], f"… {len(steps) - 2 * half} more …", *steps[-half:]]


def _values(held: Held, value_of: Callable[[Any], Any]) -> Iterator[tuple[str | None, Any]]:
    return ((note, value_of(x)) for note, x in held)


def _is_bad(array: Any, infinity: bool) -> bool:
    found = bad_elements(array, infinity=infinity)
    return found is not None and bool(found.any())


def _operands(
    record: Record, value_of: Callable[[Any], Any], made: Operand, index: tuple[int, ...]
) -> Iterator[Operand]:
    for given in record.operands:
        for note, array in _values(given.held, value_of):
            if array is not None:
                notes = ", ".join(part for part in (given.note, note) if part) or None
                where = _index_in(np.shape(array), made.shape, index) if record.is_elementwise else None
                yield described(given.name, notes, array, where)


def _index_in(shape: tuple[int, ...], whole: tuple[int, ...], index: tuple[int, ...]) -> tuple[int, ...] | None:
    """The index in an array that is broadcast to the shape `whole`; None where it is not."""
    try:
        if np.broadcast_shapes(shape, whole) != whole:
            return None
    except ValueError:
        return None
    own = index[len(index) - len(shape) :]
    return tuple(0 if length == 1 else i for i, length in zip(own, shape, strict=True))


def _counts(operand: Operand, infinity: bool) -> str:
    size = int(np.prod(operand.shape))
    found = [(operand.nan, "NaN")] + ([(operand.infinite, "infinity")] if infinity else [])
    kinds = " and ".join(f"{what} in {count}" for count, what in found if count)
    return f"{kinds} of {size} element{'s' if size > 1 else ''}"


def _origin(carried: Sequence[Operand]) -> str:
    """Whether it was made here, in words."""
    if not carried:
        return ", from finite values"
    named = ", ".join(f"{x.name} ({x.note})" if x.note else x.name for x in carried)
    return f"; it came in with {named}"
