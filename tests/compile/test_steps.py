"""Whole training steps, compiled and eager, side by side: losses, parameters, gradients and what optimizers keep."""

from __future__ import annotations

from weakref import ref

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import adjoint as ad
from adjoint import functions as F, hooks, layers as L, models, optimizers

TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}


class Residual(models.Model):
    """A user's model: a list and a dictionary of layers, a parameter of its own, a shape that is computed."""

    def __init__(self, rng):
        self.blocks = [L.Linear(4, rng=rng), L.Linear(4, rng=rng)]
        self.heads = {"out": L.Linear(1, rng=rng)}
        self.scale = ad.Variable(np.float32(0.5))

    def forward(self, x):
        h = x
        for block in self.blocks:
            h = h + self.scale * F.tanh(block(h))
        return self.heads["out"](h.reshape(-1, h.shape[-1]))


class Recurrent(models.Model):
    def __init__(self, layer, rng):
        self.layer = layer(5, rng=rng)
        self.out = L.Linear(1, rng=rng)

    def forward(self, x):
        return self.out(self.layer(x))


MODELS = {
    "MLP": lambda rng: models.MLP([6, 1], activation=F.tanh, rng=rng),
    "LSTM": lambda rng: models.LSTM(5, 1, rng=rng),
    "RNN": lambda rng: Recurrent(L.RNN, rng),
    "GRU": lambda rng: Recurrent(L.GRU, rng),
    "Residual": Residual,
}
OPTIMIZERS = {
    "SGD": lambda: optimizers.SGD(0.05),
    "Momentum": lambda: optimizers.Momentum(0.05, 0.8, hooks=[hooks.ClipGrad(0.3)]),
    "Adam": lambda: optimizers.Adam(0.02, hooks=[hooks.WeightDecay(0.01), hooks.ClipGrad(0.5)]),
    "AdamW": lambda: optimizers.AdamW(0.02, weight_decay=0.1),
}


def data(count=3, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(4, 4)).astype(dtype) for _ in range(count)], rng.normal(size=(4, 1)).astype(dtype)


def truncated(model, optimizer, xs, target):
    """Some time steps, one update: truncated backpropagation through time."""
    loss = 0.0
    for x in xs:
        loss = loss + F.mean_squared_error(model(x), target)
    model.cleargrads()
    loss.backward()
    loss.unchain_backward()
    optimizer.update(model)
    return loss


class Pair:
    """A compiled and an eager copy of one model and optimizer, which are to stay the same."""

    def __init__(self, make_model, make_optimizer, body=truncated, **options):
        self.models = [make_model(np.random.default_rng(7)) for _ in range(2)]
        self.optimizers = [make_optimizer() for _ in range(2)]
        self.body = body
        self.compiled = ad.compile(self._function(), **options)

    def _function(self):
        model, optimizer, body = self.models[0], self.optimizers[0], self.body

        def step(*args):
            return body(model, optimizer, *args)

        return step

    def step(self, *args, rtol=1e-12):
        loss = self.compiled(*args)
        expected = self.body(self.models[1], self.optimizers[1], *args)
        same_result(loss, expected, rtol)
        self.check(rtol)
        return loss

    def check(self, rtol=1e-12):
        same_model(*self.models, rtol)
        same_optimizer(self.optimizers, self.models, rtol)


def same_result(value, expected, rtol):
    assert type(value) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(value) == len(expected)
        for a, b in zip(value, expected, strict=True):
            same_result(a, b, rtol)
    elif isinstance(expected, ad.Variable):
        close(value.data, expected.data, rtol)
    elif expected is not None:
        close(value, expected, rtol)


def close(value, expected, rtol):
    assert value.dtype == expected.dtype
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=rtol)


def same_model(model, other, rtol):
    assert list(model.params()) == list(other.params())
    for (name, a), b in zip(model.params().items(), other.params().values(), strict=True):
        close(a.data, b.data, rtol)
        assert (a.grad is None) == (b.grad is None), name
        if b.grad is not None:
            close(a.grad.data, b.grad.data, rtol)


def same_optimizer(pair, both, rtol):
    optimizer, other = pair
    assert optimizer.updates == other.updates
    assert type(optimizer.updates) is int
    for a, b in zip(both[0].params().values(), both[1].params().values(), strict=True):
        kept, expected = optimizer._kept.get(ref(a)), other._kept.get(ref(b))
        assert (kept is None) == (expected is None)
        for x, y in zip(kept or (), expected or (), strict=True):
            close(x, y, rtol)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_steps_equal_eager_ones_for_every_model_and_optimizer(model, optimizer, dtype):
    pair = Pair(MODELS[model], OPTIMIZERS[optimizer])
    if model == "Residual":
        for m in pair.models:
            m.scale.data = np.asarray(0.5, dtype)
    xs, target = data(2, dtype)
    for _ in range(5):
        pair.step(xs, target, rtol=TOLERANCE[dtype])
    assert pair.compiled.cache_info().misses <= 2  # without state, and with it


