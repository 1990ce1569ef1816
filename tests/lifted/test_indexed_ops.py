"""Indexed ops within vmap: which of x, values and index arrays differ from example to example does not matter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, apply, functions as F
from adjoint.core.indexing import split_index
from adjoint.errors import TransformError
from adjoint.ops import TABLE

EXAMPLES = 3
INDICES = {
    "array": ((3, 4), ([0, 2, 2],)),
    "array after a slice": ((3, 4), (slice(None, None, -1), [1, 1, 0])),
    "array of no axes": ((4, 3), (slice(None, None, -1), 2)),
    "arrays side by side": ((3, 4, 2), ([0, 1], [[3], [-1]])),
    "arrays apart": ((3, 4, 2), ([0, 1], slice(1, 3), [1, 0])),
    "a number beside an array": ((3, 4, 2), (slice(None), 1, [1, 0])),
    "a number apart from an array": ((3, 4, 2), (1, slice(None), [1, 0])),
    "a new axis between": ((3, 4), ([0, 1], None, [2, 3])),
    "an ellipsis for no axis between": ((1, 2, 4), (slice(None), [0], Ellipsis, [[-4], [-1]])),
    "an ellipsis for axes": ((2, 3, 4), (Ellipsis, [0, 0], slice(None))),
    "a mask": ((3, 4), (np.array([True, False, True]), [1, 3])),
    "a mask of several axes": ((2, 2, 3), (np.array([[True, False], [True, True]]), slice(0, 2))),
    "nothing selected": ((3, 4), (np.zeros(0, int), slice(None))),
    "an axis without elements": ((0, 4), (slice(None), [1, 2])),
}


def indexed(name, inputs, index, **params):
    fixed, arrays = split_index(index)
    return apply(TABLE[name], *inputs, *arrays, index=fixed, **params)


OPS = {
    "getitem": lambda x, _values, index: x[index],
    "unindex": lambda x, values, index: indexed("unindex", [values], index, shape=x.shape),
    "scatter_add": lambda x, values, index: F.scatter_add(x, index, values),
    "index_update": lambda x, values, index: indexed("index_update", [x, values], index),
}


def shuffled(part, rng):
    """The same numbers for each example, in other orders."""
    array = np.asarray(part)
    return np.stack([rng.permutation(array.ravel()).reshape(array.shape) for _ in range(EXAMPLES)])


def cases():
    for name, (shape, index) in INDICES.items():
        movable = [i for i, p in enumerate(index) if isinstance(p, (list, int)) or getattr(p, "size", 1) == 0]
        for op, chosen in itertools.product(OPS, itertools.product((False, True), repeat=3)):
            if chosen[0] or chosen[1] or (chosen[2] and movable):
                which = "-".join(n for n, b in zip(("x", "values", "index"), chosen, strict=True) if b)
                yield pytest.param(op, shape, index, movable, chosen, id=f"{op} by {name}, {which}")


@pytest.mark.parametrize(("op", "shape", "index", "movable", "chosen"), list(cases()))
def test_examples_are_what_they_are_alone(op, shape, index, movable, chosen):
    rng = np.random.default_rng(5)
    of_x, of_values, of_index = chosen
    x = rng.normal(size=(EXAMPLES, *shape) if of_x else shape)
    selected = np.zeros(shape)[index].shape
    values = rng.normal(size=(EXAMPLES, *selected) if of_values else selected)
    stacks = [shuffled(index[i], rng) for i in movable] if of_index else []

    def f(x, values, *arrays):
        parts = list(index)
        for i, array in zip(movable, arrays, strict=False):
            parts[i] = array
        return OPS[op](x if isinstance(x, Variable) else Variable(x), values, tuple(parts))

    batched = ad.vmap(f, in_axes=(0 if of_x else None, 0 if of_values else None, *(0 for _ in stacks)))
    found = batched(x, values, *stacks)
    for b in range(EXAMPLES):
        alone = f(x[b] if of_x else x, values[b] if of_values else values, *(stack[b] for stack in stacks))
        one = found.data[b] if isinstance(found, Variable) else found[b]
        np.testing.assert_allclose(one, alone.data, rtol=1e-14, atol=1e-15)
    assert_modes_agree(lambda x, values: F.sin(batched(x, values, *stacks)), (x, values), rng)


def assert_modes_agree(f, point, rng):
    directions = tuple(rng.normal(size=x.shape) for x in point)
    value, tangent = ad.jvp(f, point, directions)
    g = rng.normal(size=value.shape)
    gradients = ad.vjp(f, *point)[1](g)
    expected = sum(np.sum(part * t) for part, t in zip(gradients, directions, strict=True))
    np.testing.assert_allclose(np.sum(g * tangent), expected, rtol=1e-10, atol=1e-12)


def test_masks_that_differ_are_refused():
    x, masks = np.ones((2, 3)), np.array([[True, False, True], [True, True, True]])
    with pytest.raises(TransformError, match=r"use F\.where"):
        ad.vmap(lambda x, m: x[m])(x, masks)
