"""`checkpoint`: the same numbers as without it, from less memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F

X = np.random.default_rng(0).standard_normal((3, 2, 2))
A = np.array([1.0, 2.0, 3.0])


def plain(f):
    return f


def nested(f):
    return ad.checkpoint(lambda x: ad.checkpoint(f)(x))


WRAPPERS = pytest.mark.parametrize("wrapper", [ad.checkpoint, nested])


def layer(w):
    """A function of x that finds w, and something computed from it, elsewhere."""
    doubled = w * 2.0
    return lambda x: F.sum(F.sin(F.matmul(x, w)) ** 2 * doubled)


def gradients(wrapper, order):
    """Gradients in x and in w, of the function or of the sum of squares of those."""
    x, w = Variable(X[0]), Variable(X[1])
    y = wrapper(layer(w))(F.exp(x))
    for _ in range(order - 1):
        y.backward(create_graph=True)
        y = F.sum(x.grad**2) + F.sum(w.grad**2)
        x.cleargrad(), w.cleargrad()
    y.backward()
    return x.grad.data, w.grad.data


@WRAPPERS
@pytest.mark.parametrize("order", [1, 2, 3])
def test_gradients_of_arguments_and_closures(wrapper, order):
    for found, expected in zip(gradients(wrapper, order), gradients(plain, order), strict=True):
        assert_allclose(found, expected, rtol=1e-9)


TRANSFORMS = {
    "vmap": lambda f: ad.vmap(f)(X),
    "vmap of grad": lambda f: ad.vmap(ad.grad(f))(X),
    "grad of vmap": lambda f: ad.grad(lambda x: ad.vmap(f)(x).sum())(X),
    "jvp": lambda f: ad.jvp(f, (X[0],), (X[1],))[1],
    "hessian product": lambda f: ad.hvp(f, X[0], X[1]),
    "hessian": lambda f: ad.hessian(f)(X[0]),
    "vmap of hessian": lambda f: ad.vmap(ad.hessian(f))(X),
    "reverse jacobian of gradient": lambda f: ad.jacobian(ad.grad(f), mode="reverse")(X[0]),
    "third derivative": lambda f: ad.nth_derivative(lambda t: f(t * X[0]), 3)(0.7),
    "compile": lambda f: ad.compile(lambda x: ad.grad(f)(x))(Variable(X[0])).data,
}


@WRAPPERS
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_within_transforms(transform, wrapper):
    f = lambda x: F.sum(F.sin(F.matmul(x, X[1])) ** 2)  # noqa: E731
    assert_allclose(transform(wrapper(f)), transform(f), rtol=1e-9)


@WRAPPERS
def test_closure_over_what_an_outer_transform_lifted(wrapper):
    def f(x):
        return wrapper(lambda c: c * F.sin(x))(2.0)

    assert_allclose(ad.vmap(ad.grad(f))(A), 2 * np.cos(A))
    assert_allclose(ad.jvp(f, (A,), (A,))[1], 2 * np.cos(A) * A)
    x, w = Variable(A), Variable(3.0)
    ad.vmap(lambda x: wrapper(lambda c: c * F.sin(x) * w)(2.0))(x).sum().backward()
    assert_allclose(x.grad.data, 6 * np.cos(A))
    assert_allclose(w.grad.data, 2 * np.sin(A).sum())


@WRAPPERS
def test_draws_are_the_same_in_both_runs(wrapper):
    found = []
    for chosen in (plain, wrapper):
        rng = ad.random.source(3)
        x = Variable(np.ones(50))
        y = chosen(lambda x, rng=rng: F.dropout(F.dropout(x, 0.3, rng=rng) * x, 0.5, rng=rng))(x)
        after = rng.random()
        y.sum().backward()
        found.append((y.data, x.grad.data, after, rng.random()))
    for expected, part in zip(*found, strict=True):
        assert_array_equal(part, expected)


def test_modes_are_those_of_the_first_run():
    x = Variable(np.ones(50))
    with ad.test_mode():
        y = ad.checkpoint(lambda x: F.dropout(x, 0.5, rng=ad.random.const()))(x)
    y.sum().backward()
    assert_array_equal(x.grad.data, np.ones(50))


def test_structures_constants_and_arguments_as_results():
    def f(p, n):
        return {"s": F.sin(p["x"]), "same": p["x"], "n": n, "none": None, "c": 5.0}

    def g(x, wrapper):
        found = wrapper(f)({"x": x}, 3)
        assert (found["n"], found["none"]) == (3, None)
        return found["s"] * found["same"] * found["c"]

    assert_allclose(ad.grad(lambda x: g(x, ad.checkpoint))(2.0), 5 * (np.sin(2.0) + 2.0 * np.cos(2.0)))
    assert ad.checkpoint(lambda x: None)(Variable(A)) is None
    assert_array_equal(ad.checkpoint(F.sin)(A).data, np.sin(A))


def test_elements_of_the_argument_may_be_written():
    def f(x):
        x[0] = 5.0
        x[1] = x[2] * x[2]
        return (x * x).sum()

    assert_allclose(ad.grad(ad.checkpoint(f))(A.copy()), [0.0, 0.0, 4 * A[2] ** 3 + 2 * A[2]])


def test_nothing_is_recorded_under_no_grad():
    with ad.no_grad():
        assert ad.checkpoint(F.sin)(Variable(A)).creator is None


def test_memory_is_smaller():
    def chain(x):
        for _ in range(10):
            x = F.sin(x)
        return x

    peaks = {}
    for wrapper in (plain, ad.checkpoint):
        x = Variable(np.ones(20_000))
        tracemalloc.start()
        y = x
        for _ in range(5):
            y = wrapper(chain)(y)
        y.sum().backward()
        peaks[wrapper] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[ad.checkpoint] < 0.5 * peaks[plain]


def test_plain_arrays_give_what_the_function_gives():
    found = ad.checkpoint(np.sin)(A)
    assert type(found) is np.ndarray
    assert_array_equal(found, np.sin(A))
    found = ad.checkpoint(lambda x: {"a": 2 * x, "n": 3, "c": 5.0})(A)
    assert type(found["a"]) is np.ndarray
    assert (found["n"], found["c"]) == (3, 5.0)
    assert type(found["c"]) is float