def test_state_is_carried_from_call_to_call_and_forgotten_by_reset_state():
    pair = Pair(MODELS["LSTM"], OPTIMIZERS["Adam"])
    xs, target = data(6)
    for _ in range(2):
        for model in pair.models:
            model.reset_state()
        for i in range(0, 6, 2):
            pair.step(xs[i : i + 2], target)
            lstm, other = (m.lstm for m in pair.models)
            close(lstm.hidden.data, other.hidden.data, 1e-12)
            close(lstm.cell.data, other.cell.data, 1e-12)
    assert pair.compiled.cache_info().currsize == 2


@pytest.mark.parametrize("layer", [L.RNN, L.LSTM, L.GRU])
def test_reset_state_inside_of_the_step(layer):
    def body(model, optimizer, xs, target):
        model.reset_state()
        return truncated(model, optimizer, xs, target)

    pair = Pair(lambda rng: Recurrent(layer, rng), OPTIMIZERS["SGD"], body)
    xs, target = data(2)
    for _ in range(4):
        pair.step(xs, target)


def test_a_call_continues_from_the_state_of_eager_steps():
    pair = Pair(MODELS["GRU"], OPTIMIZERS["SGD"])
    xs, target = data(2)
    for _ in range(2):
        pair.step(xs, target)
        with ad.no_grad():
            for model in pair.models:
                model(xs[0])
        truncated(pair.models[0], pair.optimizers[0], xs, target)
        truncated(pair.models[1], pair.optimizers[1], xs, target)
        pair.check()
    pair.step(xs, target)


def test_gradients_add_up_over_calls_without_cleargrads():
    def accumulate(model, optimizer, x, target):
        loss = F.mean_squared_error(model(x), target)
        loss.backward()
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["SGD"], accumulate)
    xs, target = data(4)
    pair.step(xs[0], target)
    for x in xs:
        pair.step(x, target)
    for model, optimizer in zip(pair.models, pair.optimizers, strict=True):
        optimizer.update(model)
        model.cleargrads()
    pair.step(xs[0], target)
    pair.step(xs[1], target)


def test_several_backwards_in_one_step_add_up():
    def body(model, optimizer, xs, target):
        model.cleargrads()
        losses = []
        for x in xs:
            loss = F.mean_squared_error(model(x), target)
            loss.backward()
            losses.append(loss)
        optimizer.update(model)
        return losses

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Momentum"], body)
    xs, target = data(3)
    for _ in range(4):
        pair.step(xs, target)


def test_several_updates_in_one_step():
    def body(model, optimizer, xs, target):
        for x in xs:
            loss = F.mean_squared_error(model(x), target)
            model.cleargrads()
            loss.backward()
            optimizer.update(model)
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"], body)
    xs, target = data(3)
    for _ in range(4):
        pair.step(xs, target)
    assert pair.optimizers[0].updates == 12


def test_a_gradient_penalty_differentiates_the_gradient_inside_of_the_step():
    def body(model, optimizer, x, target):
        x = ad.Variable(x)
        loss = F.mean_squared_error(model(x), target)
        model.cleargrads()
        loss.backward(create_graph=True)
        penalty = F.sum(x.grad * x.grad)
        model.cleargrads()
        total = loss + 0.1 * penalty
        total.backward()
        optimizer.update(model)
        return loss, penalty

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"], body)
    xs, target = data(1)
    for _ in range(5):
        pair.step(xs[0], target)


def test_third_derivatives_inside_of_a_function():
    def third(x):
        y = F.sin(x) * x
        for _ in range(3):
            y.backward(create_graph=True)
            y = x.grad
            x.cleargrad()
        return y

    compiled = ad.compile(third)
    for value in (0.3, 1.7):
        expected = third(ad.Variable(np.array([value, -value])))
        close(compiled(ad.Variable(np.array([value, -value]))).data, expected.data, 1e-12)


def test_a_gradient_with_its_graph_that_is_returned_is_a_leaf_with_the_right_value():
    w = ad.Variable(np.array([1.0, 2.0]))

    @ad.compile
    def gradient(x):
        w.cleargrad()
        F.sum(w * w * w * x).backward(create_graph=True)
        return w.grad

    result = gradient(np.array([1.0, 3.0]))
    np.testing.assert_array_equal(result.data, [3.0, 36.0])
    assert result is w.grad


