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
        if not (name in COMPARISONS and {a.kind, b.kind} == {"i", "u"} and np.dtype(np.uint64) in (a, b)):
            assert_as_numpy(getattr(operator, name), sample(a), abs(sample(b)))


@pytest.mark.parametrize("name", COMPARISONS)
def test_signed_and_unsigned_numbers_are_compared_exactly(name):
    for a in ("int8", "int64"):
        assert_as_numpy(getattr(operator, name), np.array([-1, 3], a), np.array([2**64 - 1, 3], np.uint64))
        assert_as_numpy(getattr(operator, name), np.array([2**64 - 1, 3], np.uint64), np.array([-1, 3], a))


@pytest.mark.parametrize("name", COMPARISONS)
def test_unsigned_numbers_are_compared_with_negative_ones(name):
    for dtype in ("uint8", "uint64"):
        assert_as_numpy(lambda x: getattr(operator, name)(x, -1), np.array([255, 3], dtype))


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE + COMPARISONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operators_with_numbers_have_numpys_dtypes(name, dtype):
    function = getattr(operator, name)
    for number in NUMBERS:
        if dtype.kind == "u" and number < 0 and name in COMPARISONS:
            continue
        if dtype.kind != "b" or name != "pow":
            assert_as_numpy(lambda x, number=number: function(x, number), sample(dtype))
        assert_as_numpy(lambda x, number=number: function(number, x), sample(dtype))


@pytest.mark.xfail(strict=True, reason="NumPy's square of booleans is of int8")
def test_the_square_of_booleans_has_numpys_dtype():
    assert_as_numpy(lambda x: x**2, sample(np.dtype(bool)))


@pytest.mark.parametrize("name", ARITHMETIC + BITWISE + COMPARISONS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operators_with_numpys_scalars_have_numpys_dtypes(name, dtype):
    function = getattr(operator, name)
    for number in SCALARS:
        if name in COMPARISONS and dtype == np.uint64 and number.dtype.kind == "i":
            continue
        if name != "pow" or number.dtype != np.float64:
            assert_as_numpy(lambda x, number=number: function(x, number), sample(dtype))
        assert_as_numpy(lambda x, number=number: function(number, x), sample(dtype))


@pytest.mark.parametrize("exponent", [0.5, 2.0, 3.0])
def test_numpys_scalar_as_exponent_has_its_own_dtype(exponent):
    assert_as_numpy(lambda x: x ** np.float64(exponent), np.array([1.0, 2.0], np.float32))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["neg", "pos", "abs", "invert"])
