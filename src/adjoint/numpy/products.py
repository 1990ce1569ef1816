"""NumPy's products."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from adjoint.errors import ShapeError
from adjoint.functions import matrices, products as F
from adjoint.numpy.registering import as_value, delivered, implements, run

__all__: list[str] = []


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    a, b = as_value(a), as_value(b)
    if a.ndim == 0 or b.ndim == 0:
        return delivered(a * b, out)
    if b.ndim <= 2:
        return delivered(F.matmul(a, b), out)
    return delivered(tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,))), out)


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    a = as_value(a).reshape(-1)
    return F.matmul(run("conj")(a) if a.dtype.kind == "c" else a, as_value(b).reshape(-1))


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    return matrices.inner(as_value(a), as_value(b))


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return delivered(matrices.outer(as_value(a), as_value(b)), out)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return matrices.tensordot(as_value(a), as_value(b), axes)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    return matrices.kron(as_value(a), as_value(b))


@implements(np.einsum)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Any:
    subscripts, *arrays = operands if isinstance(operands[0], str) else _by_letters(operands)
    return delivered(F.einsum(subscripts, *map(as_value, arrays)), out)


def _by_letters(operands: tuple[Any, ...]) -> list[Any]:
    """``(a, [0, 1], b, [1, 2], [0, 2])`` with the axes as letters: ``("ab,bc->ac", a, b)``."""
    pairs = list(zip(operands[::2], operands[1::2], strict=False))
    terms = ",".join(_letters(axes) for _, axes in pairs)
    arrow = f"->{_letters(operands[-1])}" if len(operands) % 2 else ""
    return [terms + arrow, *(array for array, _ in pairs)]


def _letters(axes: Any) -> str:
    return "".join("..." if axis is Ellipsis else string.ascii_letters[axis] for axis in axes)


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _vectors_last(as_value(a), axisa), _vectors_last(as_value(b), axisb)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"cross takes vectors of length 2 or 3, not {a.shape[-1]} and {b.shape[-1]}")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = _in_space(a), _in_space(b)
    product = a[..., _NEXT] * b[..., _LAST] - a[..., _LAST] * b[..., _NEXT]
    return product if axisc in (-1, product.ndim - 1) else np.moveaxis(product, -1, axisc)


def _vectors_last(x: Any, axis: int) -> Any:
    return x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)


# For each of three components, the one after it and the one before it.
_NEXT, _LAST = [1, 2, 0], [2, 0, 1]


def _in_space(a: Any) -> Any:
    """Vectors with three components; the third of two is 0."""
    return a if a.shape[-1] == 3 else np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, 1)])