def test_hessian_vector_products_equal_eager_ones():
    def product(model, optimizer, x, target, *vectors):
        model.cleargrads()
        F.mean_squared_error(model(x), target).backward(create_graph=True)
        params = list(model.params().values())
        inner = 0.0
        for parameter, v in zip(params, vectors, strict=True):
            inner = inner + F.sum(parameter.grad * v)
        model.cleargrads()
        inner.backward()
        return [parameter.grad for parameter in params]

    pair = Pair(MODELS["MLP"], OPTIMIZERS["SGD"], product)
    xs, target = data(1)
    for model in pair.models:
        model(xs[0])
    rng = np.random.default_rng(3)
    vectors = [rng.normal(size=p.shape) for p in pair.models[0].params().values()]
    for _ in range(3):
        pair.step(xs[0], target, *vectors)


def test_dropout_draws_what_eager_draws():
    def make(seed):
        model = models.MLP([8, 1], rng=np.random.default_rng(0))
        rng = ad.random.source(seed)
        optimizer = optimizers.SGD(0.1)

        def step(x, target):
            hidden = F.dropout(F.relu(model.layers[0](x)), 0.4, rng)
            loss = F.mean_squared_error(model.layers[1](F.dropout(hidden, 0.5, rng)), target)
            model.cleargrads()
            loss.backward()
            optimizer.update(model)
            return loss, hidden

        return model, rng, step

    xs, target = data(1)
    model, rng, step = make(5)
    other, other_rng, eager = make(5)
    compiled = ad.compile(step)
    for _ in range(6):
        loss, hidden = compiled(xs[0], target)
        expected, expected_hidden = eager(xs[0], target)
        np.testing.assert_array_equal(hidden.data == 0, expected_hidden.data == 0)
        close(loss.data, expected.data, 1e-12)
        same_model(model, other, 1e-12)
        assert rng.bit_generator.state == other_rng.bit_generator.state
    with ad.test_mode():
        before = rng.bit_generator.state
        hidden, expected_hidden = compiled(xs[0], target)[1], eager(xs[0], target)[1]
        close(hidden.data, expected_hidden.data, 1e-12)
        assert rng.bit_generator.state == before
    compiled(xs[0], target), eager(xs[0], target)
    assert rng.bit_generator.state == other_rng.bit_generator.state


def test_draws_of_float32_and_of_several_kinds_are_those_of_eager():
    def noisy(x, rng):
        a = ad.rand(3, 2, rng=rng)
        b = ad.randn(2, rng=rng)
        c = ad.normal((3, 1), 1.0, 2.0, rng=rng)
        return F.dropout(x, 0.3, rng) + a * b + c

    compiled = ad.compile(noisy)
    rng, other = ad.random.source(1), ad.random.source(1)
    x = np.ones((3, 2), np.float32)
    for _ in range(3):
        result, expected = compiled(ad.Variable(x), rng), noisy(ad.Variable(x), other)
        close(result.data, expected.data, 1e-12)
    assert rng.bit_generator.state == other.bit_generator.state


def test_draws_of_the_shared_generator_differ_from_call_to_call():
    noisy = ad.compile(lambda x: F.dropout(x, 0.5))
    x = np.ones(1000)
    results = [noisy(x).data for _ in range(3)]
    assert not np.array_equal(results[0], results[1])
    assert not np.array_equal(results[1], results[2])
    assert all(set(np.unique(result)) == {0.0, 2.0} for result in results)


def test_hundreds_of_steps_stay_together():
    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"])
    xs, target = data(1)
    for _ in range(200):
        compiled = pair.compiled(xs, target)
        eager = truncated(pair.models[1], pair.optimizers[1], xs, target)
    close(compiled.data, eager.data, 1e-8)
    pair.check(1e-8)
    assert pair.compiled.cache_info().hits >= 198


def test_a_users_hook_is_part_of_the_step():
    def sign(parameters, gradients):
        return [np.sign(g) + 0.1 * p.data for p, g in zip(parameters, gradients, strict=True)]

    pair = Pair(MODELS["MLP"], lambda: optimizers.SGD(0.01, hooks=[sign, hooks.ClipGrad(1.0)]))
    xs, target = data(1)
    for _ in range(4):
        pair.step(xs, target)


def test_a_users_optimizer_with_kept_arrays():
    class Lion(optimizers.Optimizer):
        slots = ("mean",)

        def rule(self, xp, p, g, m):
            return p - self.learning_rate * xp.sign(0.9 * m + 0.1 * g), 0.99 * m + 0.01 * g

    pair = Pair(MODELS["MLP"], lambda: Lion(0.01))
    xs, target = data(1)
    for _ in range(4):
        pair.step(xs, target)


