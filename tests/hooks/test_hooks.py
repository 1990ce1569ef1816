"""Hooks return gradients and change nothing themselves."""

import os
import subprocess
import sys

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models, optimizers
from adjoint.errors import ArgumentError, DTypeError
from adjoint.hooks import ClipGrad, WeightDecay


def parameters(*arrays):
    return [ad.Variable(np.asarray(array, np.float64)) for array in arrays]


@pytest.mark.parametrize("hook", [WeightDecay(0.5), ClipGrad(1.0), ClipGrad(1e9)], ids=["decay", "clip", "wide clip"])
class TestEveryHook:
    def test_changes_neither_parameters_nor_gradients(self, hook):
        ps, gs = parameters([1.0, 2.0], [[3.0]]), [np.array([3.0, 4.0]), np.array([[5.0]])]
        kept = [g.copy() for g in gs]
        for array in [*(p.data for p in ps), *gs]:
            array.flags.writeable = False
        new = hook(ps, gs)
        assert len(new) == 2
        assert all(a is not b for a, b in zip(new, gs, strict=True))
        np.testing.assert_array_equal(gs[0], kept[0])
        np.testing.assert_array_equal(ps[0].data, [1.0, 2.0])

    def test_keeps_shapes_and_dtypes(self, hook):
        ps = [ad.Variable(np.ones(shape, dtype)) for shape, dtype in (((), "f4"), ((2, 3), "f2"), ((4,), "f8"))]
        gs = [p.data + 1 for p in ps]
        new = hook(ps, gs)
        assert [(g.shape, g.dtype) for g in new] == [(p.shape, p.dtype) for p in ps]

    def test_of_nothing(self, hook):
        assert list(hook([], [])) == []

    def test_leaves_the_gradients_of_a_model_as_they_are(self, hook):
        model = models.MLP([3, 1])
        F.sum(model(np.ones((2, 2))) ** 2).backward()
        before = {name: (p.grad, p.grad.data.copy()) for name, p in model.params().items()}
        optimizers.SGD(0.1, hooks=[hook]).update(model)
        for name, p in model.params().items():
            assert p.grad is before[name][0]
            np.testing.assert_array_equal(p.grad.data, before[name][1])

    def test_a_gradient_that_two_parameters_share_counts_once_for_each(self, hook):
        a, b = ad.Variable(np.array([1.0, 2.0])), ad.Variable(np.array([1.0, 2.0]))
        F.sum(3.0 * (a + b)).backward()
        one, other = hook([a, b], [a.grad.data, b.grad.data])
        np.testing.assert_array_equal(one, other)


def test_weight_decay():
    ps, gs = parameters([1.0, -2.0], 4.0), [np.array([0.5, 0.5]), np.array(1.0)]
    new = WeightDecay(0.1)(ps, gs)
    np.testing.assert_allclose(new[0], [0.6, 0.3], rtol=1e-15)
    np.testing.assert_allclose(new[1], 1.4, rtol=1e-15)


def test_weight_decay_of_rate_zero():
    np.testing.assert_array_equal(WeightDecay(0)(parameters([1.0]), [np.array([2.0])]), [[2.0]])


def test_clip_scales_by_the_norm_of_all():
    gs = [np.array([3.0]), np.array([[0.0, 4.0]])]
    new = ClipGrad(1.0)(parameters([0.0], [[0.0, 0.0]]), gs)
    scale = 1.0 / (5.0 + 1e-6)
    np.testing.assert_allclose(new[0], [3.0 * scale], rtol=1e-15)
    np.testing.assert_allclose(new[1], [[0.0, 4.0 * scale]], rtol=1e-15)


@pytest.mark.parametrize("limit", [5.1, 1e9, float("inf")])
def test_clip_leaves_small_gradients_bit_for_bit(limit):
    gs = [np.array([3.0]), np.array([4.0])]
    new = ClipGrad(limit)(parameters([0.0], [0.0]), gs)
    assert [g.tobytes() for g in new] == [g.tobytes() for g in gs]


def test_clip_of_zeros():
    np.testing.assert_array_equal(ClipGrad(1.0)(parameters([0.0]), [np.zeros(1)]), [[0.0]])


def test_clip_of_empty_gradients():
    new = ClipGrad(1.0)(parameters(np.zeros((0, 2)), [3.0]), [np.zeros((0, 2)), np.array([4.0])])
    np.testing.assert_allclose(new[1], [4.0 / (4.0 + 1e-6)])


def test_clip_is_the_same_bit_for_bit():
    rng = np.random.default_rng(0)
    ps = [ad.Variable(rng.standard_normal(size)) for size in (1000, 3, 77, 12345)]
    gs = [rng.standard_normal(p.shape) * 10.0 ** rng.integers(-3, 3) for p in ps]
    runs = {b"".join(g.tobytes() for g in ClipGrad(0.3)(ps, gs)) for _ in range(20)}
    assert len(runs) == 1


def test_training_with_clipped_gradients_is_the_same_in_every_process():
    code = """
import numpy as np, adjoint as ad
from adjoint import functions as F, hooks, models, optimizers
model = models.LSTM(7, 2, rng=ad.random.const())
optimizer = optimizers.SGD(0.1, hooks=[hooks.ClipGrad(0.01)])
for x in np.random.default_rng(0).standard_normal((4, 5, 3)):
    loss = F.sum(model(x) ** 2)
    model.cleargrads()
    loss.backward()
    loss.unchain_backward()
    optimizer.update(model)
print(b"".join(p.data.tobytes() for p in model.params().values()).hex())
"""
    runs = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        runs.add(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)
    assert len(runs) == 1
    assert len(runs.pop()) > 1000


def test_clip_adds_up_in_the_order_of_the_parameters():
    # 1e16 + 1 + 1 is 1e16 in this order and 1e16 + 2 from the other end.
    gs = [np.array([1e8]), np.array([1.0]), np.array([1.0])]
    ps = parameters([0.0], [0.0], [0.0])
    forward, backward = ClipGrad(1.0)(ps, gs), ClipGrad(1.0)(ps, gs[::-1])
    assert forward[0][0] == 1e8 * (1.0 / (np.sqrt(1e16) + 1e-6))
    assert backward[2][0] == 1e8 * (1.0 / (np.sqrt(2.0 + 1e16) + 1e-6))


def test_clip_then_decay_is_not_decay_then_clip():
    ps, gs = parameters([10.0]), [np.array([10.0])]
    first = WeightDecay(1.0)(ps, ClipGrad(1.0)(ps, gs))
    second = ClipGrad(1.0)(ps, WeightDecay(1.0)(ps, gs))
    np.testing.assert_allclose([first[0][0], second[0][0]], [11.0, 1.0], rtol=1e-6)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
def test_rates(rate):
    with pytest.raises(ArgumentError, match="rate is a finite number from 0"):
        WeightDecay(rate)


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_limits(limit):
    with pytest.raises(ArgumentError, match="max_norm is a number above 0"):
        ClipGrad(limit)


def test_settings_are_numbers():
    for make in (WeightDecay, ClipGrad):
        with pytest.raises(DTypeError, match="is a number, not '1'"):
            make("1")
