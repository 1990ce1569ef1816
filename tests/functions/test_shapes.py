"""Functions that rearrange, repeat, join and cut, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_array_equal

from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, AxisError, DTypeError, OutOfRangeError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

X = np.arange(24.0).reshape(2, 3, 4)


def assert_is(y, expected):
    assert_array_equal(y.data, expected, strict=True)


@pytest.mark.parametrize("shape", [(6, 4), (24,), (-1, 2), (2, 1, 12), 24, -1, np.int64(24), [4, 6]], ids=str)
def test_reshape(shape):
    assert_is(F.reshape(X, shape), np.reshape(X, shape))
    assert gradients(lambda x: F.reshape(x, shape), X)[0].shape == X.shape


@pytest.mark.parametrize("axes", [None, (0, 1, 2), (2, 0, 1), (-1, 0, 1), (1, -1, -3), [2, 1, 0]], ids=str)
def test_transpose(axes):
    assert_is(F.transpose(X, axes), np.transpose(X, axes))
    g = np.random.default_rng(0).standard_normal(np.transpose(X, axes).shape)
    (found,) = gradients(lambda x: F.transpose(x, axes), X, gradient=g)
    assert_array_equal(np.transpose(found, axes), g)


def test_transpose_as_a_method_takes_numbers_a_tuple_or_nothing():
    x = Variable(X)
    assert x.transpose(2, 0, 1).shape == x.transpose((2, 0, 1)).shape == (4, 2, 3)
    assert x.transpose().shape == x.T.shape == (4, 3, 2)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (-1, 1)], ids=str)
def test_flip(axis):
    assert_is(F.flip(X, axis), np.flip(X, axis))
    g = np.random.default_rng(0).standard_normal(X.shape)
    assert_array_equal(gradients(lambda x: F.flip(x, axis), X, gradient=g)[0], np.flip(g, axis))


@given(st_numpy.mutually_broadcastable_shapes(num_shapes=1, base_shape=(2, 3, 1), max_dims=4, max_side=3))
def test_broadcast_to_and_sum_to_undo_each_other(shapes):
    """⟨broadcast_to(x), y⟩ = ⟨x, sum_to(y)⟩, with NumPy's own broadcasting as the reference."""
    (shape,), out = shapes.input_shapes, shapes.result_shape
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape), rng.standard_normal(out)
    assert_is(F.broadcast_to(x, out), np.broadcast_to(x, out))
    assert np.vdot(np.broadcast_to(x, out), y) == pytest.approx(np.vdot(x, F.sum_to(y, shape).data))
    check_grads(lambda x: F.broadcast_to(x, out), x, order=1)
    check_grads(lambda y: F.sum_to(y, shape), y, order=1)


@pytest.mark.parametrize(("shape", "axis"), [
    ((1, 3, 1), None), ((1, 3, 1), 0), ((1, 3, 1), -1), ((1, 3, 1), (0, 2)), ((1, 3, 1), [-3, -1]), ((3,), None),
], ids=str)  # fmt: skip
def test_squeeze(shape, axis):
    x = np.ones(shape)
    assert_is(F.squeeze(x, axis), np.squeeze(x, tuple(axis) if isinstance(axis, list) else axis))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_unsqueeze(axis):
    assert_is(F.unsqueeze(np.ones((2, 3)), axis), np.expand_dims(np.ones((2, 3)), axis))


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_concat(axis):
    rng = np.random.default_rng(0)
    a, b, c = (np.moveaxis(rng.standard_normal((n, 2)), 0, axis) for n in (1, 3, 0))
    assert_is(F.concat([a, Variable(b), c], axis), np.concatenate([a, b, c], axis))
    g = rng.standard_normal(np.concatenate([a, b, c], axis).shape)
    found = gradients(lambda *xs: F.concat(xs, axis), a, b, c, gradient=g)
    assert_array_equal(np.concatenate(found, axis), g)
    assert [part.shape for part in found] == [a.shape, b.shape, c.shape]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_stack(axis):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 2, 3))
    assert_is(F.stack([Variable(a), b], axis), np.stack([a, b], axis))
    g = rng.standard_normal(np.stack([a, b], axis).shape)
    assert_array_equal(np.stack(gradients(lambda *xs: F.stack(xs, axis), a, b, gradient=g), axis), g)


def test_stack_of_numbers():
    assert F.stack([Variable(1.0), 2.0]).data.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("axis", [1, -2])
def test_split_into_sizes(axis):
    a, b, c = F.split(X, [1, 0, 2], axis)
    for part, expected in zip((a, b, c), np.split(X, [1, 1], axis), strict=True):
        assert_is(part, expected)


@pytest.mark.parametrize("number", [2, np.int64(2)], ids=repr)
def test_split_into_a_number_of_equal_parts(number):
    parts = F.split(X, number, axis=-1)
    assert isinstance(parts, list)
    for part, expected in zip(parts, np.split(X, 2, -1), strict=True):
        assert_is(part, expected)


@pytest.mark.parametrize("used", [[0], [1], [2], [0, 2], [0, 1, 2]], ids=str)
def test_parts_that_are_not_used_leave_zeros(used):
    def some_parts(x):
        parts = F.split(x, [1, 2, 1], axis=-1)
        return sum(F.sum(parts[i] ** 3) for i in used)

    check_grads(some_parts, np.random.default_rng(0).standard_normal((2, 4)), order=3)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take(axis):
    indices = np.array([[0, -1], [1, 0]])
    assert_is(F.take(X, indices, axis), np.take(X, indices, axis))
    check_grads(lambda x: F.take(x, indices, axis) ** 2, X)


