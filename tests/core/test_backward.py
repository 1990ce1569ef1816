"""The reverse sweep: what gets a gradient, from where, and what it leaves behind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.core.custom import UserOp
from adjoint.errors import GradientError, ShapeError
from tests.support import derivatives, nodes_behind

# Accumulation


def test_gradients_of_leaves_add_up_until_they_are_cleared():
    x = Variable(3.0)
    for expected in (6.0, 12.0, 18.0):
        (x * x).backward()
        assert x.grad.item() == expected
    x.cleargrad()
    assert x.grad is None
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_backward_may_run_twice_over_one_graph():
    x = Variable(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.item() == 12.0


def test_addition_of_gradients_leaves_the_earlier_one_alone():
    x = Variable([1.0, 2.0])
    F.sum(x * x).backward()
    first = x.grad
    F.sum(x * x).backward()
    assert first.data.tolist() == [2.0, 4.0]
    assert x.grad.data.tolist() == [4.0, 8.0]


def test_gradient_set_by_hand_is_added_to():
    x = Variable([1.0, 2.0])
    x.grad = Variable([10.0, 20.0])
    F.sum(x).backward()
    assert x.grad.data.tolist() == [11.0, 21.0]


def test_variable_used_many_times_gets_every_contribution():
    x = Variable([1.0, 2.0])
    y = x + x * x + x * x * x + F.sin(x) + x
    F.sum(y).backward()
    assert_allclose(x.grad.data, 2 + 2 * x.data + 3 * x.data**2 + np.cos(x.data))


def test_diamond_runs_each_rule_once():
    """a feeds b and c, which both feed d: a's rule must wait for both."""
    calls = []

    def rule(F, g, y, x):
        calls.append(1)
        return (2.0 * x * g,)

    squared = UserOp("squared in this test", lambda xp, x: x * x, vjp=rule)
    x = Variable(3.0)
    a = squared(x)
    (a * 2.0 + a * F.exp(a - 9.0)).backward()
    assert len(calls) == 1
    assert x.grad.item() == pytest.approx((2.0 + 1.0 + 9.0) * 6.0)


def test_paths_of_different_lengths_meet_in_order():
    x = Variable(0.3)
    deep = x
    for _ in range(20):
        deep = F.sin(deep)
    (deep * x + x).backward()
    expected = ad.testing.numerical_grad(lambda x: chain(F.sin, x, 20) * x + x, Variable(0.3))
    assert x.grad.item() == pytest.approx(expected.item(), rel=1e-6)


def chain(function, x, count):
    for _ in range(count):
        x = function(x)
    return x


UNARY = [F.sin, F.tanh, lambda x: x * 0.5, lambda x: F.reshape(x, (3, 2)).T, lambda x: x - F.sum(x)]
BINARY = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: F.concat([a, b])[1:3], F.maximum]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8))
def test_gradients_of_any_graph_agree_with_differences(instructions):
    """Each instruction applies a function to earlier values, of which the last one is the result."""

    def compute(x, y):
        values = [x, y]
        for which, i, j in instructions:
            a, b = values[i % len(values)], values[j % len(values)]
            values.append(UNARY[which](a) if which < len(UNARY) else BINARY[which - len(UNARY)](a, b))
        return values[-1]

    rng = np.random.default_rng(0)
    ad.testing.check_grads(compute, tuple(rng.uniform(0.5, 1.5, (2, 2, 3))), order=1)


def test_generation_is_one_more_than_the_highest_of_the_inputs():
    x, y = Variable(1.0), Variable(2.0)
    a = x * y
    b = a + x
    assert [v.generation for v in (x, y, a, b, F.sin(b))] == [0, 0, 1, 2, 3]


# What gets a gradient


def test_intermediate_gradients_are_dropped():
    x = Variable(2.0)
    a = x * x
    y = a * 3.0
    y.backward()
    assert a.grad is None
    assert y.grad is None


