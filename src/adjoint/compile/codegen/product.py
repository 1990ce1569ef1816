"""The text of one matrix product kernel: C = A·B, or + an addend, in register tiles of rows × vectors.

Sizes and strides are words of the record, so that one kernel serves every shape that has its tiles.  A vector of B's
row is loaded where it lies and multiplied by one broadcast element of A: strides of A are free.  No loop is left over
for an edge: the last vector overlaps the one before, the last tile repeats the last row, and panels of columns differ
by one vector at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from adjoint.compile.codegen.arithmetic import Arithmetic
from adjoint.compile.codegen.loops import (
    ARGUMENTS,
    add,
    counted,
    element,
    maximum,
    minimum,
    multiply,
    opaque,
    operand,
    word,
)
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["OPERANDS", "WORDS", "Tile", "product_kernel"]

OPERANDS = ("a", "b", "c", "addend")

WORDS = (
    # the inner batch axis; tiles of rows; panels of columns, and how many of them are the large ones, which lead
    *("batch", "row_tiles", "panels", "large_panels"),
    # the depth is done in blocks; flags: is there an addend, does B lie panel by panel
    *("rows", "columns", "depth", "block", "has_addend", "packed"),
    "a_start",  # in elements, beyond the operand
    # strides, in elements
    # a_tile: between tiles of rows
    *("a_row", "a_column", "a_tile", "b_row", "b_panel", "c_row", "addend_row"),
    *(f"{name}_batch{axis}" for name in OPERANDS for axis in (0, 1)),
)
"""The words of the record that follow two words for each operand."""


@dataclass(frozen=True)
class Tile:
    """What a kernel is compiled for: the type, the rows and the vectors of its tiles."""

    kind: Vector
    rows: int
    vectors: int
    uneven: bool = False
    """There are panels of one vector less, after the others."""
    masked: bool = False
    """C has fewer columns than a vector has lanes."""
    empty: bool = False
    """The depth is 0: C is 0, or the addend."""
    logical: bool = False
    """Sums are `or` and products `and`: booleans."""

    @property
    def name(self) -> str:
        """A name that no kernel of another tile has."""
        vectors = f"{self.vectors}u" if self.uneven else str(self.vectors)
        marks = "_masked" * self.masked + "_empty" * self.empty + "_logical" * self.logical
        return f"product_{self.kind.suffix}_{self.rows}_{vectors}{marks}"


def product_kernel(tile: Tile, target: Target) -> Function:
    """The kernel of a tile; its extent is batch × panels × tiles of rows."""
    return _Writer(tile, target).write()


@dataclass(frozen=True)
class _Place:
    """The values with which a tile is computed: addresses of its first elements, and what goes for all tiles."""

    words: dict[str, str]
    a: str
    b: str
    c: str
    addend: str
    addend_row: str
    has_addend: str
    depth: str
    mask: str
    first_tile: str
    end_tile: str
    b_last: str = ""
    """How far the last vector of the panel is from its first one in B; `c_last`: in C."""
    c_last: str = ""


class _Writer:
    def __init__(self, tile: Tile, target: Target) -> None:
        self.tile = tile
        self.kind = tile.kind
        self.arithmetic = Arithmetic(tile.kind, tile.logical, target)
        self.alignment = tile.kind.bits // 8
        self.f = Function(tile.name, ARGUMENTS, attributes=target.attributes())

    def write(self) -> Function:
        """Loops over the batch and over blocks of the depth."""
        f = self.f
        f.label("entry")
        bases = [operand(f, 2 * i) for i in range(len(OPERANDS))]
        words = {name: word(f, 2 * len(OPERANDS) + i) for i, name in enumerate(WORDS)}
        bases[0] = element(f, self.kind.scalar, bases[0], words["a_start"])
        mask = self._mask(words["columns"]) if self.tile.masked else ""
        per_batch = multiply(f, words["panels"], words["row_tiles"])
        last = f.let(f"sdiv i64 {add(f, '%end', '-1')}, {per_batch}")
        with counted(f, f.let(f"sdiv i64 %begin, {per_batch}"), add(f, last, "1")) as batch:
            outer, inner = f.let(f"sdiv i64 {batch}, {words['batch']}"), f.let(f"srem i64 {batch}, {words['batch']}")
            a, b, c, addend = (
                self._at(self._at(base, outer, words[f"{name}_batch0"]), inner, words[f"{name}_batch1"])
                for name, base in zip(OPERANDS, bases, strict=True)
            )
            before = multiply(f, batch, per_batch)
            first_tile = maximum(f, f.let(f"sub i64 %begin, {before}"), "0")
            end_tile = minimum(f, f.let(f"sub i64 %end, {before}"), per_batch)
            # A depth of 0 has one empty block, so that C is written.
            with counted(f, "0", maximum(f, words["depth"], "1"), words["block"]) as start:
                first = f.let(f"icmp eq i64 {start}, 0")
                wanted = f.let(f"select i1 {first}, i64 {words['has_addend']}, i64 1")
                self._panels(
                    _Place(
                        words,
                        self._at(a, start, words["a_column"]),
                        self._at(b, start, words["b_row"]),
                        c,
                        f.let(f"select i1 {first}, ptr {addend}, ptr {c}"),
                        f.let(f"select i1 {first}, i64 {words['addend_row']}, i64 {words['c_row']}"),
                        f.let(f"icmp ne i64 {wanted}, 0"),
                        minimum(f, words["block"], f.let(f"sub i64 {words['depth']}, {start}")),
                        mask,
                        first_tile,
                        end_tile,
                    )
                )
        f.do("ret void")
        return f

    def _at(self, pointer: str, index: str, stride: str) -> str:
        return element(self.f, self.kind.scalar, pointer, multiply(self.f, index, stride))

    def _mask(self, columns: str) -> str:
        lanes = self.kind.of("i32")
        count = self.f.splat(lanes, self.f.let(f"trunc i64 {columns} to i32"))
        numbers = ", ".join(f"i32 {lane}" for lane in range(lanes.lanes))
        return self.f.let(f"icmp sgt {lanes} {count}, <{numbers}>")

    def _panels(self, place: _Place) -> None:
        """Some tiles, for one block of the depth."""
        f, tile, words = self.f, self.tile, place.words
        tiles = words["row_tiles"]
        first = f.let(f"sdiv i64 {place.first_tile}, {tiles}")
        end = add(f, f.let(f"sdiv i64 {add(f, place.end_tile, '-1')}, {tiles}"), "1")
        with counted(f, first, minimum(f, end, words["large_panels"])) as panel:
            column = multiply(f, panel, str(tile.vectors * self.kind.lanes))
            self._panel(place, panel, column, tile.vectors)
        if tile.uneven:
            with counted(f, maximum(f, first, words["large_panels"]), end) as panel:
                vector = add(f, multiply(f, panel, str(tile.vectors - 1)), words["large_panels"])
                self._panel(place, panel, multiply(f, vector, str(self.kind.lanes)), tile.vectors - 1)

    def _panel(self, place: _Place, panel: str, column: str, vectors: int) -> None:
        """The columns of one panel."""
        f, words, scalar = self.f, place.words, self.kind.scalar
        packed = f.let(f"icmp ne i64 {words['packed']}, 0")
        width = str((vectors - 1) * self.kind.lanes)
        rest = f.let(f"sub i64 {words['columns']}, {column}")
        c_last = minimum(f, width, f.let(f"sub i64 {rest}, {self.kind.lanes}")) if vectors > 1 else "0"
        start = f.let(f"select i1 {packed}, i64 {multiply(f, panel, words['b_panel'])}, i64 {column}")
        here = replace(
            place,
            b=element(f, scalar, place.b, start),
            c=element(f, scalar, place.c, column),
            addend=element(f, scalar, place.addend, column),
            b_last=f.let(f"select i1 {packed}, i64 {width}, i64 {c_last}"),
            c_last=c_last,
        )
        before = multiply(f, panel, words["row_tiles"])
        first_tile = maximum(f, f.let(f"sub i64 {place.first_tile}, {before}"), "0")
        end_tile = minimum(f, f.let(f"sub i64 {place.end_tile}, {before}"), words["row_tiles"])
        with counted(f, first_tile, end_tile) as number:
            self._row_tile(here, number, vectors)

    def _row_tile(self, place: _Place, number: str, vectors: int) -> None:
        f, words = self.f, place.words
        row = multiply(f, number, str(self.tile.rows))
        here = replace(
            place,
            a=opaque(f, self._at(place.a, number, words["a_tile"])),
            b=opaque(f, place.b),
            c=opaque(f, self._at(place.c, row, words["c_row"])),
            addend=opaque(f, self._at(place.addend, row, place.addend_row)),
        )
        # Rows beyond the last one repeat it: what is computed twice and written twice is the same.
        rest = opaque(f, f.let(f"sub i64 {add(f, words['rows'], '-1')}, {row}"), "i64")
        rows = ["0", *(minimum(f, str(i), rest) for i in range(1, self.tile.rows))]
        sums = self._starts(here, rows, vectors)
        if not self.tile.empty:
            sums = self._sums(here, sums, rows, vectors)
        self._stores(here, sums, rows, vectors)

    def _starts(self, place: _Place, rows: list[str], vectors: int) -> list[str]:
        """What the sums of a tile begin with, row by row: the addend or 0."""
        f, kind = self.f, self.kind
        plain, adding, done = (f.fresh(stem) for stem in ("plain", "adding", "started"))
        f.do(f"br i1 {place.has_addend}, label %{adding}, label %{plain}")
        f.label(adding)
        addends = []
        for row in rows:
            line = self._at(place.addend, row, place.addend_row)
            for vector in range(vectors):
                where = self._column(vector, vectors, place.c_last)
                addends.append(self._load(element(f, kind.scalar, line, where), place.mask))
        f.do(f"br label %{done}")
        f.label(plain)
        f.do(f"br label %{done}")
        f.label(done)
        return [f.let(f"phi {kind} [ {addend}, %{adding} ], [ zeroinitializer, %{plain} ]") for addend in addends]

    def _sums(self, place: _Place, starts: list[str], rows: list[str], vectors: int) -> list[str]:
        """The loop over the depth: one register for each row and vector of the tile."""
        f, kind, words = self.f, self.kind, place.words
        enter, loop, done = (f.fresh(stem) for stem in ("enter", "depth", "summed"))
        lines = [self._at(place.a, row, words["a_row"]) for row in rows]
        f.do(f"br label %{enter}")
        f.label(enter)
        f.do(f"br label %{loop}")
        f.label(loop)
        step, offset, b_line = (f"%{f.fresh(stem)}" for stem in ("step", "offset", "line"))
        next_step, next_offset, next_line = (f"%{f.fresh(stem)}" for stem in ("step", "offset", "line"))
        f.do(f"{step} = phi i64 [ {place.depth}, %{enter} ], [ {next_step}, %{loop} ]")
        f.do(f"{offset} = phi i64 [ 0, %{enter} ], [ {next_offset}, %{loop} ]")
        f.do(f"{b_line} = phi ptr [ {place.b}, %{enter} ], [ {next_line}, %{loop} ]")
        phis = [(f"%{f.fresh('sum')}", f.placeholder(), start) for start in starts]
        b = [
            self._load(element(f, kind.scalar, b_line, self._column(vector, vectors, place.b_last)), place.mask)
            for vector in range(vectors)
        ]
        sums = []
        for index, line in enumerate(lines):
            address = element(f, kind.scalar, line, offset)
            a = f.splat(kind, f.let(f"load {kind.scalar}, ptr {address}, align {self.alignment}"))
            totals = [name for name, _, _ in phis[index * vectors : (index + 1) * vectors]]
            sums += [self.arithmetic.multiply_add(f, a, *pair) for pair in zip(b, totals, strict=True)]
        f.do(f"{next_step} = add i64 {step}, -1")
        f.do(f"{next_offset} = add i64 {offset}, {words['a_column']}")
        f.do(f"{next_line} = getelementptr {kind.scalar}, ptr {b_line}, i64 {words['b_row']}")
        f.do(f"br i1 {f.let(f'icmp eq i64 {next_step}, 0')}, label %{done}, label %{loop}")
        for (name, where, start), total in zip(phis, sums, strict=True):
            f.fill(where, f"{name} = phi {kind} [ {start}, %{enter} ], [ {total}, %{loop} ]")
        f.label(done)
        return sums

    def _stores(self, place: _Place, sums: list[str], rows: list[str], vectors: int) -> None:
        for index, row in enumerate(rows):
            line = self._at(place.c, row, place.words["c_row"])
            for vector in range(vectors):
                where = element(self.f, self.kind.scalar, line, self._column(vector, vectors, place.c_last))
                self._store(sums[index * vectors + vector], where, place.mask)

    def _column(self, vector: int, vectors: int, last: str) -> str:
        """Where a vector of a tile begins."""
        return last if vector and vector == vectors - 1 else str(vector * self.kind.lanes)

    def _load(self, address: str, mask: str) -> str:
        f, kind = self.f, self.kind
        if not mask:
            return f.let(f"load {kind}, ptr {address}, align {self.alignment}")
        lanes = f"<{kind.lanes} x i1>"
        f.declarations.add(f"declare {kind} @llvm.masked.load.{kind.suffix}.p0(ptr, {lanes}, {kind})")
        name, pointer = f"@llvm.masked.load.{kind.suffix}.p0", f"ptr align {self.alignment} {address}"
        return f.let(f"call {kind} {name}({pointer}, {lanes} {mask}, {kind} zeroinitializer)")

    def _store(self, value: str, address: str, mask: str) -> None:
        f, kind = self.f, self.kind
        if not mask:
            f.do(f"store {kind} {value}, ptr {address}, align {self.alignment}")
            return
        lanes = f"<{kind.lanes} x i1>"
        f.declarations.add(f"declare void @llvm.masked.store.{kind.suffix}.p0({kind}, ptr, {lanes})")
        name, pointer = f"@llvm.masked.store.{kind.suffix}.p0", f"ptr align {self.alignment} {address}"
        f.do(f"call void {name}({kind} {value}, {pointer}, {lanes} {mask})")
