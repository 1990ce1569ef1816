"""Square blocks in registers: turned, or summed along their rows.

Both go in rounds of pairs of vectors.  The first rounds stay within units of 16 bytes and the others move whole units:
these are the shuffles that processors have.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from adjoint.compile.codegen.text import Function, Vector

__all__ = ["summed", "turned"]

_UNIT = 128  # bits


def turned(f: Function, kind: Vector, lines: list[str]) -> list[str]:
    """The columns of the square matrix whose rows are `lines`."""
    unit = min(kind.lanes, _UNIT // kind.bits)
    groups = [_turned_units(f, kind, lines[start : start + unit]) for start in range(0, kind.lanes, unit)]
    columns = [_gathered_units(f, kind, list(group)) for group in zip(*groups, strict=True)]
    return [column for units in zip(*columns, strict=True) for column in units]


def summed(f: Function, kind: Vector, lines: list[str], add: Callable[[str, str], str]) -> str:
    """The vector of the sums of the lanes of each of `lines`."""
    unit = min(kind.lanes, _UNIT // kind.bits)
    totals = []
    for start in range(0, kind.lanes, unit):
        group = lines[start : start + unit]
        while len(group) > 1:
            half = len(group) // 2
            group = [add(*_interleaved(f, kind, *pair)) for pair in zip(group[:half], group[half:], strict=True)]
        totals += group
    while len(totals) > 1:
        totals = [add(*_apart(f, kind, *pair)) for pair in zip(totals[::2], totals[1::2], strict=True)]
    return totals[0]


def _turned_units(f: Function, kind: Vector, lines: list[str]) -> list[str]:
    """Turns, in each unit, the square block of the rows `lines`."""
    half = len(lines) // 2
    for _ in range(len(lines).bit_length() - 1):
        pairs = zip(lines[:half], lines[half:], strict=True)
        lines = list(chain.from_iterable(_interleaved(f, kind, *pair) for pair in pairs))
    return lines


def _gathered_units(f: Function, kind: Vector, lines: list[str]) -> list[str]:
    """Turns the square block whose elements are units."""
    if len(lines) == 1:
        return lines
    pairs = [_apart(f, kind, *pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
    halves = (_gathered_units(f, kind, [pair[which] for pair in pairs]) for which in (0, 1))
    return list(chain.from_iterable(zip(*halves, strict=True)))


def _interleaved(f: Function, kind: Vector, left: str, right: str) -> tuple[str, str]:
    """In each unit, the lanes of both in turn: those of the first halves, those of the second halves."""
    unit = min(kind.lanes, _UNIT // kind.bits)
    low, high = (
        [
            start + offset + lane + other
            for start in range(0, kind.lanes, unit)
            for lane in range(unit // 2)
            for other in (0, kind.lanes)
        ]
        for offset in (0, unit // 2)
    )
    return _shuffled(f, kind, left, right, low), _shuffled(f, kind, left, right, high)


def _apart(f: Function, kind: Vector, left: str, right: str) -> tuple[str, str]:
    """The even units of both, and the odd ones."""
    unit = _UNIT // kind.bits
    even, odd = (
        [start + lane for start in range(first, 2 * kind.lanes, 2 * unit) for lane in range(unit)]
        for first in (0, unit)
    )
    return _shuffled(f, kind, left, right, even), _shuffled(f, kind, left, right, odd)


def _shuffled(f: Function, kind: Vector, left: str, right: str, order: list[int]) -> str:
    lanes = ", ".join(f"i32 {lane}" for lane in order)
    return f.let(f"shufflevector {kind} {left}, {kind} {right}, <{kind.lanes} x i32> <{lanes}>")
