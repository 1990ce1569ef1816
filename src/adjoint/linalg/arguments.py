"""What the functions of linear algebra make of their arguments."""

from __future__ import annotations

from typing import Any

from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable
from adjoint.core.variable import Variable
from adjoint.errors import ShapeError
from adjoint.ops import complex_numbers, shaping

__all__ = ["as_matrices", "conjugate", "conjugate_transposed", "transposed"]


def as_matrices(x: Any, what: str) -> Variable:
    """x as a Variable. Raises ShapeError for fewer than two axes, for the function `what`."""
    x = as_variable(x)
    if x.ndim < 2:
        raise ShapeError(f"{what} of shape {x.shape}; it takes matrices in the last two axes")
    return x


def transposed(x: Variable) -> Variable:
    """x with its last two axes exchanged."""
    return apply(shaping.transpose, x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def conjugate(x: Variable) -> Variable:
    """x̄, which for real numbers is x itself."""
    return apply(complex_numbers.conj, x) if x.dtype.kind == "c" else x


def conjugate_transposed(x: Variable) -> Variable:
    """xᴴ"""
    return conjugate(transposed(x))
