"""The op table: what can be computed and differentiated, one declaration an op (see `adjoint.ops.declaration`)."""

from __future__ import annotations

from adjoint.ops import (
    activations,
    arithmetic,
    bessel,
    complex_numbers,
    decompositions,
    elementary,
    entropies,
    exponential,
    fourier,
    indexing,
    linear_algebra,
    losses,
    matrices,
    products,
    recurrent,
    reductions,
    rounding,
    shaping,
    sorting,
    special,
    trigonometric,
)
from adjoint.ops.declaration import TABLE, Op, Sample, op
from adjoint.ops.raw import forward_in, raw_functions

__all__ = [
    "TABLE",
    "Op",
    "Sample",
    "activations",
    "arithmetic",
    "bessel",
    "complex_numbers",
    "decompositions",
    "elementary",
    "entropies",
    "exponential",
    "forward_in",
    "fourier",
    "indexing",
    "linear_algebra",
    "losses",
    "matrices",
    "op",
    "products",
    "raw_functions",
    "recurrent",
    "reductions",
    "rounding",
    "shaping",
    "sorting",
    "special",
    "trigonometric",
]
