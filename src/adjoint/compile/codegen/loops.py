"""What kernels with run-time sizes are written of: words of the record, operands, counted loops, sums of counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adjoint.compile.codegen.text import Function

__all__ = ["ARGUMENTS", "add", "counted", "element", "maximum", "minimum", "multiply", "opaque", "operand", "word"]

ARGUMENTS = "ptr %table, ptr %record, i64 %begin, i64 %end"
"""The arguments of every kernel: base addresses, constants of the call, the part of the extent to do."""


def word(f: Function, index: int) -> str:
    """A word of the record."""
    return f.let(f"load i64, ptr {f.let(f'getelementptr i64, ptr %record, i64 {index}')}, align 8")


def operand(f: Function, index: int) -> str:
    """The address of the operand whose two words, slot and offset in bytes, begin at `index` of the record."""
    slot, offset = word(f, index), word(f, index + 1)
    base = f.let(f"load ptr, ptr {f.let(f'getelementptr ptr, ptr %table, i64 {slot}')}, align 8")
    return f.let(f"getelementptr i8, ptr {base}, i64 {offset}")


def element(f: Function, scalar: str, pointer: str, index: str) -> str:
    """The address of an element."""
    return f.let(f"getelementptr {scalar}, ptr {pointer}, i64 {index}")


def opaque(f: Function, value: str, kind: str = "ptr") -> str:
    """The same value, of which the compiler forgets how it follows from counters: else it reckons for long."""
    return f.let(f"freeze {kind} {value}")


def add(f: Function, left: str, right: str) -> str:
    """A sum of counts."""
    return f.let(f"add i64 {left}, {right}")


def multiply(f: Function, left: str, right: str) -> str:
    """A product of counts."""
    return f.let(f"mul i64 {left}, {right}")


def minimum(f: Function, left: str, right: str) -> str:
    """The smaller of two counts."""
    return f.let(f"select i1 {f.let(f'icmp slt i64 {left}, {right}')}, i64 {left}, i64 {right}")


def maximum(f: Function, left: str, right: str) -> str:
    """The larger of two counts."""
    return f.let(f"select i1 {f.let(f'icmp sgt i64 {left}, {right}')}, i64 {left}, i64 {right}")


@contextmanager
def counted(f: Function, begin: str, end: str, step: str = "1") -> Iterator[str]:
    """A loop around what is written inside: its counter goes from `begin` up to, not including, `end`."""
    enter, head, body, latch, done = (f.fresh(stem) for stem in ("enter", "head", "body", "latch", "done"))
    following = f"%{f.fresh('next')}"
    f.do(f"br label %{enter}")
    f.label(enter)
    f.do(f"br label %{head}")
    f.label(head)
    counter = f.let(f"phi i64 [ {begin}, %{enter} ], [ {following}, %{latch} ]")
    f.do(f"br i1 {f.let(f'icmp slt i64 {counter}, {end}')}, label %{body}, label %{done}")
    f.label(body)
    yield counter
    f.do(f"br label %{latch}")
    f.label(latch)
    f.do(f"{following} = add i64 {counter}, {step}")
    f.do(f"br label %{head}")
    f.label(done)
