"""Parameters in files: round trips, also before the first call, and errors that leave the model as it was."""

import os

import numpy as np
import pytest

import adjoint as ad
from adjoint import layers as L, models
from adjoint.errors import ArgumentError, DTypeError, FormatError, MissingDependencyError

safetensors = pytest.importorskip("safetensors.numpy")

MODELS = {
    "MLP": lambda: models.MLP([4, 2]),
    "LSTM": lambda: models.LSTM(3, 2),
    "RNN": lambda: L.RNN(3),
    "GRU": lambda: L.GRU(3),
    "Linear": lambda: L.Linear(2),
    "Linear, no bias": lambda: L.Linear(2, bias=False),
    "Linear, in_size": lambda: L.Linear(2, in_size=5),
}
every_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
X = np.random.default_rng(0).standard_normal((7, 5))


class Parts(L.Layer):
    def __init__(self, **parts):
        vars(self).update(parts)


def content(model):
    return {name: (id(p), p.data.tobytes(), p.shape, str(p.dtype)) for name, p in model.params().items()}


@every_model
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
class TestRoundTrip:
    def test_after_the_first_call(self, make, dtype, tmp_path):
        model, other = make(), make()
        first = model(X.astype(dtype)).data
        other(X.astype(dtype))
        model.save(tmp_path / "model.safetensors")
        before = other.params()
        other.load(tmp_path / "model.safetensors")
        assert all(other.params()[name] is p for name, p in before.items())
        other.reset_state()
        np.testing.assert_array_equal(other(X.astype(dtype)).data, first)

    def test_before_the_first_call(self, make, dtype, tmp_path):
        model, other = make(), make()
        first = model(X.astype(dtype)).data
        model.save(str(tmp_path / "model.safetensors"))
        other.load(str(tmp_path / "model.safetensors"))
        assert list(other.params()) == list(model.params())
        np.testing.assert_array_equal(other(X.astype(dtype)).data, first)
        assert {p.dtype for p in other.params().values()} == {np.dtype(dtype)}


@every_model
def test_the_file_is_an_ordinary_safetensors_file(make, tmp_path):
    model = make()
    model(X)
    model.save(tmp_path / "m")
    arrays = safetensors.load_file(tmp_path / "m")
    assert arrays.keys() == model.params().keys()
    for name, p in model.params().items():
        np.testing.assert_array_equal(arrays[name], p.data)


@every_model
def test_loaded_parameters_may_be_written_to(make, tmp_path):
    model = make()
    model(X)
    model.save(tmp_path / "m")
    other = make()
    other.load(tmp_path / "m")
    for p in (*model.params().values(), *other.params().values()):
        p.data *= 2.0
        assert p.data.flags.c_contiguous


@pytest.mark.parametrize(
    "array",
    [
        np.array(2.5),
        np.zeros((0, 3)),
        np.arange(6.0).reshape(2, 3).T,
        np.arange(10.0)[::2],
        np.arange(3.0).astype(">f8"),
    ],
    ids=["number", "empty", "transposed", "strided", "big-endian"],
)
def test_arrays_of_every_form(array, tmp_path):
    model, other = Parts(p=ad.Variable(array)), Parts(p=ad.Variable(np.full(array.shape, 9.0)))
    model.save(tmp_path / "m")
    other.load(tmp_path / "m")
    assert other.p.shape == array.shape
    np.testing.assert_array_equal(other.p.data, array)


def test_a_shared_parameter_is_saved_once(tmp_path):
    shared = ad.Variable(np.array([1.0, 2.0]))
    Parts(a=shared, b=shared).save(tmp_path / "m")
    assert list(safetensors.load_file(tmp_path / "m")) == ["a"]


def test_state_is_not_saved(tmp_path):
    model = models.LSTM(3, 2)
    first = model(X).data
    hidden = model.lstm.hidden
    model.save(tmp_path / "m")
    model.load(tmp_path / "m")
    assert model.lstm.hidden is hidden
    other = models.LSTM(3, 2)
    other.load(tmp_path / "m")
    np.testing.assert_array_equal(other(X).data, first)


def test_whole_numbers_become_floats(tmp_path):
    safetensors.save_file({"w": np.ones((5, 2), np.int32), "b": np.zeros(2, np.int64)}, tmp_path / "m")
    for layer in (L.Linear(2), L.Linear(2, in_size=5)):
        layer.load(tmp_path / "m")
        assert {p.dtype for p in layer.params().values()} == {np.dtype(np.float64)}
        assert layer(X).shape == (7, 2)


def test_a_layer_of_a_users_own_whose_first_call_makes_its_parameters(tmp_path):
    class Shift(L.Layer):
        def __init__(self):
            self.shift = None

        def forward(self, x):
            if self.shift is None:
                self.shift = ad.Variable(np.ones(x.shape[-1]))
            return x + self.shift

        def pending(self):
            return ("shift",) if self.shift is None else ()

    model, other = Parts(inner=Shift()), Parts(inner=Shift())
    model.inner(X)
    model.save(tmp_path / "m")
    other.load(tmp_path / "m")
    np.testing.assert_array_equal(other.inner.shift.data, np.ones(5))
    assert list(other.params()) == ["inner.shift"]