def test_operators_of_one_array_have_numpys_dtypes(name, dtype):
    if (name, dtype.kind) != ("pos", "b"):
        assert_as_numpy(getattr(operator, name), sample(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "name", "absolute arctan cos exp expm1 isfinite isnan logical_not sign sin sinh sqrt square tanh".split()
)
def test_ufuncs_have_numpys_dtypes(name, dtype):
    if (name, dtype.kind) != ("square", "b"):
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
        if dtype.kind == "u" and number < 0:
            continue
        assert_as_numpy(lambda a, number=number: np.where(a > 1, a, number), x)
        assert_as_numpy(lambda a, number=number: np.minimum(a, number), x)
    assert_as_numpy(lambda a: np.cumsum(a, axis=0), x)


# Errors


X = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + np.ones(3),
        lambda x: x @ np.ones(3),
        lambda x: x @ 2.0,
        lambda x: np.matmul(x, np.ones((2, 4, 5, 6))),
        lambda x: x.reshape(5, -1),
        lambda x: x.reshape(3, 5),
        lambda x: x.reshape(-1, -1),
        lambda x: x.reshape(-3, -4),
        lambda x: x.reshape(0, -1),
        lambda x: x.sum(axis=2),
        lambda x: x.sum(axis=-3),
        lambda x: x.sum(axis=(0, 0)),
        lambda x: x.max(axis=(0, -2)),
        lambda x: np.argmax(x, axis=5),
        lambda x: np.cumsum(x, axis=2),
        lambda x: np.flip(x, axis=2),
        lambda x: x.transpose(0),
        lambda x: x.transpose(0, 0),
        lambda x: x.transpose(0, 2),
        lambda x: np.broadcast_to(x, (3, 5)),
        lambda x: np.broadcast_to(x, (4,)),
        lambda x: np.concatenate([x, x[0]]),
        lambda x: np.concatenate([x, x[:, :2]]),
        lambda x: np.concatenate([x, x], axis=2),
        lambda x: np.concatenate([x[0, 0], x[0, 0]]),
        lambda x: np.stack([x, x[0]]),
        lambda x: np.stack([x, x], axis=4),
        lambda x: np.where(x > 0, x, np.ones(3)),
        lambda x: x[3],
        lambda x: x[-4],
        lambda x: x[0, 4],
        lambda x: x[0, 0, 0],
        lambda x: x[..., ...],
        lambda x: x[0.5],
        lambda x: x["a"],
        lambda x: x[::0],
        lambda x: x[[0, 1], [0, 1, 2]],
        lambda x: x[[0, 1], [0, 1], [0, 1]],
        lambda x: x[np.array([0.5])],
        lambda x: np.take(x, [0], axis=2),
        lambda x: len(x.sum()),
        lambda x: x[:0].max(),
        lambda x: x[:0].min(axis=0),
        lambda x: x[:0].argmax(axis=0),
        lambda x: np.einsum("ij,jk->ik", x, x),
        lambda x: np.einsum("ij,jk->ik", x),
        lambda x: np.einsum("ijk->i", x),
    ],
)
def test_errors_have_the_types_of_numpys(function):
    with pytest.raises((TypeError, ValueError, IndexError)) as expected:
        function(X)
    with pytest.raises(type(expected.value)):
        traced(function, X)


def test_whole_numbers_have_no_negative_powers():
    whole = np.array([1, 2])
    with pytest.raises(ValueError, match="negative"):
        whole**-1
    with pytest.raises(ValueError, match="negative"):
        traced(lambda x: x**-1, whole)


def test_an_index_beyond_the_end_fails_when_the_program_runs():
    with pytest.raises(IndexError):
        traced(lambda x, i: x[i], X, np.array([0, 3]))


# Reading values


@pytest.mark.parametrize(
    "read",
    [
        bool,
        float,
        int,
        complex,
        operator.index,
        np.asarray,
        lambda x: x.item(),
        lambda x: x.tolist(),
        lambda x: range(4)[x],
        lambda x: 1.0 in x,
        lambda x: x > 0 and x < 1,
        lambda x: np.empty(3).__iadd__(x),
        lambda x: operator.setitem(x, 0, 1.0),
        lambda x: np.sort(x),
        lambda x: np.add.reduce(x),
        lambda x: np.add(x, x, out=np.empty(3)),
        lambda x: x[x > 0],
        lambda x: 1.0 if x[0] else 2.0,
    ],
)
def test_reading_values_is_refused_with_advice(read):
    with pytest.raises(TraceError, match=r"F\.|adjoint\.functions|not known"):
        traced(lambda x: read(x), np.ones(3))


def test_an_array_in_place_is_not_replaced_by_a_tracer():
    held = np.ones(3)

    def add_to_it(x):
        nonlocal held
        held += x
        return held

    with pytest.raises(TraceError):
        traced(add_to_it, np.ones(3))
    assert type(held) is np.ndarray


def test_tracers_of_two_traces_do_not_mix():
    with Trace() as first:
        a = first.tracer(None, X)
    with Trace() as second:
        b = second.tracer(None, X)
        with pytest.raises(TraceError, match="separately"):
            b + a


def test_a_tracer_cannot_be_used_after_its_trace():
    with Trace() as trace:
        x = trace.tracer(None, X)
    with pytest.raises(TraceError, match="return it"):
        x + 1.0


def test_the_length_and_the_rows_are_known():
    with Trace() as trace:
        x = trace.tracer(None, X)
        assert (len(x), x.ndim, x.size, x.shape) == (3, 2, 12, (3, 4))
        assert [row.shape for row in x] == [(4,)] * 3
        assert np.shape(x) == (3, 4)
        assert np.ndim(x) == 2
        assert np.size(x) == 12
        assert repr(x) == "<traced float64[3, 4]>"


