"""What kernels over contiguous rows share: parts of an extent row by row, vectors along a row, loops that carry values.

A choice between forms of a loop is a choice of its bounds: the form that does not apply gets an empty range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from adjoint.compile.codegen.loops import add, counted, maximum, minimum, multiply
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["SCALARS", "along", "choose", "divided", "fail", "folded", "load", "one", "parts", "size_of", "store"]

SCALARS = {
    "float32": "float",
    "float64": "double",
    "bool": "i8",
    **{f"{sign}int{bits}": f"i{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""LLVM's scalars of NumPy's dtypes."""


def size_of(dtype: str) -> int:
    """The bytes of an element."""
    return np.dtype(dtype).itemsize


def one(kind: Vector) -> Vector:
    """One lane of the same scalar."""
    return Vector(kind.scalar, 1)


def choose(f: Function, condition: str, left: str, right: str) -> str:
    """One of two counts."""
    return f.let(f"select i1 {condition}, i64 {left}, i64 {right}")


def divided(f: Function, number: str, divisor: str) -> tuple[str, str]:
    """Quotient and remainder of counts."""
    return f.let(f"sdiv i64 {number}, {divisor}"), f.let(f"srem i64 {number}, {divisor}")


def fail(f: Function) -> None:
    """Sets the status word, the first one of the arena, which is slot 0."""
    f.do(f"store i64 1, ptr {f.let('load ptr, ptr %table, align 8')}, align 8")


@contextmanager
def parts(f: Function, count: str) -> Iterator[tuple[str, str, str]]:
    """A loop over the groups of `count` units that the part has units of: (group, first unit, end of its units)."""
    count = maximum(f, count, "1")
    end = f.let(f"sdiv i64 {add(f, '%end', add(f, count, '-1'))}, {count}")
    with counted(f, f.let(f"sdiv i64 %begin, {count}"), end) as group:
        before = multiply(f, group, count)
        first = maximum(f, f.let(f"sub i64 %begin, {before}"), "0")
        yield group, first, minimum(f, f.let(f"sub i64 %end, {before}"), count)


def along(
    f: Function,
    kind: Vector,
    first: str,
    end: str,
    body: Callable[[Vector, str, str], None],
    *,
    masks: bool,
    repeatable: bool,
) -> None:
    """Calls `body(kind, start, mask)` to write what is done to the elements first..end, by vectors as far as possible.

    Where doing an element twice does no harm, it is `repeatable`: the last vector may overlap the one before.  What is
    left over is done by a vector under a mask, elsewhere the mask is "", or by vectors of one lane.
    """
    lanes = str(kind.lanes)
    count = f.let(f"sub i64 {end}, {first}")
    if repeatable:
        last = f.let(f"sub i64 {end}, {lanes}")
        rest = choose(f, f.let(f"icmp sge i64 {count}, {lanes}"), end, first)
        with counted(f, first, rest, lanes) as start:
            body(kind, minimum(f, start, last), "")
    else:
        rest = add(f, first, f.let(f"and i64 {count}, -{lanes}"))
        with counted(f, first, rest, lanes) as start:
            body(kind, start, "")
    if masks:
        with counted(f, rest, end, lanes) as start:
            body(kind, start, _mask(f, kind, f.let(f"sub i64 {end}, {start}")))
    else:
        with counted(f, rest, end) as start:
            body(one(kind), start, "")


def _mask(f: Function, kind: Vector, count: str) -> str:
    """The first lanes, fewer than all."""
    lanes = kind.integers
    if lanes.bits < 64:
        count = f.let(f"trunc i64 {count} to {lanes.scalar}")
    numbers = ", ".join(f"{lanes.scalar} {lane}" for lane in range(kind.lanes))
    return f.let(f"icmp sgt {lanes} {f.splat(lanes, count)}, <{numbers}>")


def load(f: Function, kind: Vector, address: str, mask: str = "") -> str:
    """A vector from memory that is aligned for its scalars; lanes that are masked off are 0."""
    alignment = kind.bits // 8
    if not mask:
        return f.let(f"load {kind}, ptr {address}, align {alignment}")
    name, lanes = f"@llvm.masked.load.{kind.suffix}.p0", kind.of("i1")
    f.declarations.add(f"declare {kind} {name}(ptr, {lanes}, {kind})")
    return f.let(f"call {kind} {name}(ptr align {alignment} {address}, {lanes} {mask}, {kind} zeroinitializer)")


def store(f: Function, kind: Vector, value: str, address: str, mask: str = "") -> None:
    """A vector to memory that is aligned for its scalars; lanes that are masked off are left as they are."""
    alignment = kind.bits // 8
    if not mask:
        f.do(f"store {kind} {value}, ptr {address}, align {alignment}")
        return
    name, lanes = f"@llvm.masked.store.{kind.suffix}.p0", kind.of("i1")
    f.declarations.add(f"declare void {name}({kind}, ptr, {lanes})")
    f.do(f"call void {name}({kind} {value}, ptr align {alignment} {address}, {lanes} {mask})")


def folded(
    f: Function,
    begin: str,
    end: str,
    carried: Sequence[tuple[Vector, str]],
    body: Callable[[str, list[str]], list[str]],
    step: str = "1",
) -> list[str]:
    """A counted loop that carries values: `carried` are their types and what they begin with.

    `body(counter, values)` writes a turn and returns the next values; the last ones are returned.
    """
    enter, head, turn, latch, done = (f.fresh(stem) for stem in ("enter", "head", "turn", "latch", "done"))
    f.do(f"br label %{enter}")
    f.label(enter)
    f.do(f"br label %{head}")
    f.label(head)
    following = f"%{f.fresh('next')}"
    counter = f.let(f"phi i64 [ {begin}, %{enter} ], [ {following}, %{latch} ]")
    values = [f"%{f.fresh('carried')}" for _ in carried]
    places = [f.placeholder() for _ in carried]
    f.do(f"br i1 {f.let(f'icmp slt i64 {counter}, {end}')}, label %{turn}, label %{done}")
    f.label(turn)
    results = body(counter, values)
    f.do(f"br label %{latch}")
    f.label(latch)
    f.do(f"{following} = add i64 {counter}, {step}")
    f.do(f"br label %{head}")
    for place, value, (kind, start), result in zip(places, values, carried, results, strict=True):
        f.fill(place, f"{value} = phi {kind} [ {start}, %{enter} ], [ {result}, %{latch} ]")
    f.label(done)
    return values
