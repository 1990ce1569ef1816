"""RNN, LSTM and GRU: parameters, states, and training by truncated backpropagation against plain NumPy."""

import numpy as np
import pytest

import adjoint as ad
from adjoint import functions as F, layers as L, models, optimizers
from adjoint.errors import ArgumentError, DTypeError, ShapeError, StateError
from tests.layers import reference

KINDS = {"RNN": (L.RNN, 1), "LSTM": (L.LSTM, 4), "GRU": (L.GRU, 3)}
every_kind = pytest.mark.parametrize("kind", list(KINDS))


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def make(kind, *args, **options):
    return KINDS[kind][0](*args, **options)


class Stack(models.Model):
    """A recurrent layer, then a linear one."""

    def __init__(self, cell, out_size, rng=None):
        self.cell = cell
        self.linear = L.Linear(out_size, rng=rng)

    def forward(self, x):
        return self.linear(self.cell(x))


class TestParameters:
    @every_kind
    def test_names_and_shapes(self, kind):
        layer, gates = make(kind, 5), KINDS[kind][1]
        assert layer.params() == {}
        layer(draw(7, 3))
        assert {name: p.shape for name, p in layer.params().items()} == {
            "x.w": (3, 5 * gates),
            "x.b": (5 * gates,),
            "h.w": (5, 5 * gates),
        }

    @every_kind
    def test_each_gate_is_drawn_as_a_linear_layer(self, kind):
        layer, gates = make(kind, 5, rng=ad.random.source(7)), KINDS[kind][1]
        layer(draw(2, 3))
        rng = ad.random.source(7)
        x = [L.Linear(5, in_size=3, rng=rng).w.data for _ in range(gates)]
        h = [L.Linear(5, in_size=5, rng=rng).w.data for _ in range(gates)]
        np.testing.assert_array_equal(layer.x.w.data, np.concatenate(x, axis=1))
        np.testing.assert_array_equal(layer.h.w.data, np.concatenate(h, axis=1))
        np.testing.assert_array_equal(layer.x.b.data, np.zeros(5 * gates))

    @every_kind
    def test_variance_is_one_by_the_inputs_of_each_map(self, kind):
        layer = make(kind, 120, rng=ad.random.source(1))
        layer(draw(1, 90))
        for w in (layer.x.w.data, layer.h.w.data):
            assert abs(w.mean()) < 4 / np.sqrt(w.size * len(w))
            assert abs(w.var() * len(w) - 1) < 4 * np.sqrt(2 / w.size)

    @every_kind
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_dtype_is_the_first_inputs(self, kind, dtype):
        layer = make(kind, 5)
        for _ in range(3):
            y = layer(draw(2, 3).astype(dtype))
        assert y.dtype == layer.hidden.dtype == dtype
        assert {p.dtype for p in layer.params().values()} == {np.dtype(dtype)}

    @every_kind
    def test_a_bad_first_input_makes_nothing(self, kind):
        layer = make(kind, 5)
        for bad in (1.0, np.zeros((2, 0))):
            with pytest.raises(ArgumentError):
                layer(bad)
        assert layer.params() == {}
        assert layer.hidden is None
        assert layer(draw(2, 3).astype(np.float32)).dtype == np.float32

    @every_kind
    @pytest.mark.parametrize("size", [0, -2])
    def test_sizes_are_at_least_one(self, kind, size):
        with pytest.raises(ArgumentError, match=f"hidden_size is at least 1, not {size}"):
            make(kind, size)

    @every_kind
    @pytest.mark.parametrize("size", [2.5, "2", None, False])
    def test_sizes_are_whole_numbers(self, kind, size):
        with pytest.raises(DTypeError, match="hidden_size is a whole number"):
            make(kind, size)

    @every_kind
    def test_repr(self, kind):
        assert repr(make(kind, 5)) == f"{kind}(5)"


class TestForward:
    @every_kind
    def test_steps_are_those_of_numpy(self, kind):
        layer, xs = make(kind, 5, rng=ad.random.const()), draw(6, 2, 3)
        outputs = [layer(x).data for x in xs]
        cell, state = reference.CELLS[kind]({name: p.data for name, p in layer.params().items()}), None
        for x, output in zip(xs, outputs, strict=True):
            h, state, _ = cell.forward(x, state)
            np.testing.assert_allclose(output, h, rtol=1e-12, atol=1e-15)
        if kind == "LSTM":
            np.testing.assert_allclose(layer.cell.data, state[1], rtol=1e-12, atol=1e-15)

    @every_kind
    def test_the_first_step_has_no_hidden_term(self, kind):
        layer, x = make(kind, 5), draw(2, 3)
        first = layer(x).data
        layer.h.w.data = np.full(layer.h.w.shape, np.nan)
        layer.reset_state()
        np.testing.assert_array_equal(layer(x).data, first)

    @every_kind
    def test_the_first_step_gives_the_hidden_map_no_gradient(self, kind):
        layer = make(kind, 5)
        F.sum(layer(draw(2, 3))).backward()
        assert [name for name, p in layer.params().items() if p.grad is not None] == ["x.w", "x.b"]

    @every_kind
    @pytest.mark.parametrize("leading", [(), (1,), (4,), (2, 3), (2, 1, 3)])
    def test_any_leading_axes(self, kind, leading):
        layer, xs = make(kind, 5), draw(3, *leading, 2)
        outputs = [layer(x).data for x in xs]
        assert outputs[-1].shape == (*leading, 5)
        layer.reset_state()
        flat = [layer(x.reshape(-1, 2)).data for x in xs]
        np.testing.assert_allclose(np.reshape(flat, np.shape(outputs)), outputs, rtol=1e-13, atol=1e-15)

    @every_kind
    def test_takes_lists_and_whole_numbers(self, kind):
        layer = make(kind, 5)
        assert layer([[1, 2]]).dtype == np.float64
        assert layer([[1.0, 2.0]]).shape == (1, 5)

    @every_kind
    def test_gradients_of_three_steps(self, kind):
        layer, xs = make(kind, 2, rng=ad.random.const()), draw(3, 2, 3)
        layer(xs[0])
        names = list(layer.params())

        def total(x, *values):
            layer.reset_state()
            layer.x.w, layer.x.b, layer.h.w = (values[names.index(name)] for name in ("x.w", "x.b", "h.w"))
            layer(x)
            for later in xs[1:]:
                y = layer(later)
            return y

        ad.testing.check_grads(total, (xs[0], *(p.data for p in layer.params().values())), order=2)