def test_equal_operations_are_written_down_once():
    with Trace() as trace:
        x = trace.tracer(None, X)
        assert (x * 2.0).instruction is (x * 2.0).instruction
        assert (x * 2.0).instruction is not (x * 3.0).instruction
        assert (x * 0.0).instruction is not (x * -0.0).instruction


def test_an_array_beside_tracers_is_read_at_each_call():
    with Trace() as trace:
        x = trace.tracer("x", X)
        other = np.ones(4)
        y = x + other + other
        program = Program(trace.inputs, [y.instruction])
    assert trace.sources == ["x", other]
    np.testing.assert_array_equal(interpret(program, numpy_namespace, [X, 2 * other])[0], X + 4.0)


# Numbers


def number(value, function):
    """What a function of a stand-in returns, its value by the program, and whether the value was read."""
    with Trace() as trace:
        result = function(trace.number("n", value))
        if not isinstance(result, Tracer):
            return result, None, bool(trace.pinned)
        program = Program(trace.inputs, [result.instruction])
    computed = interpret(program, numpy_namespace, [np.asarray(value)])[0]
    return result, computed, bool(trace.pinned)


@pytest.mark.parametrize("value", [3, 2.5, -2, -0.5, 7])
@pytest.mark.parametrize(
    "function",
    [
        lambda n: n + 1,
        lambda n: 1 - n,
        lambda n: n * 2.0,
        lambda n: 3 / n,
        lambda n: n / 3,
        lambda n: n // 2,
        lambda n: n % 3,
        lambda n: 7 // n,
        lambda n: 7 % n,
        lambda n: n**2,
        lambda n: n**-1,
        lambda n: 2**n,
        lambda n: -n,
        lambda n: +n,
        lambda n: abs(n),
        lambda n: n < 3,
        lambda n: n == 3,
        lambda n: (n + n * n) / (1 + n * n) - 2,
        lambda n: (n > 1) + 1,
        lambda n: (n > 1) * n,
    ],
)
def test_arithmetic_of_numbers_is_pythons(function, value):
    expected = function(value)
    result, computed, was_read = number(value, function)
    assert isinstance(result, Number)
    assert not was_read
    assert type(result.value) is type(expected)
    assert result.value == expected
    assert computed.dtype.kind == {bool: "b", int: "i", float: "f"}[type(expected)]
    assert computed == expected


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "bool"])
@pytest.mark.parametrize("value", [2, 0.5])
@pytest.mark.parametrize("name", [name for name in ARITHMETIC if name != "pow"] + COMPARISONS)
def test_a_number_takes_the_dtype_of_the_array_beside_it(name, value, dtype):
    x = abs(sample(np.dtype(dtype)))
    for function in (lambda n: getattr(operator, name)(x, n), lambda n: getattr(operator, name)(n, x)):
        expected = outcome(function, value)
        if isinstance(expected, type):
            with pytest.raises(expected):
                number(value, function)
            continue
        with Trace() as trace:
            result = function(trace.number("n", value))
            program = Program(trace.inputs, [result.instruction])
        computed = interpret(program, numpy_namespace, [np.asarray(value), x])[0]
        assert result.dtype == computed.dtype == expected.dtype
        np.testing.assert_allclose(computed, expected, rtol=4e-3)


@pytest.mark.parametrize(
    "read",
    [bool, float, int, round, lambda n: f"{n:.1f}", np.asarray, lambda n: 1.0 if n > 1 else 2.0],
)
def test_a_number_that_is_read_is_pinned(read):
    result, _, was_read = number(2.5, read)
    assert was_read
    assert result == read(2.5)


