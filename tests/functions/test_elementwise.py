"""Functions that act element by element, against NumPy's and at their special points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_allclose, assert_array_equal

from adjoint import Variable, functions as F
from adjoint.testing import check_grads
from tests.support import derivatives, gradients

UNARY = {
    "abs": np.abs,
    "arctan": np.arctan,
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "neg": np.negative,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square,
    "tanh": np.tanh,
}
BINARY = {
    "add": np.add,
    "div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mul": np.multiply,
    "pow": np.power,
    "sub": np.subtract,
}


@pytest.mark.parametrize("name", UNARY)
def test_function_of_one_array_is_numpys(name):
    x = np.array([[0.25, 1.0, 3.0], [1e-9, 0.5, 7.0]])
    assert_allclose(getattr(F, name)(x).data, UNARY[name](x), rtol=1e-15)


@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_arrays_is_numpys(name):
    a, b = np.array([[0.5], [2.0]]), np.array([1.0, 2.0, 3.0])
    assert_allclose(getattr(F, name)(a, b).data, BINARY[name](a, b), rtol=1e-15)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("number", [3, 0.5])
def test_number_may_stand_on_either_side(name, number):
    x = np.array([0.5, 2.0], np.float32)
    function = getattr(F, name)
    for result, expected in (
        (function(Variable(x), number), BINARY[name](x, number)),
        (function(number, Variable(x)), BINARY[name](number, x)),
    ):
        assert_allclose(result.data, expected, rtol=1e-6)
        assert result.dtype == np.float32


def summed_back(values, x, shape):
    """`values` of the broadcast `shape`, added up for each element of x that they were computed from."""
    positions = np.broadcast_to(np.arange(x.size).reshape(x.shape), shape)
    return np.bincount(positions.ravel(), values.ravel(), minlength=x.size).reshape(x.shape)


@given(st_numpy.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), st.integers(0, 2**32))
def test_gradients_of_broadcast_arrays_are_summed_back(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes)
    g = rng.uniform(-1.0, 1.0, shapes.result_shape)
    for function, slopes in (
        (F.add, (1.0 + 0 * (a + b), 1.0 + 0 * (a + b))),
        (F.mul, (b + 0 * a, a + 0 * b)),
        (F.div, (1 / b + 0 * a, -a / b**2)),
        (F.pow, (b * a ** (b - 1), a**b * np.log(a))),
    ):
        for found, x, slope in zip(gradients(function, a, b, gradient=g), (a, b), slopes, strict=True):
            assert_allclose(found, summed_back(g * slope, x, g.shape), rtol=1e-12, atol=1e-14)


@given(st_numpy.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3), st.integers(0, 2**32))
def test_where_sends_each_gradient_to_what_was_chosen(shapes, seed):
    rng = np.random.default_rng(seed)
    condition, a, b = (rng.standard_normal(shape) for shape in shapes.input_shapes)
    condition = condition > 0
    g = rng.standard_normal(shapes.result_shape)
    assert_array_equal(F.where(condition, a, b).data, np.where(condition, a, b))
    of_a, of_b = gradients(lambda a, b: F.where(condition, a, b), a, b, gradient=g)
    assert_allclose(of_a, summed_back(np.where(condition, g, 0.0), a, g.shape), atol=1e-14)
    assert_allclose(of_b, summed_back(np.where(condition, 0.0, g), b, g.shape), atol=1e-14)


@pytest.mark.parametrize("power", [0, 1, 2, 3, 2.0, True])
def test_derivatives_of_a_whole_power_stop_at_zero(power):
    expected, factor, exponent = [], 1.0, power
    for _ in range(5):
        expected.append(factor * 0.0**exponent if exponent >= 0 else 0.0)
        factor, exponent = factor * exponent, exponent - 1
    assert derivatives(lambda x: x**power, 0.0, 4) == expected


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
def test_power_by_an_array_is_exact_at_base_zero(exponent):
    by_number = derivatives(lambda x: x ** int(exponent), 0.0, 4)
    assert derivatives(lambda x: F.pow(x, np.array(exponent)), 0.0, 4) == by_number


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, -1.0, 0.5])
def test_mixed_derivatives_of_a_power_are_right_at_every_exponent(exponent):
    """d/db of b aᵇ⁻¹ is not 0 at b = 0."""
    check_grads(F.pow, (np.array([2.0, 0.5]), np.array([exponent, exponent])), order=3)


def test_power_of_zero_has_no_slope_in_its_exponent():
    _, slope = gradients(F.pow, np.array([0.0, 0.0]), np.array([1.0, 2.0]), gradient=np.ones(2))
    assert slope.tolist() == [0.0, 0.0]


def test_number_to_the_power_of_a_variable():
    assert_allclose(derivatives(lambda x: 2.0**x, 3.0, 2), [8.0 * math.log(2.0) ** n for n in range(3)], rtol=1e-15)


def test_slope_of_a_negative_whole_power():
    assert derivatives(lambda x: x**-1, 2.0, 2) == [0.5, -0.25, 0.25]


@pytest.mark.parametrize("function", [F.maximum, F.minimum])
def test_equal_arrays_share_the_gradient_by_halves(function):
    of_a, of_b = gradients(function, np.array([1.0, 2.0]), np.array([1.0, 2.0]), gradient=np.array([1.0, 4.0]))
    assert of_a.tolist() == of_b.tolist() == [0.5, 2.0]


def test_nearly_equal_arrays_share_nothing():
    of_a, of_b = gradients(F.maximum, np.array([1.0]), np.array([np.nextafter(1.0, 2.0)]))
    assert (of_a.item(), of_b.item()) == (0.0, 1.0)


@pytest.mark.parametrize(("lo", "hi", "value", "slope"), [
    (-1.0, 1.0, [-1.0, -1.0, 0.5, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
    (None, 1.0, [-2.0, -1.0, 0.5, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.0]),
    (-1.0, None, [-1.0, -1.0, 0.5, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 1.0]),
    (None, None, [-2.0, -1.0, 0.5, 1.0, 2.0], [1.0, 1.0, 1.0, 1.0, 1.0]),
])  # fmt: skip
def test_clip_passes_the_gradient_between_its_bounds_inclusive(lo, hi, value, slope):
    x = np.array([-2.0, -1.0, 0.5, 1.0, 2.0])
    assert F.clip(x, lo, hi).data.tolist() == value
    assert gradients(lambda x: F.clip(x, lo, hi), x, gradient=np.ones(5))[0].tolist() == slope


def test_absolute_value_has_slope_0_at_0():
    assert gradients(F.abs, np.array([-2.0, 0.0, 3.0]), gradient=np.ones(3))[0].tolist() == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("mask", [[True, False, True], [1, 0, 1], [2, 0, -3], [0.5, 0.0, 7.0]])
def test_masked_fill_fills_where_the_mask_is_not_0(mask):
    x = np.array([1.0, 2.0, 3.0])
    assert F.masked_fill(x, mask, -1.0).data.tolist() == [-1.0, 2.0, -1.0]
    assert gradients(lambda x: F.masked_fill(x, mask, -1.0), x, gradient=np.ones(3))[0].tolist() == [0.0, 1.0, 0.0]


def test_masked_fill_takes_a_mask_of_fewer_axes():
    filled = F.masked_fill(np.ones((2, 3)), Variable([0, 1, 0]), math.inf)
    assert filled.data.tolist() == [[1.0, math.inf, 1.0]] * 2


def test_masked_fill_blocks_gradients_that_are_not_finite():
    """log(0) has an infinite slope: the mask must choose, not multiply by 0."""
    with np.errstate(divide="ignore"):
        (slope,) = gradients(
            lambda x: F.masked_fill(F.log(x), [True, False], 0.0), np.array([2.0, 4.0]), gradient=[1, 1]
        )
    assert slope.tolist() == [0.0, 0.25]


def test_where_keeps_float32_beside_a_number():
    assert F.where([True, False], Variable(np.ones(2, np.float32)), 0.0).dtype == np.float32


def test_condition_of_where_gets_no_gradient():
    condition = Variable([1.0, 0.0])
    F.where(condition, Variable([1.0, 2.0]), 0.0).backward()
    assert condition.grad is None


def test_error_function_has_its_known_values():
    assert F.erf(Variable(0.5)).item() == pytest.approx(math.erf(0.5), abs=2e-16)
    assert_allclose(derivatives(F.erf, 0.5, 1)[1], 2.0 / math.sqrt(math.pi) * math.exp(-0.25), rtol=1e-15)


def test_whole_numbers_become_floats_where_the_function_does():
    assert F.exp([0, 1]).dtype == np.float64
    assert F.add([1, 2], 1).dtype.kind == "i"
