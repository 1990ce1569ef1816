"""adjoint, compiled: the steps of `adjoint_eager`, each as one native function."""

from __future__ import annotations

import importlib
from functools import partial

import adjoint as ad
from benchmarks.workloads import adjoint_eager

VERSION = ad.__version__
WORKLOADS = {name: partial(make, ad.compile) for name, make in adjoint_eager.WORKLOADS.items()}


def load() -> None:
    """What the first call imports, where a measurement must not count it."""
    importlib.import_module("llvmlite.binding")
