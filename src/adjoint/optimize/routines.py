"""SciPy's module of optimizers, which is imported when the first of them is used."""

from __future__ import annotations

from typing import Any

from adjoint.errors import MissingDependencyError

__all__ = ["scipy_optimize"]


def scipy_optimize(what: str) -> Any:
    """The module `scipy.optimize`, for the function `what`.

    Raises:
        MissingDependencyError: without SciPy.
    """
    try:
        import scipy.optimize
    except ImportError:
        raise MissingDependencyError(f"{what} needs the SciPy library: pip install 'adjoint[scipy]'") from None
    return scipy.optimize
