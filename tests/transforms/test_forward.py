"""`jvp`, `linearize` and `nth_derivative`."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import adjoint as ad
from adjoint import Variable, functions as F
from tests.support import derivatives

A = np.array([1.0, 2.0, 3.0])
T = np.array([0.5, -1.0, 2.0])


def test_tangent_is_the_derivative_along_a_direction():
    value, tangent = ad.jvp(lambda x, y: F.sin(x) * y, (A, 2.0), (T, 3.0))
    assert_allclose(value, np.sin(A) * 2.0)
    assert_allclose(tangent, np.cos(A) * T * 2.0 + np.sin(A) * 3.0)


def test_dtype_stays():
    value, tangent = ad.jvp(lambda x: x * x, (A.astype(np.float32),), (T,))
    assert (value.dtype, tangent.dtype) == (np.float32, np.float32)


def test_whole_numbers_are_points_too():
    assert ad.jvp(lambda x: x * x, (3,), (1,)) == (9.0, 6.0)


def test_structures():
    primal, direction = {"w": A, "b": [2.0, None]}, {"w": T, "b": [1.0, None]}
    value, tangent = ad.jvp(lambda p: (p["w"] * p["b"][0], 7.0, "text"), (primal,), (direction,))
    assert_allclose(value[0], 2.0 * A)
    assert_allclose(tangent[0], 2.0 * T + A)
    assert (value[1:], tangent[1:]) == ((7.0, "text"), (0.0, "text"))


def test_results_that_are_no_floats():
    (flags, count), _ = ad.jvp(lambda x: (x > 1, 3), (A,), (T,))
    assert type(flags) is np.ndarray
    assert_array_equal(flags, A > 1)
    assert count == 3


def test_tangent_none_is_a_constant():
    value, tangent = ad.jvp(lambda x, y: x.sum() * y.sum(), (A, A), (None, T))
    assert (value, tangent) == (36.0, 6.0 * T.sum())


def test_argument_that_is_returned():
    assert ad.jvp(lambda x, y: (y, x), (2.0, 3.0), (1.0, 5.0)) == ((3.0, 2.0), (5.0, 1.0))


def test_second_result_has_values_alone():
    _, tangent, second = ad.jvp(lambda x: (x * x, {"double": x + x, "n": 3}), (A,), (T,), has_aux=True)
    assert_allclose(tangent, 2 * A * T)
    assert_allclose(second["double"].data, 2 * A)
    assert second["n"] == 3


def test_variables_give_variables_that_can_be_differentiated():
    x, t = Variable(A), Variable(T)
    _, tangent = ad.jvp(F.sin, (x,), (t,))
    tangent.backward()
    assert_allclose(x.grad.data, -np.sin(A) * T)
    assert_allclose(t.grad.data, np.cos(A))


def test_closure_parameters_get_gradients_through_the_tangent():
    w = Variable(2.0)
    _, tangent = ad.jvp(lambda x: w * x * x, (3.0,), (1.0,))
    tangent.backward()
    assert w.grad.item() == 6.0


def test_elements_of_the_argument_may_be_written():
    def f(x):
        x[0] = 5.0
        x[1] = x[2] * x[2]
        return x

    _, tangent = ad.jvp(f, (A.copy(),), (T,))
    assert_allclose(tangent, [0.0, 2 * A[2] * T[2], T[2]])


def test_python_reads_the_value():
    assert ad.jvp(lambda x: x * x if x > 1 else -x, (2.0,), (1.0,)) == (4.0, 4.0)
    assert ad.jvp(lambda x: x * float(x), (2.0,), (1.0,)) == (4.0, 2.0)


def test_no_grad_does_not_stop_a_tangent():
    """As in nothing else than reverse mode, there is no graph that could be left out."""
    with ad.no_grad():
        assert ad.jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)


# linearize


def test_linearized_function_takes_any_number_of_directions():
    value, along = ad.linearize(lambda x, y: {"s": F.sin(x) * y, "c": 5.0}, A, 2.0)
    assert_allclose(value["s"], np.sin(A) * 2.0)
    for t, u in ((T, 1.0), (A, -2.0)):
        found = along(t, u)
        assert_allclose(found["s"], np.cos(A) * t * 2.0 + np.sin(A) * u)
        assert found["c"] == 0.0


def test_linearized_function_runs_f_once():
    calls = []
    _, along = ad.linearize(lambda x: (calls.append(1), x * x)[1], A)
    along(T), along(T)
    assert len(calls) == 1


def test_linearized_function_can_be_differentiated():
    x, t = Variable(A), Variable(T)
    along = ad.linearize(F.sin, x)[1]
    along(t).backward()
    assert_allclose(x.grad.data, -np.sin(A) * T)
    assert_allclose(t.grad.data, np.cos(A))


# nth_derivative

FUNCTIONS = [
    ("exp", F.exp, mpmath.exp, 0.3),
    ("log", F.log, mpmath.log, 1.3),
    ("sqrt", F.sqrt, mpmath.sqrt, 1.3),
    ("sin", F.sin, mpmath.sin, 0.3),
    ("cos", F.cos, mpmath.cos, 0.3),
    ("tan", F.tan, mpmath.tan, 0.3),
    ("sinh", F.sinh, mpmath.sinh, 0.3),
    ("cosh", F.cosh, mpmath.cosh, 0.3),
    ("tanh", F.tanh, mpmath.tanh, 0.3),
    ("arcsin", F.arcsin, mpmath.asin, 0.3),
    ("arccos", F.arccos, mpmath.acos, 0.3),
    ("arctan", F.arctan, mpmath.atan, 0.3),
    ("arcsinh", F.arcsinh, mpmath.asinh, 0.3),
    ("arccosh", F.arccosh, mpmath.acosh, 1.7),
    ("arctanh", F.arctanh, mpmath.atanh, 0.3),
    ("sigmoid", F.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x)), 0.3),
    ("softplus", F.softplus, lambda x: mpmath.log1p(mpmath.exp(x)), 0.3),
    ("erf", F.erf, mpmath.erf, 0.3),
    ("expm1", F.expm1, mpmath.expm1, 0.3),
    ("log1p", F.log1p, mpmath.log1p, 0.3),
    ("exp2", F.exp2, lambda x: mpmath.mpf(2) ** x, 0.3),
    ("log2", F.log2, lambda x: mpmath.log(x, 2), 1.3),
    ("log10", F.log10, mpmath.log10, 1.3),
    ("cbrt", F.cbrt, mpmath.cbrt, 1.3),
    ("reciprocal", lambda x: 1.0 / x, lambda x: 1 / x, 1.3),
    ("power", lambda x: x**2.5, lambda x: x ** mpmath.mpf(2.5), 1.3),
    ("whole power", lambda x: x**5, lambda x: x**5, 1.3),
    ("x to the x", lambda x: x**x, lambda x: x**x, 1.3),
    ("exponential", lambda x: 3.0**x, lambda x: mpmath.mpf(3) ** x, 0.3),
    ("abs", F.abs, abs, -1.3),
    ("swish", F.swish, lambda x: x / (1 + mpmath.exp(-x)), 0.3),
    ("gelu", lambda x: F.gelu(x, approximate="none"), lambda x: x * (1 + mpmath.erf(x / mpmath.sqrt(2))) / 2, 0.3),
]


@pytest.mark.parametrize(("f", "exact", "point"), [case[1:] for case in FUNCTIONS], ids=[case[0] for case in FUNCTIONS])
def test_derivatives_up_to_the_tenth(f, exact, point):
    with mpmath.workdps(40):
        coefficients = mpmath.taylor(exact, mpmath.mpf(point), 10)
        expected = [float(c * mpmath.factorial(n)) for n, c in enumerate(coefficients)]
    found = [ad.nth_derivative(f, n)(point) for n in range(11)]
    scale = [max(abs(c), 1e-3 * math.factorial(n)) for n, c in enumerate(expected)]
    assert_allclose(np.asarray([float(d) for d in found]) / scale, np.asarray(expected) / scale, rtol=1e-10, atol=1e-10)


def test_derivatives_of_a_network_are_those_of_nested_gradients():
    rng = np.random.default_rng(0)
    w, v = rng.standard_normal((2, 5))

    def f(x):
        return (F.tanh(w * F.tanh(x * v)) * v).sum()

    expected = derivatives(f, 0.4, 5)
    for n in range(6):
        assert_allclose(float(ad.nth_derivative(f, n)(0.4)), expected[n], rtol=1e-9)


def test_nth_derivative_is_element_by_element_and_keeps_the_dtype():
    found = ad.nth_derivative(F.sin, 3)(A.astype(np.float32))
    assert found.dtype == np.float32
    assert_allclose(found, -np.cos(A), rtol=1e-6)


def test_derivative_of_order_0_is_the_function():
    found = ad.nth_derivative(F.sin, 0)(A)
    assert type(found) is np.ndarray
    assert_array_equal(found, np.sin(A))


def test_nth_derivative_in_another_argument():
    assert ad.nth_derivative(lambda a, x: a * x**3, 2, argnum=1)(2.0, 5.0) == 60.0
    assert ad.nth_derivative(lambda a, x, k: a * x**3 * k, 2, argnum=-1)(2.0, 5.0, k=2.0) == 120.0


def test_nth_derivative_of_a_polynomial_ends_in_zeros():
    assert [float(ad.nth_derivative(lambda x: x**2, n)(3.0)) for n in range(5)] == [9.0, 6.0, 2.0, 0.0, 0.0]
    assert_array_equal(ad.nth_derivative(lambda x: x * 0.0 + 7.0, 1)(A), np.zeros(3))


def test_nth_derivative_of_a_variable_can_be_differentiated():
    x = Variable(A)
    ad.nth_derivative(F.sin, 2)(x).backward()
    assert_allclose(x.grad.data, -np.cos(A))


def test_none_is_zero_for_a_whole_structure():
    def f(p, q):
        return p["a"] * p["b"][0] * q

    point = ({"a": 2.0, "b": [3.0]}, 5.0)
    assert ad.jvp(f, point, (None, 1.0)) == (30.0, 6.0)
    assert ad.jvp(f, point, ({"a": 1.0, "b": None}, None)) == (30.0, 15.0)
    assert ad.jvp(f, point, (None, None)) == (30.0, 0.0)
    assert ad.linearize(f, *point)[1](None, 1.0) == 6.0
    pullback = ad.vjp(lambda x: {"a": x * x, "b": [x, 3 * x]}, 2.0)[1]
    assert pullback({"a": 1.0, "b": None}) == (4.0,)
    assert pullback(None) == (0.0,)


def test_real_tangent_of_a_complex_argument():
    point = np.array([1j, 2.0 + 1j])
    assert_allclose(ad.jvp(lambda x: x * x, (point,), (np.ones(2),))[1], 2 * point)


def test_highest_order():
    assert_allclose(ad.nth_derivative(np.exp, 170)(0.0), 1.0)
