"""NumPy's functions that have no derivative: those that compute on the data, and those that are not supported."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.core.numpy_protocol import FUNCTIONS
from adjoint.lifted.numpy_calls import CONSTANT
from adjoint.numpy.registering import on_data, refused

__all__ = ["CONSTANT", "UNSUPPORTED"]

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
