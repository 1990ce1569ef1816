"""What a compiled function reads and changes besides its arguments: assigned, exchanged, shared, held elsewhere."""

from __future__ import annotations

import argparse
import collections
import copy
import functools
import gc
import tracemalloc
import types
import weakref

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import adjoint as ad
from adjoint import functions as F, hooks, layers as L, models, optimizers

X = np.random.default_rng(0).normal(size=(5, 3))
ONES = np.ones(2)
W = ad.Variable(np.ones(2))
SCALE = 2.0


def mlp(seed=0):
    model = models.MLP([4, 2], rng=np.random.default_rng(seed))
    model(X)
    return model


def train(model, optimizer, x):
    loss = F.mean_squared_error(model(x), x[:, :2])
    model.cleargrads()
    loss.backward()
    optimizer.update(model)
    return loss


def variable(*values):
    return ad.Variable(np.array(values or (1.0, 1.0)))


def equal(result, expected):
    np.testing.assert_allclose(result.data, expected.data, rtol=1e-12, atol=1e-14)
    assert result.dtype == expected.dtype


# Assigning


def test_assigned_data_is_read_at_the_next_call_without_a_new_trace():
    w = variable()
    f = ad.compile(lambda x: w * x)
    f(ONES)
    w.data = np.array([5.0, 6.0])
    np.testing.assert_array_equal(f(ONES).data, [5.0, 6.0])
    w.data[0] = -1.0
    np.testing.assert_array_equal(f(ONES).data, [-1.0, 6.0])
    assert f.cache_info()[:2] == (2, 1)


def test_data_of_another_shape_or_dtype_makes_a_new_trace():
    w = variable()
    f = ad.compile(lambda x: w * x)
    f(2.0)
    w.data = np.arange(3.0)
    np.testing.assert_array_equal(f(2.0).data, [0.0, 2.0, 4.0])
    w.data = np.arange(3, dtype=np.float32)
    assert f(2.0).dtype == np.float32
    w.data = np.arange(3.0)
    f(2.0)
    assert f.cache_info()[:2] == (1, 3)


def test_a_number_assigned_to_a_parameter_without_axes():
    w = ad.Variable(1.0)
    f = ad.compile(lambda x: w * x)
    for value in (1.0, 2.0, np.float64(3.0), np.array(4.0)):
        w.data = value
        np.testing.assert_array_equal(f(ONES).data, [float(value)] * 2)
    assert f.cache_info().misses == 1


@pytest.mark.parametrize(
    "make", [lambda a: a[:, ::-1], np.asfortranarray, lambda a: a.astype(">f8").astype("<f8").T.copy().T]
)
def test_data_with_other_strides_is_read_right(make):
    model, other = mlp(), mlp()
    f = ad.compile(lambda x: train(model, optimizer, x))
    optimizer, second = optimizers.Adam(0.1), optimizers.Adam(0.1)
    for _ in range(3):
        for m in (model, other):
            m.layers[0].w.data = make(m.layers[0].w.data)
        equal(f(X), train(other, second, X))
        equal(model.layers[0].w, other.layers[0].w)


def test_an_assigned_gradient_is_used():
    w = variable()
    model = L.Layer()
    model.w = w
    optimizer = optimizers.SGD(1.0)

    @ad.compile
    def update():
        optimizer.update(model)

    for i in range(4):
        w.grad = np.array([1.0, float(i)])
        before = w.data
        update()
        np.testing.assert_array_equal(w.data, before - np.array([1.0, i]))


def test_a_changed_learning_rate_counts_at_once():
    model, other = mlp(), mlp()
    optimizer, second = optimizers.AdamW(0.1), optimizers.AdamW(0.1)
    f = ad.compile(lambda x: train(model, optimizer, x))
    for rate in (0.1, 0.01, 0.0, 0.5, np.float32(0.25)):
        for o in (optimizer, second):
            o.learning_rate = rate
            o.beta1 = 0.5
        equal(f(X), train(other, second, X))
        equal(model.layers[1].w, other.layers[1].w)
    assert f.cache_info().misses == 1


def test_an_optimizer_set_back_starts_again():
    model = mlp()
    optimizer = optimizers.Adam(0.1)
    f = ad.compile(lambda x: train(model, optimizer, x))
    f(X), f(X)
    other = copy.deepcopy(model)
    optimizer.updates = 0
    optimizer._kept.clear()
    f(X)
    train(other, optimizers.Adam(0.1), X)
    equal(model.layers[0].w, other.layers[0].w)
    assert optimizer.updates == 1


