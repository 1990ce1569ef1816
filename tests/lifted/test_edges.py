"""Forward mode at the edges of domains and at kinks: what the reverse mode gives, in every order."""

from __future__ import annotations

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, apply, functions as F, linalg
from tests.ops.test_edges import CASES, STRICT
from tests.support import DIFFERENTIABLE, derivatives, samples_of

ORDERS = (1, 2, 3)


def series(f, x, order):
    return np.asarray(ad.nth_derivative(f, order)(x))


def nested(f, x, order):
    for _ in range(order):
        f = tangent_of(f)
    return np.asarray(f(x))


def tangent_of(f):
    return lambda x: ad.jvp(f, (x,), (np.ones_like(x),))[1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("f", "x"), CASES)
def test_derivatives_at_edges_are_0(f, x, order):
    x = np.asarray(x)
    with np.errstate(all="ignore"):
        assert series(f, x, order) == 0.0
        assert nested(f, x, order) == 0.0


@pytest.mark.parametrize(("f", "x", "expected"), STRICT.values(), ids=STRICT)
def test_strict_mode_gives_what_the_formula_says(f, x, expected):
    with np.errstate(all="ignore"), ad.strict_ieee():
        np.testing.assert_equal(float(series(f, np.asarray(x), 1)), expected)


POINTS = (0.0, 1.0, -1.0, 2.0)
OTHERS = (0.0, 1.0, -1.0, 0.5)


def alone(op, params, count, position, other):
    """The op as a function of one number, at a position."""

    def f(x):
        arguments = [np.bool_(True) if op.name == "where" else np.float64(other)] * count
        arguments[position] = x
        if op.name == "where":
            arguments[3 - position] = np.float64(other)
        return apply(op, *arguments, **params)

    return f


def elementwise_cases():
    for op in DIFFERENTIABLE:
        if not op.elementwise:
            continue
        first = samples_of(op)[0]
        for sample in samples_of(op):
            if sample is first or sample.params != first.params:
                floats = [i for i in range(len(sample.shapes)) if i not in sample.arrays]
                for position in floats:
                    yield pytest.param(op, sample, position, id=f"{op.name}-{sample.params}-{position}")


@pytest.mark.parametrize(("op", "sample", "position"), list(elementwise_cases()))
def test_derivatives_at_whole_numbers_are_those_of_the_reverse_mode(op, sample, position):
    """Kinks, ties and edges stand there, of the functions and of the way in which they are computed."""
    for other in OTHERS if len(sample.shapes) > 1 else OTHERS[:1]:
        f = alone(op, sample.params, len(sample.shapes), position, other)
        for x in POINTS:
            with np.errstate(all="ignore"):
                value, *expected = derivatives(f, np.float64(x), max(ORDERS))
                if not np.isfinite(value):
                    continue
                for order, slope in zip(ORDERS, expected, strict=True):
                    if np.isfinite(slope):
                        what = f"order {order} at {x}, {other}"
                        np.testing.assert_allclose(series(f, np.float64(x), order), slope, 1e-9, 1e-9, err_msg=what)
                        if order < 3:
                            np.testing.assert_allclose(nested(f, np.float64(x), order), slope, 1e-9, 1e-9, err_msg=what)


def test_ties_share_in_both_modes():
    x, t = np.array([2.0, 1.0, 2.0]), np.array([1.0, 5.0, 3.0])
    for f in (F.max, F.min, lambda x: F.maximum(x[0], x[2]), lambda x: F.sort(x)[1]):
        assert np.isclose(ad.jvp(f, (x,), (t,))[1], ad.grad(f)(x) @ t)
    tied = np.array([1.0, 1.0])
    assert ad.jvp(F.max, (tied,), (np.array([1.0, 3.0]),))[1] == 2.0


def test_second_derivative_of_softplus_at_0():
    """Its forward has |x|, whose kink is not one of the function."""
    x = np.zeros(())
    assert ad.nth_derivative(F.softplus, 2)(x) == 0.25
    assert ad.nth_derivative(lambda x: F.sigmoid_cross_entropy(F.reshape(x, (1,)), np.array([1.0])), 2)(x) == 0.25


def test_relu_at_0_is_flat_in_both_modes():
    assert ad.jvp(F.relu, (np.zeros(()),), (np.ones(()),))[1] == ad.grad(F.relu)(0.0) == 0.0


def test_ops_of_users_take_forward_derivatives_from_their_rule(op_table):
    log_cosh = ad.op(
        "log_cosh_of_size",
        lambda xp, x: xp.abs(x) + xp.log1p(xp.exp(-2.0 * xp.abs(x))),
        vjp=lambda F, g, _y, x: (g * F.tanh(x),),
        elementwise=True,
    )
    assert ad.nth_derivative(log_cosh, 2)(0.0) == 1.0
    by_forward = ad.op("by_forward", log_cosh.forward, vjp=lambda F, g, _y, x: (g,), elementwise=True, jvp=False)
    assert ad.nth_derivative(by_forward, 2)(0.0) == 0.0


