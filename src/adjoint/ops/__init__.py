"""The op table: what can be computed and differentiated, one declaration an op (see `adjoint.ops.declaration`)."""

from __future__ import annotations

from adjoint.ops import (
    activations,
    arithmetic,
    elementary,
    indexing,
    losses,
    products,
    recurrent,
    reductions,
    shaping,
)
from adjoint.ops.declaration import TABLE, Op, Sample, op
from adjoint.ops.raw import raw_functions

__all__ = [
    "TABLE",
    "Op",
    "Sample",
    "activations",
    "arithmetic",
    "elementary",
    "indexing",
    "losses",
    "op",
    "products",
    "raw_functions",
    "recurrent",
    "reductions",
    "shaping",
]
