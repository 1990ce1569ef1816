"""The names that every array namespace offers.

Array API names where the standard has one. The others: `einsum`, `erf` and `sigmoid` (which the standard
lacks), `getitem` (indexing in every NumPy form, as a function), `unindex` and `scatter_add` (its adjoint and
its sum with an array), `sum_to` (the adjoint of `broadcast_to`), `pick` (one element of each row), `flush_tiny` (which
keeps decaying averages from ever becoming subnormal), and `require` (which raises an error unless flags are true).
Arithmetic, comparison and `@` are the arrays' own operators.
"""

from __future__ import annotations

__all__ = ["PRIMITIVES"]

ELEMENTWISE = (
    "abs atan cos cosh erf exp expm1 flush_tiny isfinite isnan log log1p logical_not maximum minimum sigmoid sign "
    "sin sinh sqrt square tanh where"
).split()
REDUCTIONS = "argmax max min sum".split()
SCANS = ["cumulative_sum"]
SHAPES = "broadcast_to concat flip permute_dims reshape stack sum_to".split()
INDEXING = "getitem pick require scatter_add take unindex".split()
LINEAR_ALGEBRA = "einsum matmul".split()
CREATION = "asarray astype copy full_like ones ones_like zeros zeros_like".split()

PRIMITIVES: tuple[str, ...] = tuple(
    sorted([*ELEMENTWISE, *REDUCTIONS, *SCANS, *SHAPES, *INDEXING, *LINEAR_ALGEBRA, *CREATION])
)
