"""Reading and adding at an index.

An index is given in two parts (see `adjoint.arrays.places`), and the arrays are inputs. So an op's arrays are its
positional arguments here too.
"""

from __future__ import annotations

import math

import numpy as np

from adjoint.arrays import Place, fill
from adjoint.ops.declaration import Sample, op

IN_RANGE = "an index within the array's shape"

getitem = op(
    "getitem",
    lambda xp, x, *arrays, index: xp.getitem(x, fill(index, arrays)),
    vjp=lambda F, g, _y, _x, *arrays, index: (
        F.unindex(g, *arrays, index=index, shape=_x.shape),
        *(None for _ in arrays),
    ),
    linear=True,
    samples=(
        Sample((3, 4), index=1),
        Sample((3, 4), index=(slice(None), slice(None, None, -2))),
        Sample((3, 4), index=(Ellipsis, None, 0)),
        Sample((3, 4), (3,), index=Place(0), arrays={1: [0, 2, 2]}),
        Sample((3, 4), (2,), (2,), index=(Place(0), Place(1)), arrays={1: [0, 0], 2: [1, 1]}),
        Sample((2, 2), (2, 2), index=Place(0), arrays={1: [[True, False], [True, True]]}),
    ),
    requires=IN_RANGE,
)
unindex = op(
    "unindex",
    lambda xp, values, *arrays, index, shape: xp.unindex(values, fill(index, arrays), shape),
    vjp=lambda F, g, _y, _values, *arrays, index, shape: (
        F.getitem(g, *arrays, index=index),
        *(None for _ in arrays),
    ),
    linear=True,
    samples=(
        Sample((4,), index=1, shape=(3, 4)),
        Sample((3, 4), (3,), index=Place(0), shape=(5, 4), arrays={1: [0, 2, 2]}),
    ),
    requires=IN_RANGE,
)
scatter_add = op(
    "scatter_add",
    lambda xp, x, values, *arrays, index: xp.scatter_add(x, fill(index, arrays), values),
    vjp=lambda F, g, _y, _x, _values, *arrays, index: (
        g,
        F.getitem(g, *arrays, index=index),
        *(None for _ in arrays),
    ),
    linear=True,
    samples=(
        Sample((3, 4), (4,), index=1),
        Sample((3, 4), (), index=(slice(None), 0)),
        Sample((3, 4), (3, 4), (3,), index=Place(0), arrays={2: [0, 2, 2]}),
    ),
    requires=IN_RANGE + "; values that can be broadcast to what it selects",
)


def _last_written(xp, index, shape):
    empty = xp.zeros(shape)
    selected = xp.getitem(empty, index).shape
    order = xp.reshape(xp.cumulative_sum(xp.ones(math.prod(selected)), axis=0), selected)
    return xp.getitem(xp.index_update(empty, index, order), index) == order


# For each element that is written at an index, whether it is the last one at its place. There is no rule.
last_written = op(
    "last_written",
    lambda xp, *arrays, index, shape: _last_written(xp, fill(index, arrays), shape),
)


def _written_rule(F, g, _y, _x, _values, *arrays, index, in_place=False):
    """g at the index; where an element is named twice, the last value has it, and its cotangent."""
    part = F.getitem(g, *arrays, index=index)
    if any(array.dtype.kind != "b" for array in arrays):
        part = F.where(F.last_written(*arrays, index=index, shape=_x.shape), part, 0.0)
    extra = len(_values.shape) - len(part.shape)  # leading axes of length 1, which assignment allows
    return F.reshape(part, shape=(1,) * extra + part.shape) if extra > 0 else part


def _overwritten(_y, x, _values, *arrays, index, in_place=False):
    """Where x is written to. Not known of index arrays that are not NumPy's."""
    if any(type(array) is not np.ndarray for array in arrays):
        return (None, None)
    mask = np.zeros(x.shape, np.bool_)
    mask[fill(index, arrays)] = True
    return (mask, None)


index_update = op(
    "index_update",
    lambda xp, x, values, *arrays, index, in_place=False: xp.index_update(
        x, fill(index, arrays), values, in_place=in_place
    ),
    vjp=(
        lambda F, g, _y, _x, _values, *arrays, index, in_place=False: F.index_update(g, 0.0, *arrays, index=index),
        _written_rule,
    ),
    selects=_overwritten,
    linear=True,
    samples=(
        Sample((3, 4), (4,), index=1),
        Sample((3, 4), (1, 1, 4), index=1),
        Sample((3, 4), (), index=(slice(None), slice(3, None, -2))),
        Sample((3, 4), (4,), index=Ellipsis),
        Sample((), (), index=()),
        Sample((3, 4), (3, 4), (3,), index=Place(0), arrays={2: [0, 2, 2]}),
        Sample((3, 4), (2,), (2,), (2,), index=(Place(0), Place(1)), arrays={2: [0, 0], 3: [1, 1]}),
        Sample((2, 2), (3,), (2, 2), index=Place(0), arrays={2: [[True, False], [True, True]]}),
    ),
    requires=IN_RANGE + "; values that can be broadcast to what it selects",
)


def _take_rule(F, g, _y, _x, indices, *, axis):
    ndim = len(_x.shape)
    index = (*(slice(None),) * (axis % ndim), Place(0))
    return F.unindex(g, indices, index=index, shape=_x.shape), None


take = op(
    "take",
    lambda xp, x, indices, *, axis: xp.take(x, indices, axis=axis),
    vjp=_take_rule,
    linear=True,
    samples=(
        Sample((4, 3), (3,), axis=0, arrays={1: [0, 2, 2]}),
        Sample((2, 4), (2, 2), axis=-1, arrays={1: [[0, -1], [1, 1]]}),
    ),
    requires=IN_RANGE,
)
