"""The parts of ``adjoint lstm``: series, updates, losses, forecasts."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import adjoint as ad
from adjoint import functions as F
from adjoint.cli import lstm, tasks
from adjoint.data import SequenceLoader
from adjoint.errors import ArgumentError, DataError, FormatError


def counting(model, updates):
    """An optimizer that notes for each update its learning rate, and otherwise acts as the program's."""
    optimizer = lstm.make_optimizer(0.01)
    inner = optimizer.update

    def update(given):
        assert given is model
        inner(given)
        updates.append(optimizer.learning_rate)

    optimizer.update = update
    return optimizer


def make_loader(steps, rows=2):
    series = np.sin(np.arange(steps * rows + 1.0)).astype(np.float32)
    loader = SequenceLoader(series[:-1], series[1:], rows)
    assert len(loader) == steps
    return loader


class TestSeries:
    def test_a_sine_with_noise_in_its_range(self):
        x, y = tasks.make_series(500, 0.25, ad.random.const())
        assert (x[0], x[-1], len(x)) == (0.0, 2 * math.pi, 500)
        noise = y - np.sin(x)
        assert 0.24 < np.abs(noise).max() <= 0.25
        assert abs(noise.mean()) < 0.02

    def test_without_noise(self):
        x, y = tasks.make_series(10, 0.0, ad.random.const())
        assert (y == np.sin(x)).all()

    def test_labels_are_the_next_values(self):
        task = tasks.sine_task(20, 0.05, ad.random.const())
        assert (task.inputs[1:] == task.labels[:-1]).all()
        assert (len(task.inputs), task.inputs.dtype) == (19, np.float32)

    def test_the_cosine_is_forecast_from_the_value_before(self):
        walk = tasks.make_cosine(9)
        assert walk.at == pytest.approx(np.arange(9) * math.pi / 2)
        assert walk.actual == pytest.approx([1, 0, -1, 0, 1, 0, -1, 0, 1], abs=1e-12)
        assert walk.inputs == pytest.approx([0, 1, 0, -1, 0, 1, 0, -1, 0], abs=1e-6)

    @given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.integers(1, 40))
    def test_running_mean(self, values, memory):
        means = tasks.running_mean(np.array(values), memory)
        begin = min(len(values), memory)
        assert means[:begin] == pytest.approx([np.mean(values[: i + 1]) for i in range(begin)], abs=1e-9)
        for i in range(begin, len(values)):
            assert means[i] == pytest.approx(means[i - 1] + (values[i] - means[i - 1]) / memory)


class TestRealSeries:
    @pytest.fixture
    def read(self, tmp_path):
        def read(values):
            path = tmp_path / "a.csv"
            path.write_text("a\n" + "\n".join(map(repr, values)))
            return tasks.read_task(str(path), "a")

        return read

    def test_the_last_fifth_is_held_out(self, read):
        task = read([float(i % 7) for i in range(100)])
        assert len(task.inputs) == len(task.labels) == 79
        assert task.forecast.at[task.forecast.first :].tolist() == list(range(80, 100))
        assert task.fit.at[task.fit.first :].tolist() == list(range(1, 80))

    def test_units_come_from_the_training_part_alone(self, read):
        values = [float(i % 7) for i in range(100)]
        before = read(values)
        after = read(values[:80] + [1000.0 * v for v in values[80:]])
        assert (before.inputs == after.inputs).all()
        assert (before.labels == after.labels).all()
        assert before.forecast.scale == after.forecast.scale
        assert (before.forecast.level[:80] == after.forecast.level[:80]).all()

    def test_inputs_have_unit_scale(self, read):
        task = read([300.0 + 5.0 * math.sin(i) for i in range(200)])
        assert abs(task.inputs.mean()) < 0.05
        assert task.inputs.std() == pytest.approx(1.0, abs=0.05)

    def test_perfect_outputs_give_the_actual_values(self, read):
        task = read([float(i * i % 11) for i in range(60)])
        walk = task.fit
        assert walk.level + walk.scale * task.labels.astype(float) == pytest.approx(walk.actual, abs=1e-5)
        assert walk.level + walk.scale * walk.inputs.astype(float) == pytest.approx(walk.previous, abs=1e-5)

    def test_a_step_is_forecast_from_what_came_before_it(self, read):
        walk = read([float(i % 7) for i in range(100)]).forecast
        assert (walk.previous[1:] == walk.actual[:-1]).all()
        later = read([float(i % 7) for i in range(99)] + [50.0]).forecast
        assert (walk.inputs == later.inputs).all()
        assert (walk.level == later.level).all()

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            ([1.0], "1 values are too few"),
            ([1.0, 2.0], "2 values are too few"),
            ([3.0] * 8 + [4.0, 5.0], "the first 8 values, is constant"),
            ([1e308, -1e308] * 5, "too large"),
            ([1.0, 2.0] * 4 + [1e300, 1.0], "differ too much in size"),
        ],
    )
    @np.errstate(over="ignore", invalid="ignore")
    def test_refuses(self, read, values, text):
        with pytest.raises(DataError, match=text) as caught:
            read(values)
        assert "a.csv, column 'a': " in caught.value.message


