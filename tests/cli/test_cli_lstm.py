"""``adjoint lstm`` from its words to its results."""

import math
import re

import numpy as np
import pytest

import adjoint as ad
from adjoint import models
from adjoint.cli import threads

SMALL = ("--epochs", 3, "--batch-size", 4, "--hidden-size", 5, "--bptt-length", 4)
SINE = ("lstm", "-N", 40, *SMALL)


def table(text):
    header, *rows = text.splitlines()
    return header, np.array([row.split(",") for row in rows], float)


class TestSine:
    def test_losses_on_standard_error_and_csv_on_standard_output(self, program):
        run = program(*SINE)
        assert run.status == 0
        lines = run.err.splitlines()
        assert [re.fullmatch(r"epoch (\d): loss \d+(\.\d+)?(e-\d+)?", line)[1] for line in lines] == ["1", "2", "3"]
        header, rows = table(run.out)
        assert header == "x,y"
        assert rows.shape == (40, 2)
        assert rows[:, 0] == pytest.approx(np.linspace(0, 4 * math.pi, 40))

    def test_quiet(self, program):
        run = program(*SINE, "--quiet")
        assert (run.status, run.err) == (0, "")
        assert len(run.out.splitlines()) == 41

    def test_a_seed_repeats_every_bit(self, program):
        first, second, other = (program(*SINE, "--seed", seed) for seed in (7, 7, 8))
        assert first == second
        assert first.out != other.out

    def test_without_a_seed_runs_differ(self, program):
        assert program(*SINE).out != program(*SINE).out

    def test_the_defaults_learn(self, program):
        run = program("lstm", "--seed", 1)
        losses = [float(line.split()[-1]) for line in run.err.splitlines()]
        assert len(losses) == 100
        assert losses[-1] < 0.0016  # persistence has 0.0017, twice the variance of the noise
        _, rows = table(run.out)
        assert len(rows) == 1000
        assert np.abs(rows[:, 1] - np.cos(rows[:, 0])).max() < 0.06

    def test_the_smallest_sizes(self, program):
        run = program("lstm", "-N", 3, "--epochs", 1, "--batch-size", 1, "--hidden-size", 1, "--bptt-length", 1)
        assert run.status == 0
        assert len(run.out.splitlines()) == 4

    def test_no_noise(self, program):
        assert program(*SINE, "--noise", 0).status == 0

    def test_a_large_model_keeps_the_threads(self, program, monkeypatch):
        monkeypatch.setattr(threads, "_controls", lambda: pytest.fail("threads were changed"))
        assert program("lstm", "-N", 4, "--epochs", 1, "--batch-size", 2, "--hidden-size", 300, "--quiet").status == 0


class TestRealSeries:
    @pytest.mark.parametrize("seed", [0, 3, 5])
    def test_the_defaults_beat_persistence_on_sunspots(self, program, sunspots, seed):
        run = program("lstm", *sunspots, "--seed", seed, "--quiet")
        found = re.fullmatch(
            r"held-out part, 62 of 309 values: RMSE ([\d.]+), persistence 33\.276, (0\.\d{3}) of it\n", run.err
        )
        assert float(found[2]) < 0.7
        header, rows = table(run.out)
        assert header == "index,actual,forecast"
        assert rows[:, 0].tolist() == list(range(247, 309))
        error = np.sqrt(np.mean((rows[:, 2] - rows[:, 1]) ** 2))
        assert error == pytest.approx(float(found[1]), rel=1e-3)

    def test_and_on_carbon_dioxide(self, program, co2):
        run = program("lstm", *co2, "--seed", 0, "--quiet", "--epochs", 40)
        assert float(re.search(r", (\d\.\d+) of it", run.err)[1]) < 0.95

    def test_persistence_without_an_error(self, program, tmp_path):
        (tmp_path / "a.csv").write_text("a\n" + "\n".join(["1", "2"] * 8 + ["2"] * 4))
        run = program("lstm", "--data", "a.csv", "--column", "a", *SMALL, "--quiet")
        assert run.err.endswith("persistence 0\n")

    def test_actual_values_are_those_of_the_file(self, program, tmp_path):
        values = [repr(i * 0.1) for i in range(20)]
        (tmp_path / "a.csv").write_text("\n".join(["a", *values]))
        run = program("lstm", "--data", "a.csv", "--column", "a", *SMALL)
        assert [row.split(",")[1] for row in run.out.splitlines()[1:]] == values[16:]


