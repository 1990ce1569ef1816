"""Where llvmlite is missing, NumPy runs the same programs, and says so once."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models, optimizers
from adjoint.compile import executable
from adjoint.compile.codegen import llvm
from adjoint.errors import OutOfRangeError


@pytest.fixture(autouse=True)
def no_llvm(monkeypatch):
    monkeypatch.setattr(llvm, "is_available", lambda: False)
    monkeypatch.setattr(executable, "_said", True)


def make_step():
    model = models.MLP([5, 3], rng=ad.random.const())
    model(np.ones((1, 4)))
    optimizer = optimizers.Adam(0.01)

    def step(x, t):
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        return loss

    return step, model, optimizer


def batch():
    rng = np.random.default_rng(0)
    return rng.standard_normal((6, 4)), rng.integers(0, 3, 6)


def test_steps_are_those_of_eager_runs():
    results = []
    for wrap in (lambda f: f, ad.compile):
        step, model, _ = make_step()
        step = wrap(step)
        losses = [step(*batch()).item() for _ in range(5)]
        results.append((losses, {name: p.data for name, p in model.params().items()}))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-12)
    for name, value in results[0][1].items():
        np.testing.assert_allclose(results[1][1][name], value, rtol=1e-12)


def test_a_failed_check_changes_nothing():
    step, model, optimizer = make_step()
    compiled = ad.compile(step)
    x, t = batch()
    compiled(x, t)
    before = {name: p.data.copy() for name, p in model.params().items()}
    with pytest.raises(OutOfRangeError, match="label 7"):
        compiled(x, np.full(6, 7))
    assert optimizer.updates == 1
    for name, p in model.params().items():
        np.testing.assert_array_equal(p.data, before[name])


def test_a_changed_learning_rate_takes_effect():
    step, model, optimizer = make_step()
    compiled = ad.compile(step)
    compiled(*batch())
    optimizer.learning_rate = 0.0
    before = model.layers[0].w.data.copy()
    compiled(*batch())
    np.testing.assert_array_equal(model.layers[0].w.data, before)
    assert compiled.cache_info().misses == 1


def test_it_is_said_once(monkeypatch):
    monkeypatch.setattr(executable, "_said", False)
    with pytest.warns(RuntimeWarning, match="llvmlite is not installed"):
        ad.compile(lambda x: x * 2.0)(np.ones(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ad.compile(lambda x: x * 3.0)(np.ones(3))


def test_explain_says_so():
    compiled = ad.compile(lambda x: x * 2.0)
    compiled(np.ones(3))
    assert "run by NumPy" in compiled.explain()
