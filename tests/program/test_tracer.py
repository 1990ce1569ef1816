"""Tracers: dtypes and errors as NumPy's, numbers as Python's, and no reading of values."""

from __future__ import annotations

import operator

import numpy as np
import pytest

from adjoint.arrays import numpy_namespace
from adjoint.errors import TraceError
from adjoint.program import Number, Program, Trace, Tracer, interpret, namespace as xp

DTYPES = [np.dtype(name) for name in "bool int8 int16 int32 int64 uint8 uint32 uint64 float16 float32 float64".split()]
ARITHMETIC = "add sub mul truediv floordiv mod pow".split()
BITWISE = "and_ or_ xor".split()
COMPARISONS = "eq ne lt le gt ge".split()
NUMBERS = [True, False, 0, 1, 2, 3, 9, -1, -2, 0.5, 1.0, 2.0, 3.0, -1.0, -2.0, 2.5]
SCALARS = [np.float64(2.0), np.float64(0.5), np.float32(2.0), np.int64(3), np.int8(2), np.uint8(1), np.bool_(True)]


def sample(dtype):
    if dtype.kind == "b":
        return np.array([True, False, True])
    return np.array([1, 3, 2]).astype(dtype) if dtype.kind == "u" else np.array([1, -3, 2]).astype(dtype)


def traced(function, *arrays):
    """What a function of arrays returns, traced: the tracer, and its value by NumPy."""
    with Trace() as trace:
        result = function(*(trace.tracer(None, array) for array in arrays))
        program = Program(trace.inputs, [trace.read(result)], keep=trace.checks)
    given = [*arrays, *trace.sources[len(arrays) :]]
    return result, interpret(program, numpy_namespace, given)[0]


def outcome(function, *arrays):
    """The result with its dtype, or the type of the error."""
    try:
        with np.errstate(all="ignore"):
            result = function(*arrays)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error)
    return np.asarray(result)


def assert_as_numpy(function, *arrays):
    expected = outcome(function, *arrays)
    if isinstance(expected, type):
        with pytest.raises(expected):
            traced(function, *arrays)
        return
    result, value = traced(function, *arrays)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    assert np.asarray(value).dtype == expected.dtype
    np.testing.assert_allclose(value, expected, rtol=4e-3 if expected.dtype == np.float16 else 1e-6)


# Dtypes


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE + COMPARISONS)
@pytest.mark.parametrize("a", DTYPES, ids=str)
def test_operators_of_two_arrays_have_numpys_dtypes(name, a):
    for b in DTYPES:
        assert_as_numpy(getattr(operator, name), sample(a), abs(sample(b)))


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE + COMPARISONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operators_with_numbers_have_numpys_dtypes(name, dtype):
    function = getattr(operator, name)
    for number in NUMBERS:
        assert_as_numpy(lambda x, number=number: function(x, number), sample(dtype))
        assert_as_numpy(lambda x, number=number: function(number, x), sample(dtype))


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE + COMPARISONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operators_with_numpys_scalars_have_numpys_dtypes(name, dtype):
    function = getattr(operator, name)
    for number in SCALARS:
        assert_as_numpy(lambda x, number=number: function(x, number), sample(dtype))
        assert_as_numpy(lambda x, number=number: function(number, x), sample(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["neg", "pos", "abs", "invert"])
def test_operators_of_one_array_have_numpys_dtypes(name, dtype):
    assert_as_numpy(getattr(operator, name), sample(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "name", "absolute arctan cos exp expm1 isfinite isnan logical_not sign sin sinh sqrt square tanh".split()
)
def test_ufuncs_have_numpys_dtypes(name, dtype):
    assert_as_numpy(getattr(np, name), abs(sample(dtype)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", "sum mean max min any all argmax".split())
def test_reductions_have_numpys_dtypes(name, dtype):
    assert_as_numpy(getattr(np, name), np.stack([sample(dtype)] * 2))
    assert_as_numpy(lambda x: getattr(np, name)(x, axis=0), np.stack([sample(dtype)] * 2))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_other_functions_have_numpys_dtypes(dtype):
    x = sample(dtype)
    for other in map(sample, DTYPES):
        assert_as_numpy(lambda a, b: np.concatenate([a, b]), x, other)
        assert_as_numpy(lambda a, b: np.stack([a, b]), x, other)
        assert_as_numpy(lambda a, b: np.where(a > 1, a, b), x, other)
        assert_as_numpy(lambda a, b: np.maximum(a, b), x, other)
        assert_as_numpy(lambda a, b: a @ b, x, other)
    for number in NUMBERS:
        assert_as_numpy(lambda a, number=number: np.where(a > 1, a, number), x)
        assert_as_numpy(lambda a, number=number: np.minimum(a, number), x)
    assert_as_numpy(lambda a: np.cumsum(a, axis=0), x)
