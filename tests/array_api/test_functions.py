"""Values, dtypes and kinds of results, in what this namespace adds to the functions that it stands on."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
import adjoint.array_api as xp
from adjoint import Variable
from adjoint.errors import ArgumentError, AxisError, DTypeError, GradientError
from adjoint.ops import TABLE

rng = np.random.default_rng(0)
X = rng.uniform(0.5, 1.5, (2, 3))

# Each on X, with NumPy's result
CONSTANTS = {
    "all": (xp.all, np.all),
    "any": (lambda x: xp.any(x, axis=0), lambda x: np.any(x, axis=0)),
    "argmax": (lambda x: xp.argmax(x, axis=1, keepdims=True), lambda x: np.argmax(x, axis=1, keepdims=True)),
    "argmin": (xp.argmin, np.argmin),
    "argsort": (lambda x: xp.argsort(x, descending=True), lambda x: np.argsort(-x, axis=-1)),
    "ceil": (xp.ceil, np.ceil),
    "count_nonzero": (xp.count_nonzero, np.count_nonzero),
    "equal": (lambda x: xp.equal(x, x), lambda x: x == x),
    "floor": (xp.floor, np.floor),
    "floor_divide": (lambda x: xp.floor_divide(x, 0.4), lambda x: x // 0.4),
    "greater": (lambda x: xp.greater(x, 1.0), lambda x: x > 1.0),
    "greater_equal": (lambda x: xp.greater_equal(1.0, x), lambda x: x <= 1.0),
    "isfinite": (xp.isfinite, np.isfinite),
    "isin": (lambda x: xp.isin(x, x[0], invert=True), lambda x: np.isin(x, x[0], invert=True)),
    "isinf": (xp.isinf, np.isinf),
    "isnan": (xp.isnan, np.isnan),
    "less": (lambda x: xp.less(x, 1.0), lambda x: x < 1.0),
    "less_equal": (lambda x: xp.less_equal(x, x), lambda x: x <= x),
    "logical_and": (lambda x: xp.logical_and(x > 1.0, x < 1.2), lambda x: (x > 1.0) & (x < 1.2)),
    "logical_not": (lambda x: xp.logical_not(x > 1.0), lambda x: x <= 1.0),
    "logical_or": (lambda x: xp.logical_or(x > 1.2, x < 1.0), lambda x: (x > 1.2) | (x < 1.0)),
    "logical_xor": (lambda x: xp.logical_xor(x > 1.0, x < 1.2), lambda x: (x > 1.0) ^ (x < 1.2)),
    "nextafter": (lambda x: xp.nextafter(x, 2.0), lambda x: np.nextafter(x, 2.0)),
    "nonzero": (lambda x: xp.nonzero(x > 1.0), lambda x: np.nonzero(x > 1.0)),
    "not_equal": (lambda x: xp.not_equal(x, 1.0), lambda x: x != 1.0),
    "round": (xp.round, np.round),
    "searchsorted": (lambda x: xp.searchsorted(xp.asarray([0.7, 1.0]), x), lambda x: np.searchsorted([0.7, 1.0], x)),
    "sign": (xp.sign, np.sign),
    "signbit": (xp.signbit, np.signbit),
    "trunc": (xp.trunc, np.trunc),
    "matrix_rank": (xp.linalg.matrix_rank, np.linalg.matrix_rank),
}
WHOLE = {
    "bitwise_and": (lambda n: xp.bitwise_and(n, 3), lambda n: n & 3),
    "bitwise_invert": (xp.bitwise_invert, np.invert),
    "bitwise_left_shift": (lambda n: xp.bitwise_left_shift(n, 2), lambda n: n << 2),
    "bitwise_or": (lambda n: xp.bitwise_or(8, n), lambda n: 8 | n),
    "bitwise_right_shift": (lambda n: xp.bitwise_right_shift(n, 1), lambda n: n >> 1),
    "bitwise_xor": (lambda n: xp.bitwise_xor(n, n), lambda n: n ^ n),
    "ceil": (xp.ceil, lambda n: n),
    "trunc": (xp.trunc, lambda n: n),
    "round": (xp.round, lambda n: n),
}


def parts(value):
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize(
    ("function", "plain", "array"),
    [(*pair, X) for pair in CONSTANTS.values()] + [(*pair, np.arange(5)) for pair in WHOLE.values()],
    ids=[*CONSTANTS, *(f"{name} of integers" for name in WHOLE)],
)
def test_what_has_no_derivative_gives_variables_without_a_graph(function, plain, array):
    for found, expected in zip(parts(function(Variable(array) * 1)), parts(plain(array)), strict=True):
        assert type(found) is Variable
        assert found.creator is None
        assert found.dtype == np.asarray(expected).dtype
        assert np.array_equal(found.data, expected)


def test_complex_numbers_are_rounded_by_their_parts():
    z = xp.round(xp.asarray([1.6 - 2.2j]))
    assert z.data.tolist() == [2.0 - 2.0j]
    assert z.creator is None


# Dtypes


def test_numbers_take_the_dtype_of_the_array():
    x = xp.asarray([1.0, 2.0], dtype=xp.float32)
    for y in (xp.add(x, 1.0), xp.multiply(2, x), xp.where(x > 1.0, x, 0.0), xp.clip(x, 0.0, 1), xp.pow(x, 2.0),
              xp.maximum(x, 0.5), xp.mean(x), xp.var(x, axis=0), xp.std(x), x * 2.0):  # fmt: skip
        assert y.dtype == xp.float32


def test_sums_of_small_integers_are_larger_ones():
    n = xp.asarray([100, 100], dtype=xp.int8)
    for function in (xp.sum, xp.prod, xp.cumulative_sum, xp.cumulative_prod):
        assert function(n).dtype == xp.int64
        assert function(n, dtype=xp.int8).dtype == xp.int8
    assert xp.sum(n).item() == 200
    assert xp.vecdot(n, n).dtype == xp.int8


def test_dtypes_are_asked_and_told():
    assert xp.isdtype(xp.float32, ("integral", "real floating"))
    assert not xp.isdtype(xp.complex64, "real floating")
    assert xp.can_cast(xp.zeros(1, dtype=xp.int8), xp.int16)
    assert not xp.can_cast(xp.float64, xp.float32)
    assert xp.result_type(xp.float32, xp.zeros(1, dtype=xp.int8), 1.0) == np.result_type("float32", "int8")
    assert xp.finfo(xp.complex64).eps == float(np.finfo("float32").eps)
    assert type(xp.finfo(xp.zeros(1)).max) is float
    assert xp.iinfo(xp.uint8) == (8, 255, 0, xp.uint8)
    with pytest.raises(ArgumentError, match="numbers alone"):
        xp.result_type(1, 2.0)
    with pytest.raises(DTypeError, match="iinfo for integers"):
        xp.finfo(xp.int8)
    with pytest.raises(DTypeError, match="finfo for floating-point"):
        xp.iinfo(xp.float32)
    with pytest.raises(DTypeError, match="imaginary part"):
        xp.astype(xp.asarray(1.0j), xp.float64)


# New arrays


def test_an_array_of_a_leaf_is_in_the_graph():
    x = Variable([1.0, 2.0])
    y = xp.asarray(x)
    assert y.data is x.data
    with pytest.raises(GradientError, match="which a NumPy array would lose"):
        np.asarray(y)
    xp.sum(y * y).backward()
    assert x.grad.data.tolist() == [2.0, 4.0]
    with ad.no_grad():
        assert xp.asarray(x) is x


def test_copies_and_shared_memory():
    array = np.arange(3.0)
    assert np.shares_memory(xp.asarray(array).data, array)
    assert not np.shares_memory(xp.asarray(array, copy=True).data, array)
    assert xp.asarray(memoryview(array), copy=False).data.tolist() == [0.0, 1.0, 2.0]
    for call in (lambda: xp.asarray([1.0], copy=False), lambda: xp.asarray(array, dtype=xp.int8, copy=False),
                 lambda: xp.asarray(Variable(array), dtype=xp.float32, copy=False),
                 lambda: xp.reshape(xp.asarray(np.ones((2, 3)).T), (6,), copy=False)):  # fmt: skip
        with pytest.raises(ArgumentError):
            call()
    x = xp.asarray(array)
    assert np.shares_memory(xp.reshape(x, (3, 1), copy=False).data, array)
    assert not np.shares_memory(xp.reshape(x, (3, 1), copy=True).data, array)


def test_new_arrays_can_be_filled():
    x = Variable([1.0, 2.0])
    out = xp.zeros_like(x)
    y = out * 2.0
    out[0] = x[1] ** 2
    xp.sum(out + y).backward()
    assert x.grad.data.tolist() == [0.0, 4.0]


def test_lists_may_hold_variables():
    x = Variable(2.0)
    y = xp.asarray([[x, 1.0], [x * x, 0.0]], dtype=xp.float32)
    xp.sum(y).backward()
    assert x.grad.item() == 5.0
    assert xp.full((2,), x).data.tolist() == [2.0, 2.0]


# Corners


def test_the_mean_of_nothing_is_nan():
    x = xp.zeros((0, 2))
    for function in (xp.mean, xp.var, xp.std):
        assert np.isnan(function(x).item())
        assert function(x, axis=0, keepdims=True).shape == (1, 2)


def test_equal_elements_stay_in_order_when_sorted_backwards():
    x = xp.asarray([1, 3, 3, 2, 1])
    assert xp.argsort(x, descending=True).data.tolist() == [1, 2, 3, 0, 4]
    assert xp.sort(x, descending=True).data.tolist() == [3, 3, 2, 1, 1]
    assert xp.sort(xp.asarray(2.0)).item() == 2.0
    assert xp.argsort(xp.asarray(2.0)).item() == 0


def test_each_nan_is_distinct():
    found = xp.unique_all(xp.asarray([np.nan, 1.0, np.nan, 1.0]))
    assert found.counts.data.tolist() == [2, 1, 1]
    assert found.indices.data.tolist() == [1, 0, 2]
    assert found.inverse_indices.data.tolist() == [1, 0, 2, 0]
    assert xp.unique_counts(xp.asarray([2, 2, 1])).counts.data.tolist() == [1, 2]
    assert xp.unique_inverse(xp.asarray([[2], [1]])).inverse_indices.data.tolist() == [[1], [0]]


def test_axes_that_are_wrong():
    with pytest.raises(AxisError, match="not all different"):
        xp.expand_dims(xp.zeros(2), (0, 0))
    with pytest.raises(AxisError, match="without axes"):
        xp.nonzero(xp.asarray(1.0))
    with pytest.raises(ArgumentError, match="along which"):
        xp.take(xp.zeros((2, 2)), xp.asarray([0]))
    with pytest.raises(ArgumentError, match="broadcast_shapes"):
        xp.broadcast_shapes((2,), (3,))


def test_full_decompositions():
    for shape in ((2, 5, 3), (3, 5)):
        a = rng.normal(size=shape)
        u, s, vh = xp.linalg.svd(Variable(a))
        rows, columns = shape[-2:]
        middle = np.zeros(shape)
        middle[..., range(min(rows, columns)), range(min(rows, columns))] = s.data
        assert np.allclose((u @ middle @ vh).data, a)
        for q in (u.data, vh.data):
            assert np.allclose(q @ np.swapaxes(q, -1, -2), np.eye(q.shape[-1]))
        q, r = xp.linalg.qr(Variable(a), mode="complete")
        assert (q.shape, r.shape) == ((*shape[:-1], rows), shape)
        assert np.allclose((q @ r).data, a)


def test_pseudoinverses_with_a_threshold_for_each():
    a = np.stack([np.diag([1.0, 0.01]), np.diag([1.0, 0.01])])
    found = xp.linalg.pinv(Variable(a), rtol=xp.asarray([0.1, 0.001]))
    assert np.allclose(found.data, [np.diag([1.0, 0.0]), np.diag([1.0, 100.0])])


def test_special_functions_without_a_derivative_say_so():
    x = Variable([0.5])
    y = xp.special.ellipk(x)
    assert y.item() == pytest.approx(1.8540746773)
    with pytest.raises(GradientError, match="ellipk has no derivative here"):
        y.backward()
    assert xp.special.gammaln is ad.special.gammaln
    assert xp.special.cbrt is ad.functions.cbrt
    assert not {name for name in xp.special.WITHOUT_DERIVATIVE if hasattr(ad.special, name) or name in TABLE}
    with pytest.raises(AttributeError, match="stdtr"):
        xp.special.__getattr__("stdtr")
