"""The long short-term memory model: an LSTM layer, then a linear one."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models, optimizers
from adjoint.errors import ArgumentError, DTypeError, StateError


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_names_and_shapes():
    model = models.LSTM(5, 2)
    model(draw(7, 3))
    assert {name: p.shape for name, p in model.params().items()} == {
        "lstm.x.w": (3, 20),
        "lstm.x.b": (20,),
        "lstm.h.w": (5, 20),
        "linear.w": (5, 2),
        "linear.b": (2,),
    }


def test_is_its_two_layers():
    model, xs = models.LSTM(5, 2, rng=ad.random.const()), draw(3, 7, 3)
    outputs = [model(x).data for x in xs]
    model.reset_state()
    for x, output in zip(xs, outputs, strict=True):
        np.testing.assert_array_equal(model.linear(model.lstm(x)).data, output)


def test_reset_state():
    model, x = models.LSTM(5, 2), draw(7, 3)
    first = model(x).data
    second = model(x).data
    assert not np.allclose(first, second)
    model.reset_state()
    assert model.lstm.hidden is model.lstm.cell is None
    np.testing.assert_array_equal(model(x).data, first)


def test_a_batch_of_another_size_needs_a_reset():
    model = models.LSTM(5, 2)
    model(draw(7, 3))
    with pytest.raises(StateError, match="in layer lstm of LSTM"):
        model(draw(6, 3))
    model.reset_state()
    assert model(draw(6, 3)).shape == (6, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_the_first_inputs(dtype):
    model = models.LSTM(5, 2)
    model(draw(7, 3).astype(dtype))
    assert model(draw(7, 3).astype(dtype)).dtype == dtype
    assert {p.dtype for p in model.params().values()} == {np.dtype(dtype)}


def test_sizes():
    for sizes in ((0, 1), (1, 0)):
        with pytest.raises(ArgumentError, match="at least 1"):
            models.LSTM(*sizes)
    for sizes in ((1.0, 1), (1, "1")):
        with pytest.raises(DTypeError, match="a whole number"):
            models.LSTM(*sizes)


def test_repr():
    assert repr(models.LSTM(100, 1)) == "LSTM(100, 1)"


def test_learns_a_sine():
    model, optimizer = models.LSTM(12, 1, rng=ad.random.const()), optimizers.Adam(0.01)
    wave = np.sin(np.linspace(0, 8 * np.pi, 201))[:, None]
    losses = []
    for _ in range(6):
        model.reset_state()
        total = 0.0
        for start in range(0, 200, 20):
            loss = 0.0
            for i in range(start, start + 20):
                loss = loss + F.mean_squared_error(model(wave[i : i + 1]), wave[i + 1 : i + 2])
            model.cleargrads()
            loss.backward()
            loss.unchain_backward()
            optimizer.update(model)
            total += loss.item()
        losses.append(total / 200)
    assert losses[-1] < 0.05 * losses[0]
