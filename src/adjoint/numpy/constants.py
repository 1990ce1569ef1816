"""NumPy's functions that have no derivative: those that compute on the data, and those that are not supported."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.numpy.registering import on_data, refused

__all__ = ["CONSTANT", "UNSUPPORTED"]

# Shapes, indices, tests, counts, texts, files: what comes out is plain.
_CONSTANT = """
    all allclose any argmax argmin argpartition argsort argwhere array2string array_equal array_equiv array_repr
    array_str can_cast common_type count_nonzero diag_indices_from digitize einsum_path flatnonzero isclose iscomplex
    iscomplexobj isin isneginf isposinf isreal isrealobj ix_ lexsort may_share_memory min_scalar_type nanargmax
    nanargmin ndim nonzero packbits ravel_multi_index result_type save savetxt savez savez_compressed searchsorted
    shape shares_memory size tril_indices_from triu_indices_from unpackbits unravel_index
""".split()
CONSTANT: tuple[Any, ...] = tuple(getattr(np, name) for name in _CONSTANT)

# Each with the way out.
_UNSUPPORTED = {
    "busday_count busday_offset is_busday datetime_as_string": "it is for dates",
    "histogram histogram2d histogramdd histogram_bin_edges": "counts have no derivative",
    "intersect1d setdiff1d setxor1d union1d": "use numpy.unique of numpy.concatenate, or index with x[…]",
    "unique_all unique_counts unique_inverse unique_values": "use numpy.unique",
    "polyfit": "use adjoint.linalg.lstsq with numpy.vander",
    "roots": "use adjoint.linalg.eigvals of the companion matrix",
    "polydiv": "divide by hand with numpy.polymul and numpy.polysub",
    "sort_complex": "use numpy.sort of a real Variable",
}
UNSUPPORTED: dict[Any, str] = {
    getattr(np, name): way_out for names, way_out in _UNSUPPORTED.items() for name in names.split()
}

FUNCTIONS.update({function: on_data(function) for function in CONSTANT})
FUNCTIONS.update({function: refused(function, way_out) for function, way_out in UNSUPPORTED.items()})