def test_a_hook_of_an_optimizer_may_change():
    model, other = mlp(), mlp()
    first, second = optimizers.SGD(0.1, hooks=[hooks.ClipGrad(0.1)]), optimizers.SGD(0.1, hooks=[hooks.ClipGrad(0.1)])
    f = ad.compile(lambda x: train(model, first, x))

    def both(change):
        for optimizer in (first, second):
            change(optimizer)
        equal(f(X), train(other, second, X))
        equal(model.layers[0].w, other.layers[0].w)

    both(lambda o: None)
    both(lambda o: setattr(o.hooks[0], "max_norm", 0.01))
    both(lambda o: o.hooks.append(hooks.WeightDecay(0.5)))
    both(lambda o: setattr(o.hooks[1], "rate", 0.1))
    both(lambda o: o.hooks.reverse())


def test_a_first_hook_may_come_later():
    model, other = mlp(), mlp()
    first, second = optimizers.SGD(0.1), optimizers.SGD(0.1)
    f = ad.compile(lambda x: train(model, first, x))
    for i in range(3):
        if i == 1:
            first.hooks.append(hooks.ClipGrad(1e-6))
            second.hooks.append(hooks.ClipGrad(1e-6))
        equal(f(X), train(other, second, X))
        equal(model.layers[0].w, other.layers[0].w)


# Exchanging


def test_a_global_may_be_exchanged(monkeypatch):
    f = ad.compile(lambda x: W * x * SCALE)
    np.testing.assert_array_equal(f(ONES).data, [2.0, 2.0])
    monkeypatch.setitem(globals(), "W", variable(3.0, 4.0))
    np.testing.assert_array_equal(f(ONES).data, [6.0, 8.0])
    monkeypatch.setitem(globals(), "SCALE", 10.0)
    np.testing.assert_array_equal(f(ONES).data, [30.0, 40.0])


def test_a_model_in_a_closure_may_be_exchanged():
    first, second = mlp(0), mlp(1)
    model = first
    f = ad.compile(lambda x: model(x))
    for current in (first, second, first, second):
        model = current
        equal(f(X), current(X))
    assert f.cache_info()[:2] == (2, 2)


def test_a_model_in_an_attribute_may_be_exchanged():
    class Holder:
        pass

    for make in (Holder, types.SimpleNamespace):
        holder = make()
        holder.model = mlp(0)
        f = ad.compile(lambda x, holder=holder: holder.model(x))
        for seed in (0, 1, 2):
            holder.model = mlp(seed)
            equal(f(X), mlp(seed)(X))


def test_a_number_of_a_namespace_may_change():
    args = argparse.Namespace(scale=2.0, power=2)
    f = ad.compile(lambda x: args.scale * x**args.power)
    np.testing.assert_array_equal(f(2 * ONES), [8.0, 8.0])
    args.scale = 3.0
    np.testing.assert_array_equal(f(2 * ONES), [12.0, 12.0])
    args.power = 1
    np.testing.assert_array_equal(f(2 * ONES), [6.0, 6.0])


def test_layers_of_a_model_may_be_exchanged():
    model = models.MLP([3, 3, 2], rng=np.random.default_rng(0))
    f = ad.compile(lambda x: model(x))
    rng = np.random.default_rng(1)

    def check():
        for _ in range(2):
            equal(f(X), model(X))

    check()
    model.layers[0] = L.Linear(3, rng=rng)  # pending
    check()
    model.layers[0] = L.Linear(3, 3, rng=rng)
    check()
    model.layers[1].w = ad.Variable(np.zeros((3, 3)))
    check()
    model.layers.insert(1, L.Linear(3, rng=rng))
    check()
    model.layers = model.layers[1:]
    check()


def test_the_activation_of_a_model_may_be_exchanged():
    model = mlp()
    f = ad.compile(lambda x: model(x))
    for activation in (F.sigmoid, F.relu, F.tanh):
        model._activation = activation
        equal(f(X), model(X))


