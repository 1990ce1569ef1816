"""Ops that users declare: forward and rule, and every order for free."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F
from adjoint.errors import ArgumentError, GradientError, ShapeError
from adjoint.testing import check_grads
from tests.support import nodes_behind

pytestmark = pytest.mark.usefixtures("op_table")
X = np.array([0.5, 1.5, -2.0])


def test_declared_op_has_derivatives_of_every_order():
    cube = ad.op("cube", lambda xp, x: x * x * x, vjp=lambda F, g, _y, x: (3.0 * g * x * x,), elementwise=True)
    check_grads(cube, X, order=4)


def test_rule_may_use_the_op_itself_and_the_output():
    growth = ad.op("growth", lambda xp, x: xp.exp(2.0 * x), vjp=lambda F, g, y, _x: (2.0 * g * y,))
    bell = ad.op("bell", lambda xp, x: xp.exp(-x * x), vjp=lambda F, g, _y, x: (-2.0 * g * x * F.bell(x),))
    check_grads(growth, X, order=3)
    check_grads(bell, X, order=3)


def test_op_mixes_with_the_packages_functions():
    double = ad.op("double", lambda xp, x: 2.0 * x, vjp=lambda F, g, _y, _x: (2.0 * g,), linear=True)
    check_grads(lambda x: F.sin(double(x) * x), X, order=3)
    assert [node.name for node in nodes_behind(double(Variable(X)))] == ["double"]


def test_parameters_reach_forward_and_rule():
    scaled = ad.op("scaled", lambda xp, x, *, by=1.0: by * x, vjp=lambda F, g, _y, _x, *, by=1.0: (by * g,))
    assert scaled(Variable(2.0)).item() == 2.0
    x = Variable(2.0)
    scaled(x, by=5.0).backward()
    assert x.grad.item() == 5.0


def test_one_rule_an_input_runs_for_those_that_need_it():
    ran = []

    def of_b(F, g, _y, a, _b):
        ran.append("b")
        return g * a

    product = ad.op("product", lambda xp, a, b: a * b, vjp=(lambda F, g, _y, _a, b: g * b, of_b))
    product(Variable(X), X).backward()
    assert ran == []
    check_grads(product, (X, X + 1.0))


def test_rule_may_be_missing_for_an_input():
    chosen = ad.op("chosen", lambda xp, a, b: xp.where(b > 0, a, 0.0),
                   vjp=(lambda F, g, _y, _a, b: F.where(b > 0, g, 0.0), None))  # fmt: skip
    a, b = Variable(X), Variable(X)
    chosen(a, b).backward()
    assert a.grad.data.tolist() == [1.0, 1.0, 0.0]
    assert b.grad is None


def test_rule_with_needs_is_told_which_inputs_need_a_cotangent():
    told = []

    def rule(F, g, _y, a, b, *, needs):
        told.append(list(needs))
        return g * b, g * a

    product = ad.op("product", lambda xp, a, b: a * b, vjp=rule)
    x = Variable(X)
    product(x, X).backward()
    product(X, x * 1.0).backward()
    product(x, Variable(X)).backward()  # the second is gone by now
    assert told == [[True, False], [False, True], [True, False]]


def test_several_outputs():
    def rule(F, g, _y, x):
        g_sine, g_cosine = g
        sine = g_sine * F.cos(x) if g_sine is not None else 0.0 * x
        return (sine if g_cosine is None else sine - g_cosine * F.sin(x),)

    circle = ad.op("circle", lambda xp, x: (xp.sin(x), xp.cos(x)), vjp=rule)
    sine, cosine = circle(Variable(X))
    assert_allclose((sine.data, cosine.data), (np.sin(X), np.cos(X)))
    check_grads(circle, X, order=3)
    check_grads(lambda x: circle(x)[0], X, order=3)
    check_grads(lambda x: circle(x)[1] * 2.0, X, order=3)


def test_one_output_in_a_tuple_stays_in_a_tuple():
    wrapped = ad.op("wrapped", lambda xp, x: (2.0 * x,), vjp=lambda F, g, _y, _x: (2.0 * g[0],))
    (y,) = wrapped(x := Variable(3.0))
    y.backward()
    assert x.grad.item() == 2.0


def test_any_number_of_inputs():
    total = ad.op("total", lambda xp, *xs: sum(xs), vjp=lambda F, g, _y, *_xs: tuple(g for _ in _xs))
    check_grads(total, (X, X, X))


def test_broadcast_inputs_get_gradients_of_their_shapes():
    product = ad.op("product", lambda xp, a, b: a * b, vjp=lambda F, g, _y, a, b: (g * b, g * a))
    check_grads(product, (np.ones((2, 1)), X))


class Doubling:
    """A rule as an object: nothing is known of what it reads."""

    def __call__(self, F, g, y, x):
        return (2.0 * g + 0.0 * x * y,)

    def method(self, F, g, _y, x):
        return (2.0 * g * x,)


@pytest.mark.parametrize(("forward", "rule"), [
    (lambda xp, x: 2.0 * x, Doubling()),
    (lambda xp, x: x * x, Doubling().method),
    (lambda xp, x: x * x, lambda *args: (2.0 * args[1] * args[3],)),
    (lambda xp, x: x * x, lambda F, *args: (2.0 * args[0] * args[2],)),
], ids=["object", "method", "arguments", "some arguments"])  # fmt: skip
def test_rule_may_be_any_callable(forward, rule):
    check_grads(ad.op("any", forward, vjp=rule), X)


def test_without_a_rule_results_are_constants():
    rounded = ad.op("rounded", lambda xp, x: xp.sign(x) * 0.5)
    y = rounded(Variable(X))
    assert y.creator is None


def test_declaring_again_replaces_the_op_in_rules_too():
    ad.op("slope", lambda xp, x: 1.0 + 0.0 * x)
    line = ad.op("line", lambda xp, x: 2.0 * x, vjp=lambda F, g, _y, x: (g * F.slope(x),))
    x = Variable(1.0)
    for create_graph in (False, True):
        x.cleargrad()
        ad.op("slope", lambda xp, x: 1.0 + 0.0 * x)
        line(x).backward(create_graph=create_graph)
        assert x.grad.item() == 1.0
        x.cleargrad()
        ad.op("slope", lambda xp, x: 2.0 + 0.0 * x)
        line(x).backward(create_graph=create_graph)
        assert x.grad.item() == 2.0


@pytest.mark.parametrize("name", ["sin", "add", "unindex"])
def test_names_of_the_packages_ops_are_taken(name):
    before = ad.ops.TABLE[name]
    with pytest.raises(ArgumentError, match=rf"'{name}'"):
        ad.op(name, lambda xp, x: x)
    assert ad.ops.TABLE[name] is before


def test_rule_that_asks_for_an_unknown_op_is_named():
    wrong = ad.op("wrong", lambda xp, x: 2.0 * x, vjp=lambda F, g, _y, x: (F.nonesuch(x),))
    for create_graph in (False, True):
        with pytest.raises(GradientError, match=r"wrong.*nonesuch"):
            wrong(Variable(1.0)).backward(create_graph=create_graph)


def test_error_of_the_forward_names_the_op_its_inputs_and_what_it_needs():
    def forward(xp, x, *, parts):
        if len(x) % parts:
            raise ValueError("cannot be cut")
        return x

    cut = ad.op("cut", forward, requires="a whole number of parts")
    with pytest.raises(ShapeError, match=r"cut\(float64 \(3,\), parts=2\): cannot be cut\n.*a whole number of parts"):
        cut(Variable(X), parts=2)


def test_op_shows_its_name():
    assert repr(ad.op("named", lambda xp, x: x)) == "<op named>"
