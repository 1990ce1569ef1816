"""Layouts of views: offsets and strides are NumPy's, and a copy is made only where NumPy makes one too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from adjoint.compile.layout import Layout, contiguous_strides, reshaped_strides, view
from adjoint.program import Trace, namespace as xp
from adjoint.program.operations import make, slice_index


def root_of(shape):
    """An input, with the layout of its own memory."""
    with Trace() as trace:
        root = trace.input(None, shape, np.dtype(np.float64))
    return root, Layout(root, 0, contiguous_strides(shape), shape)


def seen(layout, memory):
    """The array that a layout describes."""
    strides = tuple(8 * stride for stride in layout.strides)
    return np.lib.stride_tricks.as_strided(memory.reshape(-1)[layout.offset :], layout.shape, strides)


@st.composite
def views(draw):
    """A shape, and a chain of views with what NumPy makes of each."""
    shape = tuple(draw(st.lists(st.integers(1, 5), max_size=4)))
    memory = np.arange(math.prod(shape), dtype=float).reshape(shape)
    array, chain = memory, []
    for _ in range(draw(st.integers(1, 5))):
        op = draw(st.sampled_from(["permute", "slice", "broadcast", "reshape"]))
        if op == "permute":
            params = (tuple(draw(st.permutations(range(array.ndim)))),)
            array = array.transpose(params[0])
        elif op == "slice":
            ranges = []
            for length in array.shape:
                step = draw(st.sampled_from([1, 2, -1, -2]))
                start = draw(st.integers(0, length - 1))
                count = draw(st.integers(1, 1 + (length - 1 - start if step > 0 else start) // abs(step)))
                ranges.append((start, count, step))
            params = (tuple(ranges),)
            array = array[slice_index(params[0])]
        elif op == "broadcast":
            new = (*draw(st.lists(st.integers(1, 3), max_size=1)), *(3 if n == 1 else n for n in array.shape))
            params = (new,)
            array = np.broadcast_to(array, new)
        else:
            new = draw(st.sampled_from(shapes_of(array.size)))
            params = (new,)
            array = array.reshape(new)
        chain.append((op, params, array))
    return shape, memory, chain


def shapes_of(size):
    found = [(size,), (1, size), (size, 1)]
    for first in range(2, size):
        if size % first == 0:
            found.append((first, size // first))
            found += [(first, second, size // first // second) for second in (2, 3) if size // first % second == 0]
    return found if size != 1 else [*found, ()]


@given(views())
def test_views_of_views_show_numpys_elements(case):
    shape, memory, chain = case
    _, layout = root_of(shape)
    for op, params, expected in chain:
        new = view(op, params, layout, expected.shape)
        if new is None:  # a copy: NumPy makes one as well
            assert op == "reshape"
            assert not np.shares_memory(expected, memory)
            return
        layout = new
        assert layout.shape == expected.shape
        np.testing.assert_array_equal(seen(layout, memory), expected)
        assert not layout.is_contiguous or expected.size == 0 or seen(layout, memory).flags.c_contiguous


@given(st.lists(st.integers(0, 4), max_size=4).map(tuple))
def test_contiguous_strides_are_numpys(shape):
    array = np.empty(shape)
    _, layout = root_of(shape)
    assert layout.is_contiguous
    if array.size:
        wanted = [stride // 8 for stride, n in zip(array.strides, shape, strict=True) if n != 1]
        assert [stride for stride, n in zip(layout.strides, shape, strict=True) if n != 1] == wanted


@st.composite
def strided(draw):
    """Any strided array of at most three axes, and a shape of as many elements."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    wide = np.arange(math.prod(2 * n for n in shape), dtype=float).reshape(tuple(2 * n for n in shape))
    array = wide[tuple(slice(None, 2 * n, 2) if draw(st.booleans()) else slice(n) for n in shape)]
    array = array.transpose(draw(st.permutations(range(array.ndim))))
    return array, draw(st.sampled_from(shapes_of(array.size)))


@given(strided())
def test_a_reshape_is_a_view_exactly_where_it_is_numpys(case):
    array, shape = case
    strides = reshaped_strides(array.shape, tuple(stride // 8 for stride in array.strides), shape)
    reshaped = array.reshape(shape)
    assert (strides is not None) == np.shares_memory(array, reshaped)
    if strides is not None:
        found = np.lib.stride_tricks.as_strided(array, shape, tuple(8 * stride for stride in strides))
        np.testing.assert_array_equal(found, reshaped)


@pytest.mark.parametrize(
    ("shape", "strides", "expected"),
    [
        ((2, 3), (3, 1), True),
        ((2, 3), (1, 2), False),
        ((2, 1), (1, 7), True),
        ((1, 3), (99, 1), True),
        ((3, 0), (7, 7), True),
        ((), (), True),
        ((3,), (2,), False),
        ((3,), (-1,), False),
        ((2, 3), (0, 1), False),
    ],
)
def test_axes_of_length_one_do_not_matter_for_contiguity(shape, strides, expected):
    root, _ = root_of(shape)
    assert Layout(root, 0, strides, shape).is_contiguous is expected


def test_a_reversed_axis_begins_at_its_last_element():
    root, layout = root_of((3, 4))
    reversed_view = make("slice", root, params=(((2, 3, -1), (1, 2, 2)),))
    assert view("slice", reversed_view.params, layout, reversed_view.shape) == Layout(root, 9, (-4, 2), (3, 2))


def test_a_repeated_axis_has_stride_zero():
    root, layout = root_of((3, 1))
    assert view("broadcast", ((2, 3, 4),), layout, (2, 3, 4)) == Layout(root, 0, (0, 1, 0), (2, 3, 4))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
@pytest.mark.parametrize("target", [(0,), (0, 5), (1, 0, 2)])
def test_no_elements_are_in_every_shape(shape, target):
    assert reshaped_strides(shape, contiguous_strides(shape), target) is not None


def test_the_transpose_of_a_traced_array_has_its_strides():
    with Trace() as trace:
        x = xp.permute_dims(trace.tracer(None, np.empty((2, 3, 4))), (2, 0, 1)).instruction
        (root,) = trace.inputs
    layout = view(x.op, x.params, Layout(root, 0, contiguous_strides(root.shape), root.shape), x.shape)
    assert layout.strides == (1, 12, 4)
