"""Compiled functions in corners: constants as arrays, no elements, single numbers, rare dtypes, special numbers."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F
from tests.compile.agreement import assert_compiled_as_eager

X = np.arange(12.0).reshape(3, 4) + 1.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ad.ones_like(x),
        lambda x: (ad.ones_like(x) * 2.0, ad.ones_like(x) * 2.0, ad.zeros_like(x).sum()),
        lambda x: F.concat([x, ad.ones_like(x), x], 1),
        lambda x: F.stack([ad.ones_like(x), ad.zeros_like(x)], 0),
        lambda x: F.stack([x, F.sin(ad.zeros_like(x))], 1),
        lambda x: ad.ones_like(x).T @ x,
        lambda x: x @ ad.ones_like(x).T,
        lambda x: F.cumsum(ad.ones_like(x), axis=0),
        lambda x: ad.ones_like(x)[[0, 2, 2]] * 2.0,
        lambda x: F.scatter_add(ad.zeros_like(x), [0, 1, 0], x),
        lambda x: F.scatter_add(x, [0, 1, 0], ad.ones_like(x)),
        lambda x: F.max(F.reshape(ad.ones_like(x), (4, 3)), axis=0) + 1.0,
        lambda x: F.softmax(ad.ones_like(x)) * x,
        lambda x: ad.ones_like(x).T[::-1] + x.T,
        lambda x: F.where(x > 3.0, ad.ones_like(x), x),
    ],
)
def test_constants_may_stand_wherever_arrays_do(function):
    assert_compiled_as_eager(function, [X])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: (x, x),
        lambda x: (x.T, x[::-1], x.reshape(4, 3)),
        lambda x: ((y := x * 2.0), y, y.T, y[0], y.reshape(2, 6)),
        lambda x: ((y := x @ x.T), y.T, y),
        lambda x: ((y := F.concat([x, x], 0)), y[:3], y),
        lambda x: (F.broadcast_to(x[0], (5, 4)), F.broadcast_to(x[0, 0], (2,))),
    ],
)
def test_a_result_may_be_an_input_a_view_or_there_twice(function):
    assert_compiled_as_eager(function, [X])


def test_results_share_no_memory():
    results = ad.compile(lambda x: ((y := x * 2.0), y.T, x.T, y[:2]))(x := Variable(X.copy()))
    arrays = [x.data, *(y.data for y in results)]
    for i, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[:i])


def test_each_call_gives_memory_of_its_own():
    f = ad.compile(lambda x: x * 2.0)
    first = f(Variable(X))
    second = f(Variable(X + 1.0))
    np.testing.assert_array_equal(first.data, 2.0 * X)
    np.testing.assert_array_equal(second.data, 2.0 * X + 2.0)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: F.sum(x, axis=0), (0, 3)),
        (lambda x: F.sum(x, axis=1), (3, 0)),
        (lambda x: F.sum(x), (0, 3)),
        (lambda x: x @ F.transpose(x), (3, 0)),
        (lambda x: F.transpose(x) @ x, (0, 3)),
        (lambda x: (x * 2.0)[0:0], (1, 3)),
        (lambda x: F.concat([x[:0], x, x[3:]], 0), (3, 2)),
        (lambda x: x[[]], (3, 2)),
        (lambda x: F.cumsum(x, axis=0), (0, 2)),
        (lambda x: F.softmax(x), (0, 3)),
    ],
)
def test_arrays_without_elements_are_arrays(function, shape):
    assert_compiled_as_eager(function, [np.ones(shape)])


@pytest.mark.parametrize("value", [1.0, np.inf, np.nan])
def test_the_sum_of_a_number_repeated_no_times_is_zero(value):
    assert_compiled_as_eager(lambda x: F.sum(F.broadcast_to(x, (0, 3))), [np.asarray(value)])


# Single numbers, which loops compute again or read


def stored_by_another_operation(x):
    different = x != x
    number = different.astype(np.int64)
    return number > 1, number // (abs(np.all(different)) + 1)


def stored_after_it_was_read(x):
    different = x != x
    number = different.astype(np.int64)
    return number > 1, number // (abs((~different).astype(np.int64) == 0) + 1)


def read_by_loops(x):
    number = x * 2 + 1
    return number, np.arange(5) * number, (number * np.ones((2, 3))).sum(0), [number + 1, number - 1]


@pytest.mark.parametrize("function", [stored_by_another_operation, stored_after_it_was_read, read_by_loops])
@pytest.mark.parametrize("value", [3, 0.5, True])
def test_single_numbers_are_ready_before_they_are_read(function, value):
    assert_compiled_as_eager(function, [np.asarray(value)], as_variables=False)


def test_a_scalar_of_numpy_is_traced_once():
    f = ad.compile(lambda x: x * 2)
    for value in range(4):
        assert f(np.float32(value)) == np.float32(2 * value)
    assert f.cache_info().misses == 1


# Dtypes without code of their own


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2 + 1,
        lambda x: np.cumsum(x, axis=0),
        lambda x: np.argmax(x, axis=1),
        lambda x: x.sum(axis=0),
        lambda x: x.max(axis=1) - x.min(axis=1),
        lambda x: x @ x.T,
        lambda x: x[[2, 0, 0]],
        lambda x: np.concatenate([x, x + x], axis=1),
        lambda x: np.where(x > 3, x, -x).astype(np.float32),
        lambda x: np.tanh(x.T),
    ],
)
def test_half_precision_runs_by_numpy(function):
    assert_compiled_as_eager(function, [X.astype(np.float16)], as_variables=False)


def test_a_reciprocal_that_overflows_in_half_precision_is_not_taken():
    f = ad.compile(lambda x: x / 2.0**-20)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(f(np.full(3, 2.0**-24, np.float16)), np.full(3, 0.0625, np.float16))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x @ x.T,
        lambda x: x @ x[0],
        lambda x: x[:, :1] @ x[:1],
        lambda x: (x.sum(), x.sum(0), x.mean(1), x.max(0), x.min(), x.argmax(1)),
        lambda x: (x.any(), x.all(0), np.any(x, axis=1, keepdims=True)),
        lambda x: (np.cumsum(x, axis=1), abs(x), ~x, x * x, x + x),
        lambda x: (np.where(x > 0, x, 0), np.where(x > 0, 1.5, x), x / 2, x * 2.5, x + 1, x // 2, x % 2),
        lambda x: (np.concatenate([x, x * 2.5]), x.astype(np.float32), x.astype(bool), x[[1, 0, 1]]),
    ],
)
def test_whole_numbers_and_flags_compute_as_numpys(function, dtype):
    x = np.array([[1, 0, 3], [1, 1, 0]]).astype(dtype)
    assert_compiled_as_eager(function, [x], as_variables=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_numbers_pass_through(dtype):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1.5] * 5, dtype)
    for function in (
        lambda x: (x + 0.0, x - 0.0, x * 1.0, -x, 0.0 - x, x * 0.0, x - x, 1.0 / x),
        lambda x: (np.maximum(x, 1.0), np.minimum(x, -1.0), np.sign(x), abs(x), np.where(x > 0, x, -x)),
        lambda x: (x == x, x < 0, np.isnan(x), np.isfinite(x), x.max(), x.min(), np.argmax(x)),
        lambda x: (np.exp(x), np.tanh(x), np.sqrt(abs(x)), np.log(abs(x))),
    ):
        compiled = assert_compiled_as_eager(function, [x], as_variables=False)
        with np.errstate(all="ignore"):
            for found, expected in zip(compiled(x), function(x), strict=True):
                if np.asarray(expected).dtype.kind == "f":
                    numbers = ~np.isnan(expected)
                    np.testing.assert_array_equal(np.signbit(found)[numbers], np.signbit(expected)[numbers])