def test_declared_tangents_are_used(op_table):
    """Also within vmap, and by vmap of it."""
    doubled = ad.op(
        "doubled", lambda xp, x: x * 1.0, vjp=lambda F, g, _y, _x: (g,), jvp=lambda F, ts, _y, _x: 2.0 * ts[0]
    )
    x, t = np.array([1.0, 2.0]), np.array([1.0, 3.0])
    expected = 2.0 * t
    np.testing.assert_array_equal(ad.jvp(doubled, (x,), (t,))[1], expected)
    np.testing.assert_array_equal(ad.jvp(ad.vmap(doubled), (x,), (t,))[1], expected)
    np.testing.assert_array_equal(ad.vmap(lambda x, t: ad.jvp(doubled, (x,), (t,))[1])(x, t), expected)


def test_declared_tangents_of_other_ops_are_used_within_vmap(op_table):
    """Of ops that do not act element by element: there a batch is no larger array."""
    total = ad.op(
        "total_of_size",
        lambda xp, x, y: (xp.sum(xp.abs(x)) * y, y),
        vjp=lambda F, g, _y, x, y: (g[0] * y * F.sign(x), F.sum(F.abs(x)) * g[0] + g[1]),
        jvp=lambda F, ts, _y, x, y: (7.0 * F.sum(ts[0]) * y, 0.0 * y),
    )
    x, t, y = np.arange(6.0).reshape(2, 3), np.ones((2, 3)), np.array([1.0, 2.0])
    pair = lambda x: total(x, 2.0)  # noqa: E731
    values, tangents = ad.jvp(ad.vmap(pair), (x,), (t,))
    np.testing.assert_array_equal(values[0], [6.0, 24.0])
    np.testing.assert_array_equal(tangents[0], [42.0, 42.0])
    np.testing.assert_array_equal(ad.vmap(total)(x, y)[0], [3.0, 24.0])
    shared = ad.jvp(lambda x: ad.vmap(lambda y: total(x, y))(y), (x[0],), (t[0],))[1]
    np.testing.assert_array_equal(shared[0], [21.0, 42.0])
    nested_batches = ad.jvp(ad.vmap(ad.vmap(lambda x: pair(x)[0])), (x[None],), (t[None],))[1]
    np.testing.assert_array_equal(nested_batches, tangents[0][None])
    inner = ad.vmap(lambda x: ad.jvp(pair, (x,), (np.ones(3),))[1][0])(x)
    np.testing.assert_array_equal(inner, tangents[0])


def test_rules_of_several_outputs_give_tangents(op_table):
    both = ad.op(
        "sine_and_cosine",
        lambda xp, x: (xp.sin(x), xp.cos(x)),
        vjp=lambda F, g, y, _x: ((0.0 if g[0] is None else g[0] * y[1]) - (0.0 if g[1] is None else g[1] * y[0]),),
        elementwise=True,
    )
    x = np.array([0.3, 1.2])
    _, tangents = ad.jvp(both, (x,), (np.ones(2),))
    np.testing.assert_allclose(tangents, [np.cos(x), -np.sin(x)], rtol=1e-14)


@pytest.mark.parametrize("a", [np.eye(3), np.ones((3, 3)), np.zeros((2, 2)), np.diag([1.0, 0.0, 2.0])], ids=str)
def test_determinants_of_singular_and_of_degenerate_matrices(a):
    rng = np.random.default_rng(0)
    t, u = rng.normal(size=(2, *a.shape))
    gradient = ad.grad(linalg.det)(a)
    np.testing.assert_allclose(ad.jvp(linalg.det, (a,), (t,))[1], np.sum(gradient * t), atol=1e-13)
    second = sum(np.linalg.det(a + i * t + j * u) * i * j for i in (-1, 1) for j in (-1, 1)) / 4.0
    cubic = ad.nth_derivative(lambda e: linalg.det(a + e * t + e * e * u), 2)  # det'' t t + 2 det' u
    if a.shape[0] == 2:  # there the difference is exact
        np.testing.assert_allclose(np.sum(ad.hvp(linalg.det, a, t) * u), second, atol=1e-12)
    expected = np.sum(ad.hvp(linalg.det, a, t) * t) + 2.0 * np.sum(gradient * u)
    np.testing.assert_allclose(cubic(0.0), expected, atol=1e-12)
    nested_tangents = ad.jvp(lambda b: ad.jvp(linalg.det, (b,), (t,))[1], (a,), (u,))[1]
    np.testing.assert_allclose(nested_tangents, np.sum(ad.hvp(linalg.det, a, t) * u), atol=1e-12)


def test_pseudoinverse_of_a_matrix_with_equal_singular_values():
    a, t = 2.0 * np.eye(3), np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(ad.jvp(linalg.pinv, (a,), (t,))[1], -t / 4.0, rtol=1e-13)
    stack = np.stack([a, a / 2.0])
    found = ad.jvp(ad.vmap(linalg.pinv), (stack,), (np.stack([t, t]),))[1]
    np.testing.assert_allclose(found, np.stack([-t / 4.0, -t]), rtol=1e-13)


def test_lanes_that_are_not_selected_leave_no_nan():
    x = Variable(np.array([-1.0, 0.0, 2.0]))
    f = lambda x: F.sum(F.where(x > 0.0, F.log(x) / x, x))  # noqa: E731
    with np.errstate(all="ignore"):
        _, tangent = ad.jvp(f, (x.data,), (np.ones(3),))
        second = ad.hvp(f, x.data, np.ones(3))
    assert np.isclose(tangent, 2.0 + (1.0 - np.log(2.0)) / 4.0)
    assert np.isfinite(second).all()
