"""The transposing copy: out[i, j] = in[j, i] by square blocks that are turned in registers.

Blocks at the far edges overlap those before.
"""

from __future__ import annotations

from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, operand, word
from adjoint.compile.codegen.shuffles import turned
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["TRANSPOSE_OPERANDS", "TRANSPOSE_WORDS", "transpose_kernel"]

TRANSPOSE_OPERANDS = ("in", "out")

TRANSPOSE_WORDS = (
    *("batch", "row_blocks", "rows", "columns"),  # the inner batch axis; sizes of `out`
    *("in_row", "in_column", "out_row"),  # strides in elements along a row and a column of `out`
    *(f"{name}_batch{axis}" for name in TRANSPOSE_OPERANDS for axis in (0, 1)),
)
"""The words of the record that follow two words for each operand."""


def transpose_kernel(kind: Vector, target: Target) -> Function:
    """A copy by blocks of lanes × lanes; its extent is batch × blocks of rows of `out`.

    The stride `in_row` must be 1 where there are more lanes than one, and no side shorter than a block.
    """
    f = Function(f"transpose_{kind.suffix}", ARGUMENTS, attributes=target.attributes())
    f.label("entry")
    bases = [operand(f, 2 * i) for i in range(len(TRANSPOSE_OPERANDS))]
    words = {name: word(f, 2 * len(TRANSPOSE_OPERANDS) + i) for i, name in enumerate(TRANSPOSE_WORDS)}
    last_row = f.let(f"sub i64 {words['rows']}, {kind.lanes}")
    last_column = f.let(f"sub i64 {words['columns']}, {kind.lanes}")

    def at(pointer: str, index: str, stride: str) -> str:
        return element(f, kind.scalar, pointer, multiply(f, index, stride))

    with counted(f, "%begin", "%end") as number:
        batch, block = (f.let(f"{which} i64 {number}, {words['row_blocks']}") for which in ("sdiv", "srem"))
        outer, inner = (f.let(f"{which} i64 {batch}, {words['batch']}") for which in ("sdiv", "srem"))
        source, target_place = (
            at(at(base, outer, words[f"{name}_batch0"]), inner, words[f"{name}_batch1"])
            for name, base in zip(TRANSPOSE_OPERANDS, bases, strict=True)
        )
        row = minimum(f, multiply(f, block, str(kind.lanes)), last_row)
        source = at(source, row, words["in_row"])
        target_place = at(target_place, row, words["out_row"])
        with counted(f, "0", words["columns"], str(kind.lanes)) as start:
            column = minimum(f, start, last_column)
            lines = [
                f.let(
                    f"load {kind}, ptr {at(source, add(f, column, str(lane)), words['in_column'])}"
                    f", align {kind.bits // 8}"
                )
                for lane in range(kind.lanes)
            ]
            first = element(f, kind.scalar, target_place, column)
            for lane, line in enumerate(turned(f, kind, lines)):
                f.do(f"store {kind} {line}, ptr {at(first, str(lane), words['out_row'])}, align {kind.bits // 8}")
    f.do("ret void")
    return f
