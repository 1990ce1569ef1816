"""NumPy's products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.errors import DTypeError, ShapeError
from adjoint.functions import products as F, shapes
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
    a, b = as_value(a), as_value(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ((-1,), (-1,)))


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    return delivered(as_value(a).reshape((-1, 1)) * as_value(b).reshape(-1), out)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = as_value(a), as_value(b)
    if isinstance(axes, (int, np.integer)):
        first, second = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        first, second = ((one,) if isinstance(one, (int, np.integer)) else tuple(one) for one in axes)
        first, second = tuple(i % a.ndim for i in first), tuple(i % b.ndim for i in second)
    if [a.shape[i] for i in first] != [b.shape[i] for i in second]:
        raise ShapeError(f"tensordot of shapes {a.shape} and {b.shape} along {first} and {second}: they must be equal")
    rows = tuple(i for i in range(a.ndim) if i not in first)
    columns = tuple(i for i in range(b.ndim) if i not in second)
    inside = math.prod(a.shape[i] for i in first)
    left = shapes.transpose(a, rows + first).reshape((math.prod(a.shape[i] for i in rows), inside))
    right = shapes.transpose(b, second + columns).reshape((inside, math.prod(b.shape[i] for i in columns)))
    return F.matmul(left, right).reshape((*(a.shape[i] for i in rows), *(b.shape[i] for i in columns)))


@implements(np.einsum)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Any:
    subscripts, *arrays = operands
    if not isinstance(subscripts, str):
        raise DTypeError("einsum of a Variable takes its subscripts as a string, as in einsum('ij,jk->ik', a, b)")
    return delivered(F.einsum(subscripts, *map(as_value, arrays)), out)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    a, b = as_value(a), as_value(b)
    ndim = max(a.ndim, b.ndim)
    first = (1,) * (ndim - a.ndim) + a.shape
    second = (1,) * (ndim - b.ndim) + b.shape
    product = a.reshape(tuple(n for length in first for n in (length, 1))) * b.reshape(
        tuple(n for length in second for n in (1, length))
    )
    return product.reshape(tuple(n * m for n, m in zip(first, second, strict=True)))


@implements(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(as_value(a), axisa, -1), np.moveaxis(as_value(b), axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"cross takes vectors of length 2 or 3, not {a.shape[-1]} and {b.shape[-1]}")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    (a1, a2, a3), (b1, b2, b3) = _components(a), _components(b)
    return np.stack([a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1], axis=axisc)


def _components(a: Any) -> list[Any]:
    """Three components; the third of two is 0."""
    return [a[..., i] if i < a.shape[-1] else a[..., 0] * 0.0 for i in range(3)]
