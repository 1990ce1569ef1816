"""How many threads NumPy's matrix products take."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

__all__ = ["small_products"]

_CHOSEN_BY_USER = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@contextlib.contextmanager
def small_products() -> Iterator[None]:
    """Within the block, matrix products run in one thread, where NumPy brings the OpenBLAS library along.

    The threads of OpenBLAS wait for one another busily. For the products of a small LSTM they gain nothing, take twice
    the processor time, and where the processor has other work to do they were measured to take up to ten times as
    long. A choice made by environment variables stands.
    """
    controls = [] if any(name in os.environ for name in _CHOSEN_BY_USER) else list(_controls())
    before = [count() for count, _ in controls]
    for _, choose in controls:
        choose(1)
    try:
        yield
    finally:
        for (_, choose), threads in zip(controls, before, strict=True):
            choose(threads)


def _controls() -> Iterator[tuple[Callable[[], int], Callable[[int], None]]]:
    """The functions of each OpenBLAS that tell and set its number of threads."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            library = ctypes.CDLL(str(path))  # it is loaded already: this finds it again
            for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
                with contextlib.suppress(AttributeError):
                    yield library[name.format("get")], library[name.format("set")]
