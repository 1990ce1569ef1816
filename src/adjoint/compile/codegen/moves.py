"""Kernels that move elements: by arrays of indices, by strides, or from nowhere.

An index out of range sets the status word, and its row is left alone.  Sizes and strides are words of the record, the
dtypes and how many index arrays there are is compiled in; elements that are only moved are integers of their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np

from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, operand, word
from adjoint.compile.codegen.matmul import Step
from adjoint.compile.codegen.rows import (
    SCALARS,
    along,
    choose,
    divided,
    fail,
    load,
    one,
    parts,
    size_of,
    store,
)
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = [
    *("copy_strided", "copy_strided_step", "fill", "fill_step", "gather", "gather_step", "iota", "iota_step"),
    *("scatter_add", "scatter_add_step"),
]

_LINE = 64  # bytes: the width of the columns that parts of a `scatter_add` have to themselves
_ROW = 4096  # elements: longer rows of a copy are not made of short ones


@lru_cache(maxsize=256)
def gather(dtype: str, index_dtypes: tuple[str, ...], target: Target) -> Function:
    """out[o, i, :] = x[o, index0[i], index1[i], …, :], with negative indices from the end; its extent is outer × count.

    x (outer, *sizes, inner), the indices (count,) and out (outer, count, inner) are contiguous.
    Record: operands x, out, index0, index1, …; words count, inner, *sizes.
    """
    kind = Vector(f"i{8 * size_of(dtype)}", target.lanes(size_of(dtype)))
    indices = "_".join(index_dtypes)
    f = Function(f"gather_{kind.suffix}_{indices}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    x, out = operand(f, 0), operand(f, 2)
    positions = _Positions(f, index_dtypes, 4)
    count, inner = positions.words
    block, row = multiply(f, positions.size, inner), multiply(f, count, inner)
    narrow = f.let(f"icmp eq i64 {inner}, 1")
    with parts(f, count) as (outer, first, end):
        source = element(f, kind.scalar, x, multiply(f, outer, block))
        place = element(f, kind.scalar, out, multiply(f, outer, row))
        middle = choose(f, narrow, end, first)
        with counted(f, first, middle) as i, positions.at(i) as position:
            _copy(f, one(kind), element(f, kind.scalar, source, position), element(f, kind.scalar, place, i))
        with counted(f, middle, end) as i, positions.at(i) as position:
            source_row = element(f, kind.scalar, source, multiply(f, position, inner))
            _copy_row(f, kind, source_row, element(f, kind.scalar, place, multiply(f, i, inner)), inner, target)
    f.do("ret void")
    return f


def gather_step(
    target: Target, dtype: str, index_dtypes: Sequence[str], *, outer: int, sizes: Sequence[int], inner: int, count: int
) -> Step:
    """The call of `gather`."""
    names = ("x", "out", *_index_names(index_dtypes, sizes))
    return Step(gather(dtype, tuple(index_dtypes), target), names, (count, inner, *sizes), outer * count)


@lru_cache(maxsize=256)
def scatter_add(dtype: str, index_dtypes: tuple[str, ...], target: Target) -> Function:
    """out[o, index0[i], index1[i], …, :] += values[o, i, :], in the order of i; for booleans, or.

    Its extent is outer × blocks of columns: parts share no element of out, but each of them reads all indices.
    out (outer, *sizes, inner), the indices (count,) and values (outer, count, inner) are contiguous.
    Record: operands values, out, index0, index1, …; words count, inner, width of a block, blocks, *sizes.
    """
    kind = Vector(SCALARS[dtype], target.lanes(size_of(dtype)))
    indices = "_".join(index_dtypes)
    name = f"scatter_{'or' if dtype == 'bool' else 'add'}_{kind.suffix}_{indices}"
    f = Function(name, ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    values, out = operand(f, 0), operand(f, 2)
    positions = _Positions(f, index_dtypes, 4, words=4)
    count, inner, width, blocks = positions.words
    block, row = multiply(f, positions.size, inner), multiply(f, count, inner)
    narrow = f.let(f"icmp eq i64 {inner}, 1")

    def added(kind: Vector, value: str, place: str, mask: str = "") -> None:
        total = _sum(f, dtype, kind, load(f, kind, place, mask), load(f, kind, value, mask))
        store(f, kind, total, place, mask)

    with parts(f, blocks) as (outer, first, end):
        source = element(f, kind.scalar, values, multiply(f, outer, row))
        place = element(f, kind.scalar, out, multiply(f, outer, block))
        first_column = multiply(f, first, width)
        end_column = minimum(f, multiply(f, end, width), inner)
        middle = choose(f, narrow, count, "0")
        with counted(f, "0", middle) as i, positions.at(i) as position:
            added(one(kind), element(f, kind.scalar, source, i), element(f, kind.scalar, place, position))
        with counted(f, middle, count) as i, positions.at(i) as position:
            value_row = element(f, kind.scalar, source, multiply(f, i, inner))
            place_row = element(f, kind.scalar, place, multiply(f, position, inner))

            def columns(kind: Vector, start: str, mask: str) -> None:
                value, place = (element(f, kind.scalar, pointer, start) for pointer in (value_row, place_row))
                added(kind, value, place, mask)

            along(f, kind, first_column, end_column, columns, masks=target.masks, repeatable=False)
    f.do("ret void")
    return f


def scatter_add_step(
    target: Target, dtype: str, index_dtypes: Sequence[str], *, outer: int, sizes: Sequence[int], inner: int, count: int
) -> Step:
    """The call of `scatter_add`."""
    width = _LINE // size_of(dtype)
    blocks = max(1, -(-inner // width))  # one that is empty too, so that the indices are checked
    names = ("values", "out", *_index_names(index_dtypes, sizes))
    words = (count, inner, width, blocks, *sizes)
    return Step(scatter_add(dtype, tuple(index_dtypes), target), names, words, outer * blocks)


def _index_names(index_dtypes: Sequence[str], sizes: Sequence[int]) -> list[str]:
    if len(index_dtypes) != len(sizes):
        raise ValueError(f"{len(index_dtypes)} index arrays for {len(sizes)} axes")
    return [f"index{i}" for i in range(len(sizes))]


class _Positions:
    """Arrays of indices into adjacent axes, read from the record together with what lies between them there."""

    def __init__(self, f: Function, dtypes: tuple[str, ...], first: int, words: int = 2) -> None:
        self.f = f
        self.dtypes = dtypes
        self.arrays = [operand(f, first + 2 * i) for i in range(len(dtypes))]
        first += 2 * len(dtypes)
        self.words = [word(f, first + i) for i in range(words)]
        self.sizes = [word(f, first + words + i) for i in range(len(dtypes))]
        self.size = self.sizes[0]
        for size in self.sizes[1:]:
            self.size = multiply(f, self.size, size)

    @contextmanager
    def at(self, i: str) -> Iterator[str]:
        """The position that the i-th indices mean; what is written inside is not done where one is out of range."""
        f = self.f
        position, valid = "", ""
        for dtype, array, size in zip(self.dtypes, self.arrays, self.sizes, strict=True):
            index, fits = self._index(dtype, element(f, SCALARS[dtype], array, i), size)
            position = add(f, multiply(f, position, size), index) if position else index
            valid = f.let(f"and i1 {valid}, {fits}") if valid else fits
        inside, outside, done = (f.fresh(stem) for stem in ("inside", "outside", "done"))
        f.do(f"br i1 {valid}, label %{inside}, label %{outside}")
        f.label(outside)
        fail(f)
        f.do(f"br label %{done}")
        f.label(inside)
        yield position
        f.do(f"br label %{done}")
        f.label(done)

    def _index(self, dtype: str, address: str, size: str) -> tuple[str, str]:
        """An index from the beginning, and whether it is in range."""
        f, scalar, width = self.f, SCALARS[dtype], size_of(dtype)
        index = f.let(f"load {scalar}, ptr {address}, align {width}")
        if width < 8:
            index = f.let(f"{'zext' if dtype.startswith('u') else 'sext'} {scalar} {index} to i64")
        # uint64 as well: NumPy casts indices to int64
        if not dtype.startswith("u") or width == 8:
            index = choose(f, f.let(f"icmp slt i64 {index}, 0"), add(f, index, size), index)
        return index, f.let(f"icmp ult i64 {index}, {size}")


def _sum(f: Function, dtype: str, kind: Vector, left: str, right: str) -> str:
    operation = "fadd" if dtype.startswith("float") else "or" if dtype == "bool" else "add"
    return f.let(f"{operation} {kind} {left}, {right}")


def _copy(f: Function, kind: Vector, source: str, place: str, mask: str = "") -> None:
    store(f, kind, load(f, kind, source, mask), place, mask)


def _copy_row(f: Function, kind: Vector, source: str, place: str, count: str, target: Target) -> None:
    def body(kind: Vector, start: str, mask: str) -> None:
        _copy(f, kind, element(f, kind.scalar, source, start), element(f, kind.scalar, place, start), mask)

    along(f, kind, "0", count, body, masks=target.masks, repeatable=True)


@lru_cache(maxsize=256)
def copy_strided(bytes_per_element: int, axes: int, target: Target) -> Function:
    """out[i, j, …] = in[i, j, …] for any strides, 0 and negative ones too; its extent is all sizes but the last one's.

    Elements have 1, 2, 4 or 8 bytes; there are at least two axes.  Fast where along the last axis the stride of out is
    1, and that of in 1 or 0.
    Record: operands in, out; words *sizes, *strides of in, *strides of out, in elements.
    """
    kind = Vector(f"i{8 * bytes_per_element}", target.lanes(bytes_per_element))
    f = Function(f"copy_{kind.suffix}_{axes}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    source, place = operand(f, 0), operand(f, 2)
    sizes, steps, out_steps = ([word(f, 4 + axes * group + i) for i in range(axes)] for group in range(3))
    count, step, out_step = sizes[-1], steps[-1], out_steps[-1]
    dense_out = f.let(f"icmp eq i64 {out_step}, 1")
    copies, repeats = (f.let(f"and i1 {dense_out}, {f.let(f'icmp eq i64 {step}, {number}')}") for number in (1, 0))

    def at(pointer: str, index: str, stride: str) -> str:
        return element(f, kind.scalar, pointer, multiply(f, index, stride))

    with parts(f, sizes[-2]) as (plane, first, end):
        source_plane, place_plane = source, place
        for axis in reversed(range(axes - 2)):
            plane, index = divided(f, plane, sizes[axis])
            source_plane, place_plane = at(source_plane, index, steps[axis]), at(place_plane, index, out_steps[axis])

        def ends(row: str) -> tuple[str, str]:
            return at(source_plane, row, steps[-2]), at(place_plane, row, out_steps[-2])

        copied = choose(f, copies, end, first)
        repeated = choose(f, repeats, end, copied)
        with counted(f, first, copied) as row:
            _copy_row(f, kind, *ends(row), count, target)
        with counted(f, copied, repeated) as row:
            source_row, place_row = ends(row)
            value = f.let(f"load {kind.scalar}, ptr {source_row}, align {bytes_per_element}")
            _fill_row(f, kind, value, place_row, "0", count, target)
        with counted(f, repeated, end) as row:
            source_row, place_row = ends(row)
            with counted(f, "0", count) as i:
                _copy(f, one(kind), at(source_row, i, step), at(place_row, i, out_step))
    f.do("ret void")
    return f


def copy_strided_step(
    target: Target,
    bytes_per_element: int,
    sizes: Sequence[int],
    strides: Sequence[int],
    out_strides: Sequence[int],
) -> Step:
    """The call of `copy_strided`, with as few axes as possible; elements may have 16 bytes too."""
    axes = [axis for axis in zip(sizes, strides, out_strides, strict=True) if axis[0] != 1]
    axes.sort(key=lambda axis: (-abs(axis[2]), -abs(axis[1])))
    if bytes_per_element == 16:
        bytes_per_element = 8
        axes = [*((size, 2 * step, 2 * out_step) for size, step, out_step in axes), (2, 1, 1)]
    merged: list[tuple[int, int, int]] = []
    for size, step, out_step in reversed(axes):
        # a row is never divided among parts, and so must not become too long
        if merged and (len(merged) > 1 or size * merged[0][0] <= _ROW):
            count, inner_step, inner_out_step = merged[0]
            if (step, out_step) == (count * inner_step, count * inner_out_step):
                merged[0] = (size * count, inner_step, inner_out_step)
                continue
        merged.insert(0, (size, step, out_step))
    merged = merged or [(1, 1, 1)]
    # an even number of axes, so that there are fewer kernels
    merged = [(1, 0, 0)] * (2 - len(merged) if len(merged) < 2 else len(merged) % 2) + merged
    function = copy_strided(bytes_per_element, len(merged), target)
    words = tuple(number for numbers in zip(*merged, strict=True) for number in numbers)
    extent = math.prod(size for size, _, _ in merged[:-1]) if merged[-1][0] else 0
    return Step(function, ("in", "out"), words, extent)


@lru_cache(maxsize=256)
def fill(dtype: str, target: Target) -> Function:
    """out[i] = value; its extent is the number of elements.

    Record: operand out; words value, whose lowest bits are those of the element.
    """
    kind = Vector(f"i{8 * size_of(dtype)}", target.lanes(size_of(dtype)))
    f = Function(f"fill_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    out, value = operand(f, 0), word(f, 2)
    if kind.bits < 64:
        value = f.let(f"trunc i64 {value} to {kind.scalar}")
    _fill_row(f, kind, value, out, "%begin", "%end", target)
    f.do("ret void")
    return f


def fill_step(target: Target, dtype: str, count: int, value: float = 0) -> Step:
    """The call of `fill`: zeros, or any number of the dtype."""
    bits = np.array(value, dtype).view(f"i{size_of(dtype)}")
    return Step(fill(dtype, target), ("out",), (int(bits),), count)


def _fill_row(f: Function, kind: Vector, value: str, place: str, first: str, end: str, target: Target) -> None:
    vector, single = f.splat(kind, value), f.splat(one(kind), value)

    def body(kind: Vector, start: str, mask: str) -> None:
        store(f, kind, single if kind.lanes == 1 else vector, element(f, kind.scalar, place, start), mask)

    along(f, kind, first, end, body, masks=target.masks, repeatable=True)


@lru_cache(maxsize=256)
def iota(dtype: str, target: Target) -> Function:
    """out[i] = i; its extent is the number of elements.  Integers wrap, booleans are i ≠ 0.

    Record: operand out.
    """
    kind = Vector(SCALARS[dtype], target.lanes(size_of(dtype)))
    f = Function(f"iota_{dtype}_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    out = operand(f, 0)

    def body(kind: Vector, start: str, mask: str) -> None:
        first = start if kind.bits == 64 else f.let(f"trunc i64 {start} to {kind.scalar}")
        numbers = ", ".join(f"{kind.scalar} {lane}" for lane in range(kind.lanes))
        value = f.let(f"add {kind} {f.splat(kind, first)}, <{numbers}>")
        store(f, kind, value, element(f, kind.scalar, out, start), mask)

    if dtype == "bool" or dtype.startswith("float"):
        with counted(f, "%begin", "%end") as i:
            if dtype == "bool":
                value = f.let(f"zext i1 {f.let(f'icmp ne i64 {i}, 0')} to i8")
            else:
                value = f.let(f"sitofp i64 {i} to {kind.scalar}")
            f.do(f"store {kind.scalar} {value}, ptr {element(f, kind.scalar, out, i)}, align {kind.bits // 8}")
    else:
        along(f, kind, "%begin", "%end", body, masks=target.masks, repeatable=True)
    f.do("ret void")
    return f


def iota_step(target: Target, dtype: str, count: int) -> Step:
    """The call of `iota`."""
    return Step(iota(dtype, target), ("out",), (), count)