class TestState:
    @every_kind
    def test_is_kept_between_calls(self, kind):
        layer, x = make(kind, 5), draw(2, 3)
        assert layer.hidden is None
        first = layer(x)
        assert layer.hidden is first
        second = layer(x)
        assert layer.hidden is second
        assert not np.allclose(first.data, second.data)

    @every_kind
    def test_reset_makes_the_next_step_a_first_one(self, kind):
        layer, x = make(kind, 5), draw(2, 3)
        first = layer(x).data
        layer(x)
        layer.reset_state()
        assert layer.hidden is None
        np.testing.assert_array_equal(layer(x).data, first)

    def test_the_cell_of_an_lstm(self):
        layer, x = L.LSTM(5), draw(2, 3)
        assert layer.cell is None
        layer(x)
        assert layer.cell.shape == (2, 5)
        assert layer.cell is not layer.hidden
        layer.reset_state()
        assert layer.cell is None

    @every_kind
    def test_of_another_batch_size_is_an_error(self, kind):
        layer = make(kind, 5)
        kept = layer(draw(4, 3))
        for other in (draw(2, 3), draw(3), draw(1, 4, 3), draw(1, 3)):
            with pytest.raises(StateError, match=rf"{kind} keeps a state .*\(4, 'in'\).*reset_state\(\)"):
                layer(other)
        assert layer.hidden is kept
        layer.reset_state()
        assert layer(draw(2, 3)).shape == (2, 5)

    @every_kind
    def test_an_input_of_another_size_changes_nothing(self, kind):
        layer = make(kind, 5)
        kept = layer(draw(4, 3))
        with pytest.raises(ShapeError, match=f"of {kind}|layer {kind}"):
            layer(draw(4, 2))
        assert layer.hidden is kept

    @every_kind
    def test_belongs_to_the_layer(self, kind):
        one, other, x = make(kind, 5), make(kind, 5), draw(2, 3)
        one(x)
        assert other.hidden is None

    @every_kind
    def test_without_recording_steps_are_the_same(self, kind):
        layer, xs = make(kind, 5), draw(4, 2, 3)
        recorded = [layer(x).data for x in xs]
        layer.reset_state()
        with ad.no_grad():
            plain = [layer(x).data for x in xs]
        assert layer.hidden.creator is None
        np.testing.assert_array_equal(plain, recorded)


class TestTruncatedBackpropagation:
    def train(self, kind, params, xs, ts, segment, learning_rate):
        model = Stack(make(kind, 4), ts.shape[-1])
        with ad.no_grad():
            model(xs[0])
        model.reset_state()
        for name, p in model.params().items():
            p.data = params[name]
        optimizer, losses = optimizers.SGD(learning_rate), []
        for start in range(0, len(xs), segment):
            loss = 0.0
            for x, t in zip(xs[start : start + segment], ts[start : start + segment], strict=True):
                loss = loss + F.mean_squared_error(model(x), t)
            model.cleargrads()
            loss.backward()
            loss.unchain_backward()
            optimizer.update(model)
            losses.append(loss.item())
        return model, losses

    @every_kind
    @pytest.mark.parametrize(("segment", "steps"), [(1, 4), (3, 12), (5, 12)], ids=["1x4", "3x4", "5+5+2"])
    def test_several_segments_are_those_of_numpy(self, kind, segment, steps):
        gates = KINDS[kind][1]
        shapes = {"cell.x.w": (3, 4 * gates), "cell.x.b": (4 * gates,), "cell.h.w": (4, 4 * gates)}
        shapes |= {"linear.w": (4, 2), "linear.b": (2,)}
        params = {name: 0.5 * draw(*shape, seed=i) for i, (name, shape) in enumerate(shapes.items())}
        xs, ts = draw(steps, 6, 3, seed=10), draw(steps, 6, 2, seed=11)
        model, losses = self.train(kind, params, xs, ts, segment, 0.1)
        expected = reference.train(kind, params, xs, ts, segment, 0.1)
        np.testing.assert_allclose(losses, expected, rtol=1e-12)
        for name, p in model.params().items():
            np.testing.assert_allclose(p.data, params[name], rtol=1e-12, atol=1e-12, err_msg=name)

    @every_kind
    def test_unchaining_keeps_the_values_and_cuts_the_graph(self, kind):
        layer, xs = make(kind, 5), draw(4, 2, 3)
        loss = 0.0
        for x in xs:
            loss = loss + F.sum(layer(x))
        hidden = layer.hidden.data.copy()
        loss.unchain_backward()
        assert layer.hidden.creator is None
        assert kind != "LSTM" or layer.cell.creator is None
        np.testing.assert_array_equal(layer.hidden.data, hidden)

    @every_kind
    def test_without_unchaining_gradients_reach_back(self, kind):
        layer, xs = make(kind, 5), draw(2, 2, 3)
        first = ad.Variable(xs[0])
        layer(first)
        F.sum(layer(xs[1])).backward()
        assert first.grad is not None