class TestTrain:
    @pytest.mark.parametrize(
        ("steps", "length", "updates"), [(34, 30, 2), (6, 1, 6), (6, 2, 3), (6, 4, 2), (6, 5, 2), (6, 6, 1), (6, 99, 1)]
    )
    def test_updates_every_bptt_length_steps_and_at_the_end(self, steps, length, updates):
        model = lstm.make_model(3, ad.random.const())
        seen = []
        losses = list(lstm.train(model, make_loader(steps), counting(model, seen), 3, length, eager=True))
        assert len(losses) == 3
        assert len(seen) == 3 * updates

    def test_compiled_and_eager_training_have_the_same_losses(self):
        losses = []
        for eager in (False, True):
            model = lstm.make_model(5, ad.random.const())
            optimizer = lstm.make_optimizer(0.01)
            losses.append(list(lstm.train(model, make_loader(11), optimizer, 4, 3, eager=eager)))
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)

    def test_segments(self):
        assert list(lstm.segments(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
        assert list(lstm.segments(range(6), 3)) == [[0, 1, 2], [3, 4, 5]]
        assert list(lstm.segments([], 3)) == []

    def test_the_rate_falls_along_half_a_cosine(self):
        model = lstm.make_model(3, ad.random.const())
        rates = []
        list(lstm.train(model, make_loader(6), counting(model, rates), 4, 3, eager=True))
        assert rates == pytest.approx([0.01 * (1 + math.cos(math.pi * i / 8)) / 2 for i in range(8)])

    def test_a_loss_is_the_mean_over_the_steps(self):
        loader = make_loader(6)
        model, twin = (lstm.make_model(3, ad.random.const()) for _ in range(2))
        first = next(lstm.train(model, loader, lstm.make_optimizer(0.01), 1, 6))
        losses = [F.mean_squared_error(lstm.next_value(twin, x), t).item() for x, t in loader]
        assert first == pytest.approx(np.mean(losses), rel=1e-6)

    def test_each_epoch_begins_without_a_state(self):
        model = lstm.make_model(3, ad.random.const())
        optimizer = lstm.make_optimizer(1e-30)  # nothing is learned, so that only the state could differ
        assert len(set(lstm.train(model, make_loader(6), optimizer, 3, 2))) == 1

    def test_backpropagation_ends_at_an_update(self):
        model = lstm.make_model(3, ad.random.const())
        list(lstm.train(model, make_loader(6), lstm.make_optimizer(0.01), 1, 4))
        assert model.lstm.hidden.creator is None
        assert model.lstm.cell.creator is None

    def test_the_state_goes_on_over_an_update(self):
        loader = make_loader(6)
        seen = []
        for length in (2, 6):
            model = lstm.make_model(3, ad.random.const())
            seen.append(next(lstm.train(model, loader, lstm.make_optimizer(1e-30), 1, length)))
        assert seen[0] == pytest.approx(seen[1], rel=1e-6)

    def test_stops_between_updates(self):
        model = lstm.make_model(3, ad.random.const())
        seen = []
        losses = list(
            lstm.train(model, make_loader(6), counting(model, seen), 9, 2, lambda: len(seen) >= 4, eager=True)
        )
        assert (len(losses), len(seen)) == (1, 4)

    def test_learns(self):
        task = tasks.sine_task(200, 0.0, ad.random.const())
        model = lstm.make_model(20, ad.random.const())
        losses = list(
            lstm.train(model, SequenceLoader(task.inputs, task.labels, 10), lstm.make_optimizer(0.01), 40, 30)
        )
        assert losses[-1] < losses[0] / 20

    @np.errstate(over="ignore", invalid="ignore")
    def test_a_loss_that_is_not_finite_is_an_error(self):
        model = lstm.make_model(3, ad.random.const())
        with pytest.raises(ArgumentError, match=r"the loss of epoch \d is (inf|nan): --learning-rate"):
            list(lstm.train(model, make_loader(6), lstm.make_optimizer(1e30), 3, 2))


class TestPredict:
    def test_one_step_after_the_other_from_an_empty_state(self):
        model = lstm.make_model(4, ad.random.const())
        inputs = np.linspace(-1, 1, 5, dtype=np.float32)
        model(np.ones((3, 1), np.float32))
        outputs = lstm.predict(model, inputs)
        model.reset_state()
        expected = [x + model(np.full((1, 1), x)).item() for x in inputs]
        assert outputs == pytest.approx(np.array(expected, np.float64), rel=1e-5)

    def test_records_nothing_and_leaves_no_state(self):
        model = lstm.make_model(4, ad.random.const())
        lstm.predict(model, np.ones(3, np.float32))
        assert model.lstm.hidden is None

    def test_computes_in_float32(self):
        model = lstm.make_model(4, ad.random.const())
        assert {p.dtype for p in model.params().values()} == {np.dtype(np.float32)}
        assert lstm.next_value(model, np.ones((2, 1), np.float32)).dtype == np.float32

    def test_a_model_that_adds_nothing_is_persistence(self):
        model = lstm.make_model(4, ad.random.const())
        model.linear.w.data = np.zeros((4, 1), np.float32)
        walk = tasks.make_cosine(20)
        error, persistence = tasks.errors_of(walk, lstm.forecast(model, walk))
        assert error == pytest.approx(persistence, rel=1e-4)

    def test_the_first_forecasts_bring_up_the_state(self, pytestconfig):
        task = tasks.read_task(str(pytestconfig.rootpath / "examples" / "data" / "sunspots.csv"), "SUNACTIVITY")
        model = lstm.make_model(4, ad.random.const())
        walk = task.forecast
        forecast = lstm.forecast(model, walk)
        assert len(forecast) == 62
        assert (forecast == (walk.level + walk.scale * lstm.predict(model, walk.inputs))[-62:]).all()
        cold = lstm.predict(model, walk.inputs[walk.first :])
        assert walk.level[-62:] + walk.scale * cold != pytest.approx(forecast)


class TestLoad:
    def test_other_sizes(self, tmp_path):
        lstm.make_model(4, ad.random.const()).save(tmp_path / "p")
        with pytest.raises(FormatError, match=r"has shape \(.*\), the model's has "):
            lstm.load_model(lstm.make_model(5, ad.random.const()), str(tmp_path / "p"))

    def test_values_that_are_not_finite(self, tmp_path):
        model = lstm.make_model(4, ad.random.const())
        model.linear.b.data = np.array([np.nan], np.float32)
        model.save(tmp_path / "p")
        with pytest.raises(FormatError, match=r"'linear\.b' holds values that are not finite"):
            lstm.load_model(model, str(tmp_path / "p"))

    def test_float64_becomes_float32(self, tmp_path):
        model = lstm.make_model(4, ad.random.const())
        for parameter in model.params().values():
            parameter.data = parameter.data.astype(np.float64)
        model.save(tmp_path / "p")
        lstm.load_model(model, str(tmp_path / "p"))
        assert {p.dtype for p in model.params().values()} == {np.dtype(np.float32)}