def test_intermediate_gradients_are_retained_on_request():
    x = Variable(2.0)
    a = x * x
    y = a * 3.0
    y.backward(retain_grad=True)
    assert (y.grad.item(), a.grad.item(), x.grad.item()) == (1.0, 3.0, 12.0)


def test_retained_gradients_of_several_outputs():
    x = Variable(np.arange(4.0))
    a, b = F.split(x, 2)
    y = F.sum(a * b)
    y.backward(retain_grad=True)
    assert a.grad.data.tolist() == [2.0, 3.0]
    assert b.grad.data.tolist() == [0.0, 1.0]


def test_arrays_and_numbers_are_constants():
    x, constant = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    y = x * constant + 1.0
    F.sum(y).backward()
    assert x.grad.data.tolist() == [3.0, 4.0]
    assert F.mul(constant, constant).creator is None


def test_what_does_not_reach_the_root_gets_no_gradient():
    x, other = Variable(1.0), Variable(2.0)
    unused = x * other
    (x * 2.0).backward()
    assert other.grad is None
    assert unused.grad is None


def test_what_has_no_influence_gets_no_gradient():
    x = Variable(2.0)
    y = x * 3.0
    y.backward(create_graph=True)
    slope = x.grad  # 3, a constant
    x.cleargrad()
    slope.backward()
    assert x.grad is None


def test_power_of_zero_has_gradient_zero():
    x = Variable(2.0)
    ((x * 3.0) ** 0).backward()
    assert x.grad.item() == 0.0


def test_leaf_that_is_gone_costs_no_rule():
    ran = []
    op = UserOp(
        "two rules in this test",
        lambda xp, a, b: a * b,
        vjp=(lambda F, g, _y, _a, b: g * b, lambda F, g, _y, a, _b: ran.append(1) or g * a),
    )
    x = Variable(2.0)
    y = op(x, Variable(3.0))
    y.backward()
    assert x.grad.item() == 3.0
    assert ran == []


def test_leaf_is_the_root_of_its_own_sweep():
    x = Variable([1.0, 2.0])
    x.backward()
    assert x.grad.data.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("root", [Variable(1), Variable([True, False])], ids=str)
def test_root_without_floats_is_refused(root):
    with pytest.raises(GradientError, match="floating point"):
        root.backward()


# The cotangent to start from


def test_cotangent_is_ones_unless_it_is_given():
    x = Variable([1.0, 2.0])
    (x * x).backward()
    assert x.grad.data.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("gradient", [[10.0, 1.0], np.array([10.0, 1.0]), Variable([10.0, 1.0]), [10, 1]], ids=repr)
def test_given_cotangent(gradient):
    x = Variable([1.0, 2.0])
    (x * x).backward(gradient)
    assert x.grad.data.tolist() == [20.0, 4.0]


def test_preset_cotangent_is_used_once():
    x = Variable([1.0, 2.0])
    y = x * x
    y.grad = Variable([10.0, 1.0])
    y.backward()
    assert x.grad.data.tolist() == [20.0, 4.0]
    assert y.grad is None


def test_given_cotangent_goes_before_the_preset_one():
    x = Variable(1.0)
    y = x * 2.0
    y.grad = Variable(5.0)
    y.backward(3.0)
    assert x.grad.item() == 6.0


@pytest.mark.parametrize("gradient", [1.0, np.ones(3), np.ones((2, 1))], ids=str)
def test_cotangent_of_another_shape_is_refused(gradient):
    x = Variable([1.0, 2.0])
    y = x * x
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        y.backward(gradient)
    assert x.grad is None


def test_cotangent_takes_the_dtype_of_the_root():
    x = Variable(np.ones(2, np.float32))
    (x * 2.0).backward(np.array([1.0, 0.5]))
    assert x.grad.dtype == np.float32


# Data replaced after the computation


def test_gradient_belongs_to_the_values_of_the_computation():
    x = Variable([1.0, 2.0])
    y = F.sum(x * x)
    x.data = np.array([10.0, 20.0])
    y.backward()
    assert x.grad.data.tolist() == [2.0, 4.0]


