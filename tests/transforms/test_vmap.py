"""`vmap` against explicit loops."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F, layers, models

RNG = np.random.default_rng(0)
A = np.array([1.0, 2.0, 3.0])
X = RNG.standard_normal((3, 4))
Y = RNG.standard_normal((4, 3))


def test_plain_arrays_give_plain_arrays():
    found = ad.vmap(F.sin)(X)
    assert type(found) is np.ndarray
    assert_array_equal(found, np.sin(X))


@pytest.mark.parametrize(
    ("in_axes", "second"), [((0, 1), Y), ((0, -1), Y), ((0, 0), Y.T), ((0, None), A[0]), ((1, 0), Y)]
)
def test_axes_of_the_arguments(in_axes, second):
    found = ad.vmap(lambda x, y: (x * y).sum(), in_axes)(X, second)
    first = np.moveaxis(X, in_axes[0], 0)
    others = [second] * len(first) if in_axes[1] is None else np.moveaxis(second, in_axes[1], 0)
    assert_allclose(found, [(x * y).sum() for x, y in zip(first, others, strict=True)])


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_axes_of_the_results(axis):
    found = ad.vmap(lambda x: x * 2.0, out_axes=axis)(X)
    assert_array_equal(found, np.moveaxis(X * 2.0, 0, axis))


def test_structures():
    def f(p, y):
        return {"s": p["a"] * p["b"] + y, "parts": (p["a"], None, "text", 3)}

    found = ad.vmap(f, in_axes=({"a": 0, "b": None}, 1), out_axes={"s": 1, "parts": 0})({"a": A, "b": 2.0}, X.T)
    assert_array_equal(found["s"], (A[:, None] * 2.0 + X).T)
    assert_array_equal(found["parts"][0], A)
    assert found["parts"][1:3] == (None, "text")
    assert_array_equal(found["parts"][3], [3, 3, 3])


def test_result_that_all_examples_share():
    found, shared = ad.vmap(lambda x, w: (x, w * 2.0), in_axes=(0, None), out_axes=(0, None))(A, 5.0)
    assert_array_equal(found, A)
    assert shared == 10.0


def test_constant_is_repeated():
    found = ad.vmap(lambda x: Variable(2.0))(A)
    assert type(found) is np.ndarray
    assert_array_equal(found, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("count", [0, 1])
def test_few_examples(count):
    assert ad.vmap(lambda x: (x * x).sum())(np.ones((count, 4))).shape == (count,)


def test_dtype_stays():
    assert ad.vmap(lambda x: F.softmax(x))(X.astype(np.float32)).dtype == np.float32


def test_whole_numbers_as_indices():
    i = np.array([2, 0, 1])
    assert_array_equal(ad.vmap(lambda i, x: x[i], in_axes=(0, None))(i, A), A[i])
    assert_array_equal(ad.vmap(lambda i, x: x[i])(i, X), X[np.arange(3), i])
    assert_array_equal(ad.vmap(lambda i: i + 1)(i), i + 1)


def test_gradients_flow_to_variables():
    x, w = Variable(X), Variable(Y[:, 0])
    ad.vmap(lambda x: F.sin(x * w).sum())(x).backward()
    assert_allclose(x.grad.data, np.cos(X * w.data) * w.data)
    assert_allclose(w.grad.data, (np.cos(X * w.data) * X).sum(0))


def test_unused_and_identical():
    assert_array_equal(ad.vmap(lambda x, y: x)(A, X), A)
    assert_array_equal(ad.vmap(ad.grad(lambda x, y: x * x, 1))(A, A), np.zeros(3))


def test_nested_with_different_axes():
    outer = ad.vmap(ad.vmap(lambda x, y: x * y, in_axes=(0, None)), in_axes=(None, 0))
    assert_array_equal(outer(A, np.array([1.0, 10.0])), np.outer([1.0, 10.0], A))
    both = ad.vmap(ad.vmap(lambda x: x.sum(), in_axes=1), in_axes=1, out_axes=1)
    cube = RNG.standard_normal((2, 3, 4))
    assert_allclose(both(cube), cube.sum(0).T)


def test_gradient_of_each_example():
    model = models.MLP([4, 1], rng=ad.random.const())
    x = RNG.standard_normal((5, 2))
    model(x)

    def loss(m, x):
        return (m(x[None]) ** 2).sum()

    found = ad.vmap(ad.grad(loss), in_axes=(None, 0))(model, x)
    for path, parameter in model.params().items():
        for i, example in enumerate(x):
            model.cleargrads()
            loss(model, example).backward()
            assert_allclose(found[path].data[i], parameter.grad.data, rtol=1e-12)


def test_lazily_made_layer_within():
    layer = layers.Linear(3, in_size=4, rng=ad.random.const())
    x = Variable(X)
    found = ad.vmap(lambda x: layer(x[None])[0])(x)
    assert_allclose(found.data, layer(x).data, rtol=1e-12)


def test_elements_of_a_copy_may_be_written():
    def f(x, i):
        y = x.copy()
        y[i] = x[0] * 10.0
        return y

    i = np.array([1, 3, 2])
    expected = X.copy()
    expected[np.arange(3), i] = X[:, 0] * 10.0
    assert_allclose(ad.vmap(f)(X, i), expected)
    gradients = ad.vmap(ad.grad(lambda x, i: f(x, i).sum()))(X, i)
    counts = np.ones_like(X)
    counts[np.arange(3), i] = 0.0
    counts[:, 0] += 10.0
    assert_allclose(gradients, counts)


def test_elements_of_the_argument_may_be_written():
    def f(x):
        x[0] = 5.0
        x[1] = x[2] * x[2]
        return x

    given = X.copy()
    expected = np.stack([np.full(3, 5.0), X[:, 2] ** 2, X[:, 2], X[:, 3]], axis=1)
    assert_allclose(ad.vmap(f)(given), expected)
    assert_array_equal(given, X)


def test_compiled_functions_run_within():
    compiled = ad.compile(lambda x: F.sin(x) * x)
    assert_allclose(ad.vmap(compiled)(A), np.sin(A) * A)


# Shapes that are drawn


def shapes(most=3):
    return st.lists(st.integers(1, 3), max_size=most).map(tuple)


@given(st.data(), st.integers(1, 3))
def test_broadcasting(data, length):
    whole = data.draw(shapes())
    part = data.draw(st.sampled_from([whole[i:] for i in range(len(whole) + 1)]))
    part = tuple(data.draw(st.sampled_from([1, n])) for n in part)
    mapped = data.draw(st.sampled_from([(0, 0), (0, None), (None, 0)]))
    arrays = [
        RNG.standard_normal(shape if axis is None else (length, *shape))
        for shape, axis in zip((whole, part), mapped, strict=True)
    ]
    check_against_loop(lambda x, y: F.maximum(x, y) * x - y, arrays, mapped, length)


@given(st.data(), st.integers(1, 3))
def test_matmul(data, length):
    n, k, m = (data.draw(st.integers(1, 3)) for _ in range(3))
    left = data.draw(st.sampled_from([(k,), (n, k), (2, n, k), (1, 2, n, k)]))
    right = data.draw(st.sampled_from([(k,), (k, m), (2, k, m)]))
    mapped = data.draw(st.sampled_from([(0, 0), (0, None), (None, 0)]))
    arrays = [
        RNG.standard_normal(shape if axis is None else (length, *shape))
        for shape, axis in zip((left, right), mapped, strict=True)
    ]
    check_against_loop(F.matmul, arrays, mapped, length)


@given(st.sampled_from(["ij,jk->ik", "ij,ij->", "i,j->ji", "ii,i->i", "bij,jk->bki"]), st.data())
def test_einsum(subscripts, data):
    terms = subscripts.split("->")[0].split(",")
    mapped = data.draw(st.sampled_from([(0, 0), (0, None), (None, 0)]))
    arrays = [
        RNG.standard_normal((2,) * (len(term) + (axis is not None))) for term, axis in zip(terms, mapped, strict=True)
    ]
    check_against_loop(lambda x, y: F.einsum(subscripts, x, y), arrays, mapped, 2)


def check_against_loop(f, arrays, mapped, length):
    """Values, and gradients of their sum of squares, for examples one after the other and all at once."""
    found = ad.vmap(f, in_axes=mapped)(*arrays)
    examples = [[x if axis is None else x[i] for x, axis in zip(arrays, mapped, strict=True)] for i in range(length)]
    expected = [f(*map(Variable, example)).data for example in examples]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    gradient = ad.grad(lambda x, y: (f(x, y) ** 2).sum(), (0, 1))
    batched = ad.vmap(gradient, in_axes=mapped)(*arrays)
    for i, example in enumerate(examples):
        for part, alone in zip(batched, gradient(*example), strict=True):
            assert_allclose(part[i], alone, rtol=1e-12, atol=1e-12)


@dataclasses.dataclass
class Scaled:
    v: Any
    w: Any


def test_axes_of_a_dataclass():
    def product(p):
        return p.v * p.w

    for axes in (Scaled(0, None), {"v": 0, "w": None}):
        assert_array_equal(ad.vmap(product, in_axes=(axes,))(Scaled(np.arange(3.0), 2.0)), [0.0, 2.0, 4.0])
    found = ad.vmap(lambda x: Scaled(x, 1.0), out_axes=Scaled(1, None))(np.ones((3, 2)))
    assert found.v.shape == (2, 3)
    assert found.w == 1.0


def test_axes_may_be_whole_numbers_of_numpy():
    x = np.arange(6.0).reshape(2, 3)
    found = ad.vmap(lambda x: x.sum(), in_axes=np.int64(1), out_axes=np.int32(0))(x)
    assert_array_equal(found, x.sum(0))
