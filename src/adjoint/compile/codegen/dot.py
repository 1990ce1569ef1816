"""Products of few rows with a B whose columns are contiguous: C = A·B by dot products along the depth.

A block of as many columns as a vector has lanes keeps one vector of partial sums for each.
"""

from __future__ import annotations

from functools import partial

from adjoint.compile.codegen.arithmetic import Arithmetic
from adjoint.compile.codegen.loops import ARGUMENTS, add, counted, element, minimum, multiply, opaque, operand, word
from adjoint.compile.codegen.shuffles import summed
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["DOT_WORDS", "dot_kernel"]

_OPERANDS = ("a", "b", "c", "addend")

DOT_WORDS = (
    *("batch", "blocks"),  # the inner batch axis; blocks of columns
    *("rows", "columns", "depth", "has_addend"),
    # strides in elements; A's along the depth is 1, and so is B's
    *("a_row", "b_column", "c_row", "c_column", "addend_row", "addend_column"),
    *(f"{name}_batch{axis}" for name in _OPERANDS for axis in (0, 1)),
)
"""The words of the record that follow two words for each operand."""


def dot_kernel(kind: Vector, logical: bool, target: Target) -> Function:
    """The kernel for a depth of `lanes` or more; its extent is batch × blocks of `lanes` columns."""
    return _Writer(kind, logical, target).write()