def test_take_of_one_index_drops_the_axis():
    assert_is(F.take(X, 1, axis=1), X[:, 1])


def test_repeated_indices_add_up():
    x = np.array([1.0, 2.0, 3.0])
    assert gradients(lambda x: F.take(x, [2, 2, 0]), x, gradient=[1.0, 10.0, 100.0])[0].tolist() == [100.0, 0.0, 11.0]
    assert F.scatter_add(x, [2, 2, 0], [1.0, 10.0, 100.0]).data.tolist() == [101.0, 2.0, 14.0]


def test_scatter_add_returns_a_new_array():
    x = Variable(np.zeros(3))
    y = F.scatter_add(x, slice(1, None), 1.0)
    assert y.data.tolist() == [0.0, 1.0, 1.0]
    assert x.data.tolist() == [0.0, 0.0, 0.0]


def test_scatter_add_sums_the_gradient_of_values_that_were_broadcast():
    of_x, of_values = gradients(lambda x, v: F.scatter_add(x, [0, 0, 1], v), np.zeros(2), np.array(5.0))
    assert of_x.tolist() == [1.0, 1.0]
    assert of_values.tolist() == 3.0


@pytest.mark.parametrize(("call", "error"), [
    (lambda x: F.reshape(x, (5,)), ShapeError),
    (lambda x: F.reshape(x, (-1, -1)), ShapeError),
    (lambda x: F.transpose(x, (0, 0, 1)), ShapeError),
    (lambda x: F.transpose(x, (0, 1)), ShapeError),
    (lambda x: F.transpose(x, (0, 1, 3)), AxisError),
    (lambda x: F.flip(x, 3), AxisError),
    (lambda x: F.broadcast_to(x, (3, 4)), ShapeError),
    (lambda x: F.broadcast_to(x, (2, 3, 5)), ShapeError),
    (lambda x: F.sum_to(x, (2, 3, 4, 1)), ShapeError),
    (lambda x: F.sum_to(x, (2, 3, 2)), ShapeError),
    (lambda x: F.sum_to(x, (3, 2, 4)), ShapeError),
    (lambda x: F.sum_to(x, (4, 3)), ShapeError),
    (lambda x: F.squeeze(x, 0), ShapeError),
    (lambda x: F.squeeze(x, 3), AxisError),
    (lambda x: F.unsqueeze(x, 4), AxisError),
    (lambda x: F.unsqueeze(x, -5), AxisError),
    (lambda x: F.unsqueeze(x, None), DTypeError),
    (lambda x: F.squeeze(x, 0.5), DTypeError),
    (lambda x: F.concat([], 0), ArgumentError),
    (lambda x: F.concat(x, 0), DTypeError),
    (lambda x: F.concat([x, np.ones((2, 3))], 0), ShapeError),
    (lambda x: F.concat([x, np.ones((3, 3, 4))], -1), ShapeError),
    (lambda x: F.concat([x], 3), AxisError),
    (lambda x: F.stack([x, np.ones(2)]), ShapeError),
    (lambda x: F.concat([x], None), DTypeError),
    (lambda x: F.stack([x], 4), AxisError),
    (lambda x: F.stack([x], None), DTypeError),
    (lambda x: F.split(x, [1, 1], 1), ShapeError),
    (lambda x: F.split(x, [-1, 3], 0), ShapeError),
    (lambda x: F.split(x, 2, 1), ShapeError),
    (lambda x: F.split(x, 0, 1), ShapeError),
    (lambda x: F.split(x, 1, 3), AxisError),
    (lambda x: F.split(x, 1, None), DTypeError),
    (lambda x: F.split(x, 2.0), DTypeError),
    (lambda x: F.split(x, "ab"), DTypeError),
    (lambda x: F.take(x, [3], 1), OutOfRangeError),
    (lambda x: F.take(x, [-4], 1), OutOfRangeError),
    (lambda x: F.take(x, [0.5], 1), DTypeError),
    (lambda x: F.take(x, [0], 3), AxisError),
    (lambda x: F.take(x, [0], None), DTypeError),
    (lambda x: F.getitem(x, (0, 0, 0, 0)), OutOfRangeError),
    (lambda x: F.scatter_add(x, 2, 1.0), OutOfRangeError),
    (lambda x: F.scatter_add(x, 0, np.ones(5)), ShapeError),
])  # fmt: skip
def test_what_does_not_fit_is_refused(call, error):
    with pytest.raises(error) as caught:
        call(Variable(X))
    assert "test_shapes.py" in str(caught.value)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 2))
def test_split_then_concat_gives_the_whole(sizes, axis):
    shape = [2, 2, 2]
    shape[axis] = sum(sizes)
    x = np.random.default_rng(0).standard_normal(shape)
    assert_is(F.concat(F.split(x, sizes, axis), axis), x)


@pytest.mark.parametrize("call", [
    lambda x: F.reshape(x, "ab"),
    lambda x: F.transpose(x, 1.5),
    lambda x: F.broadcast_to(x, 2.0),
    lambda x: F.sum_to(x, [None]),
])  # fmt: skip
def test_shape_or_axes_that_are_no_whole_numbers_are_refused(call):
    with pytest.raises(DTypeError, match="whole numbers"):
        call(Variable([1.0, 2.0]))


def test_one_number_is_a_shape_of_one_axis():
    assert F.broadcast_to(Variable(1.0), 3).shape == (3,)
    assert F.sum_to(Variable([[1.0, 2.0]]), 2).shape == (2,)
