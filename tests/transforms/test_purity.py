"""Transforms change nothing that they are given, and leave no mode behind, also where the function raises."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import adjoint as ad
from adjoint import Variable, config, functions as F, models

A = np.array([1.0, 2.0, 3.0])
T = np.ones(3)

TRANSFORMS = {
    "grad": lambda f: lambda x: ad.grad(lambda x: f(x).sum())(x),
    "vjp": lambda f: lambda x: ad.vjp(f, x)[1](T),
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (T,)),
    "linearize": lambda f: lambda x: ad.linearize(f, x)[1](T),
    "jacobian": lambda f: ad.jacobian(f, mode="forward"),
    "reverse jacobian": lambda f: ad.jacobian(f, mode="reverse"),
    "hessian": lambda f: lambda x: ad.hessian(lambda x: f(x).sum())(x),
    "vmap": ad.vmap,
    "vmap of grad": lambda f: ad.vmap(ad.grad(f)),
    "nth_derivative": lambda f: ad.nth_derivative(f, 3),
    "checkpoint": lambda f: lambda x: ad.grad(lambda x: ad.checkpoint(f)(x).sum())(x),
}
EACH = pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)


def modes():
    return config.RECORDING.get(), config.LEVELS.get(), config.TRANSFORMING.get(), config.TRAINING.get()


@EACH
def test_variables_and_closures_stay_as_they_are(transform):
    x, w = Variable(A.copy()), Variable(2.0)
    x.grad, w.grad = A * 10.0, 7.0
    kept = x.grad, w.grad, x.data, w.data
    A.flags.writeable = False
    transform(lambda x: F.sin(x * w) * x)(x)
    transform(lambda x: F.sin(x * w) * x)(A)  # a write would raise
    assert all(a is b for a, b in zip(kept, (x.grad, w.grad, x.data, w.data), strict=True))
    assert_array_equal(x.data, A)
    assert (x.creator, w.creator) == (None, None)


@EACH
def test_modes_are_restored(transform):
    before = modes()
    seen = []

    def f(x):
        seen.append(modes())
        return F.sin(x)

    transform(f)(A)
    assert modes() == before
    assert all(mode[2] for mode in seen), "a transform tells that it runs"


@EACH
def test_modes_are_restored_when_f_raises(transform):
    before = modes()

    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        transform(f)(A)
    assert modes() == before


@EACH
def test_modes_are_restored_when_a_rule_raises(transform, op_table):
    def broken(F, g, _y, x):
        raise KeyError("mine")

    op = ad.op("broken", lambda xp, x: x * 1.0, vjp=broken, elementwise=True)
    before = modes()
    with contextlib.suppress(ad.AdjointError, KeyError):  # not every transform runs a rule
        transform(op)(A)
    assert modes() == before


def test_models_stay_as_they_are():
    model, x = models.LSTM(3, 1, rng=ad.random.const()), np.ones((2, 4))
    model(x)
    before = copy.deepcopy(vars(model.lstm)), {path: p.data.copy() for path, p in model.params().items()}
    for transform in (ad.grad, ad.hessian):
        transform(lambda m: (m(x) ** 2).sum())(model)
    ad.vmap(ad.grad(lambda m, x: (m(x) ** 2).sum()), in_axes=(None, 0))(model, x[:, None].repeat(2, 1))
    after = vars(model.lstm)
    for name in ("_hidden", "_cell"):
        if name in before[0]:
            assert_array_equal(after[name].data, before[0][name].data)
    for path, p in model.params().items():
        assert p.grad is None
        assert_array_equal(p.data, before[1][path])


def test_gradients_share_no_memory():
    first, second = ad.grad(lambda x, y: (x + y).sum(), (0, 1))(A, A)
    assert not np.shares_memory(first, second)
    assert first.flags.writeable
    assert second.flags.writeable
    _, pullback = ad.vjp(lambda x: x, A)
    g = np.ones(3)
    (found,) = pullback(g)
    found[0] = 5.0
    assert_array_equal(g, np.ones(3))


def test_value_shares_no_memory_with_the_argument():
    x = A.copy()
    value, _ = ad.vjp(lambda x: x, x)
    value[0] = 5.0
    assert_array_equal(x, A)


def test_threads_do_not_see_each_other():
    inside, checked = threading.Event(), threading.Event()
    seen = []

    def other():
        inside.wait(5)
        seen.append(modes()[1:3])
        seen.append(ad.grad(lambda x: x * x)(3.0))
        checked.set()

    thread = threading.Thread(target=other)
    thread.start()

    def f(x):
        inside.set()
        checked.wait(5)
        return F.sin(x)

    found = ad.vmap(ad.grad(f))(A)
    thread.join()
    assert seen == [(frozenset(), False), 6.0]
    assert_array_equal(found, np.cos(A))


def test_tasks_do_not_see_each_other():
    async def task(k):
        found = []
        for _ in range(3):
            found.append(ad.vmap(ad.grad(lambda x: x**k))(A))
            assert modes()[1:3] == (frozenset(), False)
            await asyncio.sleep(0)
        return found

    async def both():
        return await asyncio.gather(task(2), task(3))

    for k, found in zip((2, 3), asyncio.run(both()), strict=True):
        for part in found:
            np.testing.assert_allclose(part, k * A ** (k - 1))
