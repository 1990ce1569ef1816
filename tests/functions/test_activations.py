"""Activations, normalised exponentials, dropout and the memory cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, AxisError, ShapeError
from adjoint.testing import check_grads
from tests.support import gradients

X = np.array([-800.0, -3.0, -1.0, 0.0, 0.5, 2.0, 800.0])


def sigmoid(x):
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def normal_distribution(x):
    return np.array([0.5 * (1.0 + math.erf(value / math.sqrt(2.0))) for value in x])


CLOSED_FORMS = {
    "sigmoid": (F.sigmoid, sigmoid),
    "relu": (F.relu, lambda x: x * (x > 0)),
    "leaky_relu": (F.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    "leaky_relu of slope 0.2": (lambda x: F.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "elu": (F.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
    "elu of alpha 2": (lambda x: F.elu(x, 2.0), lambda x: np.where(x > 0, x, 2.0 * np.expm1(np.minimum(x, 0)))),
    "softplus": (F.softplus, lambda x: np.logaddexp(x, 0.0)),
    "swish": (F.swish, lambda x: x * sigmoid(x)),
    "gelu": (F.gelu, lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "gelu by erf": (lambda x: F.gelu(x, "none"), lambda x: x * normal_distribution(x)),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_activation_is_its_formula_and_does_not_overflow(name):
    function, formula = CLOSED_FORMS[name]
    assert_allclose(function(Variable(X)).data, formula(X), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_gradient_of_an_activation_is_finite_everywhere(name):
    function, _ = CLOSED_FORMS[name]
    slope = gradients(function, X, gradient=np.ones_like(X))[0]
    assert np.isfinite(slope).all()
    assert slope[-1] == pytest.approx(0.0 if name == "sigmoid" else 1.0)


def test_relu_has_slope_0_at_0():
    assert gradients(F.relu, np.array([-1.0, 0.0, 1.0]), gradient=np.ones(3))[0].tolist() == [0.0, 0.0, 1.0]


def test_other_approximations_of_gelu_are_refused():
    with pytest.raises(ArgumentError, match="'erf'"):
        F.gelu(Variable(1.0), "erf")


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_softmax_along_an_axis(axis):
    x = np.random.default_rng(0).standard_normal((2, 3, 2))
    e = np.exp(x)
    assert_allclose(F.softmax(x, axis).data, e / e.sum(axis=axis, keepdims=True), rtol=1e-14)
    assert_allclose(F.log_softmax(x, axis).data, np.log(e / e.sum(axis=axis, keepdims=True)), rtol=1e-14)
    check_grads(lambda x: F.softmax(x, axis), x)
    check_grads(lambda x: F.log_softmax(x, axis), x)


def test_softmax_does_not_overflow():
    x = np.array([1000.0, 1000.0, -1000.0])
    assert F.softmax(x).data.tolist() == [0.5, 0.5, 0.0]
    assert_allclose(F.log_softmax(x).data, [-math.log(2.0), -math.log(2.0), -2000.0 - math.log(2.0)])


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_softmax_refuses_an_axis_that_is_not_there(function):
    with pytest.raises(AxisError, match="axis 2"):
        function(np.ones((2, 3)), 2)


# Dropout


def test_dropout_scales_what_it_keeps():
    x = Variable(np.ones(1000))
    y = F.dropout(x, 0.25, ad.random.const())
    assert set(y.data) == {0.0, 1.0 / 0.75}
    assert 0.7 < np.mean(y.data != 0) < 0.8
    y.backward()
    assert_array_equal(x.grad.data, y.data)


def test_dropout_repeats_with_the_same_generator_and_only_then():
    x = np.ones(50)
    first, again, other = (F.dropout(x, 0.5, ad.random.source(seed)).data for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert (first != other).any()
    rng = ad.random.source(1)
    assert (F.dropout(x, 0.5, rng).data != F.dropout(x, 0.5, rng).data).any()


def test_dropout_passes_its_input_on_in_test_mode_and_at_ratio_0():
    x = Variable([1.0, 2.0])
    assert F.dropout(x, 0.0) is x
    with ad.test_mode():
        assert F.dropout(x, 0.9) is x


def test_dropout_keeps_float32():
    assert F.dropout(Variable(np.ones(3, np.float32)), 0.5, ad.random.const()).dtype == np.float32


@pytest.mark.parametrize("ratio", [-0.1, 1.0, 1.5, math.nan])
def test_dropout_refuses_other_ratios(ratio):
    with pytest.raises(ArgumentError, match=f"{ratio}"):
        F.dropout(np.ones(2), ratio)


def test_dropout_refuses_what_is_no_generator():
    with pytest.raises(TypeError, match="Generator"):
        F.dropout(np.ones(2), 0.5, 42)


# The memory cell


def lstm_step(z, c):
    f, i, o, u = np.split(z, 4, axis=-1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
    return sigmoid(o) * np.tanh(new), new


@pytest.mark.parametrize("leading", [(), (2,), (2, 3)], ids=str)
def test_cell_is_its_formula(leading):
    rng = np.random.default_rng(0)
    z, c = rng.standard_normal((*leading, 8)), rng.standard_normal((*leading, 2))
    for found, expected in zip(F.lstm_cell(z, c), lstm_step(z, c), strict=True):
        assert_allclose(found.data, expected, rtol=1e-13)
    for found, expected in zip(F.lstm_cell(z), lstm_step(z, 0.0), strict=True):
        assert_allclose(found.data, expected, rtol=1e-13)


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("first_step", [False, True])
def test_each_output_of_the_cell_can_be_used_alone(output, first_step):
    rng = np.random.default_rng(0)
    arrays = (
        (rng.standard_normal((2, 8)),) if first_step else (rng.standard_normal((2, 8)), rng.standard_normal((2, 2)))
    )
    check_grads(lambda *xs: F.lstm_cell(*xs)[output], arrays, order=3)


def test_shut_and_open_gates_are_exact():
    """With i shut and f open the cell state passes unchanged, a hundred times."""
    c = Variable(np.array([0.3, -2.0]))
    z = np.repeat([800.0, -800.0, 0.0, 1.0], 2)
    for _ in range(100):
        _, c = F.lstm_cell(z, c)
    assert c.data.tolist() == [0.3, -2.0]


@pytest.mark.parametrize(("z", "c"), [
    ((2, 6), None), ((2, 8), (3, 2)), ((2, 8), (1, 2)), ((2, 8), (2,)), ((2, 8), (2, 1)), ((1, 8), (2, 2)),
], ids=str)  # fmt: skip
def test_cell_refuses_shapes_that_do_not_go_together(z, c):
    with pytest.raises(ShapeError, match="lstm_cell"):
        F.lstm_cell(np.ones(z), None if c is None else Variable(np.ones(c)))
