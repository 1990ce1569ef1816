"""Kernels that go along an axis in its order: the first maximum, running sums; and the check of an array of flags.

The axis is the middle one of (outer, n, inner): vectors hold neighbours along `inner`.
"""

from __future__ import annotations

from functools import lru_cache

from adjoint.compile.codegen.loops import ARGUMENTS, add, element, minimum, multiply, operand, word
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
    with parts(f, blocks) as (outer, first, end):
        source = element(f, kind.scalar, x, multiply(f, outer, block))
        place = element(f, "i64", out, multiply(f, outer, inner))

        def columns(kind: Vector, start: str, mask: str) -> None:
            indices = kind.of("i64")
            top = element(f, kind.scalar, source, start)

            def turn(k: str, carried: list[str]) -> list[str]:
                value = load(f, kind, element(f, kind.scalar, top, multiply(f, k, inner)), mask)
                better = _is_larger(f, dtype, kind, value, carried[0])
                condition = f"select {kind.of('i1')} {better}"
                return [
                    f.let(f"{condition}, {kind} {value}, {kind} {carried[0]}"),
                    f.let(f"{condition}, {indices} {f.splat(indices, k)}, {indices} {carried[1]}"),
                ]

            begins = [(kind, load(f, kind, top, mask)), (indices, "zeroinitializer")]
            index = folded(f, "1", count, begins, turn)[1]
            store(f, indices, index, element(f, "i64", place, start), mask)

        first_column = multiply(f, first, width)
        end_column = minimum(f, multiply(f, end, width), inner)
        along(f, kind, first_column, end_column, columns, masks=target.masks, repeatable=True)
    f.do("ret void")
    return f


def argmax_step(target: Target, dtype: str, *, outer: int, count: int, inner: int) -> Step:
    """The call of `argmax` along an axis of `count` elements."""
    return _step(argmax(dtype, target), size_of(dtype), outer, count, inner)


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
    # What a sum begins with: -0.0 + x is x, of either sign.
    start_value = "splat (KIND -0.0)".replace("KIND", kind.scalar) if operation == "fadd" else "zeroinitializer"
    with parts(f, blocks) as (outer, first, end):
        offset = multiply(f, outer, block)
        source, place = element(f, kind.scalar, x, offset), element(f, kind.scalar, out, offset)

        def columns(kind: Vector, start: str, mask: str) -> None:
            def turn(k: str, carried: list[str]) -> list[str]:
                where = add(f, multiply(f, k, inner), start)
                value = load(f, kind, element(f, kind.scalar, source, where), mask)
                total = f.let(f"{operation} {kind} {carried[0]}, {value}")
                store(f, kind, total, element(f, kind.scalar, place, where), mask)
                return [total]

            folded(f, "0", count, [(kind, start_value)], turn)

        first_column = multiply(f, first, width)
        end_column = minimum(f, multiply(f, end, width), inner)
        along(f, kind, first_column, end_column, columns, masks=target.masks, repeatable=False)
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
