"""The linear layer: when its parameters are made, their shape, dtype and distribution, and what it computes."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import layers as L
from adjoint.errors import ArgumentError, DTypeError, ShapeError


def draw(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


class TestParameters:
    def test_are_made_at_the_first_call(self):
        layer = L.Linear(4)
        assert (layer.w, layer.b, layer.params()) == (None, None, {})
        assert layer.pending() == ("w", "b")
        layer(draw(5, 3))
        assert {name: p.shape for name, p in layer.params().items()} == {"w": (3, 4), "b": (4,)}
        assert layer.pending() == ()

    def test_are_made_at_once_with_in_size(self):
        layer = L.Linear(4, in_size=3)
        assert {name: p.shape for name, p in layer.params().items()} == {"w": (3, 4), "b": (4,)}

    def test_without_bias(self):
        layer = L.Linear(4, bias=False)
        layer(draw(5, 3))
        assert list(layer.params()) == ["w"]
        assert layer.b is None
        assert list(L.Linear(4, in_size=3, bias=False).params()) == ["w"]

    def test_stay_the_same_objects(self):
        layer = L.Linear(4)
        layer(draw(5, 3))
        before = layer.params()
        layer(draw(2, 3))
        assert all(layer.params()[name] is p for name, p in before.items())

    @pytest.mark.parametrize("in_size", [None, 3])
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_take_the_dtype_of_the_first_input(self, in_size, dtype):
        layer = L.Linear(4, in_size=in_size)
        y = layer(draw(5, 3, dtype=dtype))
        assert y.dtype == layer.w.dtype == layer.b.dtype == dtype
        layer(draw(5, 3))
        assert layer.w.dtype == dtype

    @pytest.mark.parametrize("in_size", [None, 3])
    @pytest.mark.parametrize("x", [[[1, 2, 3]], np.array([[1, 2, 3]], np.int32), np.array([[True, False, True]])])
    def test_are_float64_for_whole_numbers(self, in_size, x):
        layer = L.Linear(4, in_size=in_size)
        assert layer(x).dtype == layer.w.dtype == np.float64

    def test_the_dtype_that_follows_loses_nothing(self):
        first, second = (L.Linear(4, in_size=3, rng=ad.random.const()) for _ in range(2))
        first(draw(1, 3, dtype=np.float32))
        np.testing.assert_array_equal(first.w.data, second.w.data.astype(np.float32))

    def test_an_input_that_does_not_fit_settles_no_dtype(self):
        layer = L.Linear(4, in_size=3)
        w = layer.w.data
        with pytest.raises(ShapeError):
            layer(draw(5, 2, dtype=np.float32))
        assert layer.w.data is w
        assert layer(draw(5, 3, dtype=np.float32)).dtype == np.float32

    def test_the_weight_is_normal_with_variance_one_by_in_size(self):
        layer = L.Linear(300, in_size=400, rng=ad.random.const(3))
        w = layer.w.data * np.sqrt(400)
        count = w.size
        assert abs(w.mean()) < 4 / np.sqrt(count)
        assert abs(w.var() - 1) < 4 * np.sqrt(2 / count)
        assert abs((w**4).mean() - 3) < 4 * np.sqrt(96 / count)  # the fourth moment of a normal distribution
        np.testing.assert_array_equal(layer.b.data, np.zeros(300))

    def test_the_weight_is_the_generators(self):
        layer = L.Linear(4, in_size=3, rng=ad.random.source(7))
        np.testing.assert_array_equal(layer.w.data, ad.random.source(7).standard_normal((3, 4)) / np.sqrt(3))

    def test_without_a_generator_weights_differ(self):
        assert not np.array_equal(L.Linear(4, in_size=3).w.data, L.Linear(4, in_size=3).w.data)

    def test_blocks_are_drawn_as_layers_of_their_own(self):
        together, rng = L.Linear(12, in_size=5, rng=ad.random.source(7), blocks=4), ad.random.source(7)
        alone = [L.Linear(3, in_size=5, rng=rng).w.data for _ in range(4)]
        np.testing.assert_array_equal(together.w.data, np.concatenate(alone, axis=1))

    def test_blocks_divide_the_outputs(self):
        with pytest.raises(ArgumentError, match="5 outputs cannot be drawn in 2 equal blocks"):
            L.Linear(5, blocks=2)


class TestForward:
    @pytest.mark.parametrize("leading", [(), (5,), (2, 5), (2, 0, 5), (1, 1, 1, 1)])
    def test_maps_the_last_axis(self, leading):
        layer, x = L.Linear(4), draw(*leading, 3)
        y = layer(x)
        assert y.shape == (*leading, 4)
        np.testing.assert_allclose(y.data, x @ layer.w.data + layer.b.data, rtol=1e-14)

    def test_forward_is_the_same_as_calling(self):
        layer, x = L.Linear(4), draw(5, 3)
        np.testing.assert_array_equal(layer(x).data, layer.forward(x).data)

    def test_gradients(self):
        layer = L.Linear(2, in_size=3)
        ad.testing.check_grads(lambda x, w, b: rebuilt(x, w, b), (draw(4, 3), layer.w.data, layer.b.data + 0.1))

    def test_takes_lists(self):
        assert L.Linear(2)([[1.0, 2.0]]).shape == (1, 2)


def rebuilt(x, w, b):
    layer = L.Linear(2)
    layer.w, layer.b = w, b
    return layer(x)


class TestErrors:
    @pytest.mark.parametrize("size", [0, -1])
    def test_sizes_are_at_least_one(self, size):
        with pytest.raises(ArgumentError, match=f"out_size is at least 1, not {size}"):
            L.Linear(size)
        with pytest.raises(ArgumentError, match=f"in_size is at least 1, not {size}"):
            L.Linear(1, in_size=size)

    @pytest.mark.parametrize("size", [2.0, "2", None, True, [2]])
    def test_sizes_are_whole_numbers(self, size):
        with pytest.raises(DTypeError, match="out_size is a whole number"):
            L.Linear(size)

    def test_numpy_integers_are_whole_numbers(self):
        assert L.Linear(np.int64(4), in_size=np.uint8(3)).w.shape == (3, 4)

    def test_a_number_is_no_input(self):
        with pytest.raises(ArgumentError, match=r"at least one axis, \(\.\.\., in_size\)"):
            L.Linear(2)(1.0)

    def test_an_input_without_features(self):
        layer = L.Linear(2)
        with pytest.raises(ArgumentError, match="in_size is at least 1, not 0"):
            layer(np.zeros((5, 0)))
        assert layer.params() == {}

    def test_another_input_size_names_shapes_and_layer(self):
        layer = L.Linear(2, in_size=3)
        with pytest.raises(ShapeError, match=r"linear\(.*\(5, 4\).*\(3, 2\)[\s\S]*in layer Linear"):
            layer(draw(5, 4))

    def test_an_rng_is_a_generator(self):
        with pytest.raises(DTypeError, match=r"numpy\.random\.Generator"):
            L.Linear(2, rng=0)

    def test_strings_are_no_input(self):
        with pytest.raises(DTypeError):
            L.Linear(2)([["a", "b"]])


def test_repr():
    assert repr(L.Linear(4)) == "Linear(4)"
    assert repr(L.Linear(4, in_size=2, bias=False)) == "Linear(4, bias=False)"
