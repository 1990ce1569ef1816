"""The cells of the table that are empty, each with its reason, as ``(op, mode): reason``. There is none now."""

from __future__ import annotations

EXCEPTIONS: dict[tuple[str, str], str] = {}

# What is to be known about ops although all their cells are full.
NOTES = {
    "astype": "The result has the dtype that is asked for.",
    "gammainc": "There is no derivative in the first argument, and asking for it is an error.",
    "gammaincc": "There is no derivative in the first argument, and asking for it is an error.",
    "getitem": "Within `vmap` a mask that differs from example to example cannot be an index.",
    "index_update": "Within `vmap` a mask that differs from example to example cannot be an index.",
}