@pytest.mark.parametrize("make", [dict, collections.OrderedDict])
def test_a_layer_in_a_dictionary_may_be_exchanged(make):
    class Heads(models.Model):
        def __init__(self, make):
            self.heads = make(a=L.Linear(2, 3, rng=np.random.default_rng(0)))

        def forward(self, x):
            return sum(head(x) for head in self.heads.values())

    model = Heads(make)
    f = ad.compile(lambda x: model(x))
    equal(f(X), model(X))
    model.heads["a"].w.data = np.ones((3, 2))
    equal(f(X), model(X))
    model.heads["a"] = L.Linear(2, 3, rng=np.random.default_rng(1))
    equal(f(X), model(X))
    model.heads["b"] = L.Linear(2, 3, rng=np.random.default_rng(2))
    equal(f(X), model(X))


def test_an_optimizer_may_be_exchanged():
    model, other = mlp(), mlp()
    f = ad.compile(lambda x: train(model, optimizer, x))
    for make in (optimizers.Adam, optimizers.SGD, optimizers.Adam):
        optimizer, second = make(0.01), make(0.01)
        for _ in range(2):
            f(X), train(other, second, X)
            equal(model.layers[0].w, other.layers[0].w)


def test_models_through_one_argument():
    f = ad.compile(lambda model, x: model(x))
    pair = [mlp(0), mlp(1)]
    for _ in range(3):
        for model in pair:
            equal(f(model, X), model(X))
    assert f.cache_info().misses == 2


def test_numbers_in_containers_that_change():
    for container, key in (([2.0], 0), ({"k": 2.0}, "k"), ([2], 0), (collections.OrderedDict(k=2.0), "k")):
        f = ad.compile(lambda x, container=container, key=key: x * container[key])
        np.testing.assert_array_equal(f(ONES), [2.0, 2.0])
        container[key] = 5.0
        np.testing.assert_array_equal(f(ONES), [5.0, 5.0])


def test_the_size_of_a_collection_that_changes():
    for container, add in (([], "append"), (set(), "add"), (collections.deque(), "append")):
        f = ad.compile(lambda x, container=container: x * len(container))
        np.testing.assert_array_equal(f(ONES), [0.0, 0.0])
        getattr(container, add)(3)
        np.testing.assert_array_equal(f(ONES), [1.0, 1.0])


def test_attributes_that_change():
    class Holder:
        pass

    holder = Holder()
    holder.number, holder.count, holder.name, holder.array = 2.0, 3, "mul", np.ones(2)

    @ad.compile
    def f(x):
        return x * holder.number * holder.count * holder.array if holder.name == "mul" else x + holder.number

    np.testing.assert_array_equal(f(ONES), [6.0, 6.0])
    holder.number = 3.0
    holder.array = np.array([1.0, 2.0])
    np.testing.assert_array_equal(f(ONES), [9.0, 18.0])
    assert f.cache_info().misses == 1
    holder.count = 1
    np.testing.assert_array_equal(f(ONES), [3.0, 6.0])
    holder.name = "add"
    np.testing.assert_array_equal(f(ONES), [4.0, 4.0])
    holder.number = 7  # no float any more
    np.testing.assert_array_equal(f(ONES), [8.0, 8.0])
    holder.array = None
    np.testing.assert_array_equal(f(ONES), [8.0, 8.0])


def test_an_attribute_that_is_not_read_may_change_freely():
    class Holder:
        pass

    holder = Holder()
    holder.used, holder.epoch = 2.0, 0
    f = ad.compile(lambda x: x * holder.used)
    for epoch in range(5):
        holder.epoch = epoch
        f(ONES)
    assert f.cache_info()[:2] == (4, 1)


def test_an_array_in_a_closure_is_read_anew():
    array = np.ones(2)
    f = ad.compile(lambda x: x * array)
    f(ONES)
    array[:] = 5.0
    np.testing.assert_array_equal(f(ONES), [5.0, 5.0])
    array = np.array([[7.0], [8.0]])
    np.testing.assert_array_equal(f(ONES), [[7.0, 7.0], [8.0, 8.0]])


def test_an_index_that_changes_is_followed():
    index = np.array([0, 1])
    f = ad.compile(lambda x: ad.Variable(x)[index])
    x = np.array([1.0, 2.0])
    f(x)
    index[:] = 1
    np.testing.assert_array_equal(f(x).data, [2.0, 2.0])


