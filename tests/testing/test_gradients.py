"""Numerical gradients, and that `check_grads` finds what is wrong, at every order."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F
from adjoint.errors import ArgumentError, GradientError
from adjoint.testing import check_grads, numerical_grad


class TestNumericalGrad:
    def test_of_a_number(self):
        g = numerical_grad(F.sin, 1.0)
        assert (g.shape, g.dtype) == ((), np.float64)
        np.testing.assert_allclose(g, np.cos(1.0), rtol=1e-8)

    @pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2), (2, 1, 2)])
    def test_has_the_shape_of_x(self, shape):
        x = np.random.default_rng(0).standard_normal(shape)
        g = numerical_grad(lambda x: x**3, ad.Variable(x))
        assert g.shape == shape
        np.testing.assert_allclose(g, 3 * x**2, rtol=1e-6, atol=1e-7)

    def test_of_several_elements_is_that_of_their_sum(self):
        g = numerical_grad(lambda x: F.stack([x, 2.0 * x], 0), np.array([1.0, 2.0]))
        np.testing.assert_allclose(g, [3.0, 3.0], rtol=1e-8)

    def test_in_several_arguments(self):
        a, b = numerical_grad(lambda a, b: a * b, (np.array([2.0, 3.0]), ad.Variable(5.0)))
        np.testing.assert_allclose(a, [5.0, 5.0], rtol=1e-8)
        np.testing.assert_allclose(b, 5.0, rtol=1e-8)

    def test_differences_are_central_with_the_given_step(self):
        for eps in (0.5, 0.1, 1e-4):
            np.testing.assert_allclose(numerical_grad(lambda x: x**3, 2.0, eps=eps), 12.0 + eps**2, rtol=1e-8)

    def test_the_input_stays_as_it_is(self):
        x = np.array([1.0, 2.0])
        x.flags.writeable = False
        v = ad.Variable(x)
        numerical_grad(lambda v: v * v, v)
        assert v.data is x
        assert v.grad is None

    def test_of_float32_is_computed_in_float64(self):
        x = np.array([1.0, 2.0], np.float32)
        np.testing.assert_allclose(numerical_grad(F.exp, x), np.exp(x.astype(np.float64)), rtol=1e-7)

    def test_of_a_function_that_returns_plain_numbers(self):
        np.testing.assert_allclose(numerical_grad(lambda x: float(x) ** 2, 3.0), 6.0, rtol=1e-8)

    def test_takes_lists(self):
        np.testing.assert_allclose(numerical_grad(F.sin, [0.0, 1.0]), np.cos([0.0, 1.0]), rtol=1e-8)

    def test_records_nothing(self):
        seen = []

        def f(x):
            y = x * x
            seen.append(y.creator)
            return y

        numerical_grad(f, 1.0)
        assert seen == [None, None]


def fifth_power(wrong_at=None):
    """x⁵ by ops of its own, where the derivative of one order is twice what it should be, those before it right.

    The rule of each order calls the op of the next.
    """
    factors = (1.0, 5.0, 20.0, 60.0, 120.0, 120.0)

    def forward(order):
        factor = factors[order] * (2.0 if order == wrong_at else 1.0)
        return lambda _xp, x: factor * x ** (5 - order)

    def rule(order):
        def vjp(_F, g, _y, x):
            derivative = ops[order + 1]
            return (g * (derivative(x) if isinstance(x, ad.Variable) else derivative.forward(np, x)),)

        return vjp

    ops = [ad.op(f"fifth_power_{order}", forward(order), vjp=rule(order) if order < 5 else None) for order in range(6)]
    return ops[0]


@pytest.mark.usefixtures("op_table")
class TestCheckGrads:
    X = np.array([0.5, -1.5, 2.0])

    def test_passes_what_is_right(self):
        check_grads(fifth_power(), self.X, order=4)

    @pytest.mark.parametrize("wrong", [1, 2, 3, 4])
    def test_finds_a_wrong_rule_of_each_order(self, wrong):
        f = fifth_power(wrong)
        if wrong > 1:
            check_grads(f, self.X, order=wrong - 1)
        with pytest.raises(GradientError, match=f"derivative {wrong} in argument 0 at "):
            check_grads(f, self.X, order=wrong)
        with pytest.raises(GradientError, match=f"derivative {wrong} "):
            check_grads(f, self.X, order=4)

    def test_finds_a_derivative_that_is_cut_off(self):
        # The first derivative is right; it was computed outside of the graph, so the second is missing.
        f = ad.op(
            "cut_square",
            lambda _xp, x: x * x,
            vjp=lambda _F, g, _y, x: (g * 2.0 * (x.detach() if isinstance(x, ad.Variable) else x),),
        )
        check_grads(f, self.X, order=1)
        with pytest.raises(GradientError, match="derivative 2"):
            check_grads(f, self.X, order=2)

    def test_finds_a_wrong_derivative_in_the_cotangent(self):
        # Right for a cotangent of ones, wrong for any other.
        f = ad.op("odd_square", lambda _xp, x: x * x, vjp=lambda _F, g, _y, x: (g * g * 2.0 * x,))
        with pytest.raises(GradientError, match="derivative 1"):
            check_grads(f, self.X)

    def test_finds_a_wrong_derivative_in_one_argument(self):
        f = ad.op("weighed", lambda _xp, a, b: a * b, vjp=lambda _F, g, _y, a, b: (g * b, g * a * 1.001))
        with pytest.raises(GradientError, match=r"argument 1 at \(0,\): the rule gives .*, differences give "):
            check_grads(f, (self.X, self.X), order=1)

    def test_finds_a_wrong_element(self):
        def rule(_F, g, _y, _x):
            mask = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
            return (g * mask,)

        f = ad.op("masked", lambda _xp, x: x + 0.0, vjp=rule)
        with pytest.raises(GradientError, match=r"at \(1, 2\): the rule gives 0\.0"):
            check_grads(f, np.ones((2, 3)), order=1)

    def test_finds_a_missing_derivative(self):
        f = ad.op("no_rule", lambda _xp, x: x * x)
        with pytest.raises(GradientError, match="derivative 1"):
            check_grads(f, self.X)

    @pytest.mark.filterwarnings("ignore:invalid value")
    def test_finds_what_is_not_a_number(self):
        f = ad.op("nan_rule", lambda _xp, x: x * x, vjp=lambda F, g, _y, x: (g * F.log(-abs(x)),))
        with pytest.raises(GradientError, match="the rule gives nan"):
            check_grads(f, self.X, order=1)

    def test_finds_an_error_in_one_of_several_outputs(self):
        right = lambda x: (x * x, F.sin(x))  # noqa: E731
        check_grads(right, self.X)
        wrong = ad.op("half_sine", lambda xp, x: xp.sin(x), vjp=lambda F, g, _y, x: (0.5 * g * F.cos(x),))
        for outputs in (lambda x: (x * x, wrong(x)), lambda x: [wrong(x), x * x]):
            with pytest.raises(GradientError, match="derivative 1"):
                check_grads(outputs, self.X)

    def test_tolerances(self):
        f = ad.op("nearly", lambda _xp, x: x * x, vjp=lambda _F, g, _y, x: (g * 2.0002 * x,))
        with pytest.raises(GradientError):
            check_grads(f, self.X, order=1)
        check_grads(f, self.X, order=1, rtol=1e-3)
        check_grads(f, self.X, order=1, rtol=0.0, atol=1e-2)


class TestArguments:
    @pytest.mark.parametrize("order", [0, -1])
    def test_the_order_is_at_least_one(self, order):
        with pytest.raises(ArgumentError, match=f"the order is at least 1, not {order}"):
            check_grads(F.sin, 1.0, order=order)

    def test_something_must_be_checked(self):
        for args in (np.array([1, 2]), (), [np.array([True])]):
            with pytest.raises(ArgumentError, match="none of the arguments is made of floating point numbers"):
                check_grads(lambda *xs: xs[0], args)

    def test_whole_numbers_are_passed_on(self):
        check_grads(lambda x, i: F.take(x, i, 0), (np.arange(4.0), np.array([2, 0, 2])))

    @pytest.mark.parametrize("args", [1.5, np.array([1.5]), ad.Variable([1.5]), [np.array(1.5)], (ad.Variable(1.5),)])
    def test_arguments_of_every_form(self, args):
        check_grads(lambda x: x * F.sin(x), args, order=3)

    def test_inputs_stay_as_they_are(self):
        x = ad.Variable(np.array([1.0, 2.0]))
        x.grad = np.array([7.0, 8.0])
        x.data.flags.writeable = False
        check_grads(lambda x: x * x * x, x, order=3)
        np.testing.assert_array_equal(x.grad.data, [7.0, 8.0])
        np.testing.assert_array_equal(x.data, [1.0, 2.0])

    def test_a_function_that_does_not_depend_on_an_argument(self):
        check_grads(lambda a, _b: a * a, (np.array([1.0]), np.array([2.0])), order=3)
        check_grads(lambda a: ad.Variable(3.0) + 0.0 * a.detach(), np.array([1.0]), order=2)

    def test_works_where_recording_is_off(self):
        with ad.no_grad():
            check_grads(F.sin, np.array([1.0]), order=2)
            with pytest.raises(GradientError):
                check_grads(lambda x: F.sin(x.detach()), np.array([1.0]), order=1)

    def test_a_generator_of_ones_own_gives_the_directions(self):
        rng = ad.random.source(5)
        before = rng.bit_generator.state
        check_grads(F.sin, np.array([1.0]), rng=rng)
        assert rng.bit_generator.state != before

    def test_empty_arrays(self):
        check_grads(lambda x: x * x, np.zeros((0, 3)), order=2)

    def test_float32_is_checked_in_float64(self):
        check_grads(lambda x: F.exp(x) * x, np.array([0.5, 1.0], np.float32), order=3)
