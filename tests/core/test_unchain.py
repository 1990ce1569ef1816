"""Cutting the graph: one link, everything behind a value, or none but for a new leaf."""

from __future__ import annotations

import numpy as np

from adjoint import Variable, functions as F, layers as L, random
from tests.support import nodes_behind


def test_unchained_value_is_a_leaf_for_what_was_computed_from_it():
    x = Variable(2.0)
    a = x * x
    y = a * 3.0
    a.unchain()
    y.backward()
    assert a.creator is None
    assert a.grad.item() == 3.0
    assert x.grad is None


def test_unchaining_cuts_one_link_alone():
    x = Variable(2.0)
    a = x * x
    y, z = a * 3.0, a * 5.0
    y.unchain()
    z.backward()
    assert y.creator is None
    assert x.grad.item() == 20.0


def test_unchaining_a_leaf_changes_nothing():
    x = Variable(2.0)
    y = x * x
    x.unchain()
    x.unchain_backward()
    y.backward()
    assert x.grad.item() == 4.0


def test_unchain_backward_keeps_the_values_own_creator():
    x = Variable(2.0)
    a = x * x
    b = a * 3.0
    z = a * b
    z.unchain_backward()
    assert z.creator is not None
    assert a.creator is b.creator is None
    z.backward()
    assert x.grad is None
    assert (a.grad.item(), b.grad.item()) == (12.0, 4.0)


def test_unchain_backward_cuts_side_branches_too():
    x = Variable(2.0)
    a = x * x
    side = a + 1.0
    z = a * 2.0 + side
    z.unchain_backward()
    side.backward()
    assert x.grad is None


def test_unchain_backward_cuts_the_other_outputs_of_an_op():
    x = Variable(np.arange(4.0))
    first, second = F.split(x * 2.0, 2)
    F.sum(first).unchain_backward()
    assert first.creator is None
    assert second.creator is None


def test_output_of_several_keeps_its_creator_and_its_siblings_lose_theirs():
    h, c = F.lstm_cell(Variable(np.ones((1, 4))) * 1.0)
    h.unchain_backward()
    assert h.creator is not None
    assert c.creator is None


def test_truncation_cuts_hidden_and_cell_state():
    layer = L.LSTM(2, rng=random.const())
    x = Variable(np.ones((1, 3)))
    for _ in range(3):
        loss = F.sum(layer(x) ** 2)
    assert len(nodes_behind(loss)) > 6
    loss.unchain_backward()
    assert layer.hidden.creator is None
    assert layer.cell.creator is None
    before = len(nodes_behind(F.sum(layer(x))))
    assert before <= 3


def test_truncated_steps_give_the_gradients_of_the_last_span():
    """The same as a fresh graph that starts from the values of the states."""

    def run(cut):
        layer = L.LSTM(2, rng=random.const())
        xs = np.random.default_rng(0).standard_normal((5, 1, 3))
        for x in xs[:3]:
            loss = F.sum(layer(x) ** 2)
        cut(layer, loss)
        layer.cleargrads()
        total = sum(F.sum(layer(x) ** 2) for x in xs[3:])
        total.backward()
        return {name: p.grad.data for name, p in layer.params().items()}

    def by_hand(layer, loss):
        layer._hidden, layer._cell = layer.hidden.detach(), layer.cell.detach()

    truncated, detached = run(lambda layer, loss: loss.unchain_backward()), run(by_hand)
    for name, gradient in truncated.items():
        assert gradient.tolist() == detached[name].tolist()


def test_detached_is_a_new_leaf_on_the_same_array():
    x = Variable([1.0, 2.0], name="x")
    y = x * 2.0
    leaf = y.detach()
    assert leaf.data is y.data
    assert leaf.creator is None
    F.sum(leaf * y).backward()
    assert leaf.grad.data.tolist() == [2.0, 4.0]
    assert x.grad.data.tolist() == [4.0, 8.0]
    assert y.creator is not None
