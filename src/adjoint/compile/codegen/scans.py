"""Kernels that go along an axis in its order: the first maximum, running sums; and the check of an array of flags.

The axis is the middle one of (outer, n, inner): vectors hold neighbours along `inner`.
"""

from __future__ import annotations

from functools import lru_cache

from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, operand, word
from adjoint.compile.codegen.matmul import Step
from adjoint.compile.codegen.rows import SCALARS, along, choose, fail, folded, load, one, parts, size_of, store
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["argmax", "argmax_step", "cumulative_sum", "cumulative_sum_step", "require", "require_step"]

_LINE = 64  # bytes: the least width of the columns of one part


@lru_cache(maxsize=256)
def argmax(dtype: str, target: Target) -> Function:
    """out[o, j] = the first k with the largest x[o, k, j], where NaN is larger than any number.

    Its extent is outer × blocks of columns; x (outer, n, inner), n > 0, and out (outer, inner), int64, are contiguous.
    Record: operands x, out; words n, inner, width of a block, blocks.
    """
    # Four bytes a lane at least: the indices take eight.
    kind = Vector(SCALARS[dtype], target.lanes(max(4, size_of(dtype))))
    f = Function(f"argmax_{dtype}_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    x, out = operand(f, 0), operand(f, 2)
    count, inner, width, blocks = (word(f, 4 + i) for i in range(4))
    block = multiply(f, count, inner)
    # A single column is a row of `count` elements: its vectors lie along the axis.
    long = f.let(f"icmp sge i64 {count}, {kind.lanes}")
    flat = f.let(f"and i1 {long}, {f.let(f'icmp eq i64 {inner}, 1')}")
    with parts(f, blocks) as (outer, first, end):
        source = element(f, kind.scalar, x, multiply(f, outer, block))
        place = element(f, "i64", out, multiply(f, outer, inner))

        def columns(kind: Vector, start: str, mask: str) -> None:
            top = element(f, kind.scalar, source, start)

            def turn(k: str, best: list[str]) -> list[str]:
                value = load(f, kind, element(f, kind.scalar, top, multiply(f, k, inner)), mask)
                larger = _is_larger(f, dtype, kind, value, best[0])
                return _chosen(f, kind, larger, [value, f.splat(kind.of("i64"), k)], best)

            begins = [(kind, load(f, kind, top, mask)), (kind.of("i64"), "zeroinitializer")]
            index = folded(f, "1", count, begins, turn)[1]
            store(f, kind.of("i64"), index, element(f, "i64", place, start), mask)

        first_column = multiply(f, first, width)
        end_column = minimum(f, multiply(f, end, width), inner)
        middle = choose(f, flat, end_column, first_column)
        with counted(f, first_column, middle):
            index = _first_maximum(f, dtype, kind, source, count)
            f.do(f"store i64 {index}, ptr {place}, align 8")
        along(f, kind, middle, end_column, columns, masks=target.masks, repeatable=True)
    f.do("ret void")
    return f


def argmax_step(target: Target, dtype: str, *, outer: int, count: int, inner: int) -> Step:
    """The call of `argmax` along an axis of `count` elements."""
    return _step(argmax(dtype, target), size_of(dtype), outer, count, inner)


def _first_maximum(f: Function, dtype: str, kind: Vector, row: str, count: str) -> str:
    """Where the first maximum of a row is that has at least as many elements as a vector."""
    indices = kind.of("i64")
    numbers = f"<{', '.join(f'i64 {lane}' for lane in range(kind.lanes))}>"
    last = f.let(f"sub i64 {count}, {kind.lanes}")

    def turn(k: str, best: list[str]) -> list[str]:
        start = minimum(f, k, last)
        value = load(f, kind, element(f, kind.scalar, row, start))
        index = f.let(f"add {indices} {f.splat(indices, start)}, {numbers}")
        return _chosen(f, kind, _is_larger(f, dtype, kind, value, best[0]), [value, index], best)

    best = folded(f, str(kind.lanes), count, [(kind, load(f, kind, row)), (indices, numbers)], turn, str(kind.lanes))
    # Halves that shrink, not rotations: LLVM 22 compares lane 0 of a 64-byte vector rotated by 8 bytes with itself.
    while kind.lanes > 1:
        left, right = _halves(f, kind, best)
        kind, indices = (Vector(k.scalar, k.lanes // 2) for k in (kind, indices))
        logical = kind.of("i1")
        larger, smaller = (_is_larger(f, dtype, kind, a[0], b[0]) for a, b in ((right, left), (left, right)))
        # of two that are equal the first one
        earlier = f.let(f"icmp slt {indices} {right[1]}, {left[1]}")
        ahead = f.let(f"select {logical} {smaller}, {logical} zeroinitializer, {logical} {earlier}")
        best = _chosen(f, kind, f.let(f"or {logical} {larger}, {ahead}"), right, left)
    return f.let(f"extractelement {indices} {best[1]}, i32 0")


def _halves(f: Function, kind: Vector, pair: list[str]) -> tuple[list[str], list[str]]:
    """The first and the last lanes of a vector and of a vector of indices."""
    half = kind.lanes // 2
    orders = [", ".join(f"i32 {lane}" for lane in range(first, first + half)) for first in (0, half)]
    left, right = (
        [
            f.let(f"shufflevector {k} {value}, {k} poison, <{half} x i32> <{order}>")
            for k, value in zip((kind, kind.of("i64")), pair, strict=True)
        ]
        for order in orders
    )
    return left, right


def _chosen(f: Function, kind: Vector, condition: str, left: list[str], right: list[str]) -> list[str]:
    """One of two pairs of a vector and a vector of indices, lane by lane."""
    kinds = (kind, kind.of("i64"))
    return [
        f.let(f"select {kind.of('i1')} {condition}, {k} {a}, {k} {b}")
        for k, a, b in zip(kinds, left, right, strict=True)
    ]


def _is_larger(f: Function, dtype: str, kind: Vector, value: str, best: str) -> str:
    if not dtype.startswith("float"):
        return f.let(f"icmp {'sgt' if dtype.startswith('int') else 'ugt'} {kind} {value}, {best}")
    # "ugt" is true for a NaN: of `value`, which is larger then, and of `best`, which nothing exceeds
    larger = f.let(f"fcmp ugt {kind} {value}, {best}")
    return f.let(f"and {kind.of('i1')} {larger}, {f.let(f'fcmp ord {kind} {best}, {best}')}")


@lru_cache(maxsize=256)
def cumulative_sum(dtype: str, target: Target) -> Function:
    """out[o, k, :] = x[o, 0, :] + … + x[o, k, :], added in this order; for booleans, or.  Out may be x.

    Its extent is outer × blocks of columns; x and out (outer, n, inner) are contiguous.
    Record: operands x, out; words n, inner, width of a block, blocks.
    """
    kind = Vector(SCALARS[dtype], target.lanes(size_of(dtype)))
    operation = "fadd" if dtype.startswith("float") else "or" if dtype == "bool" else "add"
    f = Function(f"cumulative_{operation}_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    x, out = operand(f, 0), operand(f, 2)
    count, inner, width, blocks = (word(f, 4 + i) for i in range(4))
    block = multiply(f, count, inner)
    narrow = f.let(f"icmp eq i64 {inner}, 1")
    # What a sum begins with: -0.0 + x is x, of either sign.
    start_value = f"splat ({kind.scalar} -0.0)" if operation == "fadd" else "zeroinitializer"
    with parts(f, blocks) as (outer, first, end):
        offset = multiply(f, outer, block)
        source, place = element(f, kind.scalar, x, offset), element(f, kind.scalar, out, offset)

        first_column = multiply(f, first, width)
        end_column = minimum(f, multiply(f, end, width), inner)
        # Whole vectors go row by row, so that memory is passed in its order, the others each down its column.
        middle = add(f, first_column, f.let(f"and i64 {f.let(f'sub i64 {end_column}, {first_column}')}, -{kind.lanes}"))
        some = f.let(f"icmp sgt i64 {middle}, {first_column}")
        with counted(f, "0", choose(f, some, count, "0")) as k:
            row = multiply(f, k, inner)
            source_row, place_row = element(f, kind.scalar, source, row), element(f, kind.scalar, place, row)
            is_first = f.let(f"icmp eq i64 {k}, 0")
            above = choose(f, is_first, "0", f.let(f"sub i64 0, {inner}"))
            before = element(f, kind.scalar, place_row, above)
            with counted(f, first_column, middle, str(kind.lanes)) as start:
                value = load(f, kind, element(f, kind.scalar, source_row, start))
                total = load(f, kind, element(f, kind.scalar, before, start))
                total = f.let(f"select i1 {is_first}, {kind} {start_value}, {kind} {total}")
                total = f.let(f"{operation} {kind} {total}, {value}")
                store(f, kind, total, element(f, kind.scalar, place_row, start))

        def column(kind: Vector, start: str, mask: str) -> None:
            def turn(k: str, carried: list[str]) -> list[str]:
                where = add(f, multiply(f, k, inner), start)
                value = load(f, kind, element(f, kind.scalar, source, where), mask)
                total = f.let(f"{operation} {kind} {carried[0]}, {value}")
                store(f, kind, total, element(f, kind.scalar, place, where), mask)
                return [total]

            folded(f, "0", count, [(kind, start_value)], turn)

        single = choose(f, narrow, end_column, middle)
        with counted(f, middle, single) as start:
            column(one(kind), start, "")
        along(f, kind, single, end_column, column, masks=target.masks, repeatable=False)
    f.do("ret void")
    return f


def cumulative_sum_step(target: Target, dtype: str, *, outer: int, count: int, inner: int) -> Step:
    """The call of `cumulative_sum` along an axis of `count` elements."""
    return _step(cumulative_sum(dtype, target), size_of(dtype), outer, count, inner)


def _step(function: Function, size: int, outer: int, count: int, inner: int) -> Step:
    width = _LINE // size
    blocks = -(-inner // width)
    return Step(function, ("x", "out"), (count, inner, width, blocks), outer * blocks)


@lru_cache(maxsize=256)
def require(target: Target) -> Function:
    """Sets the status word if any flag, a byte of 0 or 1, is 0; its extent is the number of flags.

    Record: operand flags.
    """
    kind = Vector("i8", target.lanes(1))
    f = Function(f"require_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    flags = operand(f, 0)
    long = f.let(f"icmp sge i64 {f.let('sub i64 %end, %begin')}, {kind.lanes}")
    rest = choose(f, long, "%end", "%begin")
    last = f.let(f"sub i64 %end, {kind.lanes}")
    bad = []
    for lanes, begin, end in ((kind, "%begin", rest), (one(kind), rest, "%end")):

        def turn(i: str, carried: list[str], lanes: Vector = lanes) -> list[str]:
            start = minimum(f, i, last) if lanes.lanes > 1 else i
            value = load(f, lanes, element(f, "i8", flags, start))
            return [f.let(f"and {lanes} {carried[0]}, {value}")]

        (both,) = folded(f, begin, end, [(lanes, "splat (i8 1)")], turn, str(lanes.lanes))
        zeros = f.let(f"icmp eq {lanes} {both}, zeroinitializer")
        bits = f.let(f"bitcast {lanes.of('i1')} {zeros} to i{lanes.lanes}")
        bad.append(f.let(f"icmp ne i{lanes.lanes} {bits}, 0"))
    broken, done = f.fresh("broken"), f.fresh("done")
    f.do(f"br i1 {f.let(f'or i1 {bad[0]}, {bad[1]}')}, label %{broken}, label %{done}")
    f.label(broken)
    fail(f)
    f.do(f"br label %{done}")
    f.label(done)
    f.do("ret void")
    return f


def require_step(target: Target, count: int) -> Step:
    """The call of `require`."""
    return Step(require(target), ("flags",), (), count)
