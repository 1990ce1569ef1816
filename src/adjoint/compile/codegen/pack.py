"""Packing: a copy of B in which each panel of columns lies in one piece, in the order in which the product reads it.

Rows of B that are some power of two apart fall into the same few lines of the caches; in a packed copy they do not.
Where it is the columns of B that are contiguous, square blocks are turned on the way.  The tiles of rows of a
transposed A are packed by the same kernel, in vectors as long as a tile has rows.
"""

from __future__ import annotations

from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, opaque, operand, word
from adjoint.compile.codegen.shuffles import turned
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["PACK_OPERANDS", "PACK_ROWS", "PACK_WORDS", "pack_kernel"]

PACK_OPERANDS = ("in", "out")

PACK_ROWS = 32
"""Of a unit of work.  All panels of some rows, not all rows of a panel: rows are read in the order in which they lie,
the fastest from beyond the second cache, while enough of a panel is written in a row for its lines to be filled."""

PACK_WORDS = (
    *("batch", "units"),  # the inner batch axis; units of work for each matrix
    "out_start",  # in elements, beyond the operand
    *("panels", "large_panels", "least"),  # the panels have `least` vectors, the large ones, which lead, one more
    *("depth", "columns"),  # sizes of `in`
    *("in_row", "in_column", "out_row", "out_panel"),  # strides in elements
    *(f"{name}_batch{axis}" for name in PACK_OPERANDS for axis in (0, 1)),
)
"""The words of the record that follow two words for each operand."""


def pack_kernel(kind: Vector, side: int, target: Target) -> Function:
    """Copies `in` (depth, columns) to panels (depth, `out_row`); its extent is batch × units.

    A unit is `PACK_ROWS` rows, or, where blocks are turned, a vector of columns.
    The stride `in_column` is 1 and `side` 0, or `in_row` is 1 and blocks of `side` × `side` are turned: `side` divides
    the lanes and is not more than the depth.
    The last vector of the last panel overlaps the one before.
    """
    f = Function(f"pack_{kind.suffix}{f'_turn{side}' if side else ''}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    bases = [operand(f, 2 * i) for i in range(len(PACK_OPERANDS))]
    words = {name: word(f, 2 * len(PACK_OPERANDS) + i) for i, name in enumerate(PACK_WORDS)}
    bases[1] = element(f, kind.scalar, bases[1], words["out_start"])
    last_column = f.let(f"sub i64 {words['columns']}, {kind.lanes}")
    last_block = f.let(f"sub i64 {words['depth']}, {side}")
    moved = Vector(kind.scalar, side or kind.lanes)
    alignment = kind.bits // 8

    def at(pointer: str, index: str, stride: str) -> str:
        return element(f, kind.scalar, pointer, multiply(f, index, stride))

    def load(address: str) -> str:
        return f.let(f"load {moved}, ptr {address}, align {alignment}")

    def store(value: str, address: str) -> None:
        f.do(f"store {moved} {value}, ptr {address}, align {alignment}")

    with counted(f, "%begin", "%end") as number:
        batch, unit = _divided(f, number, words["units"])
        outer, inner = _divided(f, batch, words["batch"])
        source, out = (
            at(at(base, outer, words[f"{name}_batch0"]), inner, words[f"{name}_batch1"])
            for name, base in zip(PACK_OPERANDS, bases, strict=True)
        )

        def lines(vector: str, panel: str, place: str) -> tuple[str, str]:
            """Where a vector of columns begins in `in` and, as the one at `place` of a panel, in `out`."""
            column = minimum(f, multiply(f, vector, str(kind.lanes)), last_column)
            packed = at(at(out, panel, words["out_panel"]), place, str(kind.lanes))
            return opaque(f, at(source, column, words["in_column"])), opaque(f, packed)

        if not side:
            start = multiply(f, unit, str(PACK_ROWS))
            end = minimum(f, add(f, start, str(PACK_ROWS)), words["depth"])
            with counted(f, "0", words["panels"]) as panel:
                first = add(f, multiply(f, panel, words["least"]), minimum(f, panel, words["large_panels"]))
                large = f.let(f"icmp slt i64 {panel}, {words['large_panels']}")
                vectors = add(f, words["least"], f.let(f"zext i1 {large} to i64"))
                with counted(f, "0", vectors) as place:
                    line, packed = lines(add(f, first, place), panel, place)
                    with counted(f, start, end) as row:
                        store(load(at(line, row, words["in_row"])), at(packed, row, words["out_row"]))
        else:
            line, packed = lines(unit, *_panel_of(f, unit, words))
            with counted(f, "0", words["depth"], str(side)) as start:
                row = minimum(f, start, last_block)
                with counted(f, "0", str(kind.lanes), str(side)) as lane:
                    block = at(element(f, kind.scalar, line, row), lane, words["in_column"])
                    values = [load(at(block, str(i), words["in_column"])) for i in range(side)]
                    block = element(f, kind.scalar, at(packed, row, words["out_row"]), lane)
                    for i, value in enumerate(turned(f, moved, values)):
                        store(value, at(block, str(i), words["out_row"]))
    f.do("ret void")
    return f


def _divided(f: Function, number: str, by: str) -> tuple[str, str]:
    """The quotient and the rest."""
    return f.let(f"sdiv i64 {number}, {by}"), f.let(f"srem i64 {number}, {by}")


def _panel_of(f: Function, vector: str, words: dict[str, str]) -> tuple[str, str]:
    """The panel that has a vector of columns, and the place that it has there."""
    more = add(f, words["least"], "1")
    before = multiply(f, words["large_panels"], more)
    is_large = f.let(f"icmp slt i64 {vector}, {before}")
    large = _divided(f, vector, more)
    panel, place = _divided(f, f.let(f"sub i64 {vector}, {before}"), words["least"])
    small = add(f, panel, words["large_panels"]), place
    panel, place = (
        f.let(f"select i1 {is_large}, i64 {left}, i64 {right}") for left, right in zip(large, small, strict=True)
    )
    return panel, place
