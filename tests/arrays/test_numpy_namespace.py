"""Primitives that NumPy lacks, or that are made otherwise than NumPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_allclose, assert_array_equal

from adjoint.arrays import numpy_namespace as xp


def test_erf_is_exact_to_2e_15():
    x = np.concatenate([np.linspace(-7.0, 7.0, 20_001), [-1.0, 1.0, np.nextafter(1.0, 0.0), 27.0, 1e300]])
    assert np.max(np.abs(xp.erf(x) - [math.erf(value) for value in x])) <= 2e-15


def test_erf_is_relatively_exact_near_0():
    x = np.logspace(-300, -1, 100)
    assert_allclose(xp.erf(x), [math.erf(value) for value in x], rtol=4e-16)


def test_erf_at_the_ends():
    assert_array_equal(xp.erf(np.array([-math.inf, -0.0, 0.0, math.inf, math.nan])), [-1.0, -0.0, 0.0, 1.0, math.nan])


def test_erf_of_whole_numbers_is_a_float():
    assert xp.erf(np.array([0, 1])).tolist() == [0.0, math.erf(1.0)]


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
def test_erf_keeps_shape_and_float32(shape):
    y = xp.erf(np.full(shape, 0.5, np.float32))
    assert (y.shape, y.dtype) == (shape, np.float32)
    assert_allclose(y, math.erf(0.5), rtol=1e-6)


def test_sigmoid_in_its_tails():
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    assert_allclose(xp.sigmoid(x), [0.0, math.exp(-40.0), 0.5, 1.0, 1.0], rtol=1e-15)
    assert x[0] == -1000.0


@pytest.mark.parametrize("x", [2, np.float64(2.0), np.int64(2), np.array(2), np.array([2])], ids=repr)
def test_sigmoid_of_numbers_and_whole_numbers(x):
    assert_allclose(xp.sigmoid(x), 1.0 / (1.0 + math.exp(-2.0)), rtol=1e-15)


@given(st_numpy.mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 1, 3), max_dims=4))
def test_broadcast_to_and_sum_to_are_adjoint(shapes):
    (shape,), out = shapes.input_shapes, shapes.result_shape
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape), rng.standard_normal(out)
    assert_array_equal(xp.broadcast_to(x, out), np.broadcast_to(x, out))
    assert xp.sum_to(y, shape).shape == shape
    assert np.vdot(np.broadcast_to(x, out), y) == pytest.approx(np.vdot(x, xp.sum_to(y, shape)))


@pytest.mark.parametrize("x", [np.ones(()), np.ones((1, 1)), np.ones((2, 2))[::2, ::2], np.float64(1.0)], ids=repr)
def test_one_value_is_spread_without_memory_of_its_own(x):
    spread = xp.broadcast_to(x, (1000, 1000))
    assert spread.strides == (0, 0)
    assert not spread.flags.writeable
    assert spread.sum() == 1e6


@pytest.mark.parametrize(("before", "after"), [((4, 3), (2, 6)), ((2, 3), (3, 2)), ((2, 3), (2,)), ((3,), (1, 3))])
def test_sum_to_refuses_a_shape_that_broadcasting_does_not_lead_from(before, after):
    with pytest.raises(ValueError, match="cannot sum"):
        xp.sum_to(np.ones(before), after)


@pytest.mark.parametrize("index", [
    1, slice(None, None, 2), ..., (None, 0), [0, 0, 2], np.array([[0, 1], [1, 1]]), ([0, 0], [1, 1]), (0, [1, 1]),
    np.array([True, False, True]), ([0, 2], slice(None)), (slice(None), [3, 3]),
], ids=str)  # fmt: skip
def test_unindex_is_the_adjoint_of_getitem(index):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4))
    g = rng.standard_normal(x[index].shape)
    assert np.vdot(xp.getitem(x, index), g) == pytest.approx(np.vdot(x, xp.unindex(g, index, x.shape)))


def test_scatter_add_adds_repeated_indices_and_leaves_its_input():
    x = np.zeros(3)
    assert xp.scatter_add(x, [0, 0, 2], np.array([1.0, 2.0, 4.0])).tolist() == [3.0, 0.0, 4.0]
    assert not x.any()


def test_scatter_add_makes_room_for_the_values():
    assert xp.scatter_add(np.zeros(2, int), 0, 0.5).tolist() == [0.5, 0.0]
    assert xp.scatter_add(np.zeros(2, np.float32), 0, 0.5).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_flushing_leaves_all_but_tiny_values_as_they_are(dtype):
    values = np.array([1.0, -3.5, 1e-4, 0.0, np.inf, -np.inf] * 100, dtype)
    assert np.array_equal(xp.flush_tiny(values.copy()), values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flushing_turns_subnormal_values_into_zeros(dtype):
    values = np.full(1000, np.finfo(dtype).smallest_subnormal)
    assert not xp.flush_tiny(values).any()