def test_classification_with_labels_and_accuracy():
    def body(model, optimizer, x, labels):
        scores = model(x)
        loss = F.softmax_cross_entropy(scores, labels)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        return loss, F.accuracy(scores, labels)

    pair = Pair(lambda rng: models.MLP([8, 3], activation=F.relu, rng=rng), OPTIMIZERS["Momentum"], body)
    rng = np.random.default_rng(2)
    for _ in range(5):
        pair.step(rng.normal(size=(7, 4)), rng.integers(0, 3, 7))


def test_only_some_parameters_get_a_gradient():
    def body(model, optimizer, x, target):
        model.cleargrads()
        loss = F.mean_squared_error(model.layers[1](F.tanh(model.layers[0](x)).detach()), target)
        loss.backward()
        optimizer.update(model)
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"], body)
    xs, target = data(1)
    for _ in range(4):
        pair.step(xs[0], target)
    assert pair.models[0].layers[0].w.grad is None


def test_an_update_without_gradients_counts_nothing():
    def body(model, optimizer, x):
        model.cleargrads()
        optimizer.update(model)
        return model(x)

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"], body)
    xs, _ = data(1)
    for _ in range(3):
        pair.step(xs[0])
    assert pair.optimizers[0].updates == 0


def test_retained_gradients_of_intermediate_values():
    def body(model, optimizer, x, target):
        hidden = model.layers[0](x)
        loss = F.mean_squared_error(model.layers[1](F.sigmoid(hidden)), target)
        model.cleargrads()
        loss.backward(retain_grad=True)
        return hidden.grad, loss.grad

    pair = Pair(MODELS["MLP"], OPTIMIZERS["SGD"], body)
    xs, target = data(1)
    for _ in range(3):
        pair.step(xs[0], target)


def test_the_gradient_of_an_argument_is_set_on_the_argument():
    def body(x):
        y = F.sum(x * x)
        y.backward()
        return y

    compiled = ad.compile(body)
    for _ in range(3):
        x = ad.Variable(np.array([1.0, -2.0]))
        compiled(x)
        np.testing.assert_array_equal(x.grad.data, [2.0, -4.0])
        compiled(x)
        np.testing.assert_array_equal(x.grad.data, [4.0, -8.0])


def test_a_model_and_an_optimizer_as_arguments():
    step = ad.compile(truncated)
    xs, target = data(2)
    both = [models.MLP([6, 1], rng=np.random.default_rng(1)) for _ in range(2)]
    rules = [optimizers.Adam(0.01), optimizers.Adam(0.01)]
    for _ in range(4):
        loss = step(both[0], rules[0], xs, target)
        expected = truncated(both[1], rules[1], xs, target)
        close(loss.data, expected.data, 1e-12)
        same_model(*both, 1e-12)
        same_optimizer(rules, both, 1e-12)


def test_a_method_with_its_model_in_self():
    class Trainer:
        def __init__(self):
            self.model = models.MLP([6, 1], rng=np.random.default_rng(1))
            self.optimizer = optimizers.Adam(0.01)

        @ad.compile
        def step(self, xs, target):
            return truncated(self.model, self.optimizer, xs, target)

    xs, target = data(1)
    trainer, second, other = Trainer(), Trainer(), Trainer()
    for _ in range(3):
        loss = trainer.step(xs, target)
        expected = truncated(other.model, other.optimizer, xs, target)
        close(loss.data, expected.data, 1e-12)
        same_model(trainer.model, other.model, 1e-12)
    assert second.model.params() == {}
    second.step(xs, target)
    second.step(xs, target)
    assert second.optimizer.updates == 2
    assert trainer.optimizer.updates == 3
    same_model(trainer.model, other.model, 1e-12)


def test_adversarial_steps_on_two_models():
    def make():
        rng = np.random.default_rng(4)
        return [models.MLP([6, 2], rng=rng), models.MLP([6, 1], rng=rng)], [optimizers.Adam(0.01) for _ in range(2)]

    def body(pair, rules, real, noise):
        (generator, critic), (first, second) = pair, rules
        fake = generator(noise)
        loss = F.mean(critic(fake.detach())) - F.mean(critic(real))
        critic.cleargrads()
        loss.backward()
        second.update(critic)
        generator.cleargrads()
        critic.cleargrads()
        other = -F.mean(critic(fake))
        other.backward()
        first.update(generator)
        return loss, other

    ours, theirs = make(), make()
    step = ad.compile(lambda real, noise: body(*ours, real, noise))
    rng = np.random.default_rng(0)
    for _ in range(4):
        real, noise = rng.normal(size=(5, 2)), rng.normal(size=(5, 3))
        same_result(step(real, noise), body(*theirs, real, noise), 1e-12)
        for a, b in zip(ours[0], theirs[0], strict=True):
            same_model(a, b, 1e-12)


