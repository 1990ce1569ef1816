"""Ops that move values without changing them, and the pair that repeats and sums along axes."""

from __future__ import annotations

from adjoint.ops.declaration import Sample, op
from adjoint.ops.reductions import AXIS_EXISTS

reshape = op(
    "reshape",
    lambda xp, x, *, shape: xp.reshape(x, shape),
    vjp=lambda F, g, _y, _x, *, shape: (F.reshape(g, shape=_x.shape),),
    linear=True,
    samples=(Sample((2, 3), shape=(3, 2)), Sample((2, 3), shape=(-1,)), Sample((), shape=(1, 1))),
    requires="as many elements before as after",
)


def _inverse(axes, ndim):
    """The permutation that undoes `axes`."""
    inverse = [0] * ndim
    for position, axis in enumerate(axes):
        inverse[axis % ndim] = position
    return tuple(inverse)


transpose = op(
    "transpose",
    lambda xp, x, *, axes=None: xp.permute_dims(x, axes),
    vjp=lambda F, g, _y, _x, *, axes=None: (
        F.transpose(g, axes=None if axes is None else _inverse(axes, len(_x.shape))),
    ),
    linear=True,
    samples=(Sample((2, 3), axes=None), Sample((2, 3, 4), axes=(1, -1, 0)), Sample((3,), axes=None)),
    requires="every axis once",
)
broadcast_to = op(
    "broadcast_to",
    lambda xp, x, *, shape: xp.broadcast_to(x, shape),
    vjp=lambda F, g, _y, _x, *, shape: (F.sum_to(g, shape=_x.shape),),
    linear=True,
    samples=(Sample((3,), shape=(2, 3)), Sample((2, 1), shape=(4, 2, 3)), Sample((), shape=(2,))),
    requires="a shape that the array's can be broadcast to",
)
sum_to = op(
    "sum_to",
    lambda xp, x, *, shape: xp.sum_to(x, shape),
    vjp=lambda F, g, _y, _x, *, shape: (F.broadcast_to(g, shape=_x.shape),),
    linear=True,
    samples=(Sample((2, 3), shape=(3,)), Sample((4, 2, 3), shape=(2, 1)), Sample((2,), shape=())),
    requires="a shape that could be broadcast to the array's",
)


def _concat_rule(F, g, _y, *_xs, axis):
    sizes = tuple(x.shape[axis] for x in _xs)
    return F.split(g, sizes=sizes, axis=axis)


concat = op(
    "concat",
    lambda xp, *xs, axis: xp.concat(xs, axis=axis),
    vjp=_concat_rule,
    linear=True,
    samples=(Sample((2, 3), (1, 3), axis=0), Sample((2, 1), (2, 2), (2, 1), axis=-1)),
    requires="shapes that are equal but for the joined axis; " + AXIS_EXISTS,
)


def _slices(axis, ndim, sizes):
    """The index of each part when `axis` is cut into parts of `sizes`."""
    before = (slice(None),) * (axis % ndim)
    start = 0
    for size in sizes:
        yield (*before, slice(start, start + size))
        start += size


def _split_rule(F, g, _y, _x, *, sizes, axis):
    if all(part is not None for part in g):
        return (F.concat(*g, axis=axis),)
    # Some parts were not used: their place stays zero.
    total = None
    for part, index in zip(g, _slices(axis, len(_x.shape), sizes), strict=True):
        if part is not None:
            placed = F.unindex(part, index=index, shape=_x.shape)
            total = placed if total is None else total + placed
    return (total,)


split = op(
    "split",
    lambda xp, x, *, sizes, axis: tuple(xp.getitem(x, index) for index in _slices(axis, x.ndim, sizes)),
    vjp=_split_rule,
    linear=True,
    samples=(Sample((3, 2), sizes=(1, 2), axis=0), Sample((2, 4), sizes=(1, 1, 2), axis=-1)),
    requires="sizes that add up to the axis; " + AXIS_EXISTS,
)


def _stack_rule(F, g, _y, *_xs, axis):
    before = (slice(None),) * (axis % len(g.shape))
    return tuple(F.getitem(g, index=(*before, i)) for i in range(len(_xs)))


stack = op(
    "stack",
    lambda xp, *xs, axis: xp.stack(xs, axis=axis),
    vjp=_stack_rule,
    linear=True,
    samples=(Sample((2, 3), (2, 3), axis=0), Sample((2,), (2,), (2,), axis=-1)),
    requires="equal shapes; an axis from -ndim - 1 to ndim",
)
