"""Primitives that the tracer writes with others: NumPy's values over the whole range of floats, in native code."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F
from adjoint.arrays import namespace_of, numpy_namespace

OF_ONE = "acos acosh asin asinh atanh cbrt ceil exp2 floor log10 log2 round tan trunc real imag conj".split()
OF_TWO = "atan2 copysign hypot logaddexp".split()
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
UNITS = 4


def special_values(dtype):
    limits = np.finfo(dtype)
    values = [0, 0.5, 1 - limits.epsneg, 1, 1 + limits.eps, 1.5, 2, 2.5, 1000, 2**23 + 1, 1e9, limits.max, np.inf]
    values += [limits.tiny, limits.smallest_subnormal, 2.0**limits.nmant - 0.5, 2.0 ** (limits.nmant + 1) - 1]
    return np.array([*values, *(-value for value in values), np.nan], dtype)


def points(dtype):
    rng, limits = np.random.default_rng(0), np.finfo(dtype)
    signs = rng.choice([-1, 1], 2000)
    everywhere = np.exp2(rng.uniform(limits.minexp, limits.maxexp - 1, 2000)) * signs
    near_1 = 1 + np.exp2(rng.uniform(-30, -1, 2000)) * signs
    parts = [special_values(dtype), everywhere, near_1, rng.uniform(-1, 1, 2000), rng.uniform(-30, 30, 2000)]
    return np.concatenate(parts).astype(dtype)


def assert_is_numpys(name, *xs, atol=None):
    compiled = ad.compile(lambda *ys: getattr(namespace_of(*ys), name)(*ys))
    found = compiled(*xs)
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(numpy_namespace, name)(*xs))
    assert found.dtype == expected.dtype
    finite = np.isfinite(expected)
    if atol is None:
        atol = np.finfo(expected.dtype).smallest_subnormal
    np.testing.assert_array_equal(found[~finite], expected[~finite])
    np.testing.assert_allclose(found[finite], expected[finite], rtol=UNITS * np.finfo(expected.dtype).eps, atol=atol)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(expected[numbers]))


@dtypes
@pytest.mark.parametrize("name", OF_ONE)
def test_function_of_one_array(name, dtype):
    assert_is_numpys(name, points(dtype))


@dtypes
@pytest.mark.parametrize("name", OF_TWO)
def test_function_of_two_arrays(name, dtype):
    grids = [grid.ravel() for grid in np.meshgrid(special_values(dtype), special_values(dtype))]
    scattered = points(dtype)
    shuffled = np.random.default_rng(1).permutation(scattered)
    # A sum of logarithms near 0 is exact as the larger of the two is, not as it is itself.
    atol = np.finfo(dtype).eps if name == "logaddexp" else None
    assert_is_numpys(name, np.concatenate([grids[0], scattered]), np.concatenate([grids[1], shuffled]), atol=atol)


@pytest.mark.parametrize("name", [*OF_ONE, *OF_TWO])
def test_whole_numbers_have_numpys_dtype(name):
    xs = [np.array([-2, 0, 1, 3])] * (2 if name in OF_TWO else 1)
    found = ad.compile(lambda *ys: getattr(namespace_of(*ys), name)(*ys))(*xs)
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(numpy_namespace, name)(*xs))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.dtype == expected.dtype


def test_they_are_native_code():
    compiled = ad.compile(lambda x: F.arctan2(F.cbrt(x), F.floor(x) + F.hypot(x, 1.0)).data)
    compiled(np.linspace(-2.0, 2.0, 100))
    operations = {instruction.op for instruction in compiled.program.instructions()}
    assert not operations & {"special", "floordiv", "mod"}


@pytest.mark.parametrize("function", [np.tan, np.arcsin, np.arctan2, np.hypot, np.floor, np.log2, np.round, np.real])
def test_numpys_functions_call_them(function):
    xs = [np.array([0.25, 0.5])] * (2 if function in (np.arctan2, np.hypot) else 1)
    np.testing.assert_allclose(ad.compile(lambda *ys: function(*ys))(*xs), function(*xs), rtol=1e-15)