def test_defaults_are_read():
    def g(x, w=ad.Variable(np.ones(2)), k=2.0):  # noqa: B008
        return x * w * k

    f = ad.compile(g)
    f(ONES)
    g.__defaults__[0].data = np.array([5.0, 6.0])
    np.testing.assert_array_equal(f(ONES).data, [10.0, 12.0])
    np.testing.assert_array_equal(f(ONES, k=1.0).data, [5.0, 6.0])


def test_a_model_itself_may_be_compiled():
    model = mlp()
    f = ad.compile(model)
    f(X), f(X)
    model.layers[0].w.data = np.ones((3, 4))
    equal(f(X), model(X))


def test_a_bound_method_may_be_compiled():
    model = mlp()
    f = ad.compile(model.forward)
    f(X), f(X)
    model.layers[0].w.data = np.ones((3, 4))
    equal(f(X), model(X))


def test_a_partial_function_may_be_compiled():
    w = variable()
    f = ad.compile(functools.partial(lambda w, x: w * x, w))
    f(ONES)
    w.data = np.array([5.0, 6.0])
    np.testing.assert_array_equal(f(ONES).data, [5.0, 6.0])


def test_a_helper_function_may_be_exchanged_and_its_globals_are_found():
    helpers = {"ad": ad, "np": np}
    exec("w = ad.Variable(np.ones(2))\ndef helper(x):\n    return x * w", helpers)
    helper = helpers["helper"]
    f = ad.compile(lambda x: helper(x))
    f(ONES)
    helpers["w"].data = np.array([5.0, 6.0])
    np.testing.assert_array_equal(f(ONES).data, [5.0, 6.0])
    helper = lambda x: x + 1.0  # noqa: E731
    np.testing.assert_array_equal(f(ONES), [2.0, 2.0])


# Found, or named as not found


class ByClass:
    w = ad.Variable(np.ones(2))


class BySlots:
    __slots__ = ("w",)

    def __init__(self):
        self.w = variable()


def by_module():
    module = types.ModuleType("mymodels")
    module.w = variable()
    return module


@pytest.mark.parametrize(
    "make", [ByClass, BySlots, by_module, lambda: ByClass], ids=["class", "slots", "module", "type"]
)
def test_a_variable_is_followed_or_named_as_not_found(make):
    holder = make()
    f = ad.compile(lambda x: holder.w * x)
    try:
        f(ONES)
    except ad.errors.TraceError as error:
        assert "state=[" in str(error)  # noqa: PT017
        f = ad.compile(lambda x: holder.w * x, state=[holder.w])
        f(ONES)
    for value in (5.0, 1.0):
        holder.w.data = np.full(2, value)
        np.testing.assert_array_equal(f(ONES).data, [value] * 2)


def test_a_function_as_an_argument_is_looked_into():
    w = variable()
    helper = lambda x: x * w  # noqa: E731
    f = ad.compile(lambda x, g: g(x))
    for value in (1.0, 5.0, 2.0):
        w.data = np.full(2, value)
        np.testing.assert_array_equal(f(ONES, helper).data, [value] * 2)
    np.testing.assert_array_equal(f(ONES, np.negative), -ONES)


def test_a_set_as_an_argument_may_grow():
    f = ad.compile(lambda x, s: x * len(s))
    s = {1}
    f(ONES, s)
    s.add(2)
    np.testing.assert_array_equal(f(ONES, s), [2.0, 2.0])


def test_state_in_a_tuple_of_an_attribute_is_carried_or_refused():
    class Cell:
        def __init__(self):
            self.state = None

        def __call__(self, x):
            h, c = self.state if self.state is not None else (x, x)
            h, c = F.tanh(h + x).detach(), (c * 0.5 + h).detach()
            self.state = (h, c)
            return h + c

    ours, theirs = Cell(), Cell()
    f = ad.compile(lambda x: ours(x))
    for _ in range(4):
        expected = theirs(ad.Variable(ONES))
        try:
            result = f(ad.Variable(ONES))
        except ad.errors.TraceError as error:
            assert "state" in str(error)  # noqa: PT017
            assert ours.state is None
            return
        equal(result, expected)
        equal(ours.state[1], theirs.state[1])


