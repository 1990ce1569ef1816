"""Batches: every primitive with a rule of its own against a loop over the examples, and how kinds nest."""

from __future__ import annotations

import itertools
import types

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from adjoint.arrays import as_array
from adjoint.errors import TransformError
from adjoint.lifted import LIFTED as xp, Batch, Lifted, Series, beneath, levels_in, lowered

B = 3


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


ONE = {
    "sum": lambda x: xp.sum(x, axis=1),
    "sum of all": lambda x: xp.sum(x),
    "sum of no axes": lambda x: xp.sum(x, axis=()),
    "sum kept": lambda x: xp.sum(x, axis=(0, -1), keepdims=True),
    "max": lambda x: xp.max(x, axis=-1),
    "min": lambda x: xp.min(x),
    "argmax": lambda x: xp.argmax(x),
    "argmax along": lambda x: xp.argmax(x, axis=-2),
    "argsort": lambda x: xp.argsort(x, axis=0),
    "cumulative_sum": lambda x: xp.cumulative_sum(x, axis=-2),
    "flip": lambda x: xp.flip(x),
    "flip along": lambda x: xp.flip(x, axis=-1),
    "broadcast_to": lambda x: xp.broadcast_to(x, (5, 2, 4)),
    "sum_to": lambda x: xp.sum_to(x, (4,)),
    "sum_to kept": lambda x: xp.sum_to(x, (2, 1)),
    "sum_to nothing": lambda x: xp.sum_to(x, ()),
    "reshape": lambda x: xp.reshape(x, (-1, 2, 2)),
    "reshape to a row": lambda x: x.reshape(-1),
    "permute_dims": lambda x: xp.permute_dims(x, (-1, 0)),
    "permute_dims of all": lambda x: x.T,
    "take": lambda x: xp.take(x, np.array([[1, 1], [0, 1]]), axis=-1),
    "pick": lambda x: xp.pick(x, np.array([1, 3])),
    "astype": lambda x: xp.astype(x, np.dtype(np.float32)),
    "where": lambda x: xp.where(x > 1, x, 0.0),
    "clip": lambda x: xp.maximum(xp.minimum(x, 1.2), 0.8),
    "all": lambda x: (x > 0.6).all(),
    "any": lambda x: (x > 1.4).any(),
    "zeros_like": lambda x: xp.zeros_like(x),
    "full_like": lambda x: xp.full_like(x, 2.0),
    "operators": lambda x: (2.0 - x) / x + x**2 - abs(-x) % 0.3 + x // 0.4,
    "iteration": lambda x: xp.stack([row * k for k, row in enumerate(x)], axis=0),
}
TWO = {
    "mul": (lambda a, b: a * b, (2, 4), (4,)),
    "sub with fewer axes": (lambda a, b: a - b, (4,), (2, 4)),
    "concat": (lambda a, b: xp.concat([a, b, a], axis=-1), (2, 4), (2, 3)),
    "stack": (lambda a, b: xp.stack([a, b], axis=1), (2, 4), (2, 4)),
    "stack at the end": (lambda a, b: xp.stack([a, b], axis=-1), (2,), (2,)),
    "where": (lambda a, b: xp.where(a > 1.0, a, b), (2, 4), (4,)),
    "scatter_add": (lambda a, b: xp.scatter_add(a, np.array([0, 1, 1]), b), (2, 4), (3, 4)),
    "scatter_add of less": (lambda a, b: xp.scatter_add(a, np.array([0, 1, 1]), b), (2, 4), (4,)),
    "einsum": (lambda a, b: xp.einsum("Zi,ij->j", a, b), (3, 2), (2, 4)),
}
MAPPED = pytest.mark.parametrize(
    "mapped", [(True, True), (True, False), (False, True)], ids=["both", "first", "second"]
)


def spread(found):
    return found.value if isinstance(found, Batch) else np.broadcast_to(found, (B, *found.shape))


@pytest.mark.parametrize("function", ONE.values(), ids=ONE)
def test_functions_of_one_array(function):
    x = drawn(B, 2, 4)
    found = function(Batch(1, x))
    expected = [function(part) for part in x]
    assert found.shape == np.shape(expected[0])
    assert found.dtype == expected[0].dtype
    assert_array_equal(spread(found), expected)


@MAPPED
@pytest.mark.parametrize(("function", "a_shape", "b_shape"), TWO.values(), ids=TWO)
def test_functions_of_two_arrays(function, a_shape, b_shape, mapped):
    check(function, (a_shape, b_shape), mapped)


