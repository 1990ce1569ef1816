"""The seam: which namespace an array belongs to, and what a namespace offers."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint import Variable, functions as F
from adjoint.arrays import (
    NAMESPACES,
    PRIMITIVES,
    as_array,
    is_differentiable_dtype,
    namespace_of,
    numpy_namespace,
    register_namespace,
)
from adjoint.errors import DTypeError


class Tagged:
    """An array of another library, as far as addition goes."""

    def __init__(self, array):
        self.array = array
        self.shape, self.dtype, self.size = array.shape, array.dtype, array.size

    def __add__(self, other):
        return Tagged(self.array + (other.array if isinstance(other, Tagged) else other))


class TaggedNamespace:
    @staticmethod
    def ones_like(x):
        return Tagged(np.ones_like(x.array))

    @staticmethod
    def copy(x):
        return Tagged(x.array.copy())


@pytest.fixture
def tagged():
    register_namespace(Tagged, TaggedNamespace)
    yield Tagged(np.arange(3.0))
    del NAMESPACES[Tagged]


@pytest.mark.parametrize("name", PRIMITIVES)
def test_numpys_namespace_offers_every_primitive(name):
    assert callable(getattr(numpy_namespace, name))


def test_every_function_of_the_namespace_is_a_primitive():
    """What ops use and is not in the list would be missing in the other namespaces."""
    own = {name for name, value in vars(numpy_namespace).items() if callable(value) and not name.startswith("_")}
    own -= {"Any", "Callable", "Sequence", "Array", "Axis"}
    assert own == set(PRIMITIVES)


def test_primitives_are_listed_once_and_in_order():
    assert list(PRIMITIVES) == sorted(set(PRIMITIVES))


@pytest.mark.parametrize("values", [
    (np.ones(2),), (np.float32(1.0),), (1.0,), (True, 2), (np.ones(2), 1.0, np.int64(3)), (1j, np.complex64(2.0)), (),
], ids=str)  # fmt: skip
def test_arrays_and_numbers_are_numpys(values):
    assert namespace_of(*values) is numpy_namespace


@pytest.mark.parametrize("value", [[1.0], "text", None, {}], ids=repr)
def test_what_is_no_array_has_no_namespace(value):
    with pytest.raises(DTypeError, match=type(value).__name__):
        namespace_of(np.ones(1), value)


def test_arrays_of_a_registered_type_compute_in_its_namespace(tagged):
    assert namespace_of(tagged, 1.0) is TaggedNamespace
    y = F.add(Variable(tagged), 1.0)
    assert isinstance(y.data, Tagged)
    assert y.data.array.tolist() == [1.0, 2.0, 3.0]


def test_gradients_are_arrays_of_the_same_library(tagged):
    x = Variable(tagged)
    F.add(x, 1.0).backward()
    assert x.grad.data.array.tolist() == [1.0, 1.0, 1.0]


def test_arrays_of_two_libraries_do_not_mix(tagged):
    with pytest.raises(DTypeError, match="different libraries"):
        F.add(Variable(tagged), np.ones(3))
    with pytest.raises(DTypeError, match="different libraries"):
        F.add(np.ones(3), Variable(tagged))


NUMBERS = [1, 2.5, True, 1j, [1, 2], [1j, 2], [[1.0], [2.0]], np.float16(1), np.ones(2, np.uint8)]


@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_numbers_and_lists_become_arrays_with_their_dtype(value):
    array = as_array(value)
    assert array.dtype == np.asarray(value).dtype
    assert np.array_equal(array, value)


def test_array_is_taken_as_it_is():
    array = np.ones(2)
    assert as_array(array) is array


@pytest.mark.parametrize("value", ["text", None, ..., [1, None], [[1], [1, 2]], np.array(["a"])], ids=repr)
def test_what_is_not_made_of_numbers_is_refused(value):
    with pytest.raises(DTypeError):
        as_array(value)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(kind, True) for kind in ("float16", "float64", "complex64", "complex128")] + [("int64", False), ("bool", False)],
)
def test_real_and_complex_floats_are_what_has_gradients(dtype, expected):
    assert is_differentiable_dtype(np.dtype(dtype)) is expected