def test_arrays_and_numbers_of_attributes_are_carried():
    class Norm(L.Layer):
        def __init__(self):
            self.gain = ad.Variable(np.ones(3))
            self._mean, self._hidden = np.zeros(3), ad.Variable(np.zeros(3))
            self.seen, self.weight = np.zeros(()), 0.0

        def forward(self, x):
            mean = F.mean(x, axis=0)
            self._mean = 0.9 * self._mean + 0.1 * mean.data
            with ad.no_grad():
                self._hidden = 0.5 * self._hidden + mean
            self.weight = 0.9 * self.weight + 0.1
            self.seen = self.seen + 1
            return (x - self._mean / self.weight) * self.gain + self._hidden

    ours, theirs = Norm(), Norm()
    f = ad.compile(lambda x: ours(x))
    for _ in range(4):
        equal(f(X), theirs(X))
        np.testing.assert_allclose(ours._mean, theirs._mean, rtol=1e-14)
        assert type(ours.weight) is float
        assert ours.weight == pytest.approx(theirs.weight, rel=1e-14)
        assert ours.seen == theirs.seen
    assert f.cache_info().misses == 1


def test_plain_values_put_into_attributes_are_there_or_refused():
    class Holder:
        pass

    for value in ((3, 2), ["a"], np.float64(3.0), {"k": 1}):
        holder = Holder()
        holder.value = None

        def f(x, holder=holder, value=value):
            holder.value = value
            return x * 2.0

        try:
            ad.compile(f)(ONES)
        except ad.errors.TraceError:
            assert holder.value is None
        else:
            assert holder.value == value


def test_the_graph_behind_an_argument_is_followed_or_refused():
    w = variable()
    f = ad.compile(lambda y: F.sum(y * y).backward())
    try:
        f(w * 3.0)
    except ad.AdjointError:
        return
    np.testing.assert_array_equal(w.grad.data, [18.0, 18.0])


def test_layers_made_inside_of_the_function():
    def g(x):
        layer = L.Linear(3, in_size=3, rng=ad.random.source(0))
        return layer(x)

    f = ad.compile(g)
    for _ in range(2):
        equal(f(X), g(X))


def test_variables_made_inside_may_be_trained_there():
    def g(x):
        w = ad.Variable(np.ones(2))
        for _ in range(3):
            w.cleargrad()
            F.sum((w - x) ** 2).backward()
            w.data = w.data - 0.1 * w.grad.data
        return w

    f = ad.compile(g)
    for i in range(3):
        equal(f(ONES * i), g(ONES * i))


def test_state_names_what_cannot_be_found():
    holder = BySlots()
    f = ad.compile(lambda x: F.sum(holder.w * x).backward(), state=[holder.w])
    for i in range(3):
        f(ONES)
        np.testing.assert_array_equal(holder.w.grad.data, [i + 1.0] * 2)


# Loading and copying


def test_a_file_may_be_loaded_between_calls(tmp_path):
    pytest.importorskip("safetensors")
    model, other = mlp(0), mlp(1)
    f = ad.compile(lambda x: model(x))
    f(X)
    other.save(tmp_path / "m.safetensors")
    model.load(tmp_path / "m.safetensors")
    equal(f(X), other(X))
    assert f.cache_info()[:2] == (1, 1)


def test_a_file_saved_after_calls_holds_the_new_parameters(tmp_path):
    pytest.importorskip("safetensors")
    model, other = mlp(0), mlp(0)
    optimizer = optimizers.SGD(0.1)
    f = ad.compile(lambda x: train(model, optimizer, x))
    f(X), f(X)
    model.save(tmp_path / "m.safetensors")
    f(X)
    second = optimizers.SGD(0.1)
    train(other, second, X), train(other, second, X)
    model.load(tmp_path / "m.safetensors")
    equal(model.layers[0].w, other.layers[0].w)


def test_copies_of_a_model_and_its_optimizer_go_their_own_way():
    step = ad.compile(train)
    model, optimizer = mlp(), optimizers.Adam(0.1)
    step(model, optimizer, X), step(model, optimizer, X)
    (first, first_rule), (second, second_rule) = (copy.deepcopy((model, optimizer)) for _ in range(2))
    before = model.layers[0].w.data.copy()
    for _ in range(3):
        equal(step(first, first_rule, X), train(second, second_rule, X))
        equal(first.layers[0].w, second.layers[0].w)
    np.testing.assert_array_equal(model.layers[0].w.data, before)
    assert optimizer.updates == 2


# Sharing


