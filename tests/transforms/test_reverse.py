"""`grad`, `value_and_grad` and `vjp`: arguments and results of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F, layers, models

A = np.array([1.0, 2.0, 3.0])


def cube(x):
    return (x * x * x).sum()


@pytest.mark.parametrize("point", [2, 2.0, np.float64(2.0), np.array(2.0)])
def test_gradient_at_a_number(point):
    found = ad.grad(lambda x: x**3)(point)
    assert isinstance(found, np.float64)
    assert found == 12.0


def test_gradient_at_an_array():
    found = ad.grad(cube)(A)
    assert type(found) is np.ndarray
    assert_allclose(found, 3 * A * A)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_stays(dtype):
    value, found = ad.value_and_grad(cube)(A.astype(dtype))
    assert (value.dtype, found.dtype) == (dtype, dtype)
    value, pullback = ad.vjp(lambda x: x * x, A.astype(dtype))
    assert (value.dtype, pullback(A)[0].dtype) == (dtype, dtype)


def test_no_elements():
    assert ad.grad(cube)(np.zeros((0, 3))).shape == (0, 3)


def test_variables_give_variables_that_can_be_differentiated():
    x = Variable(A)
    g = ad.grad(cube)(x)
    assert isinstance(g, Variable)
    g.backward()
    assert_allclose(x.grad.data, 6 * A)


def test_create_graph_false_gives_variables_without_a_graph():
    g = ad.grad(cube, create_graph=False)(Variable(A))
    assert isinstance(g, Variable)
    assert g.creator is None


@pytest.mark.parametrize(("argnums", "expected"), [(0, 12.0), (-1, 6.0), ((0, 2), (12.0, 6.0)), ([1], (8.0,))])
def test_argnums(argnums, expected):
    assert ad.grad(lambda x, y, z: x * y * z, argnums)(2.0, 3.0, 4.0) == expected


def test_keyword_arguments_are_passed_on():
    assert ad.grad(lambda x, k: x * k)(2.0, k=3.0) == 3.0
    k = Variable(3.0)
    found = ad.grad(lambda x, k: x * k)(2.0, k=k)
    found.backward()
    assert k.grad.item() == 1.0


def test_second_result_is_passed_on():
    second = {"n": 3}
    assert ad.grad(lambda x: (x * x, second), has_aux=True)(2.0) == (4.0, second)
    assert ad.value_and_grad(lambda x: (x * x, second), has_aux=True)(2.0) == ((4.0, second), 4.0)
    value, pullback, aux = ad.vjp(lambda x: (x * x, second), 2.0, has_aux=True)
    assert (value, pullback(1.0), aux) == (4.0, (4.0,), second)


def test_constants_and_arguments_as_results():
    assert ad.grad(lambda x: 3.0)(2.0) == 0.0
    assert ad.grad(lambda x: x)(2.0) == 1.0
    value, pullback = ad.vjp(lambda x, y: (x, y, x, 5.0), 2.0, 3.0)
    assert value == (2.0, 3.0, 2.0, 5.0)
    assert pullback((1.0, 2.0, 3.0, 4.0)) == (4.0, 2.0)


def test_unused_argument_has_a_gradient_of_zeros():
    first, second = ad.grad(lambda x, y: x * x, (0, 1))(2.0, A)
    assert first == 4.0
    assert_array_equal(second, np.zeros(3))


def test_pullback_takes_structures_any_number_of_times():
    _, pullback = ad.vjp(lambda p: {"s": p[0] * p[1], "d": p[0] - p[1]}, (2.0, 3.0))
    assert pullback({"s": 1.0, "d": 0.0}) == ((3.0, 2.0),)
    assert pullback({"s": 0.0, "d": 1.0}) == ((1.0, -1.0),)
    assert pullback({"s": 1.0, "d": None}) == ((3.0, 2.0),)


def test_pullback_of_a_variable_can_be_differentiated_in_it():
    _, pullback = ad.vjp(F.sin, A)
    g = Variable(np.ones(3))
    (found,) = pullback(g)
    found.backward()
    assert_allclose(g.grad.data, np.cos(A))


def test_python_control_flow():
    def f(x):
        while x < 100:
            x += x * x
        return x if x > 0 else -x

    expected, x = 1.0, 2.0
    while x < 100:
        expected, x = expected * (1 + 2 * x), x + x * x
    assert_allclose(ad.grad(f)(2.0), expected)


def test_elements_of_the_argument_may_be_written():
    """The derivative is in what the argument was before."""
    given = A.copy()

    def f(x):
        x[0] = 5.0
        x[1] = x[2] * x[2]
        return (x * np.array([1.0, 10.0, 100.0])).sum()

    assert_allclose(ad.grad(f)(given), [0.0, 0.0, 100.0 + 10 * 2 * 3.0])
    assert_array_equal(given, A)


def test_closure_parameters_get_gradients_through_the_result():
    w = Variable(2.0)
    found = ad.grad(lambda x: w * x * x)(3.0)
    assert isinstance(found, Variable)
    found.backward()
    assert w.grad.item() == 6.0


def test_no_grad_around_gives_values_alone():
    w = Variable(2.0)
    with ad.no_grad():
        found = ad.grad(lambda x: w * x * x)(3.0)
    assert isinstance(found, np.float64)
    assert found == 12.0


def test_no_grad_inside_makes_constants():
    def f(x):
        with ad.no_grad():
            factor = x * x
        return factor * x

    assert ad.grad(f)(3.0) == 9.0


def test_recurrent_model_keeps_its_state():
    model, x = models.LSTM(3, 1, rng=ad.random.const()), Variable(np.ones((2, 4)))
    model(x)
    before = dict(vars(model.lstm))
    found = ad.grad(lambda m: m(x).sum())(model)
    assert set(found) == set(model.params())
    assert all(vars(model.lstm)[name] is value for name, value in before.items())


class Tied(layers.Layer):
    """One parameter at two places."""

    def __init__(self):
        self.w = Variable([2.0])
        self.parts = [self.w]

    def forward(self, x):
        return (self.w * x * self.parts[0]).sum()


def test_tied_parameters_count_once():
    found = ad.grad(lambda m: m(3.0))(Tied())
    assert [g.data.tolist() for g in found.values()] == [[12.0]]


@pytest.mark.parametrize("call", [ad.grad, ad.jacobian])
def test_at_a_model(call):
    model, x = models.MLP([4, 1], rng=ad.random.const()), np.ones((5, 2))
    model(x)

    def loss(m):
        return (m(x) ** 2).mean()

    found = call(loss, model)
    assert all(p.grad is None for p in model.params().values())
    loss(model).backward()
    for path, parameter in model.params().items():
        assert_allclose(found[path].data, parameter.grad.data, rtol=1e-12)
