"""Ten steps of every optimizer, with and without hooks, against plain NumPy loops."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, hooks, optimizers as O

SHAPES = {"w": (3, 2), "b": (2,), "scalar": ()}


class Bag:
    """Anything with `params()`."""

    def __init__(self, arrays):
        self.variables = {name: ad.Variable(array) for name, array in arrays.items()}

    def params(self):
        return self.variables

    def arrays(self):
        return {name: p.data.copy() for name, p in self.variables.items()}


def sgd(p, g, _state, _t, lr):
    p -= lr * g


def momentum(p, g, state, _t, lr, mu):
    v = state.setdefault("v", np.zeros_like(p))
    v *= mu
    v -= lr * g
    p += v


def adam(p, g, state, t, lr, beta1, beta2, eps, decay=0.0):
    m, v = state.setdefault("m", np.zeros_like(p)), state.setdefault("v", np.zeros_like(p))
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * g**2
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    p -= lr * decay * p + rate * m / (np.sqrt(v) + eps)


# name: the optimizer, the learning rate, and one step in place on an array by the formula
OPTIMIZERS = {
    "SGD": (lambda **o: O.SGD(0.1, **o), 0.1, sgd, ()),
    "Momentum": (lambda **o: O.Momentum(0.05, 0.8, **o), 0.05, momentum, (0.8,)),
    "Adam": (lambda **o: O.Adam(0.02, 0.8, 0.95, 1e-6, **o), 0.02, adam, (0.8, 0.95, 1e-6)),
    "Adam, defaults": (lambda **o: O.Adam(**o), 1e-3, adam, (0.9, 0.999, 1e-8)),
    "AdamW": (lambda **o: O.AdamW(0.02, 0.8, 0.95, 1e-6, 0.3, **o), 0.02, adam, (0.8, 0.95, 1e-6, 0.3)),
    "AdamW, defaults": (lambda **o: O.AdamW(**o), 1e-3, adam, (0.9, 0.999, 1e-8, 0.01)),
}


def weight_decay(rate):
    return lambda ps, gs: {name: g + rate * ps[name] for name, g in gs.items()}


def clip(limit):
    def change(_ps, gs):
        norm = np.sqrt(sum(np.sum(g**2) for g in gs.values()))
        return {name: g * min(1.0, limit / (norm + 1e-6)) for name, g in gs.items()}

    return change


HOOKS = {
    "no hook": ((), ()),
    "decay": ((hooks.WeightDecay(0.2),), (weight_decay(0.2),)),
    "clip": ((hooks.ClipGrad(0.5),), (clip(0.5),)),
    "clip, high": ((hooks.ClipGrad(1e6),), (clip(1e6),)),
    "decay, clip": ((hooks.WeightDecay(0.2), hooks.ClipGrad(0.5)), (weight_decay(0.2), clip(0.5))),
    "clip, decay": ((hooks.ClipGrad(0.5), hooks.WeightDecay(0.2)), (clip(0.5), weight_decay(0.2))),
}


def start(dtype=np.float64):
    rng = np.random.default_rng(0)
    return {name: np.asarray(rng.standard_normal(shape), dtype) for name, shape in SHAPES.items()}


def gradients(step, dtype=np.float64):
    rng = np.random.default_rng(step)
    return {name: np.asarray(rng.standard_normal(shape), dtype) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("hooked", HOOKS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_ten_steps_are_those_of_the_formula(name, hooked):
    make, learning_rate, formula, settings = OPTIMIZERS[name]
    given, applied = HOOKS[hooked]
    optimizer, model = make(hooks=given), Bag(start())
    expected, states = start(), {key: {} for key in SHAPES}
    for step in range(1, 11):
        if step == 6:  # learning rates may change on the way
            optimizer.learning_rate = learning_rate = learning_rate / 2
        gs = gradients(step)
        for key, p in model.params().items():
            p.grad = gs[key]
        optimizer.update(model)
        for change in applied:
            gs = change(expected, gs)
        for key, p in expected.items():
            formula(p, gs[key], states[key], step, learning_rate, *settings)
        for key, p in model.params().items():
            np.testing.assert_allclose(p.data, expected[key], rtol=1e-12, atol=1e-14, err_msg=f"{key}, step {step}")
    assert optimizer.updates == 10


@pytest.mark.parametrize("hooked", HOOKS)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_dtype_stays(dtype, name, hooked):
    optimizer, model = OPTIMIZERS[name][0](hooks=HOOKS[hooked][0]), Bag(start(dtype))
    for step in range(3):
        for key, p in model.params().items():
            p.grad = gradients(step, dtype)[key]
        optimizer.update(model)
        optimizer.learning_rate = np.float64(0.01)  # as a schedule from NumPy gives it
    assert {p.dtype for p in model.params().values()} == {np.dtype(dtype)}
    assert {kept.dtype for slots in optimizer._kept.values() for kept in slots} <= {np.dtype(dtype)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_hook_of_a_users_own_may_compute_in_twice_the_precision(name):
    halve = lambda _parameters, gradients: [np.float64(0.5) * g for g in gradients]  # noqa: E731
    optimizer, plain = OPTIMIZERS[name][0](hooks=[halve]), OPTIMIZERS[name][0]()
    model, expected = Bag(start(np.float32)), Bag(start(np.float32))
    for key in SHAPES:
        model.params()[key].grad = gradients(0, np.float32)[key]
        expected.params()[key].grad = gradients(0, np.float32)[key] * np.float32(0.5)
    optimizer.update(model)
    plain.update(expected)
    for key, p in expected.params().items():
        assert model.params()[key].dtype == np.float32
        np.testing.assert_array_equal(model.params()[key].data, p.data)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_finds_the_lowest_point_of_a_quadratic(name):
    curvature, lowest = np.array([2.0, 4.0, 10.0]), np.array([0.5, -0.2, 0.1])
    optimizer, model = OPTIMIZERS[name][0](), Bag({"x": np.zeros(3)})
    if name.startswith("AdamW"):
        optimizer.weight_decay = 0.0
    for step in range(600):
        optimizer.learning_rate = 0.03 * 0.99**step
        x = model.params()["x"]
        x.cleargrad()
        (curvature * (x - lowest) ** 2).sum().backward()
        optimizer.update(model)
    np.testing.assert_allclose(model.params()["x"].data, lowest, atol=1e-3)


def test_weight_decay_of_adamw_shrinks_what_has_no_slope():
    model = Bag({"x": np.array([2.0, -4.0])})
    optimizer = O.AdamW(0.1, weight_decay=0.5)
    for _ in range(3):
        model.params()["x"].grad = np.zeros(2)
        optimizer.update(model)
    np.testing.assert_allclose(model.params()["x"].data, np.array([2.0, -4.0]) * 0.95**3, rtol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_complex_parameters_go_where_their_parts_would(name):
    """A complex parameter is two real ones, of which Adam takes the size of both together."""
    make, *_ = OPTIMIZERS[name]
    target = np.array([1.0 - 2.0j, 0.5j])

    def loss(z):
        return F.sum(F.abs(z - target) ** 4)

    def train(compiled):
        bag = Bag({"z": np.array([0.3 + 0.1j, 2.0 - 1.0j])})
        optimizer = make(hooks=[hooks.ClipGrad(0.5), hooks.WeightDecay(0.01)])

        def step():
            value = loss(bag.variables["z"])
            bag.variables["z"].cleargrad()
            value.backward()
            optimizer.update(bag)
            return value

        run = ad.compile(step, state=[optimizer]) if compiled else step
        return [run().item() for _ in range(20)], bag.arrays()["z"]

    losses, z = train(compiled=False)
    assert losses == sorted(losses, reverse=True)
    compiled_losses, compiled_z = train(compiled=True)
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-10)
    np.testing.assert_allclose(compiled_z, z, rtol=1e-10)
    if name in ("SGD", "Momentum"):
        parts = Bag({"x": np.array([0.3, 2.0]), "y": np.array([0.1, -1.0])})
        optimizer = make(hooks=[hooks.ClipGrad(0.5), hooks.WeightDecay(0.01)])
        for _ in range(20):
            x, y = parts.variables["x"], parts.variables["y"]
            value = F.sum(((x - target.real) ** 2 + (y - target.imag) ** 2) ** 2)
            for p in (x, y):
                p.cleargrad()
            value.backward()
            optimizer.update(parts)
        np.testing.assert_allclose(z, parts.arrays()["x"] + 1j * parts.arrays()["y"], rtol=1e-9)