def check(function, shapes, mapped):
    arrays = [
        drawn(*((B, *shape) if m else shape), seed=k) for k, (shape, m) in enumerate(zip(shapes, mapped, strict=True))
    ]
    found = function(*(Batch(1, x) if m else x for x, m in zip(arrays, mapped, strict=True)))
    expected = [function(*(x[i] if m else x for x, m in zip(arrays, mapped, strict=True))) for i in range(B)]
    assert found.shape == expected[0].shape
    assert_allclose(found.value, expected, rtol=1e-13)


@MAPPED
@given(st.data())
def test_matmul(mapped, data):
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    stacks = st.sampled_from([(), (2,), (1,), (1, 2)])
    a = (*data.draw(stacks), n, k) if data.draw(st.booleans()) else (k,)
    b = (*data.draw(stacks), k, m) if data.draw(st.booleans()) else (k,)
    check(xp.matmul, (a, b), mapped)


def test_matmul_of_shapes_that_do_not_fit():
    for a, b in (((2, 3), (2, 3)), ((3,), (2,)), ((), (3,))):
        with pytest.raises(ValueError, match="matmul of"):
            xp.matmul(Batch(1, drawn(B, *a)), drawn(*b))


@pytest.mark.parametrize("shape", [(7,), (-1, 3), (-1, -1), (-2, -4)])
def test_reshape_to_what_does_not_fit(shape):
    with pytest.raises(ValueError, match="cannot reshape array of shape"):
        xp.reshape(Batch(1, drawn(B, 2, 4)), shape)


@pytest.mark.parametrize("read", [bool, float, int, complex, Batch.item, Batch.tolist, lambda x: [1, 2][x]])
def test_values_cannot_be_read(read):
    with pytest.raises(TransformError, match="read by Python"):
        read(Batch(1, np.ones(B)))


@pytest.mark.parametrize("kind", [Batch(1, np.ones(B)), Series(1, [np.ones(B), np.ones(B)])], ids=["batch", "series"])
def test_numpy_cannot_read_lifted_arrays(kind):
    with pytest.raises(TransformError, match="NumPy cannot read"):
        np.asarray(kind)
    with pytest.raises(TransformError, match="cannot be assigned"):
        kind[0] = 1.0
    assert as_array(kind) is kind
    assert isinstance(np.ones(B) * kind, Lifted), "NumPy's operators leave it to the lifted array"


def test_what_has_no_rule_is_named():
    class Other(Lifted):
        level, shape, dtype, rules = 1, (), np.dtype(float), types.MappingProxyType({})

    with pytest.raises(TransformError, match="sin has no rule for Other"):
        xp.sin(Other())


# Levels


def test_batches_of_two_levels_have_axes_of_their_own():
    rows, columns = Batch(1, np.array([1.0, 2.0])), Batch(2, np.array([10.0, 20.0, 30.0]))
    product = rows * columns
    assert (product.level, product.shape) == (2, ())
    assert_array_equal([part.value for part in product.value], [[10.0, 20.0], [20.0, 40.0], [30.0, 60.0]])
    assert levels_in(product) == {1, 2}


def test_lowered():
    both = Batch(2, Batch(1, drawn(2, 3)))  # level 1 has 2 examples, level 2 has 3
    assert_allclose(lowered(both, 2).value, drawn(2, 3).sum(1))
    assert_allclose(lowered(both, 1).value, drawn(2, 3).sum(0))
    series = Series(2, [Batch(1, drawn(4)), None, np.array(5.0)])
    assert levels_in(series) == {1, 2}
    assert_allclose(lowered(series, 2), 5.0)
    found = lowered(series, 1)
    assert_allclose(found.coefficient(0), drawn(4).sum())
    assert found.coefficients[1] is None
    assert found.coefficient(2) == 20.0, "a constant counts once for each of the 4 examples"


@pytest.mark.parametrize("kinds", list(itertools.product(["batch", "series"], repeat=2)))
def test_beneath_acts_within_higher_levels(kinds):
    """A function of level 1 of arrays that levels 2 and 3 hold."""
    x, y = drawn(4), drawn(4, seed=1)
    levels = list(zip((3, 2), kinds, strict=True))

    def lifted(value, levels):
        if not levels:
            return value
        (level, kind), *rest = levels
        inner = lifted(value, rest)
        return (
            Batch(level, xp.stack([inner, 2.0 * inner], axis=0))
            if kind == "batch"
            else Series(level, [inner, None, inner])
        )

    seen = []

    def function(added, a, b):
        seen.append(added)
        return Series(1, [a, b])

    found = beneath(1, function, lifted(x, levels), y)
    assert levels_in(found) == {1, 2, 3}
    assert set(seen) == {kinds.count("batch")}
    assert found.shape == (4,)
    while found.level > 1:
        found = found.value[0] if isinstance(found, Batch) else found.value
    assert_array_equal(found.coefficient(0), x)
    assert_array_equal(found.coefficient(1), y)