def test_what_is_computed_from_a_number_pins_it_too():
    with Trace() as trace:
        a, b, c = (trace.number(name, value) for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
        assert float((a + b) * 2) == 6.0
        assert set(trace.pinned) == {a.instruction, b.instruction}
        assert c.instruction not in trace.pinned


def test_a_whole_number_can_be_an_index_and_a_size():
    with Trace() as trace:
        n = trace.number("n", 2)
        x = trace.tracer(None, X)
        assert range(n) == range(2)
        assert x[n].shape == (4,)
        assert x.reshape(n, 6).shape == (2, 6)
        assert x[:n].shape == (2, 4)
        assert list(trace.pinned) == [n.instruction]


def test_a_power_by_a_number_is_not_written_out():
    with Trace() as trace:
        x = trace.tracer(None, X)
        n = trace.number("n", 2.0)
        program = Program(trace.inputs, [(x**n).instruction])
    np.testing.assert_allclose(interpret(program, numpy_namespace, [X, np.asarray(3.0)])[0], X**3)


# Functions


@pytest.mark.parametrize(
    "subscripts",
    "ij,jk->ik ij,kj->ik ij->ji ij->j ij->i ij-> ij,ij-> ij,ij->ij ij,j->i ij,j->ij i,j->ij".split()
    + "ii->i ii-> iij->j iji->ij bij,bjk->bik bij,jk->bik bij,bij->b abc,cd,de->abe ij,ji-> ij,jk,kl->il".split()
    + "ijk,jil->kl i->i ijij->ij a,b,c->cba ab,b,b->a".split(),
)
def test_einsum_is_numpys(subscripts):
    length = {"i": 3, "j": 3, "k": 4, "l": 2, "a": 2, "b": 5, "c": 3, "d": 1, "e": 4}
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=[length[c] for c in term]) for term in subscripts.split("->")[0].split(",")]
    result, value = traced(lambda *xs: np.einsum(subscripts, *xs), *arrays)
    np.testing.assert_allclose(value, np.einsum(subscripts, *arrays), rtol=1e-12)
    assert result.shape == value.shape


@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "ij,ij->j", "ij,jk->k", "ij,ij->ij"])
def test_einsum_broadcasts_lengths_of_one(subscripts):
    arrays = np.ones((3, 1)), np.arange(12.0).reshape(3, 4) if "k" not in subscripts else np.ones((4, 2))
    expected = np.einsum(subscripts, *arrays)
    result, value = traced(lambda *xs: np.einsum(subscripts, *xs), *arrays)
    assert result.shape == expected.shape
    np.testing.assert_allclose(value, expected)


INDICES = [
    0,
    -1,
    (1, 2),
    (-1, -1),
    slice(None),
    slice(1, None),
    slice(None, None, -1),
    slice(10, None, -2),
    slice(2, 0, -1),
    slice(5, 2),
    (slice(None), 1),
    (slice(None), slice(1, 4, 2)),
    (slice(None, None, -2), slice(None, None, -1)),
    ...,
    (..., 0),
    (0, ...),
    (..., None),
    None,
    (None, 0, None),
    (slice(None), None, slice(0, 0)),
    (),
    [0, 2],
    [-1, 0, 0],
    ([0, 1], [1, 2]),
    (slice(None), [3, 0]),
    ([0, 1], slice(1, 3)),
    ([[0], [1]], [1, 2]),
    (1, [0, 1]),
    ([0, 1], 1),
    (None, [0, 1]),
    (..., [0, 1]),
    ([0, 1], None, [1, 1]),
    [],
    (slice(None), []),
    np.array([True, False, True]),
    (np.array([True, False, True]), 1),
    (np.array([True, False, True]), [0, 1]),
    np.array([[True, False, True, False]] * 3),
    (slice(None, None, -1), np.array([True, False, False, True])),
    np.int64(1),
    (np.int8(-1), slice(np.int64(1), None)),
    np.array(2),
    (np.array(2), np.array([0, 1])),
    np.array([1, 2], np.uint8),
]


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indexing_is_numpys(index):
    result, value = traced(lambda x: x[index], X)
    assert result.shape == X[index].shape
    np.testing.assert_array_equal(value, X[index], strict=True)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_unindexing_and_adding_at_an_index_are_numpys(index):
    values = X[index] + 1.0
    _, value = traced(lambda v: xp.unindex(v, index, X.shape), values)
    np.testing.assert_array_equal(value, numpy_namespace.unindex(values, index, X.shape), strict=True)
    _, value = traced(lambda x, v: xp.scatter_add(x, index, v), X, values)
    np.testing.assert_array_equal(value, numpy_namespace.scatter_add(X, index, values), strict=True)
    _, value = traced(lambda x: xp.scatter_add(x, index, 2.0), X)
    np.testing.assert_array_equal(value, numpy_namespace.scatter_add(X, index, 2.0), strict=True)


