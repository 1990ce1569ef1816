"""Plans of matrix products: which kernels, tiles and copies make C = A·B of given sizes and strides on a processor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from adjoint.compile.codegen.dot import DOT_WORDS, dot_kernel
from adjoint.compile.codegen.pack import PACK_ROWS, PACK_WORDS, pack_kernel
from adjoint.compile.codegen.product import OPERANDS, WORDS, Tile, product_kernel
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function, Vector
from adjoint.compile.codegen.tiles import Tiling, tiling
from adjoint.compile.codegen.transpose import TRANSPOSE_OPERANDS, TRANSPOSE_WORDS, transpose_kernel

__all__ = ["Plan", "Step", "Strides", "plan_copy", "plan_product"]

_SCALARS = {"float32": "float", "float64": "double", "bool": "i8"} | {
    f"{sign}int{bits}": f"i{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_DOT_ROWS = 4  # up to so many rows of A, a B whose columns are contiguous is read where it lies
_PACKED_ROWS = 192  # from so many rows of A on, a packed copy of B pays
_PACKED = 1 << 16  # bytes of B from which on it pays
_ALIASING = 1024  # bytes: rows that are multiples of it apart displace each other in the first cache
_PACKED_A, _PACKED_A_DEPTH = 96, 256  # from so many rows of A, columns of B, and depth on, packing A transposed pays
_PACKED_BLOCK = 1024  # of the depth: a panel of it stays in the second cache
_LARGE = 1 << 20  # bytes of a B that does not stay there
_LARGE_BLOCK = 64  # of the depth of a large B that is not packed: all of its columns are read in turn


@dataclass(frozen=True)
class Strides:
    """Distances in elements, not bytes, between the neighbours of a matrix; 0 repeats along an axis."""

    row: int
    column: int
    batch0: int = 0
    batch1: int = 0

    @property
    def transposed(self) -> Strides:
        """The same of the transposed matrix."""
        return replace(self, row=self.column, column=self.row)


@dataclass(frozen=True)
class Step:
    """One call of a kernel: disjoint parts of the range 0..extent may run at the same time."""

    function: Function
    operands: tuple[str, ...]
    """Two words each, slot and byte offset, begin the record."""
    words: tuple[int, ...]
    """The rest of the record."""
    extent: int

    def record(self, operands: dict[str, tuple[int, int]]) -> tuple[int, ...]:
        """The whole record, given the slot and the byte offset of each operand."""
        return (*(number for name in self.operands for number in operands[name]), *self.words)

    def renamed(self, names: dict[str, str]) -> Step:
        """The same with other operands."""
        return replace(self, operands=tuple(names.get(name, name) for name in self.operands))


@dataclass(frozen=True)
class Plan:
    """Calls to be made one after the other."""

    steps: tuple[Step, ...]
    scratch: int = 0
    """Bytes of the operand "scratch", written by the first steps for the last one; best aligned to 64."""

    def renamed(self, names: dict[str, str]) -> Plan:
        """The same with other names of operands."""
        return replace(self, steps=tuple(step.renamed(names) for step in self.steps))


@lru_cache(maxsize=4096)
def plan_product(
    target: Target,
    dtype: str,
    m: int,
    n: int,
    k: int,
    a: Strides,
    b: Strides,
    c: Strides,
    *,
    batch: tuple[int, int] = (1, 1),
    accumulate: bool = False,
    bias: Strides | None = None,
) -> Plan:
    """C (m, n) = A (m, k) · B (k, n) for each of batch[0] × batch[1]; rows or columns of C must have stride 1.

    Where `accumulate`, C += A·B; where `bias`, C = A·B + bias, an operand of C's shape with stride 1 where C has it.
    The operands of the steps are "a", "b", "c", and where needed "bias" and "scratch".
    """
    if c.column != 1 and c.row != 1 and m > 1 and n > 1:
        raise ValueError("neither the rows nor the columns of C are contiguous")
    if _turns(m, n, c, bias):
        turned = None if bias is None else bias.transposed
        plan = plan_product(
            *(target, dtype, n, m, k, b.transposed, a.transposed, c.transposed),
            batch=batch,
            accumulate=accumulate,
            bias=turned,
        )
        return plan.renamed({"a": "b", "b": "a"})
    if bias is not None and bias.column != 1 and n > 1:
        raise ValueError("the bias is not contiguous along the contiguous axis of C")
    if not (m and n and batch[0] and batch[1]):
        return Plan(())
    addend = "c" if accumulate else "bias" if bias is not None else ""
    product = _Product(target, dtype, m, n, k, batch, a, b, c, addend, c if bias is None else bias)
    return replace(product, b=replace(b, column=1)).plan() if n == 1 else product.plan()


@lru_cache(maxsize=4096)
def plan_copy(
    target: Target,
    dtype: str,
    rows: int,
    columns: int,
    source: Strides,
    out: Strides,
    *,
    batch: tuple[int, int] = (1, 1),
) -> Plan:
    """Operand "out" = operand "in", both (rows, columns); the rows of `out` must have stride 1.

    It is fast where the columns of `in` are contiguous: a transposition.
    """
    if not (rows and columns and batch[0] and batch[1]):
        return Plan(())
    side = min(rows, columns) if source.row == 1 else 1
    kind = _longest(target, dtype, side).integers
    kind = replace(kind, lanes=min(kind.lanes, _turned_lanes(kind)))
    blocks = -(-rows // kind.lanes)
    words = _words(
        TRANSPOSE_WORDS,
        _batches(TRANSPOSE_OPERANDS, (source, out)),
        batch=batch[1],
        row_blocks=blocks,
        rows=rows,
        columns=columns,
        in_row=source.row,
        in_column=source.column,
        out_row=out.row,
    )
    return Plan((Step(_transpose_kernel(kind, target), TRANSPOSE_OPERANDS, words, batch[0] * batch[1] * blocks),))


_dot_kernel = lru_cache(maxsize=256)(dot_kernel)
_pack_kernel = lru_cache(maxsize=256)(pack_kernel)
_product_kernel = lru_cache(maxsize=256)(product_kernel)
_transpose_kernel = lru_cache(maxsize=256)(transpose_kernel)


def _turns(m: int, n: int, c: Strides, bias: Strides | None) -> bool:
    """Whether Cᵀ = Bᵀ·Aᵀ is computed instead: its rows are contiguous then, and vectors go along them."""
    if n > 1:
        return c.column != 1
    return m > 1 and c.row == 1 and (bias is None or bias.row == 1)


def _turned_lanes(kind: Vector) -> int:
    """The side of the blocks that are turned: vectors of 32 bytes are as fast to shuffle as longer ones."""
    return min(256 // kind.bits, 16)


def _longest(target: Target, dtype: str, length: int) -> Vector:
    """The longest vectors that are not longer than that."""
    one = Vector(_SCALARS[dtype], 1)
    return replace(one, lanes=1 << (min(length, target.lanes(one.bits // 8)).bit_length() - 1))


def _batches(names: Iterable[str], operands: Iterable[Strides]) -> dict[str, int]:
    """The words for the strides of the batch."""
    return {
        f"{name}_batch{axis}": stride
        for name, strides in zip(names, operands, strict=True)
        for axis, stride in enumerate((strides.batch0, strides.batch1))
    }


def _words(names: tuple[str, ...], batches: dict[str, int], **others: int) -> tuple[int, ...]:
    """The words of a record in order."""
    given = batches | others
    return tuple(given[name] for name in names)


@dataclass(frozen=True)
class _Product:
    """A product whose C has contiguous rows."""

    target: Target
    dtype: str
    m: int
    n: int
    k: int
    batch: tuple[int, int]
    a: Strides
    b: Strides
    c: Strides
    addend: str
    """The operand that is added, or ""."""
    addend_strides: Strides
    a_start: int = 0
    """How many elements beyond its operand A begins."""
    a_panel: int = 0
    """How far the tiles of rows of a packed A are apart."""

    def plan(self) -> Plan:
        """The product, a transposed A being packed first: its lines displace each other in the caches."""
        wide = min(self.m, self.n) >= _PACKED_A and self.k >= _PACKED_A_DEPTH
        pays = wide and self.a.row == 1 != self.a.column and not self.m % self._a_rows
        return self.with_a() if pays else self.inner()

    def with_a(self) -> Plan:
        """A is copied to tiles of rows first."""
        rows = self._a_rows
        size = self.m * self.k
        copies, strides = self._copies(self.a, size, Strides(1, rows))
        product = replace(self, a=strides, a_panel=rows * self.k)
        start = -(-product.inner().scratch // 64) * 64 // self._item
        tiles = Tiling(rows, 0, 1, self.m // rows, self.m // rows)
        pack = self._pack("a", self.a.transposed, strides, copies, tiles, rows, start)
        steps = replace(product, a_start=start).inner().renamed({"a": "scratch"}).steps
        return Plan((pack, *steps), (start + copies[0] * copies[1] * size) * self._item)

    @property
    def _item(self) -> int:
        return self.kind.bits // 8

    @property
    def _a_rows(self) -> int:
        """Of a tile for which A is packed."""
        return self.target.registers // 4

    def inner(self) -> Plan:
        """By dot products, with B packed, copied, or where it lies."""
        turned = self.b.column != 1
        if turned and self.b.row == 1 == self.a.column and self.m <= _DOT_ROWS and self.k > 1:
            return Plan((self.dot(),))
        if turned and self.b.row == 1 and self.k >= self._side and self.kind.lanes <= self.n:
            return self.packed()
        if turned and self.k:
            return self.copied()
        return self.packed() if self._packs else Plan((self.step("b"),))

    @property
    def _packs(self) -> bool:
        """Whether packing pays although B's rows are contiguous."""
        rows = _PACKED_ROWS if self.b.row * self._item % _ALIASING else _PACKED_ROWS // 2
        return self.m >= rows and self.n >= 2 * self.kind.lanes and self._bytes >= _PACKED

    @property
    def kind(self) -> Vector:
        """The vectors of a row of C; one that is wider than the row is masked, where that is cheap."""
        kind = _longest(self.target, self.dtype, self.n)
        whole = kind.lanes == self.n or kind.lanes == self.target.lanes(kind.bits // 8)
        return kind if whole or not self.target.masks else replace(kind, lanes=2 * kind.lanes)

    @property
    def _side(self) -> int:
        return min(self.kind.lanes, _turned_lanes(self.kind))

    @property
    def tiles(self) -> Tiling:
        """How C is divided."""
        return tiling(self.target.registers, self.kind.lanes, self.m, self.n, self.k, self._a_rows * bool(self.a_panel))

    def dot(self) -> Step:
        """The kernel of dot products, for few rows and a B whose columns are contiguous."""
        kind = _longest(self.target, self.dtype, self.k)
        blocks = -(-self.n // kind.lanes)
        words = _words(
            DOT_WORDS,
            self._batch_words(),
            batch=self.batch[1],
            blocks=blocks,
            rows=self.m,
            columns=self.n,
            depth=self.k,
            has_addend=int(bool(self.addend)),
            a_row=self.a.row,
            b_column=self.b.column,
            c_row=self.c.row,
            c_column=self.c.column,
            addend_row=self.addend_strides.row,
            addend_column=self.addend_strides.column,
        )
        kernel = _dot_kernel(kind, self.dtype == "bool", self.target)
        return Step(kernel, self._operands("b"), words, self.batch[0] * self.batch[1] * blocks)

    def packed(self) -> Plan:
        """B is copied to panels first."""
        tiles = self.tiles
        width = tiles.vectors * self.kind.lanes
        size = tiles.panels * self.k * width
        copies, panels = self._copies(self.b, size, Strides(width, 1))
        pack = self._pack("b", self.b, panels, copies, tiles, self.kind.lanes)
        product = replace(self, b=panels).step("scratch", self.k * width)
        return Plan((pack, product), copies[0] * copies[1] * size * self._item)

    def _pack(
        self,
        name: str,
        source: Strides,
        out: Strides,
        copies: tuple[int, int],
        tiles: Tiling,
        lanes: int,
        start: int = 0,
    ) -> Step:
        """The kernel that packs an operand (depth, columns) in panels of vectors."""
        turned = source.column != 1
        width = tiles.vectors * lanes
        large = tiles.large * tiles.uneven
        units = tiles.panels * tiles.smallest + large if turned else -(-self.k // PACK_ROWS)
        words = _words(
            PACK_WORDS,
            _batches(("in", "out"), (source, out)),
            batch=copies[1],
            units=units,
            out_start=start,
            panels=tiles.panels,
            large_panels=large,
            least=tiles.smallest,
            depth=self.k,
            columns=self.n if name == "b" else self.m,
            in_row=source.row,
            in_column=source.column,
            out_row=width,
            out_panel=self.k * width,
        )
        kernel = _pack_kernel(replace(self.kind.integers, lanes=lanes), self._side if turned else 0, self.target)
        return Step(kernel, (name, "scratch"), words, copies[0] * copies[1] * units)

    def copied(self) -> Plan:
        """B is copied first so that its rows are contiguous."""
        copies, dense = self._copies(self.b, self.k * self.n, Strides(self.n, 1))
        copy = plan_copy(self.target, self.dtype, self.k, self.n, self.b, dense, batch=copies)
        product = replace(self, b=dense).step("scratch")
        steps = (*copy.renamed({"in": "b", "out": "scratch"}).steps, product)
        return Plan(steps, copies[0] * copies[1] * self._bytes)

    def step(self, b: str, panel: int = 0) -> Step:
        """The kernel of tiles, `b` being B's name; `panel` is how far the panels of a packed B are apart."""
        kind, tiles = self.kind, self.tiles
        words = _words(
            WORDS,
            self._batch_words(),
            batch=self.batch[1],
            row_tiles=tiles.row_tiles,
            panels=tiles.panels,
            large_panels=tiles.large,
            rows=self.m,
            columns=self.n,
            depth=self.k,
            block=_LARGE_BLOCK if self._bytes >= _LARGE and not panel else _PACKED_BLOCK,
            has_addend=int(bool(self.addend)),
            packed=int(bool(panel)),
            a_start=self.a_start,
            a_row=self.a.row,
            a_column=self.a.column,
            a_tile=self.a_panel or tiles.rows * self.a.row,
            b_row=self.b.row,
            b_panel=panel,
            c_row=self.c.row,
            addend_row=self.addend_strides.row,
        )
        tile = Tile(
            *(kind, tiles.rows, tiles.vectors, tiles.uneven),
            masked=kind.lanes > self.n,
            empty=not self.k,
            logical=self.dtype == "bool",
        )
        extent = self.batch[0] * self.batch[1] * tiles.panels * tiles.row_tiles
        return Step(_product_kernel(tile, self.target), self._operands(b), words, extent)

    @property
    def _bytes(self) -> int:
        """Of B."""
        return self.k * self.n * self._item

    def _operands(self, b: str) -> tuple[str, ...]:
        return ("a", b, "c", self.addend or "c")

    def _batch_words(self) -> dict[str, int]:
        return _batches(OPERANDS, (self.a, self.b, self.c, self.addend_strides))

    def _copies(self, matrix: Strides, size: int, strides: Strides) -> tuple[tuple[int, int], Strides]:
        """How many copies of A or B there are to make, of `size` elements, and how they lie."""
        copies = (self.batch[0] if matrix.batch0 else 1, self.batch[1] if matrix.batch1 else 1)
        batch0, batch1 = size * copies[1] if matrix.batch0 else 0, size if matrix.batch1 else 0
        return copies, replace(strides, batch0=batch0, batch1=batch1)