def test_gradient_of_an_earlier_shape_is_not_given_to_the_new_data():
    x = Variable(np.ones(3))
    y = F.sum(x * x)
    x.data = np.ones(2)
    y.backward()
    assert x.grad is None or x.grad.shape == x.shape


# Depth


def test_a_chain_of_100_000_nodes_neither_overflows_in_backward_nor_when_it_is_dropped():
    x = Variable(1.0)
    y = chain(lambda v: v + 1e-5, x, 100_000)
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_a_chain_of_20_000_nodes_can_be_differentiated_twice():
    x = Variable(2.0)
    y = chain(lambda v: v * 1.0, x, 20_000) * x
    y.backward(create_graph=True)
    gradient = x.grad
    x.cleargrad()
    gradient.backward()
    assert x.grad.item() == 2.0
    assert len(nodes_behind(gradient)) > 20_000


# Higher orders


def test_derivatives_of_every_order():
    expected = [0.5**n * np.exp(0.5 * 2.0) for n in range(6)]
    assert_allclose(derivatives(lambda x: F.exp(0.5 * x), 2.0, 5), expected, rtol=1e-14)


def test_plain_gradients_are_leaves_and_recorded_ones_are_not():
    x = Variable(2.0)
    (x**3).backward()
    assert x.grad.creator is None
    x.cleargrad()
    (x**3).backward(create_graph=True)
    assert x.grad.creator is not None


def test_gradient_penalty_reaches_all_leaves():
    """d/dw of (d/dx w x²)² = (2 w x)² is 8 w x²."""
    x, w = Variable(3.0), Variable(0.5)
    (w * x * x).backward(create_graph=True)
    slope = x.grad
    x.cleargrad()
    w.cleargrad()
    (slope * slope).backward()
    assert w.grad.item() == 8 * 0.5 * 9.0
    assert x.grad.item() == 8 * 0.25 * 3.0


def test_recorded_gradients_add_up_in_the_graph():
    x = Variable(2.0)
    (x**3).backward(create_graph=True)
    (x**2).backward(create_graph=True)
    total = x.grad
    x.cleargrad()
    total.backward()
    assert x.grad.item() == 6 * 2.0 + 2.0


def test_recorded_gradients_are_recorded_in_no_grad_too():
    a, b = Variable(2.0), Variable(3.0)
    y = (a + b) ** 3
    with ad.no_grad():
        y.backward(create_graph=True)
    assert a.grad.creator is not None
    assert b.grad.creator is not None


# Errors in rules


def broken(name, vjp):
    return UserOp(name, lambda xp, x: x + 0.0, vjp=vjp)


def raising(F, g, _y, _x):
    raise ZeroDivisionError("in the rule")


def test_error_in_a_rule_leaves_all_gradients_as_they_were():
    x, other = Variable(2.0), Variable(3.0)
    x.grad, other.grad = 7.0, 8.0
    a = broken("fails", raising)(x * 2.0)
    y = a * other
    y.grad = 5.0
    with pytest.raises(GradientError, match=r"fails\(float64 \(\)\).*ZeroDivisionError: in the rule") as caught:
        y.backward()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert [v.grad.item() for v in (x, other, y)] == [7.0, 8.0, 5.0]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("vjp", [
    lambda F, g, _y, _x: (), lambda F, g, _y, _x: (g, g), lambda F, g, _y, _x: g, lambda F, g, _y, _x: None,
], ids=["none", "two", "no tuple", "None"])  # fmt: skip
def test_wrong_number_of_cotangents_names_the_op(vjp, create_graph):
    x = Variable(1.0)
    with pytest.raises(GradientError, match="miscounts"):
        broken("miscounts", vjp)(x).backward(create_graph=create_graph)
    assert x.grad is None


def test_two_threads_may_compute_with_a_leaf_that_neither_has_met():
    x = Variable(2.0)
    y = x * 3.0
    x._link = None  # as a thread finds it that began before the first had made the link
    z = x * 5.0
    y.backward()
    z.backward()
    assert x.grad.item() == 8.0
