"""Gradients have memory of their own: one that is changed in place changes nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adjoint import Variable, functions as F

SHARING = {
    "sum of two": lambda a, b: F.sum(a + b),
    "difference": lambda a, b: F.sum(a - b),
    "twice the same": lambda a, b: F.sum(a + a + b),
    "reshaped": lambda a, b: F.sum(F.reshape(a, -1) + F.reshape(b, -1)),
    "transposed": lambda a, b: F.sum(a.T + b.T),
    "joined": lambda a, b: F.sum(F.concat([a, b]) * np.arange(8.0).reshape(4, 2)),
    "stacked": lambda a, b: F.sum(F.stack([a, b])),
    "sums": lambda a, b: F.sum(a) + F.sum(b),
    "copies": lambda a, b: F.sum(a[...] + b[:, :]),
    "indexed": lambda a, b: F.sum(F.scatter_add(a, slice(None), b)),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("compute", SHARING.values(), ids=SHARING)
def test_no_two_leaves_share_the_memory_of_their_gradients(compute, create_graph):
    a, b = Variable(np.ones((2, 2))), Variable(np.ones((2, 2)))
    compute(a, b).backward(create_graph=create_graph)
    before = b.grad.data.tolist()
    a.grad.data[...] = 70.0
    assert b.grad.data.tolist() == before


@pytest.mark.parametrize("compute", SHARING.values(), ids=SHARING)
def test_retained_gradients_share_no_memory_either(compute):
    a, b = Variable(np.ones((2, 2))), Variable(np.ones((2, 2)))
    y = compute(a, b)
    y.backward(retain_grad=True)
    shown = [v.grad.data for v in (a, b, y)]
    assert not any(np.shares_memory(p, q) for p, q in itertools.combinations(shown, 2))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("compute", [
    lambda a: a + 0.0, lambda a: F.reshape(a, (4,)), lambda a: a.T, lambda a: F.broadcast_to(a, (2, 2)),
], ids=["sum", "reshape", "transpose", "broadcast_to"])  # fmt: skip
def test_gradient_that_is_given_is_shown_by_no_leaf(compute, create_graph):
    a = Variable(np.ones((2, 2)))
    y = compute(a)
    g = np.ones(y.shape)
    y.backward(g, create_graph=create_graph)
    assert not np.shares_memory(a.grad.data, g)


def test_gradient_that_is_given_to_a_leaf_is_copied():
    x, g = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    x.backward(g)
    assert not np.shares_memory(x.grad.data, g)


def test_gradient_does_not_show_the_values_of_its_op():
    x, factor = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    (x * factor).backward()
    x.grad.data[...] = 0.0
    assert factor.tolist() == [3.0, 4.0]