class TestSaveAndLoad:
    @pytest.mark.parametrize("real", [False, True])
    def test_a_saved_model_forecasts_the_same(self, program, sunspots, real):
        words = ("lstm", *sunspots, *SMALL) if real else SINE
        saved = program(*words, "--save", "model")
        loaded = program(*words, "--load", "model", "--epochs", 0)
        assert loaded.out == saved.out
        assert loaded.err == (saved.err.splitlines(keepends=True)[-1] if real else "")

    def test_training_goes_on_from_loaded_parameters(self, program):
        program(*SINE, "--seed", 1, "--save", "model", "--epochs", 30)
        on = program(*SINE, "--seed", 1, "--load", "model", "--learning-rate", 1e-9)
        anew = program(*SINE, "--seed", 1, "--learning-rate", 1e-9)
        assert float(on.err.split()[3]) < float(anew.err.split()[3])

    def test_the_file_is_one_for_the_model_class(self, program, tmp_path):
        program(*SINE, "--save", "model")
        model = models.LSTM(5, 1)
        model.load(tmp_path / "model")
        assert model.params()["lstm.x.w"].shape == (1, 20)

    def test_loading_may_write_to_the_same_file(self, program, tmp_path):
        program(*SINE, "--save", "model")
        before = (tmp_path / "model").read_bytes()
        assert program(*SINE, "--load", "model", "--save", "model").status == 0
        assert (tmp_path / "model").read_bytes() != before
        assert [path.name for path in tmp_path.iterdir()] == ["model"]


class TestPlot:
    @pytest.mark.parametrize(
        ("name", "begin"), [("p.png", b"\x89PNG\r\n\x1a\n"), ("p.SVG", b"<?xml"), ("p.pdf", b"%PDF-")]
    )
    def test_formats(self, program, tmp_path, name, begin):
        run = program(*SINE, "--plot", name)
        assert run.status == 0
        assert (tmp_path / name).read_bytes().startswith(begin)
        assert [path.name for path in tmp_path.iterdir()] == [name]

    def test_does_not_change_the_output(self, program):
        assert program(*SINE, "--seed", 1, "--plot", "p.svg").out == program(*SINE, "--seed", 1).out

    def test_repeats_by_seed(self, program, tmp_path):
        pictures = []
        for _ in range(2):
            program(*SINE, "--seed", 1, "--plot", "p.svg")
            pictures.append((tmp_path / "p.svg").read_bytes())
        assert pictures[0] == pictures[1]

    def test_a_picture_has_labels(self, program, tmp_path, sunspots, monkeypatch):
        import matplotlib

        monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
        program("lstm", *sunspots, *SMALL, "--plot", "p.svg")
        text = (tmp_path / "p.svg").read_text()
        for label in ("SUNACTIVITY", "index", "epoch", "Loss per step", "Held out (RMSE ", "Training (RMSE ", "data"):
            assert label in text

    def test_one_epoch_and_none(self, program, tmp_path):
        assert program(*SINE, "--epochs", 1, "--save", "m", "--plot", "p.png").status == 0
        assert program(*SINE, "--epochs", 0, "--load", "m", "--plot", "q.png").status == 0
        assert (tmp_path / "q.png").stat().st_size > 10_000

    def test_a_column_with_signs_of_formulas(self, program, tmp_path):
        (tmp_path / "a.csv").write_text("_$x_{$\n" + "\n".join(str(i % 5) for i in range(20)))
        run = program("lstm", "--data", "a.csv", "--column", "_$x_{$", *SMALL, "--plot", "p.png")
        assert (run.status, len(run.err.splitlines())) == (0, 4)


class TestThreads:
    def test_one_within_the_block_and_as_before_after_it(self, monkeypatch):
        for name in threads._CHOSEN_BY_USER:
            monkeypatch.delenv(name, raising=False)
        controls = list(threads._controls())
        before = [count() for count, _ in controls]
        with threads.small_products():
            assert [count() for count, _ in controls] == [1] * len(controls)
        assert [count() for count, _ in controls] == before

    def test_a_choice_of_the_user_stands(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        monkeypatch.setattr(threads, "_controls", lambda: pytest.fail("threads were changed"))
        with threads.small_products():
            pass


def test_the_shared_generator_is_left_alone_by_a_seed(program):
    ad.random._forget_shared()
    program(*SINE, "--seed", 1)
    assert ad.random._shared is None
