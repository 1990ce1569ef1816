"""The workloads compute the same in every library: losses, gradients, and parameters after three steps."""

import importlib

import numpy as np
import pytest

from benchmarks.cases import CASES, LIBRARIES, PACKAGES

NAMES = ("mlp", "lstm", "rosenbrock", "sine", "digits", "elementwise")


def workloads(library):
    if library not in ("adjoint_eager", "numpy_by_hand"):
        pytest.importorskip(PACKAGES[library], reason=f"{LIBRARIES[library]} is not installed")
    return importlib.import_module(f"benchmarks.workloads.{library}").WORKLOADS


def outcome(run):
    """Loss and gradients at the start, and the parameters after three steps."""
    start = {name: np.array(value) for name, value in run.check().items()}
    for _ in range(3):
        run.step()
    run.wait()
    return start, {name: np.array(value) for name, value in run.values().items()}


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = np.abs(value).max()
        tolerance = 1e-12 if value.dtype == np.float64 else 2e-5
        assert found[name].dtype == value.dtype
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * scale, err_msg=name)


@pytest.fixture(scope="module")
def expected():
    return {name: outcome(make()) for name, make in workloads("adjoint_eager").items() if name in NAMES}


@pytest.mark.parametrize("library", [library for library in LIBRARIES if library != "adjoint_eager"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the other libraries themselves
def test_agree_with_adjoints(name, library, expected):
    made = workloads(library)
    if name not in made:
        pytest.skip(f"there is no {LIBRARIES[library]} workload of this name")
    start, after = outcome(made[name]())
    assert_close(start, expected[name][0])
    if after:
        assert_close(after, expected[name][1])


@pytest.mark.parametrize("name", ["mlp", "lstm", "rosenbrock", "digits"])
def test_steps_train(name):
    run = workloads("adjoint_eager")[name]()
    losses = []
    for _ in range(5):
        losses.append(float(run.check()["loss"]))
        run.step()
    assert losses[-1] < losses[0]


def test_derivatives_of_sine():
    found = workloads("adjoint_eager")["sine"]().check()
    sin, cos = np.sin(1.0), np.cos(1.0)
    assert [float(y) for y in found.values()] == [sin, cos, -sin, -cos, sin, cos, -sin]


@pytest.mark.parametrize("name", ["double-backward", "segments"])
def test_small_workloads_run(name):
    run = workloads("adjoint_eager")[name]()
    for _ in range(3):
        run.step()


def test_every_case_has_its_workloads():
    for case in CASES:
        if case.kind in ("time", "peak", "growth"):
            for library in {"adjoint_eager", "numpy_by_hand"} & set(case.libraries):
                assert case.runs in workloads(library), (case.name, library)
