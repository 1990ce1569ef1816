"""How often programs are made and found: for gradients that come and go, other shapes, modes and arguments."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import adjoint as ad
from adjoint import functions as F, models, optimizers

ONES = np.ones(3)
X = np.random.default_rng(0).normal(size=(6, 3))


def training(optimizer=optimizers.Adam, model=None):
    model = model or models.MLP([4, 1], rng=np.random.default_rng(0))
    rule = optimizer(0.01)

    def step(x):
        loss = F.mean_squared_error(model(x), x[:, :1])
        model.cleargrads()
        loss.backward()
        rule.update(model)
        return loss

    return model, step


def test_hits_misses_and_sizes():
    f = ad.compile(lambda x: x * 2.0)
    assert f.cache_info() == (0, 0, f.cache_info().maxsize, 0)
    assert f.cache_info()._fields == ("hits", "misses", "maxsize", "currsize")
    f(ONES)
    assert f.cache_info()[:2] == (0, 1)
    f(ONES), f(ONES)
    assert f.cache_info()[:2] == (2, 1)
    f(np.ones(4))
    assert f.cache_info()[:2] == (2, 2)
    f(ONES), f(np.ones(4))
    assert f.cache_info() == (4, 2, f.cache_info().maxsize, 2)


@pytest.mark.filterwarnings("ignore::adjoint.errors.RetraceWarning")
def test_no_more_programs_are_kept_than_maxsize():
    f = ad.compile(lambda x, n: x * n)
    most = f.cache_info().maxsize
    for n in range(most + 3):
        f(ONES, n)
    assert f.cache_info() == (0, most + 3, most, most)
    np.testing.assert_array_equal(f(ONES, 0), ONES * 0)
    np.testing.assert_array_equal(f(ONES, most), ONES * most)


def test_functions_have_counts_of_their_own():
    class Holder:
        @ad.compile
        def f(self, x):
            return x * 2.0

    first, second = Holder(), Holder()
    first.f(ONES), second.f(ONES)
    assert Holder.f.cache_info() == first.f.cache_info()
    assert ad.compile(lambda x: x).cache_info().misses == 0


def test_gradients_that_are_there_and_that_are_not_share_a_program():
    model, step = training()
    model(X)
    f = ad.compile(step)
    assert model.layers[0].w.grad is None
    f(X), f(X)
    model.cleargrads()
    f(X)
    model.layers[0].w.cleargrad()
    f(X)
    assert f.cache_info()[:2] == (3, 1)


def test_a_gradient_that_is_read_makes_a_program_for_its_absence():
    w = ad.Variable(np.ones(3))
    f = ad.compile(lambda x: F.sum(w * x).backward())
    for expected in (1.0, 2.0, 3.0):
        f(ONES)
        np.testing.assert_array_equal(w.grad.data, np.full(3, expected))
    assert f.cache_info()[:2] == (1, 2)
    w.cleargrad()
    f(ONES)
    np.testing.assert_array_equal(w.grad.data, ONES)
    assert f.cache_info()[:2] == (2, 2)


def test_a_parameter_whose_gradient_nobody_touches_keeps_its_gradient():
    v, w = ad.Variable(np.ones(3)), ad.Variable(np.ones(3))

    @ad.compile
    def f(x):
        v.cleargrad()
        F.sum(v * w.detach() * x).backward()

    for gradient in (None, np.full(3, 7.0), None):
        w.grad = gradient
        before = w.grad
        f(ONES)
        assert w.grad is before
    assert f.cache_info().misses == 1


def test_a_function_without_a_backward_leaves_gradients_alone():
    model, _ = training()
    model(X)
    f = ad.compile(lambda x: model(x))
    f(X)
    assert model.layers[0].w.grad is None
    model.layers[0].w.grad = np.ones((3, 4))
    gradient = model.layers[0].w.grad
    f(X)
    assert model.layers[0].w.grad is gradient
    assert f.cache_info()[:2] == (1, 1)


def test_updates_only_of_what_has_a_gradient():
    v, w = ad.Variable(np.ones(3)), ad.Variable(np.ones(3))
    model, optimizer = models.Model(), optimizers.Adam(0.5)
    model.v, model.w = v, w
    f = ad.compile(lambda: optimizer.update(model))
    v.grad = ONES
    f()
    assert (v.data != 1).all()
    assert (w.data == 1).all()
    v.grad, w.grad = None, ONES
    before = v.data
    f()
    assert v.data is before
    assert (w.data != 1).all()
    v.grad = ONES
    f()
    assert (v.data != before).all()
    v.grad = w.grad = None
    f()
    assert optimizer.updates == 3


def test_a_ragged_last_batch_has_a_program_of_its_own():
    model, step = training()
    other, eager = training()
    f = ad.compile(step)
    f(X), eager(X)  # makes the parameters
    for _ in range(3):
        for count in (6, 6, 6, 4):
            np.testing.assert_allclose(f(X[:count]).data, eager(X[:count]).data, rtol=1e-12)
    assert f.cache_info().misses == 2
    np.testing.assert_allclose(model.layers[0].w.data, other.layers[0].w.data, rtol=1e-11)


def test_training_and_test_mode_have_programs_of_their_own():
    rng = ad.random.source(0)
    f = ad.compile(lambda x: F.dropout(x, 0.5, rng))
    x = ad.Variable(np.ones(50))
    assert (f(x).data == 0).any()
    for _ in range(2):
        with ad.test_mode():
            np.testing.assert_array_equal(f(x).data, x.data)
        assert (f(x).data == 0).any()
    assert f.cache_info()[:2] == (3, 2)


def test_no_grad_has_a_program_of_its_own():
    w = ad.Variable(np.ones(3))

    @ad.compile
    def f(x):
        y = F.sum(w * x)
        if y.creator is not None:
            w.cleargrad()
            y.backward()
        return y

    with ad.no_grad():
        f(ONES)
    assert w.grad is None
    f(ONES)
    np.testing.assert_array_equal(w.grad.data, ONES)
    w.cleargrad()
    with ad.no_grad():
        f(ONES)
    assert w.grad is None
    assert f.cache_info()[:2] == (1, 2)


def test_modes_inside_of_the_function():
    w = ad.Variable(np.ones(3))

    @ad.compile
    def f(x):
        w.cleargrad()
        with ad.no_grad():
            y = w * 2.0
        with ad.test_mode():
            z = F.dropout(y * w, 0.5)
        F.sum(z * x).backward()

    f(ONES), f(ONES)
    np.testing.assert_array_equal(w.grad.data, 2.0 * ONES)


def test_variables_and_arrays_as_one_argument_have_programs_of_their_own():
    f = ad.compile(lambda x: x * 2.0)
    for _ in range(2):
        assert type(f(ONES)) is np.ndarray
        assert type(f(ad.Variable(ONES))) is ad.Variable
    assert f.cache_info()[:2] == (2, 2)


def test_dtypes_have_programs_of_their_own():
    f = ad.compile(lambda x: x * 2)
    for dtype in (np.float32, np.float64, np.int32, np.int64, np.uint8):
        for _ in range(2):
            assert f(np.ones(3, dtype)).dtype == dtype
    assert f.cache_info()[:2] == (5, 5)


def test_recurrent_state_makes_two_programs():
    model = models.LSTM(4, 1, rng=np.random.default_rng(0))
    _, step = training(model=model)
    model(X)
    model.reset_state()

    @ad.compile
    def f(x):
        loss = step(x)
        loss.unchain_backward()
        return loss

    for _ in range(3):
        model.reset_state()
        for _ in range(3):
            f(X)
    assert f.cache_info()[:2] == (7, 2)


def test_the_program_can_be_looked_at():
    f = ad.compile(lambda x: x * 2.0)
    with pytest.raises(ad.errors.DTypeError, match="call it once"):
        _ = f.program
    f(ONES)
    assert "mul" in str(f.program)
    assert "1 program" in repr(f)
