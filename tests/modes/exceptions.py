"""The cells of the table that are empty, each with its reason, as ``(op, mode): reason``. There is none now."""

from __future__ import annotations

EXCEPTIONS: dict[tuple[str, str], str] = {}

_EQUAL_VALUES = "Vectors of equal values have no derivative within their space: all modes leave that part out."
_FIRST_ARGUMENT = "There is no derivative in the first argument, and asking for it is an error."
_MASKS = "Within `vmap` a mask that differs from example to example cannot be an index."
# What is to be known about ops although all their cells are full.
NOTES = {
    "astype": "The result has the dtype that is asked for.",
    "eig": _EQUAL_VALUES,
    "eigh": _EQUAL_VALUES,
    "gammainc": _FIRST_ARGUMENT,
    "gammaincc": _FIRST_ARGUMENT,
    "getitem": _MASKS,
    "index_update": _MASKS,
    "svd": _EQUAL_VALUES,
}
# Functions that vmap refuses, which are made of ops that it takes.
REFUSED_WITHIN_VMAP = {
    "adjoint.linalg.lstsq": "its result has the rank as a number, which may differ from example to example.",
    "numpy.trim_zeros": "how many elements it gives may differ from example to example.",
}