def test_optimizers_go_on_after_loading(tmp_path):
    model, optimizer = models.MLP([3, 1]), ad.optimizers.Adam()
    for _ in range(2):
        model.cleargrads()
        (model(X) ** 2).mean().backward()
        optimizer.update(model)
        model.save(tmp_path / "m")
        model.load(tmp_path / "m")


ARRAYS = {"x.w": np.zeros((5, 12)), "x.b": np.zeros(12), "h.w": np.zeros((3, 12))}


@pytest.mark.parametrize("called", [False, True], ids=["before the first call", "after it"])
class TestErrorsLeaveTheModelAsItWas:
    def check(self, called, path, match):
        layer = L.LSTM(3)
        if called:
            layer(X)
        before = content(layer)
        with pytest.raises(FormatError, match=match) as caught:
            layer.load(path)
        assert str(path) in str(caught.value)
        assert content(layer) == before
        assert layer.pending() == ()
        layer.reset_state()
        assert layer(X).shape == (7, 3)

    @pytest.mark.parametrize(
        ("name", "shape"),
        [
            ("x.w", (5, 11)),
            ("x.w", (12,)),
            ("x.w", (0, 12)),
            ("x.w", (1, 5, 12)),
            ("x.b", (11,)),
            ("x.b", (1, 12)),
            ("h.w", (4, 12)),
            ("h.w", (3, 4)),
        ],
    )
    def test_a_wrong_shape(self, called, name, shape, tmp_path):
        safetensors.save_file({**ARRAYS, name: np.zeros(shape)}, tmp_path / "m")
        self.check(called, tmp_path / "m", rf"'{name}' has shape \({', '.join(map(str, shape))}")

    def test_a_missing_name(self, called, tmp_path):
        safetensors.save_file({"x.w": ARRAYS["x.w"], "h.w": ARRAYS["h.w"]}, tmp_path / "m")
        self.check(called, tmp_path / "m", r"it lacks x\.b\n")

    def test_an_unknown_name(self, called, tmp_path):
        safetensors.save_file({**ARRAYS, "h.b": np.zeros(12), "y": np.zeros(1)}, tmp_path / "m")
        self.check(called, tmp_path / "m", r"it has h\.b, y besides\n")

    def test_both(self, called, tmp_path):
        safetensors.save_file({"w": np.zeros(1)}, tmp_path / "m")
        self.check(called, tmp_path / "m", r"it lacks h\.w, x\.b, x\.w and has w besides")

    def test_another_models_file(self, called, tmp_path):
        other = models.MLP([3, 2])
        other(X)
        other.save(tmp_path / "m")
        self.check(called, tmp_path / "m", "not the parameters of this model")

    @pytest.mark.parametrize(
        "raw",
        [b"", b"hello", b"\x00" * 100, b"\xff" * 100, b"PK\x03\x04 a zip file"],
        ids=["empty", "text", "0", "f", "zip"],
    )
    def test_a_file_of_another_kind(self, called, raw, tmp_path):
        (tmp_path / "m").write_bytes(raw)
        self.check(called, tmp_path / "m", "not a safetensors file")

    def test_a_file_that_is_cut_off(self, called, tmp_path):
        safetensors.save_file(ARRAYS, tmp_path / "m")
        whole = (tmp_path / "m").read_bytes()
        for length in (4, 20, len(whole) // 2, len(whole) - 1):
            (tmp_path / "m").write_bytes(whole[:length])
            self.check(called, tmp_path / "m", "not a safetensors file")


def test_complex_numbers_come_back(tmp_path):
    layer, other = L.Linear(2), L.Linear(2)
    x = np.array([[1.0 + 2.0j, -1.0j]], np.complex64)
    y = layer(x)
    try:
        layer.save(tmp_path / "m")
    except DTypeError:
        pytest.skip("this version of safetensors has no complex numbers")
    other.load(tmp_path / "m")
    assert other.w.dtype == np.complex64
    np.testing.assert_array_equal(other(x).data, y.data)
    of_real_numbers = L.Linear(2, 2)
    with pytest.raises(FormatError, match="complex64, the model's of float64"):
        of_real_numbers.load(tmp_path / "m")
    assert of_real_numbers.w.dtype == np.float64
    layer.w.data = layer.w.data.astype(complex)
    with pytest.raises(DTypeError, match="complex128"):
        layer.save(tmp_path / "m")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        L.Linear(2).load(tmp_path / "none")


def test_saving_before_the_first_call_is_an_error(tmp_path):
    with pytest.raises(ArgumentError, match=r"layers\.0\.w, layers\.0\.b, .* call the model before saving"):
        models.MLP([3, 1]).save(tmp_path / "m")
    assert os.listdir(tmp_path) == []


def test_without_safetensors(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    layer = L.Linear(2, in_size=1)
    (tmp_path / "old").write_bytes(b"old")
    for action in (layer.save, layer.load):
        with pytest.raises(MissingDependencyError, match=r"pip install 'adjoint\[files\]'") as caught:
            action(tmp_path / "old")
        assert isinstance(caught.value, ImportError)
    assert (tmp_path / "old").read_bytes() == b"old"
