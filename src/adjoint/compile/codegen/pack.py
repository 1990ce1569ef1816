"""Packing: a copy of B in which each panel of columns lies in one piece, in the order in which the product reads it.

Rows of B that are some power of two apart fall into the same few lines of the caches; in a packed copy they do not.
Where it is the columns of B that are contiguous, square blocks are turned on the way.
"""

from __future__ import annotations

from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, opaque, operand, word
from adjoint.compile.codegen.shuffles import turned
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["PACK_OPERANDS", "PACK_ROWS", "PACK_WORDS", "pack_kernel"]

PACK_ROWS = 16  # of B: they are read in the order in which they lie, which is the fastest from beyond the second cache

PACK_OPERANDS = ("in", "out")

PACK_WORDS = (
    *("batch", "blocks"),  # the inner batch axis; units of work for each matrix: blocks of rows, or panels
    "out_start",  # in elements, beyond the operand
    *("panels", "large_panels", "least"),  # the panels have `least` vectors, the large ones, which lead, one more
    *("depth", "columns"),  # sizes of `in`
    *("in_row", "in_column", "out_row", "out_panel"),  # strides in elements
    *(f"{name}_batch{axis}" for name in PACK_OPERANDS for axis in (0, 1)),
)
"""The words of the record that follow two words for each operand."""


def pack_kernel(kind: Vector, side: int, target: Target) -> Function:
    """Copies `in` (depth, columns) to panels (depth, `out_row`); its extent is batch × panels.

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
        batch, block = (f.let(f"{which} i64 {number}, {words['blocks']}") for which in ("sdiv", "srem"))
        outer, inner = (f.let(f"{which} i64 {batch}, {words['batch']}") for which in ("sdiv", "srem"))
        source, out = (
            at(at(base, outer, words[f"{name}_batch0"]), inner, words[f"{name}_batch1"])
            for name, base in zip(PACK_OPERANDS, bases, strict=True)
        )

        def place(panel: str) -> tuple[str, str]:
            """The first vector of a panel, and how many it has."""
            first = add(f, multiply(f, panel, words["least"]), minimum(f, panel, words["large_panels"]))
            large = f.let(f"icmp slt i64 {panel}, {words['large_panels']}")
            return first, add(f, words["least"], f.let(f"zext i1 {large} to i64"))

        def column(vector: str) -> str:
            return minimum(f, multiply(f, vector, str(kind.lanes)), last_column)

        if not side:
            row = multiply(f, block, str(PACK_ROWS))
            with counted(f, row, minimum(f, add(f, row, str(PACK_ROWS)), words["depth"])) as row:
                line = opaque(f, at(source, row, words["in_row"]))
                packed = opaque(f, at(out, row, words["out_row"]))
                with counted(f, "0", words["panels"]) as panel:
                    first, vectors = place(panel)
                    piece = opaque(f, at(packed, panel, words["out_panel"]))
                    with counted(f, "0", vectors) as vector:
                        moved_one = load(element(f, kind.scalar, line, column(add(f, first, vector))))
                        store(moved_one, at(piece, vector, str(kind.lanes)))
        else:
            out = at(out, block, words["out_panel"])
            first, vectors = place(block)
            with counted(f, "0", vectors) as vector, counted(f, "0", words["depth"], str(side)) as start:
                row = minimum(f, start, last_block)
                where = column(add(f, first, vector))
                line = opaque(f, element(f, kind.scalar, at(source, where, words["in_column"]), row))
                packed = opaque(f, at(at(out, row, words["out_row"]), vector, str(kind.lanes)))
                with counted(f, "0", str(kind.lanes), str(side)) as lane:
                    block_line = at(line, lane, words["in_column"])
                    lines = [load(at(block_line, str(i), words["in_column"])) for i in range(side)]
                    block_line = element(f, kind.scalar, packed, lane)
                    for i, value in enumerate(turned(f, moved, lines)):
                        store(value, at(block_line, str(i), words["out_row"]))
    f.do("ret void")
    return f
