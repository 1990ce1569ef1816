"""One test for each defect of the source that must not be carried over, by its number in the list of them.

11, the training program's updates and batches, is tested with the program and the loaders.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F, hooks, layers as L, models, optimizers, viz
from adjoint.config import is_recording, is_training
from adjoint.errors import ArgumentError, ShapeError
from adjoint.testing import check_grads
from tests.support import derivatives, gradients


def test_defect_1_leaving_a_span_restores_what_was_there():
    with ad.no_grad():
        with ad.no_grad():
            pass
        assert not is_recording()
        assert (Variable(1.0) * 2.0).creator is None
    with ad.test_mode():
        with ad.test_mode():
            pass
        assert not is_training()


def test_defect_2_a_node_belongs_to_one_call():
    square = functools.partial(F.pow, b=2)
    x, y = Variable(2.0), Variable(3.0)
    a, b = square(x), square(y)
    assert a.creator is not b.creator
    (a * b).backward()
    assert (x.grad.item(), y.grad.item()) == (36.0, 24.0)


def test_defect_3_unequal_shapes_in_a_loss_are_an_error_that_names_both():
    for loss in (F.mean_squared_error, F.sigmoid_cross_entropy, F.binary_cross_entropy):
        with pytest.raises(ShapeError, match=r"\(4, 1\).*\(4,\)"):
            loss(Variable(np.full((4, 1), 0.5)), np.full(4, 0.5))


@pytest.mark.parametrize("function", [
    lambda x: F.mean(x, axis=-1),
    lambda x: F.variance(x, axis=-2),
    lambda x: F.concat([x, x * x], axis=-1),
    lambda x: F.transpose(x, (-1, 0, 1)),
], ids=["mean", "variance", "concat", "transpose"])  # fmt: skip
def test_defect_4_negative_axes_work_in_backward(function):
    check_grads(function, np.random.default_rng(0).standard_normal((2, 3, 2)))


@pytest.mark.parametrize(("function", "near"), [(F.max, np.nextafter(1.0, 0.0)), (F.min, np.nextafter(1.0, 2.0))])
def test_defect_5_exact_ties_share_and_near_ties_get_nothing(function, near):
    assert gradients(function, np.array([1.0, near, 1.0]))[0].tolist() == [0.5, 0.0, 0.5]


def test_defect_6_whole_powers_stop_at_zero():
    assert derivatives(lambda x: x**2, 0.0, 4) == [0.0, 0.0, 2.0, 0.0, 0.0]
    assert derivatives(lambda x: F.pow(x, np.array(2.0)), 0.0, 4) == [0.0, 0.0, 2.0, 0.0, 0.0]


def test_defect_7_masked_fill_takes_any_mask():
    for mask in ([2.0, 0.0, -0.5], [True, False, True], [255, 0, 1]):
        (slope,) = gradients(lambda x, mask=mask: F.masked_fill(x, mask, 9.0), np.ones(3), gradient=np.ones(3))
        assert slope.tolist() == [0.0, 1.0, 0.0]


class Nested(models.Model):
    """Parameters of equal names at every depth."""

    def __init__(self):
        self.w = Variable(np.ones((2, 2)))
        self.first = L.Linear(2, in_size=2)
        self.inner = models.MLP([2, 2])
        self.blocks = [{"a": L.Linear(2, in_size=2)}, {"a": L.Linear(2, in_size=2)}]

    def forward(self, x):
        x = self.inner(self.first(x @ self.w))
        for block in self.blocks:
            x = block["a"](x)
        return x


def test_defect_8_parameters_of_nested_layers_never_collide_and_all_are_trained():
    model = Nested()
    model(np.ones((3, 2)))
    before = {path: p.data.copy() for path, p in model.params().items()}
    assert list(before) == [
        "w", "first.w", "first.b", "inner.layers.0.w", "inner.layers.0.b", "inner.layers.1.w", "inner.layers.1.b",
        "blocks.0.a.w", "blocks.0.a.b", "blocks.1.a.w", "blocks.1.a.b",
    ]  # fmt: skip
    F.sum(model(np.ones((3, 2)))).backward()
    optimizers.SGD(0.1).update(model)
    for path, p in model.params().items():
        assert (p.data != before[path]).any(), f"{path} was not trained"


def test_defect_9_clipped_updates_are_bitwise_the_same_every_run():
    def run():
        model = models.MLP([16, 8, 4], rng=ad.random.const())
        optimizer = optimizers.SGD(0.1, hooks=[hooks.ClipGrad(0.01)])
        x = np.random.default_rng(0).standard_normal((5, 3))
        for _ in range(3):
            model.cleargrads()
            F.mean(model(x) ** 2).backward()
            optimizer.update(model)
        return b"".join(p.data.tobytes() for p in model.params().values())

    assert run() == run()


def test_defect_9_the_global_norm_is_summed_in_the_order_of_the_parameters():
    parameters = [Variable(np.zeros(1)) for _ in range(3)]
    grads = [np.array([1e8]), np.array([1.0]), np.array([1.0])]
    clipped = hooks.ClipGrad(1.0)(parameters, grads)
    scale = 1.0 / (np.sqrt(1e16 + 1.0 + 1.0) + 1e-6)
    assert [g.item() for g in clipped] == [g.item() * scale for g in grads]


def test_defect_10_the_inputs_of_a_sum_have_gradients_of_their_own():
    a, b = Variable(np.ones(2)), Variable(np.ones(2))
    (a + b).backward()
    a.grad.data *= 2.0
    assert b.grad.data.tolist() == [1.0, 1.0]


def test_defect_10_weight_decay_acts_once_on_each_parameter():
    class Sum(L.Layer):
        def __init__(self):
            self.a, self.b = Variable(np.ones(2)), Variable(np.ones(2))

        def forward(self):
            return self.a + self.b

    model = Sum()
    model().backward()
    optimizers.SGD(1.0, hooks=[hooks.WeightDecay(0.5)]).update(model)
    for p in model.params().values():
        assert p.data.tolist() == [-0.5, -0.5]


def test_defect_12_the_graph_of_a_leaf_is_one_node():
    text = viz.dot(Variable(1.0, name="x"))
    assert text.count("[label=") == 1
    assert "->" not in text


def test_defect_12_adam_learns_as_it_comes_and_refuses_a_rate_of_0():
    layer = L.Linear(1, in_size=2, rng=ad.random.const())
    before = layer.w.data.copy()
    F.sum(layer(np.ones((1, 2)))).backward()
    optimizers.Adam().update(layer)
    assert_allclose(layer.w.data, before - 1e-3, rtol=1e-4)
    with pytest.raises(ArgumentError, match="learning_rate"):
        optimizers.Adam(0.0)
