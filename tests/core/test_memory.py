"""No reference cycles: reference counts alone free a graph, at once and whole."""

from __future__ import annotations

import contextlib
import gc
from weakref import ref

import numpy as np
import pytest

from adjoint import Variable, functions as F, layers as L, optimizers, random
from adjoint.core.custom import UserOp
from adjoint.core.graph import Link, Node
from adjoint.errors import GradientError, ShapeError
from tests.support import nodes_behind

pytestmark = pytest.mark.usefixtures("without_collector")


def network(x, w):
    return F.mean_squared_error(F.tanh(F.matmul(x, w)) @ w, np.ones((2, 2)))


def several_outputs(x, w):
    h, c = F.lstm_cell(x @ F.concat([w, w], axis=1))
    first, _ = F.split(h, [1, 0], axis=1)
    return F.sum(first * c)


def weak_nodes(y):
    """Weak references to all nodes behind y, without a strong one left."""
    return [ref(node) for node in nodes_behind(y)]


def assert_freed(references):
    assert references
    assert [r() for r in references if r() is not None] == []


@pytest.mark.parametrize("compute", [network, several_outputs])
def test_dropping_the_output_frees_the_graph(compute):
    x, w = Variable(np.ones((2, 2))), Variable(np.ones((2, 2)))
    y = compute(x, w)
    nodes = weak_nodes(y)
    del y
    assert_freed(nodes)


@pytest.mark.parametrize("retain_grad", [False, True])
@pytest.mark.parametrize("compute", [network, several_outputs])
def test_backward_leaves_nothing_behind(compute, retain_grad):
    x, w = Variable(np.ones((2, 2))), Variable(np.ones((2, 2)))
    y = compute(x, w)
    y.backward(retain_grad=retain_grad)
    nodes = weak_nodes(y)
    del y
    assert_freed(nodes)


@pytest.mark.parametrize("retain_grad", [False, True])
@pytest.mark.parametrize("compute", [network, several_outputs])
def test_graph_of_gradients_goes_with_the_gradients(compute, retain_grad):
    x, w = Variable(np.ones((2, 2))), Variable(np.ones((2, 2)))
    y = compute(x, w)
    y.backward(create_graph=True, retain_grad=retain_grad)
    nodes = weak_nodes(y) + weak_nodes(x.grad) + weak_nodes(w.grad)
    del y
    x.cleargrad()
    w.cleargrad()
    assert_freed(nodes)


def test_gradient_keeps_alive_what_it_was_computed_from():
    x = Variable(2.0)
    y = F.exp(x)
    y.backward(create_graph=True)
    del y
    gradient = x.grad
    x.cleargrad()
    gradient.backward()
    assert x.grad.item() == pytest.approx(np.exp(2.0))


def test_error_in_a_rule_leaves_no_cycle():
    def rule(F, g, _y, _x):
        raise ZeroDivisionError

    y = UserOp("fails", lambda xp, x: x + 0.0, vjp=rule)(Variable(1.0) * 2.0)
    nodes = weak_nodes(y)
    with contextlib.suppress(GradientError):
        y.backward()
    del y
    assert_freed(nodes)


def test_error_in_a_forward_leaves_no_cycle():
    x = Variable(np.ones(3))
    y = x * 2.0
    nodes = weak_nodes(y)
    with contextlib.suppress(ShapeError):
        y + np.ones(4)
    del y
    assert_freed(nodes)


def test_unchained_graph_is_freed():
    x = Variable(2.0)
    a = x * x
    z = a * 3.0
    behind = ref(a.creator)
    z.unchain_backward()
    assert behind() is None


def test_values_go_with_the_graph():
    x = Variable(np.ones(3))
    y = F.sum(F.sin(x * 2.0))
    inner = ref(y.creator.inputs[0].creator.saved[0])
    assert inner() is not None
    del y
    assert inner() is None


def test_leaf_that_is_dropped_is_freed_while_the_graph_lives():
    x, other = Variable(np.ones(3)), Variable(np.ones(3))
    y = F.sum(x + other)
    gone = ref(other)
    del other
    assert gone() is None
    y.backward()
    assert x.grad.data.tolist() == [1.0, 1.0, 1.0]


def live_objects():
    """How many Variables, nodes and links there are."""
    return sum(isinstance(thing, (Variable, Node, Link)) for thing in gc.get_objects())


def steps_of_double_backward(count):
    x = Variable(np.array([1.0, 2.0]))
    for _ in range(count):
        x.cleargrad()
        F.sum(x**4).backward(create_graph=True)
        slope = x.grad
        x.cleargrad()
        F.sum(slope * slope).backward()
        x.data = x.data - 1e-6 * x.grad.data


def steps_of_training(count):
    layer, optimizer = L.LSTM(2, rng=random.const()), optimizers.Adam()
    for _ in range(count):
        loss = F.sum(layer(np.ones((1, 2))) ** 2)
        layer.cleargrads()
        loss.backward()
        loss.unchain_backward()
        optimizer.update(layer)


@pytest.mark.parametrize("steps", [steps_of_double_backward, steps_of_training])
def test_repeated_steps_leave_nothing_behind(steps):
    steps(2)
    before = live_objects()
    steps(20)
    assert live_objects() == before
