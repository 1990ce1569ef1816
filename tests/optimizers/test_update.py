"""What `update` does for every optimizer: which parameters it changes, what it leaves alone, and its errors."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L, models, optimizers as O
from adjoint.errors import AdjointError, ArgumentError, DTypeError, ShapeError

OPTIMIZERS = {"SGD": O.SGD, "Momentum": O.Momentum, "Adam": O.Adam, "AdamW": O.AdamW}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


class Bag:
    """Anything with `params()`."""

    def __init__(self, *arrays):
        self.variables = {f"p{i}": ad.Variable(array) for i, array in enumerate(arrays)}

    def params(self):
        return self.variables

    def __getitem__(self, i):
        return self.variables[f"p{i}"]


def snapshot(model, optimizer):
    kept = sorted((id(key()), [k.tolist() for k in slots]) for key, slots in optimizer._kept.items())
    return [(p.data.tolist(), str(p.dtype)) for p in model.params().values()], optimizer.updates, kept


@every_optimizer
class TestWhatChanges:
    def test_a_model(self, make):
        model = models.MLP([3, 1])
        F.sum(model(np.ones((2, 2))) ** 2).backward()
        before = {name: p.data for name, p in model.params().items()}
        copies = {name: p.copy() for name, p in before.items()}
        objects = model.params()
        make(0.1).update(model)
        for name, p in model.params().items():
            assert p is objects[name]
            assert p.data is not before[name], "arrays are replaced"
            np.testing.assert_array_equal(before[name], copies[name], "and never written to")
            assert not np.array_equal(p.data, copies[name])

    def test_a_layer(self, make):
        layer = L.Linear(1, in_size=1)
        layer.w.grad = [[1.0]]
        w, b = layer.w.data, layer.b.data
        make(0.1).update(layer)
        assert layer.w.data < w
        assert layer.b.data is b

    def test_anything_with_params(self, make):
        model = Bag([1.0, 2.0])
        model[0].grad = ad.Variable(np.array([1.0, -1.0]))
        make(0.1).update(model)
        assert model[0].data[0] < 1.0
        assert model[0].data[1] > 1.9

    def test_the_gradients_stay(self, make):
        model, g = Bag([1.0, 2.0]), np.array([0.5, -0.5])
        model[0].grad = g
        gradient = model[0].grad
        make(0.1).update(model)
        assert model[0].grad is gradient
        np.testing.assert_array_equal(g, [0.5, -0.5])

    def test_gradients_may_be_read_only(self, make):
        model, g = Bag([1.0, 2.0]), np.array([0.5, -0.5])
        g.flags.writeable = model[0].data.flags.writeable = False
        model[0].grad = g
        make(0.1).update(model)

    def test_parameters_without_gradient_are_skipped(self, make):
        model, optimizer = Bag([1.0], [1.0]), make(0.1)
        model[0].grad = [1.0]
        skipped = model[1].data
        optimizer.update(model)
        assert model[1].data is skipped
        assert len(optimizer._kept) == (1 if optimizer.slots else 0)

    def test_nothing_has_a_gradient(self, make):
        model, optimizer = Bag([1.0]), make(0.1)
        optimizer.update(model)
        assert optimizer.updates == 0
        optimizer.update(L.Linear(3))
        assert optimizer.updates == 0

    def test_a_number_stays_a_number(self, make):
        model, optimizer = Bag(np.array(1.0), np.array(1.0, np.float32)), make(0.1)
        for _ in range(3):
            model[0].grad, model[1].grad = 1.0, np.float32(1.0)
            optimizer.update(model)
        assert [type(p.data) for p in model.params().values()] == [np.ndarray] * 2
        assert [(p.shape, str(p.dtype)) for p in model.params().values()] == [((), "float64"), ((), "float32")]

    def test_empty_parameters(self, make):
        model = Bag(np.zeros((0, 3)))
        model[0].grad = np.zeros((0, 3))
        make(0.1).update(model)
        assert model[0].shape == (0, 3)

    def test_data_assigned_between_updates_counts(self, make):
        model, optimizer = Bag([1.0, 2.0]), make(0.1)
        model[0].grad = [1.0, 1.0]
        optimizer.update(model)
        model[0].data = np.array([5.0, 6.0])
        optimizer.update(model)
        assert (model[0].data > 4.0).all()

    def test_whole_numbers_assigned_to_a_parameter_stay_trainable(self, make):
        model, optimizer = Bag(np.array([0.5, 0.5], np.float32)), make(0.1)
        for data in (np.array([5, 6]), [7, 8], np.array([True, False])):
            model[0].data = data
            F.sum(model[0] ** 2 + model[0]).backward()
            optimizer.update(model)
            assert model[0].dtype == np.float32
            assert not np.array_equal(model[0].data, np.asarray(data))

    def test_a_gradient_of_another_dtype_is_cast(self, make):
        model = Bag(np.array([1.0], np.float32))
        model[0].grad = np.array([1.0])
        make(0.1).update(model)
        assert model[0].dtype == np.float32

    def test_the_dtype_of_a_parameter_may_change_between_updates(self, make):
        model, optimizer = Bag([1.0, 2.0]), make(0.1)
        for dtype in (np.float64, np.float32, np.float64):
            model[0].data = model[0].data.astype(dtype)
            model[0].grad = np.ones(2, dtype)
            optimizer.update(model)
            assert model[0].dtype == dtype

    def test_the_shape_of_a_parameter_may_change_between_updates(self, make):
        model, optimizer = Bag([1.0, 2.0]), make(0.1)
        for size in (2, 3, 1):
            model[0].data, model[0].grad = np.ones(size), None
            model[0].grad = np.ones(size)
            optimizer.update(model)
            assert model[0].shape == (size,)

    def test_a_recorded_gradient_leaves_no_graph_behind(self, make):
        x = ad.Variable(2.0)
        (x**3).backward(create_graph=True)
        model = Bag()
        model.variables["x"] = x
        make(0.1).update(model)
        assert x.creator is None
        assert x.data < 2.0


@every_optimizer
class TestModels:
    def test_one_swapped_for_another_starts_anew(self, make):
        optimizer, fresh = make(0.1), make(0.1)
        first, second, third = Bag([1.0, 2.0]), Bag([1.0, 2.0]), Bag([1.0, 2.0])
        first[0].grad = [10.0, -10.0]
        optimizer.update(first)
        after = first[0].data
        for model, used in ((second, optimizer), (third, fresh)):
            used.updates = 0
            model[0].grad = [0.5, 0.25]
            used.update(model)
        np.testing.assert_array_equal(second[0].data, third[0].data)
        assert first[0].data is after

    def test_what_was_kept_goes_with_a_model(self, make):
        optimizer = make(0.1)
        for _ in range(50):
            model = Bag(np.ones(3), np.ones(2))
            gone = weakref.ref(model[0])
            for p in model.params().values():
                p.grad = np.ones(p.shape)
            optimizer.update(model)
        assert len(optimizer._kept) <= 4
        del model, p
        gc.collect()
        assert gone() is None

    def test_two_in_turns_do_not_mix(self, make):
        together, alone = make(0.1), make(0.1)
        one, other, twin = Bag([1.0]), Bag([1.0]), Bag([1.0])
        for step in range(4):
            one[0].grad, other[0].grad, twin[0].grad = [1.0], [-3.0], [1.0]
            together.updates = step
            together.update(one)
            together.updates = step
            together.update(other)
            alone.update(twin)
        np.testing.assert_array_equal(one[0].data, twin[0].data)

    def test_a_copy_of_the_model_leaves_the_original_alone(self, make):
        model = Bag([1.0, 2.0])
        model[0].grad = [1.0, 1.0]
        twin = copy.deepcopy(model)
        make(0.1).update(twin)
        np.testing.assert_array_equal(model[0].data, [1.0, 2.0])
        assert (twin[0].data < [1.0, 2.0]).all()

    def test_runs_repeat_bit_for_bit(self, make):
        def run():
            model, optimizer = models.MLP([8, 3], rng=ad.random.const()), make(0.05)
            x, t = np.random.default_rng(0).standard_normal((20, 4)), np.arange(20) % 3
            for _ in range(5):
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update(model)
            return [p.data.tobytes() for p in model.params().values()]

        assert run() == run()


@every_optimizer
class TestErrorsLeaveEverythingAsItWas:
    def prepared(self, make, hooks=()):
        model, optimizer = Bag([1.0, 2.0], [3.0]), make(0.1)
        model[0].grad, model[1].grad = [1.0, 1.0], [1.0]
        optimizer.update(model)
        optimizer.hooks = list(hooks)
        return model, optimizer

    def test_a_gradient_of_another_shape(self, make):
        model, optimizer = self.prepared(make)
        model[1].data = np.ones((1, 1))
        before = snapshot(model, optimizer)
        with pytest.raises(ShapeError, match=r"gradient of 'p1' has shape \(1,\), the parameter \(1, 1\)"):
            optimizer.update(model)
        assert snapshot(model, optimizer) == before

    @pytest.mark.parametrize(
        ("hook", "text"),
        [
            (lambda _ps, gs: [gs[0], np.ones((2, 2))], r"shape \(2, 2\)"),
            (lambda _ps, gs: [gs[0], gs[1].sum()], r"shape \(\)"),
            (lambda _ps, gs: gs[:1], "1 gradients for 2 parameters"),
            (lambda _ps, gs: [*gs, gs[0]], "3 gradients for 2 parameters"),
            (lambda _ps, _gs: None, "returned None"),
        ],
        ids=["shape", "number", "too few", "too many", "nothing"],
    )
    def test_what_a_hook_returns(self, make, hook, text):
        model, optimizer = self.prepared(make, [hook])
        before = snapshot(model, optimizer)
        with pytest.raises(AdjointError, match=text):
            optimizer.update(model)
        assert snapshot(model, optimizer) == before

    def test_an_error_in_a_hook(self, make):
        def hook(_parameters, _gradients):
            raise KeyError("mine")

        model, optimizer = self.prepared(make, [hook])
        before = snapshot(model, optimizer)
        with pytest.raises(KeyError, match="mine"):
            optimizer.update(model)
        assert snapshot(model, optimizer) == before

    def test_an_error_in_the_rule_of_a_later_parameter(self, make):
        model, optimizer = self.prepared(make)
        before = snapshot(model, optimizer)
        rule, calls = optimizer.rule, []

        def breaking(*args):
            calls.append(args)
            if len(calls) == 2:
                raise MemoryError
            return rule(*args)

        optimizer.rule = breaking
        with pytest.raises(MemoryError):
            optimizer.update(model)
        assert snapshot(model, optimizer) == before


@every_optimizer
class TestSettings:
    @pytest.mark.parametrize("rate", [0, 0.0, -0.1, float("nan"), float("inf")])
    def test_an_optimizer_that_would_not_learn_is_refused(self, make, rate):
        with pytest.raises(ArgumentError, match="learning_rate is a finite number"):
            make(rate)

    @pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf")])
    def test_a_learning_rate_that_is_assigned_is_checked(self, make, rate):
        optimizer = make(0.1)
        with pytest.raises(ArgumentError, match="learning_rate is a finite number from 0"):
            optimizer.learning_rate = rate
        assert optimizer.learning_rate == 0.1

    def test_a_schedule_may_end_at_zero(self, make):
        model, optimizer = Bag([1.0]), make(0.1)
        optimizer.learning_rate = 0.0
        model[0].grad = [1.0]
        optimizer.update(model)
        assert model[0].data.tolist() == [1.0]

    @pytest.mark.parametrize("rate", ["0.1", None, [0.1], np.array([0.1, 0.2]), 1j])
    def test_a_learning_rate_is_a_number(self, make, rate):
        with pytest.raises(DTypeError, match="learning_rate is a number"):
            make(rate)

    @pytest.mark.parametrize("rate", [1, np.float32(0.5), np.float64(0.5), np.array(0.5), np.int64(2)])
    def test_numbers_of_other_types_become_floats(self, make, rate):
        assert type(make(rate).learning_rate) is float

    def test_a_schedule(self, make):
        model, optimizer = Bag([1.0]), make(1.0)
        steps = []
        for rate in (1e-1, 1e-2, 1e-3):
            optimizer.learning_rate = rate
            before = model[0].data
            model[0].grad = [1.0]
            optimizer.update(model)
            steps.append(float(abs(model[0].data - before)[0]))
        assert steps[0] > steps[2]

    def test_hooks_are_a_list(self, make):
        with pytest.raises(DTypeError, match="hooks is a list"):
            make(0.1, hooks=lambda _ps, gs: gs)


@pytest.mark.parametrize(
    ("make", "name"),
    [(O.Momentum, "momentum"), (O.Adam, "beta1"), (O.Adam, "beta2"), (O.AdamW, "beta1"), (O.AdamW, "beta2")],
)
def test_fractions(make, name):
    for value in (1.0, -0.1, float("nan"), 2):
        with pytest.raises(ArgumentError, match=f"{name} is at least 0 and below 1, not"):
            make(**{name: value})
    with pytest.raises(DTypeError, match=f"{name} is a number, not '0.5'"):
        make(**{name: "0.5"})
    assert getattr(make(**{name: 0}), name) == 0.0


def test_other_settings():
    for eps in (0.0, -1e-8, float("nan")):
        with pytest.raises(ArgumentError, match="eps is a finite number above 0"):
            O.Adam(eps=eps)
    for decay in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="weight_decay is a finite number from 0"):
            O.AdamW(weight_decay=decay)
    with pytest.raises(DTypeError, match="weight_decay is a number"):
        O.AdamW(weight_decay="0.1")
    assert O.AdamW(weight_decay=0).weight_decay == 0.0


def test_defaults_are_the_documented_ones():
    adam, adamw, momentum = O.Adam(), O.AdamW(), O.Momentum()
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.eps) == (1e-3, 0.9, 0.999, 1e-8)
    assert (adamw.learning_rate, adamw.beta1, adamw.beta2, adamw.eps) == (1e-3, 0.9, 0.999, 1e-8)
    assert adamw.weight_decay == 0.01
    assert (momentum.learning_rate, momentum.momentum) == (0.01, 0.9)


def test_an_optimizer_of_a_users_own():
    class SignDescent(O.Optimizer):
        slots = ("last",)

        def rule(self, xp, p, g, last):
            step = xp.sign(g) * self.learning_rate
            return p - step - 0.0 * last, step

    model = Bag([1.0, -1.0])
    optimizer = SignDescent(0.25)
    for _ in range(2):
        model[0].grad = [3.0, -0.1]
        optimizer.update(model)
    np.testing.assert_array_equal(model[0].data, [0.5, -0.5])
    with pytest.raises(NotImplementedError, match="Optimizer defines no rule"):
        O.Optimizer(0.1).update(model)


class TestCopies:
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
    def test_a_model_and_its_optimizer_go_on_alike(self, duplicate):
        x, t = np.ones((4, 3)), np.zeros((4, 1))
        model, optimizer = models.MLP([2, 1], rng=ad.random.const()), O.Adam(0.1)

        def step(model, optimizer):
            loss = F.mean_squared_error(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update(model)
            return loss.item()

        for _ in range(3):
            step(model, optimizer)
        twins = duplicate((model, optimizer))
        assert [step(model, optimizer) for _ in range(3)] == [step(*twins) for _ in range(3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [O.Adam, lambda: O.Momentum(0.1, 0.9)])
def test_moments_of_a_dead_unit_never_become_subnormal(make, dtype):
    layer = L.Linear(400, in_size=1, bias=False)
    layer.w.data = np.ones((1, 400), dtype)
    optimizer = make()
    layer.w.grad = np.full((1, 400), 1e-3, dtype)
    optimizer.update(layer)
    layer.w.grad = np.zeros((1, 400), dtype)
    smallest = np.finfo(dtype).smallest_normal
    for _ in range(8000):
        optimizer.update(layer)
    (kept,) = optimizer._kept.values()
    for array in kept:
        assert not ((array != 0) & (abs(array) < smallest)).any()


def test_hooks_are_functions_and_models_have_params():
    with pytest.raises(DTypeError, match="a hook is a function"):
        O.SGD(0.1, hooks=[3])
    with pytest.raises(DTypeError, match="takes a layer or a model"):
        O.SGD(0.1).update(3)
