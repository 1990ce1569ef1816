"""The division of a matrix into tiles of rows × vectors that cost least, by a model fitted to measurements."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Tiling", "tiling"]


@dataclass(frozen=True)
class Tiling:
    """Tiles of `rows`, and panels of columns of which the `large` first have `vectors`, the others one less."""

    rows: int
    row_tiles: int
    vectors: int
    panels: int
    large: int

    @property
    def uneven(self) -> bool:
        """Whether there are smaller panels."""
        return self.large < self.panels

    @property
    def smallest(self) -> int:
        """How many vectors the smallest panels have."""
        return self.vectors - self.uneven


@lru_cache(maxsize=4096)
def tiling(registers: int, lanes: int, m: int, n: int, k: int, rows: int = 0) -> Tiling:
    """The cheapest tiles of C (m, n), summed over a depth of k in vectors of `lanes`; of `rows`, if that is not 0."""
    total = -(-n // lanes)
    # The last vector must overlap one of its own panel: another panel's sums may have been added already.
    least = 2 if n % lanes and total > 1 else 1
    candidates = {
        _divided(m, total, tallest, widest)
        for widest in range(1, min(total, registers // 2) + 1)
        for tallest in range(1, min(m, (registers - 1 - widest) // widest) + 1)
        if tallest == (rows or tallest)
    }
    return min(
        (candidate for candidate in candidates if candidate.smallest >= least),
        key=lambda candidate: (_cost(candidate, k), candidate.rows),
    )


def _divided(m: int, vectors: int, tallest: int, widest: int) -> Tiling:
    row_tiles, panels = -(-m // tallest), -(-vectors // widest)
    width = -(-vectors // panels)
    return Tiling(-(-m // row_tiles), row_tiles, width, panels, vectors - (width - 1) * panels)


def _cost(tiles: Tiling, depth: int) -> float:
    panels = ((tiles.vectors, tiles.large), (tiles.vectors - 1, tiles.panels - tiles.large))
    cost = tiles.row_tiles * sum(count * _cycles(tiles.rows, vectors, depth) for vectors, count in panels)
    return cost * (1.02 if tiles.uneven else 1)  # a second loop to compile


def _cycles(rows: int, vectors: int, depth: int) -> float:
    """Of a tile: the slowest of multiply-adds, loads, loads from beyond the first cache, and the latency of a sum."""
    step = max(rows * vectors / 2, (rows + vectors) / 1.45, 1.5 * vectors, 4) + 1 + 0.12 * rows + 0.2 * vectors
    return depth * step + 30 + 8 * rows + 1.5 * rows * vectors
