"""The multi-layer perceptron."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, models
from adjoint.errors import ArgumentError, DTypeError, ShapeError


def test_names_and_shapes():
    model = models.MLP([5, 4, 2])
    model(np.ones((7, 3)))
    assert {name: p.shape for name, p in model.params().items()} == {
        "layers.0.w": (3, 5),
        "layers.0.b": (5,),
        "layers.1.w": (5, 4),
        "layers.1.b": (4,),
        "layers.2.w": (4, 2),
        "layers.2.b": (2,),
    }


@pytest.mark.parametrize(
    ("activation", "function"),
    [(None, lambda x: 1 / (1 + np.exp(-x))), (F.relu, lambda x: np.maximum(x, 0)), (F.tanh, np.tanh)],
    ids=["default", "relu", "tanh"],
)
@pytest.mark.parametrize("sizes", [[2], [4, 2], [5, 4, 2]])
def test_the_last_layer_has_no_activation(sizes, activation, function):
    model = models.MLP(sizes) if activation is None else models.MLP(sizes, activation=activation)
    x = np.random.default_rng(0).standard_normal((7, 3))
    y = model(x)
    for i in range(len(sizes)):
        x = x @ model.layers[i].w.data + model.layers[i].b.data
        x = function(x) if i < len(sizes) - 1 else x
    np.testing.assert_allclose(y.data, x, rtol=1e-13, atol=1e-15)


def test_layers_draw_one_after_the_other():
    model, rng = models.MLP([5, 2], rng=ad.random.const(3)), ad.random.const(3)
    model(np.ones((1, 3)))
    np.testing.assert_array_equal(model.layers[0].w.data, rng.standard_normal((3, 5)) / np.sqrt(3))
    np.testing.assert_array_equal(model.layers[1].w.data, rng.standard_normal((5, 2)) / np.sqrt(5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_the_first_inputs(dtype):
    model = models.MLP([4, 2], activation=F.relu)
    assert model(np.ones((7, 3), dtype)).dtype == dtype
    assert {p.dtype for p in model.params().values()} == {np.dtype(dtype)}


def test_gradients():
    model, x = models.MLP([4, 2], rng=ad.random.const()), np.random.default_rng(0).standard_normal((3, 2))
    model(x)

    def loss(*values):
        (model.layers[0].w, model.layers[0].b, model.layers[1].w, model.layers[1].b) = values
        return model(x)

    ad.testing.check_grads(loss, [p.data for p in model.params().values()])


@pytest.mark.parametrize("sizes", [(4, 2), range(2, 4), np.array([4, 2])])
def test_sizes_are_any_sequence(sizes):
    assert len(models.MLP(sizes).layers) == 2


@pytest.mark.parametrize(
    ("sizes", "error", "text"),
    [
        ([], ArgumentError, "at least one layer size"),
        ([3, 0], ArgumentError, "at least 1, not 0"),
        ([-1], ArgumentError, "at least 1, not -1"),
        (3, DTypeError, "a list of layer sizes"),
        ("31", DTypeError, "a whole number, not '3'"),
        ([2.0], DTypeError, "a whole number, not 2.0"),
        (None, DTypeError, "a list of layer sizes"),
    ],
)
def test_bad_sizes(sizes, error, text):
    with pytest.raises(error, match=text):
        models.MLP(sizes)


def test_an_activation_that_changes_the_width_is_fine():
    model = models.MLP([4, 3], activation=lambda x: F.concat([F.relu(x), F.relu(-x)], 1))
    model(np.ones((1, 2)))
    assert model.layers[1].w.shape == (8, 3)


def test_an_input_of_another_size_names_the_layer():
    model = models.MLP([4, 2])
    model(np.ones((1, 3)))
    with pytest.raises(ShapeError, match=r"in layer layers\.0 of MLP"):
        model(np.ones((1, 2)))


def test_repr():
    assert repr(models.MLP([10, 1])) == "MLP([10, 1], activation=sigmoid)"
    assert repr(models.MLP((3,), activation=F.relu)) == "MLP([3], activation=relu)"


def test_an_activation_is_a_function():
    with pytest.raises(DTypeError, match=r"as F\.relu, not 'relu'"):
        models.MLP([2, 1], activation="relu")
