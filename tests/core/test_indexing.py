"""Every form of index that NumPy takes, with its gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as st_numpy

from adjoint import Variable, functions as F
from adjoint.core.indexing import split_index
from adjoint.errors import DTypeError, OutOfRangeError
from adjoint.testing import check_grads
from tests.support import gradients

X = np.arange(24.0).reshape(2, 3, 4)
SHAPES = st_numpy.array_shapes(min_dims=1, max_dims=3, max_side=4)


def assert_indexes_like_numpy(x, index):
    """Same value; and a gradient that counts how often each element was read, weighted."""
    expected = x[index]
    for y in (Variable(x)[index], F.getitem(x, index)):
        assert y.shape == expected.shape
        assert y.data.tolist() == expected.tolist()
    g = np.arange(1.0, expected.size + 1).reshape(expected.shape)
    weight = np.zeros(x.size)
    np.add.at(weight, np.arange(x.size).reshape(x.shape)[index], g)
    for create_graph in (False, True):
        (found,) = gradients(lambda x: x[index], x, gradient=g, create_graph=create_graph)
        assert found.tolist() == weight.reshape(x.shape).tolist()


@given(st.data(), SHAPES)
def test_basic_indices(data, shape):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    assert_indexes_like_numpy(x, data.draw(st_numpy.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)))


@given(st.data(), SHAPES)
def test_integer_array_indices(data, shape):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    result_shape = st_numpy.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    assert_indexes_like_numpy(x, data.draw(st_numpy.integer_array_indices(shape, result_shape=result_shape)))


@given(st.data(), SHAPES)
def test_boolean_masks(data, shape):
    x = np.arange(float(np.prod(shape))).reshape(shape)
    axes = data.draw(st.integers(1, len(shape)))
    assert_indexes_like_numpy(x, data.draw(st_numpy.arrays(bool, shape[:axes])))


def part_of_an_axis(kind, n, length):
    numbers = st.integers(-n, n - 1)
    return {
        "number": numbers,
        "slice": st.slices(n),
        "list": st.lists(numbers, min_size=length, max_size=length),
        "array": st_numpy.arrays(np.int64, (length,), elements=numbers),
        "new": st.slices(n),
    }[kind]


@given(st.data(), SHAPES)
def test_mixed_indices(data, shape):
    """Each axis by a number, a slice, a list or a mask, with new axes and an ellipsis between them."""
    x = np.arange(float(np.prod(shape))).reshape(shape)
    length = data.draw(st.integers(1, 3))
    parts = []
    for n in shape:
        kind = data.draw(st.sampled_from(["number", "slice", "list", "array", "new", "end"]))
        if kind == "end":
            parts.append(...)
            break
        if kind == "new":
            parts.append(None)
        parts.append(data.draw(part_of_an_axis(kind, n, length)))
    assert_indexes_like_numpy(x, tuple(parts))


@pytest.mark.parametrize("index", [
    True, False, np.True_, np.int64(1), np.array(1), [], [[0, 1], [1, 0]], (0, [2, 2]), ([0, 1], [[0], [2]]),
    ([True, False], slice(None), [0, 0, 0, 1]), (..., np.array([0, 0])), (None, [1], None), range(2), (),
], ids=repr)  # fmt: skip
def test_rare_forms(index):
    assert_indexes_like_numpy(X, index)


def test_variables_of_whole_numbers_are_indices():
    x, index = Variable(X), Variable([1, 1])
    y = x[:, index]
    F.sum(y).backward()
    assert y.data.tolist() == X[:, [1, 1]].tolist()
    assert x.grad.data[0].tolist() == [[0.0] * 4, [2.0] * 4, [0.0] * 4]
    assert index.grad is None


@pytest.mark.parametrize("index", [2, -3, (0, 3), [0, 2], (0, 0, 0, 0), [0.5], np.array([1.0]), [True] * 3, "a", 1.5])
def test_index_that_does_not_fit_is_refused(index):
    with pytest.raises((OutOfRangeError, DTypeError)) as caught:
        Variable(X)[index]
    assert "test_indexing.py" in str(caught.value)


@pytest.mark.parametrize("index", [[0, 2, 2], (slice(None), 1), (0, [1, 1])], ids=repr)
def test_second_derivatives_through_an_index(index):
    check_grads(lambda x: x[index] ** 3, np.random.default_rng(0).standard_normal((3, 4)), order=3)


def test_list_used_as_an_index_may_be_changed_afterwards():
    x, index = Variable([1.0, 2.0, 3.0]), [0, 1]
    y = x[index]
    index[0] = 2
    F.sum(y).backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 0.0]


def test_index_is_split_into_its_form_and_its_arrays():
    form, arrays = split_index((slice(1), [2, 1], None, np.int64(3)))
    assert repr(form) == "(slice(None, 1, None), Place(0), None, 3)"
    assert [array.tolist() for array in arrays] == [[2, 1]]