class _Writer:
    def __init__(self, kind: Vector, logical: bool, target: Target) -> None:
        self.kind = kind
        self.arithmetic = Arithmetic(kind, logical, target)
        name = f"dot_{kind.suffix}{'_logical' * logical}"
        self.f = Function(name, ARGUMENTS, attributes=target.attributes())

    def write(self) -> Function:
        """Loops over blocks of columns and over rows."""
        f, kind = self.f, self.kind
        f.label("entry")
        spill = f.let(f"alloca {kind}, align {kind.bits * kind.lanes // 8}")
        bases = [operand(f, 2 * i) for i in range(len(_OPERANDS))]
        words = {name: word(f, 2 * len(_OPERANDS) + i) for i, name in enumerate(DOT_WORDS)}
        wanted = f.let(f"icmp ne i64 {words['has_addend']}, 0")
        last = add(f, words["columns"], "-1")
        with counted(f, "%begin", "%end") as number:
            batch, block = (f.let(f"{which} i64 {number}, {words['blocks']}") for which in ("sdiv", "srem"))
            outer, inner = (f.let(f"{which} i64 {batch}, {words['batch']}") for which in ("sdiv", "srem"))
            a, b, c, addend = (
                self._at(self._at(base, outer, words[f"{name}_batch0"]), inner, words[f"{name}_batch1"])
                for name, base in zip(_OPERANDS, bases, strict=True)
            )
            first = multiply(f, block, str(kind.lanes))
            # Columns beyond the last one repeat it, and are not stored.
            columns = [minimum(f, add(f, first, str(lane)), last) for lane in range(kind.lanes)]
            count = minimum(f, f.let(f"sub i64 {words['columns']}, {first}"), str(kind.lanes))
            lines = [opaque(f, self._at(b, column, words["b_column"])) for column in columns]
            with counted(f, "0", words["rows"]) as row:
                sums = self._sums(self._at(a, row, words["a_row"]), lines, words["depth"])
                f.do(f"store {kind} {sums}, ptr {spill}, align {kind.bits * kind.lanes // 8}")
                c_line = self._at(self._at(c, row, words["c_row"]), first, words["c_column"])
                addend_line = self._at(self._at(addend, row, words["addend_row"]), first, words["addend_column"])
                with counted(f, "0", count) as column:
                    self._store(
                        element(f, kind.scalar, spill, column),
                        self._at(c_line, column, words["c_column"]),
                        self._at(addend_line, column, words["addend_column"]),
                        wanted,
                    )
        f.do("ret void")
        return f

    def _at(self, pointer: str, index: str, stride: str) -> str:
        return element(self.f, self.kind.scalar, pointer, multiply(self.f, index, stride))

    def _load(self, pointer: str, index: str) -> str:
        address = element(self.f, self.kind.scalar, pointer, index)
        return self.f.let(f"load {self.kind}, ptr {address}, align {self.kind.bits // 8}")

    def _sums(self, a: str, lines: list[str], depth: str) -> str:
        """The dot products of a row of A with some columns of B."""
        f, kind = self.f, self.kind
        enter, head, body, done = (f.fresh(stem) for stem in ("enter", "depth", "body", "summed"))
        whole = f.let(f"and i64 {depth}, {-kind.lanes}")
        f.do(f"br label %{enter}")
        f.label(enter)
        f.do(f"br label %{head}")
        f.label(head)
        position, next_position = f"%{f.fresh('position')}", f"%{f.fresh('position')}"
        f.do(f"{position} = phi i64 [ 0, %{enter} ], [ {next_position}, %{body} ]")
        phis = [(f"%{f.fresh('sum')}", f.placeholder()) for _ in lines]
        f.do(f"br i1 {f.let(f'icmp slt i64 {position}, {whole}')}, label %{body}, label %{done}")
        f.label(body)
        row = self._load(a, position)
        sums = [
            self.arithmetic.multiply_add(f, row, self._load(line, position), phi)
            for line, (phi, _) in zip(lines, phis, strict=True)
        ]
        f.do(f"{next_position} = add i64 {position}, {kind.lanes}")
        f.do(f"br label %{head}")
        for (name, where), total in zip(phis, sums, strict=True):
            f.fill(where, f"{name} = phi {kind} [ zeroinitializer, %{enter} ], [ {total}, %{body} ]")
        f.label(done)
        return self._rest(a, lines, depth, [name for name, _ in phis])

    def _rest(self, a: str, lines: list[str], depth: str, sums: list[str]) -> str:
        """Adds what is left of the depth: the last vectors, with 0 in the lanes that are in the sums already."""
        f, kind = self.f, self.kind
        start = f.let(f"sub i64 {depth}, {kind.lanes}")
        numbers = kind.of("i32")
        left = f.let(f"trunc i64 {f.let(f'and i64 {depth}, {kind.lanes - 1}')} to i32")
        done_lanes = f.splat(numbers, f.let(f"sub i32 {kind.lanes}, {left}"))
        order = ", ".join(f"i32 {lane}" for lane in range(kind.lanes))
        new = f.let(f"icmp sge {numbers} <{order}>, {done_lanes}")

        def kept(value: str) -> str:
            return f.let(f"select <{kind.lanes} x i1> {new}, {kind} {value}, {kind} zeroinitializer")

        row = kept(self._load(a, start))
        totals = [
            self.arithmetic.multiply_add(f, row, kept(self._load(line, start)), total)
            for line, total in zip(lines, sums, strict=True)
        ]
        return summed(f, kind, totals, partial(self.arithmetic.add, f))

    def _store(self, source: str, target: str, addend: str, wanted: str) -> None:
        """One element of C."""
        f, alignment = self.f, self.kind.bits // 8
        plain, adding, stored = (f.fresh(stem) for stem in ("plain", "adding", "stored"))
        value = f.let(f"load {self.kind.scalar}, ptr {source}, align {alignment}")
        f.do(f"br i1 {wanted}, label %{adding}, label %{plain}")
        f.label(adding)
        other = f.let(f"load {self.kind.scalar}, ptr {addend}, align {alignment}")
        total = self.arithmetic.add_one(f, other, value)
        f.do(f"store {self.kind.scalar} {total}, ptr {target}, align {alignment}")
        f.do(f"br label %{stored}")
        f.label(plain)
        f.do(f"store {self.kind.scalar} {value}, ptr {target}, align {alignment}")
        f.do(f"br label %{stored}")
        f.label(stored)
