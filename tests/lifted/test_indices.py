"""Indexing of batches against a loop over the examples, for indices that are drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint.arrays import numpy_namespace
from adjoint.lifted import LIFTED as xp, Batch
from adjoint.lifted.indices import selected_shape

B = 3  # examples


@st.composite
def parts_of_index(draw, length, made, masks):
    """A part of an index for an axis: for each example, and as the batch rule takes it."""
    kind = draw(st.sampled_from(["array", "batch", "slice", "number", *(["mask"] if masks else [])]))
    if kind == "slice":
        bounds = st.none() | st.integers(-length - 1, length + 1)
        part = slice(draw(bounds), draw(bounds), draw(st.sampled_from([None, 1, 2, -1, -2])))
        return [part] * B, part
    if kind == "number":
        number = draw(st.integers(-length, length - 1))
        return [number] * B, number
    if kind == "mask":  # with one true element, so that it fits the other arrays
        mask = np.arange(length) == draw(st.integers(0, length - 1))
        return [mask] * B, mask
    shape = (B, *made) if kind == "batch" else made
    values = st.integers(-length, length - 1)
    array = np.array(draw(st.lists(values, min_size=math.prod(shape), max_size=math.prod(shape))), np.intp)
    array = array.reshape(shape)
    return (list(array), Batch(1, array)) if kind == "batch" else ([array] * B, array)


@st.composite
def indexed(draw, masks=True):
    """The shape of an example, an index for each of the examples, and the same as the batch rule takes it."""
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    made = draw(st.sampled_from([(), (2,), (2, 1), (1, 2), (0,)]))
    first = draw(st.integers(0, len(shape)))  # the axes from here to `last` are those that an Ellipsis stands for
    last = draw(st.integers(first, len(shape)))
    parts = [draw(parts_of_index(length, made, masks)) for length in shape]
    parts[first:last] = [([Ellipsis] * B, Ellipsis)] if last < len(shape) or draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), ([None] * B, None))
    examples = [tuple(part[0][i] for part in parts) for i in range(B)]
    return shape, examples, tuple(part[1] for part in parts)


def values_for(shape, batched=True):
    count = math.prod(shape)
    values = np.arange(1.0, 1.0 + (B if batched else 1) * count)
    return values.reshape((B, *shape) if batched else shape)


def spread(found):
    """What a batch rule gave, for all examples."""
    return found.value if isinstance(found, Batch) else np.broadcast_to(found, (B, *found.shape))


@given(indexed(), st.booleans())
def test_reading(case, batched):
    shape, examples, index = case
    x = values_for(shape, batched)
    found = spread(xp.getitem(Batch(1, x) if batched else x, index))
    expected = [(x[i] if batched else x)[example] for i, example in enumerate(examples)]
    assert_array_equal(found, expected)
    assert selected_shape(shape, index) == expected[0].shape


@given(indexed(), st.sampled_from(["both", "x", "values", "neither"]))
def test_adding(case, batched):
    shape, examples, index = case
    wanted = selected_shape(shape, index)
    x = values_for(shape, batched in ("both", "x"))
    values = values_for(wanted, batched in ("both", "values"))
    given_x = Batch(1, x) if batched in ("both", "x") else x
    given_values = Batch(1, values) if batched in ("both", "values") else values
    found = spread(xp.scatter_add(given_x, index, given_values))
    for i, example in enumerate(examples):
        expected = np.array(x[i] if batched in ("both", "x") else x)
        np.add.at(expected, example, values[i] if batched in ("both", "values") else values)
        assert_allclose(found[i], expected)


@given(indexed(), st.booleans())
def test_placing(case, batched):
    shape, examples, index = case
    values = values_for(selected_shape(shape, index), batched)
    found = spread(xp.unindex(Batch(1, values) if batched else values, index, shape))
    for i, example in enumerate(examples):
        expected = numpy_namespace.unindex(values[i] if batched else values, example, shape)
        assert_allclose(found[i], expected)


@given(indexed(), st.sampled_from(["both", "x", "values", "neither"]), st.data())
def test_writing(case, batched, data):
    shape, examples, index = case
    wanted = selected_shape(shape, index)
    part = data.draw(st.sampled_from([wanted, wanted[1:], (1,) * len(wanted), (), *([(1, *wanted)] if wanted else [])]))
    x = values_for(shape, batched in ("both", "x"))
    values = -values_for(part, batched in ("both", "values"))
    given_x = Batch(1, x) if batched in ("both", "x") else x
    given_values = Batch(1, values) if batched in ("both", "values") else values
    before = x.copy()
    found = spread(xp.index_update(given_x, index, given_values))
    assert_array_equal(x, before)
    for i, example in enumerate(examples):
        expected = np.array(x[i] if batched in ("both", "x") else x)
        expected[example] = values[i] if batched in ("both", "values") else values
        assert_array_equal(found[i], expected)


@given(indexed(masks=False))
def test_gradients_of_reading_by_indices_that_differ(case):
    shape, examples, index = case
    x = values_for(shape)
    arrays = [part.value for part in index if isinstance(part, Batch)]

    def f(x, *arrays):
        rest = iter(arrays)
        return (x[tuple(next(rest) if isinstance(part, Batch) else part for part in index)] ** 2).sum()

    found = ad.vmap(ad.grad(f))(x, *arrays)
    for i, example in enumerate(examples):
        expected = np.zeros(shape)
        np.add.at(expected, example, 2.0 * x[i][example])
        assert_allclose(found[i], expected)


def test_masks_that_all_examples_share_are_places():
    x = np.arange(12.0).reshape(B, 4)
    mask = np.array([True, False, True, True])
    assert_array_equal(ad.vmap(lambda x: x[mask])(x), x[:, mask])
    assert_array_equal(ad.vmap(lambda x: x[None, mask])(x), x[:, None, mask])


def test_too_many_indices():
    with pytest.raises(IndexError, match="too many indices"):
        xp.getitem(Batch(1, np.zeros((B, 2))), (0, 0))


def test_axes_without_elements():
    found = xp.getitem(Batch(1, np.zeros((B, 0, 2))), (np.zeros(0, np.intp), slice(None)))
    assert found.value.shape == (B, 0, 2)
