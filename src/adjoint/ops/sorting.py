"""The order of elements along an axis, and reading along it."""

from __future__ import annotations

from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.reductions import AXIS_EXISTS

# Whole numbers: no rule.
argsort = op("argsort", lambda xp, x, *, axis: xp.argsort(real_only(x), axis=axis), requires=AXIS_EXISTS)


def _places(xp, shape, indices, axis):
    """An index for every axis: `indices` along one, each element's own number along the others."""
    ndim = len(shape)
    if len(indices.shape) != ndim:
        raise ValueError(f"indices with {len(indices.shape)} axes for an array with {ndim}")
    places = []
    for i, length in enumerate(shape):
        if i == axis % ndim:
            places.append(indices)
        else:
            numbers = xp.cumulative_sum(xp.ones(length, dtype=int), axis=0) - 1
            places.append(xp.reshape(numbers, tuple(-1 if j == i else 1 for j in range(ndim))))
    return tuple(places)


def _taken(xp, x, indices, *, axis):
    return xp.getitem(x, _places(xp, x.shape, indices, axis))


ALONG = "indices of as many axes as the array, which can be broadcast to it but for the one axis, and are within it"
take_along_axis = op(
    "take_along_axis",
    _taken,
    vjp=lambda F, g, _y, _x, indices, *, axis: (F.add_along_axis(g, indices, shape=_x.shape, axis=axis), None),
    linear=True,
    samples=(
        Sample((2, 3), (2, 4), axis=1, arrays={1: [[0, 2, 2, 1], [1, 1, 0, -1]]}),
        Sample((3, 2), (1, 2), axis=0, arrays={1: [[2, 0]]}),
        Sample((3,), (2,), axis=-1, arrays={1: [1, 1]}),
    ),
    requires=ALONG,
)
add_along_axis = op(
    "add_along_axis",
    lambda xp, values, indices, *, shape, axis: xp.unindex(values, _places(xp, shape, indices, axis), shape),
    vjp=lambda F, g, _y, _values, indices, *, shape, axis: (F.take_along_axis(g, indices, axis=axis), None),
    linear=True,
    samples=(
        Sample((2, 4), (2, 4), shape=(2, 3), axis=1, arrays={1: [[0, 2, 2, 1], [1, 1, 0, -1]]}),
        Sample((2,), (2,), shape=(3,), axis=0, arrays={1: [1, 1]}),
    ),
    requires=ALONG,
)
# A permutation is undone by its inverse, which is read: much faster than adding at its places.
reorder = op(
    "reorder",
    _taken,
    vjp=lambda F, g, _y, _x, order, *, axis: (F.reorder(g, F.argsort(order, axis=axis), axis=axis), None),
    linear=True,
    samples=(
        Sample((2, 3), (2, 3), axis=-1, arrays={1: [[2, 0, 1], [0, 2, 1]]}),
        Sample((3, 1), (3, 1), axis=0, arrays={1: [[1], [2], [0]]}),
    ),
    requires="every index along the axis once",
)