A3, B3 = np.arange(24.0).reshape(2, 3, 4), np.arange(24.0).reshape(2, 4, 3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.take(x, [0, 2], axis=1),
        lambda x: np.take(x, 1, axis=0),
        lambda x: np.take(x, [[0], [1]], axis=-1),
        lambda x: np.flip(x),
        lambda x: np.flip(x, (0, 1)),
        lambda x: np.flip(x, -1),
        lambda x: np.transpose(x),
        lambda x: np.transpose(x, (1, -2)),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.T,
        lambda x: np.reshape(x, (2, -1)),
        lambda x: x.reshape(-1),
        lambda x: x.reshape((4, 3)),
        lambda x: x.ravel(),
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        lambda x: np.stack([x, x], axis=-1),
        lambda x: np.concatenate([x, x], axis=-1),
        lambda x: np.concatenate((x, X)),
        lambda x: np.sum(x, (0, 1)),
        lambda x: np.sum(x, axis=-1, keepdims=True),
        lambda x: np.mean(x, 0),
        lambda x: x.mean(axis=(0, 1), keepdims=True),
        lambda x: np.max(x, axis=()),
        lambda x: x.sum(axis=()),
        lambda x: np.any(x > 3, axis=0),
        lambda x: np.all(x > 3, axis=0, keepdims=True),
        lambda x: x.all(),
        lambda x: np.argmax(x),
        lambda x: np.argmax(x, axis=-1),
        lambda x: np.cumsum(x, axis=-1),
        lambda x: np.where(x > 5, x, -x),
        lambda x: np.dot(x, x.T),
        lambda x: np.dot(x, np.arange(4.0)),
        lambda x: np.dot(x[0], x[1]),
        lambda x: x.dot(np.arange(4.0)),
        lambda x: x @ B3,
        lambda x: A3 @ x.T,
        lambda x: A3[:, None] @ B3,
        lambda x: x[0] @ B3,
        lambda x: A3 @ x[0],
        lambda x: np.ones_like(x) + np.zeros_like(x) + np.full_like(x, 3),
        lambda x: np.power(x, 3),
        lambda x: np.power(2.0, x),
        lambda x: np.logical_not(x),
        lambda x: x.astype(np.int8) % 3,
        lambda x: x.copy(),
        lambda x: [row * 2 for row in x][1],
    ],
)
def test_functions_are_numpys(function):
    expected = function(X)
    result, value = traced(function, X)
    assert result.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-12, strict=True)


OPEN = pytest.mark.xfail(strict=True, reason="refused, with another error than one of tracing")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.take(x, [5, 2]),
        lambda x: np.dot(x, 2.0),
        lambda x: x.dot(2.0),
        lambda x: np.concatenate([x, x], axis=None),
        pytest.param(lambda x: x[True], marks=OPEN),
        pytest.param(lambda x: x[False], marks=OPEN),
    ],
    ids=["take", "dot", "method dot", "concatenate", "true", "false"],
)
def test_rare_forms_are_numpys(function):
    test_functions_are_numpys(function)


@pytest.mark.parametrize("shape", [(1, 4), (4,), (3, 1), (), (3, 4), (1, 1)])
def test_sums_to_a_shape_are_numpys(shape):
    _, value = traced(lambda x: xp.sum_to(x, shape), X)
    np.testing.assert_allclose(value, numpy_namespace.sum_to(X, shape), strict=True)


def test_picks_are_numpys():
    labels = np.array([0, 1, 3])
    _, value = traced(lambda x: xp.pick(x, labels), X)
    np.testing.assert_array_equal(value, numpy_namespace.pick(X, labels), strict=True)


def test_numpys_dot_of_three_axes_is_refused():
    """It is another product than that of matmul."""
    with pytest.raises(TraceError, match="@"):
        traced(lambda x: np.dot(x, B3), X)