def test_tied_weights_get_one_gradient():
    class Tied(models.Model):
        def __init__(self):
            self.a, self.b = (L.Linear(3, 3, rng=np.random.default_rng(seed)) for seed in (0, 1))
            self.b.w = self.a.w

        def forward(self, x):
            return self.b(F.tanh(self.a(x)))[:, :2]

    model, other, optimizer, second = Tied(), Tied(), optimizers.Adam(0.1), optimizers.Adam(0.1)
    f = ad.compile(lambda x: train(model, optimizer, x))
    for tied in (True, False):
        if not tied:
            for m in (model, other):
                m.b.w = ad.Variable(m.a.w.data.copy())
        for _ in range(3):
            equal(f(X), train(other, second, X))
            equal(model.a.w, other.a.w)
            equal(model.b.w, other.b.w)
        assert (model.a.w is model.b.w) == tied


def test_a_parameter_with_two_optimizers():
    def make():
        w = variable(1.0, -2.0)
        first, second = L.Layer(), L.Layer()
        first.w = second.weight = w
        return w, first, optimizers.Adam(0.1), second, optimizers.Momentum(0.1)

    def body(w, first, adam, second, momentum, x):
        loss = F.sum(w * w * x)
        first.cleargrads()
        loss.backward()
        adam.update(first)
        momentum.update(second)
        return loss

    ours, theirs = make(), make()
    f = ad.compile(lambda x: body(*ours, x))
    for _ in range(4):
        equal(f(ONES), body(*theirs, ONES))
        equal(ours[0], theirs[0])


def test_two_compiled_functions_share_a_model():
    model, other = mlp(), mlp()
    optimizer, second = optimizers.Adam(0.1), optimizers.Adam(0.1)
    step = ad.compile(lambda x: train(model, optimizer, x))
    predict = ad.compile(lambda x: model(x))
    for _ in range(3):
        equal(predict(X), other(X))
        equal(step(X), train(other, second, X))


def test_arguments_that_are_parameters_as_well():
    w = variable(1.0, 2.0)
    f = ad.compile(lambda x: F.sum(x * 2.0 * w).backward())
    x = variable(3.0, 4.0)
    f(x)
    np.testing.assert_array_equal(w.grad.data, [6.0, 8.0])
    w.cleargrad()
    f(w)
    np.testing.assert_array_equal(w.grad.data, [4.0, 8.0])
    w.cleargrad()
    f(x)
    np.testing.assert_array_equal(w.grad.data, [6.0, 8.0])


# What others hold stays as it is


def test_arrays_taken_before_a_call_do_not_change():
    model, optimizer = mlp(), optimizers.Adam(0.1)
    f = ad.compile(lambda x: train(model, optimizer, x))
    f(X)
    for _ in range(3):
        params = list(model.params().values())
        held = [p.data for p in params] + [p.grad.data for p in params]
        held += [array for kept in optimizer._kept.values() for array in kept]
        gradients = [p.grad for p in params]
        losses = [f(X) for _ in range(2)]
        held += [loss.data for loss in losses] + [gradient.data for gradient in gradients]
        copies = [array.copy() for array in held]
        f(X), f(X)
        for array, earlier in zip(held, copies, strict=True):
            np.testing.assert_array_equal(array, earlier)


def add(w):
    def body(x):
        w.data = w.data + x

    return body


def test_only_a_view_is_held():
    w = variable(*np.ones(4))
    f = ad.compile(add(w))
    f(1.0)
    held = [w.data[1:3], w.data.reshape(2, 2)[0], memoryview(w.data), w.detach()]
    f(1.0)
    assert held[0][0] == held[1][1] == held[2][1] == 2.0
    assert held[3].data[0] == 2.0
    f(1.0)
    np.testing.assert_array_equal(w.data, [4.0] * 4)
    for take in (lambda: w.data[::2], lambda: memoryview(w.data), lambda: w.data.T, lambda: w.data.view("i8")):
        view = take()
        before = np.array(view).copy()
        f(1.0), f(1.0)
        np.testing.assert_array_equal(np.array(view), before)


def test_a_wrapped_array_is_never_modified():
    array, second = np.ones(4), np.zeros(4)
    w = ad.Variable(array)
    f = ad.compile(add(w))
    f(1.0), f(1.0)
    w.data = second
    f(1.0), f(1.0)
    np.testing.assert_array_equal(array, np.ones(4))
    np.testing.assert_array_equal(second, np.zeros(4))
    np.testing.assert_array_equal(w.data, np.full(4, 2.0))