def test_an_average_of_parameters_assigned_to_data_inside_of_the_step():
    def make():
        rng = np.random.default_rng(4)
        return models.MLP([6, 1], rng=rng), models.MLP([6, 1], rng=np.random.default_rng(4)), optimizers.SGD(0.1)

    def body(model, average, optimizer, x, target):
        loss = truncated(model, optimizer, [x], target)
        for p, q in zip(model.params().values(), average.params().values(), strict=True):
            q.data = 0.9 * q.data + 0.1 * p.data
        return loss

    ours, theirs = make(), make()
    xs, target = data(1)
    for model, average, _ in (ours, theirs):
        model(xs[0]), average(xs[0])
    step = ad.compile(lambda x, target: body(*ours, x, target))
    for _ in range(4):
        same_result(step(xs[0], target), body(*theirs, xs[0], target), 1e-12)
        same_model(ours[0], theirs[0], 1e-12)
        same_model(ours[1], theirs[1], 1e-12)


def test_a_first_call_makes_the_parameters_that_are_pending():
    pair = Pair(MODELS["LSTM"], OPTIMIZERS["AdamW"])
    assert pair.models[0].params() == {}
    xs, target = data(2)
    pair.step(xs, target)
    assert len(pair.models[0].params()) == 5


def test_nan_and_infinite_gradients_go_through_a_step_as_in_eager():
    def body(model, optimizer, x, target):
        loss = F.mean(F.log(model(x)) * target)
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        return loss

    pair = Pair(lambda rng: models.MLP([1], rng=rng), OPTIMIZERS["Adam"], body)
    xs, target = data(1)
    with np.errstate(all="ignore"):
        for x in (xs[0], np.zeros((4, 4)), np.full((4, 4), np.inf)):
            pair.step(x, target)


def test_a_step_through_a_gradient_as_in_meta_learning():
    def body(model, optimizer, x, target):
        model.cleargrads()
        F.mean_squared_error(model(x), target).backward(create_graph=True)
        fast = {name: p - 0.1 * p.grad for name, p in model.params().items()}
        model.cleargrads()
        hidden = F.tanh(F.linear(x, fast["layers.0.w"], fast["layers.0.b"]))
        loss = F.mean_squared_error(F.linear(hidden, fast["layers.1.w"], fast["layers.1.b"]), 2.0 * target)
        loss.backward()
        optimizer.update(model)
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Adam"], body)
    xs, target = data(1)
    for model in pair.models:
        model(xs[0])
    for _ in range(4):
        pair.step(xs[0], target)


def test_gradients_changed_between_backward_and_update():
    def body(model, optimizer, x, target):
        loss = F.mean_squared_error(model(x), target)
        model.cleargrads()
        loss.backward()
        for p in model.params().values():
            p.grad.data *= 0.5
        first = model.layers[0].w
        first.grad = first.grad.data - 0.1 * first.data
        optimizer.update(model)
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["Momentum"], body)
    xs, target = data(1)
    for _ in range(4):
        pair.step(xs[0], target)


def test_a_cotangent_given_to_backward():
    def body(model, optimizer, x, cotangent):
        model.cleargrads()
        model(x).backward(cotangent)
        optimizer.update(model)

    pair = Pair(MODELS["MLP"], OPTIMIZERS["SGD"], body)
    xs, _ = data(1)
    for i in range(4):
        pair.step(xs[0], np.full((4, 1), float(i)))


def test_a_parameter_that_is_used_after_its_assignment_within_a_step():
    def body(model, optimizer, x, target):
        w = model.layers[0].w
        y = F.sum(w * w)
        w.data = w.data * 1.5
        loss = F.mean_squared_error(model(x), target) + y
        model.cleargrads()
        loss.backward()
        optimizer.update(model)
        return loss

    pair = Pair(MODELS["MLP"], OPTIMIZERS["SGD"], body)
    xs, target = data(1)
    for model in pair.models:
        model(xs[0])
    for _ in range(4):
        pair.step(xs[0], target)


def test_an_array_put_into_an_attribute_is_there():
    class Holder:
        table = None

    holder = Holder()

    def function(x):
        holder.table = np.arange(3.0)
        return x * 2.0

    ad.compile(function, state=[holder])(np.ones(3))
    np.testing.assert_array_equal(holder.table, np.arange(3.0))