def test_memory_of_another_owner_is_never_modified(tmp_path):
    base, buffer, path = np.zeros((2, 4)), bytearray(32), tmp_path / "array"
    np.zeros(4).tofile(path)
    w = variable(*np.ones(4))
    f = ad.compile(add(w))
    f(1.0), f(1.0)
    for make in (
        lambda: base[0],
        lambda: np.frombuffer(buffer),
        lambda: np.memmap(path, mode="r+", shape=(4,), dtype=np.float64),
    ):
        w.data = make()
        f(1.0), f(1.0)
        np.testing.assert_array_equal(w.data, np.full(4, 2.0))
    assert not base.any()
    assert not any(buffer)
    assert not np.fromfile(path).any()


def test_a_gradient_in_memory_of_another_owner_is_never_modified():
    w = variable(1.0, 2.0)

    @ad.compile
    def f(x):
        w.cleargrad()
        F.sum(w * x).backward()

    f(ONES), f(ONES)
    base = np.zeros((2, 2))
    w.grad = base[0]
    f(ONES), f(ONES)
    assert not base.any()


def test_a_read_only_array_is_replaced():
    array = np.ones(4)
    array.flags.writeable = False
    w = variable(*np.ones(4))
    f = ad.compile(add(w))
    f(1.0)
    w.data = array
    del array
    f(1.0), f(1.0)
    np.testing.assert_array_equal(w.data, np.full(4, 3.0))
    assert w.data.flags.writeable


def test_returned_arrays_are_not_written_to_later():
    model, optimizer = mlp(), optimizers.SGD(0.1)

    @ad.compile
    def f(x):
        loss = train(model, optimizer, x)
        return loss, model.layers[0].w.grad, model.layers[0].w.data, model.layers[0].w.data * 2.0

    f(X)
    results = f(X)
    arrays = [result if isinstance(result, np.ndarray) else result.data for result in results]
    copies = [array.copy() for array in arrays]
    f(X), f(X)
    for array, earlier in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, earlier)


def test_copies_of_an_argument_are_copies():
    x, v = np.arange(2.0), ad.Variable(np.arange(2.0))
    for function in (np.ndarray.copy, lambda x: +x, lambda x: x.astype(np.float64), lambda x: np.sum(x, axis=())):
        f = ad.compile(function if function is not np.ndarray.copy else lambda x: x.copy())
        for _ in range(2):
            result = f(x)
            assert not np.shares_memory(result, x)
            np.testing.assert_array_equal(result, x)
    f = ad.compile(lambda v: v.astype(np.float64))
    assert not np.shares_memory(f(v).data, v.data)


# Memory


@pytest.mark.parametrize(
    "make", [lambda: mlp(), lambda: models.LSTM(4, 2, rng=np.random.default_rng(0))], ids=["mlp", "lstm"]
)
def test_two_thousand_calls_do_not_grow(make):
    model, optimizer = make(), optimizers.Adam(0.01)

    @ad.compile
    def f(x):
        loss = train(model, optimizer, x)
        loss.unchain_backward()
        return loss

    for _ in range(20):
        f(X)
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    try:
        for _ in range(100):
            f(X)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2000):
            f(X)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    gc.collect()
    assert grown < 2000
    assert len(gc.get_objects()) - objects < 20


def test_no_cycle_keeps_results_and_old_arrays(without_collector):
    model, optimizer = mlp(), optimizers.Adam(0.01)
    f = ad.compile(lambda x: train(model, optimizer, x))
    f(X), f(X)
    w = model.layers[0].w
    old = [weakref.ref(value) for value in (f(X), w.grad)]
    f(X)
    assert [reference() for reference in old] == [None, None]


def test_arguments_are_not_kept_after_a_call():
    f = ad.compile(lambda x, v: v * x)
    array, given = np.ones(1000), ad.Variable(np.ones(1000))
    references = weakref.ref(array), weakref.ref(given), weakref.ref(given.data)
    f(array, given)
    f(array, given)
    del array, given
    gc.collect()
    assert all(reference() is None for reference in references)


def test_a_dropped_model_and_its_function_are_freed():
    def make():
        model, optimizer = mlp(), optimizers.Adam(0.01)
        f = ad.compile(lambda x: train(model, optimizer, x))
        f(X), f(X)
        return weakref.ref(model), weakref.ref(model.layers[0].w), weakref.ref(optimizer)

    references = make()
    gc.collect()
    assert [reference() for reference in references] == [None] * 3
