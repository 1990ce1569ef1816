"""The workloads compute the same in every library: losses, gradients, and parameters after three steps."""

import importlib

import numpy as np
import pytest

from benchmarks import cases, data
from benchmarks.cases import CASES, LIBRARIES, PACKAGES
from benchmarks.workloads.gpt_model import GPT

DERIVATIVES = tuple(
    "hvp hvp-gradient hvp-large hvp-large-gradient eighth eighth-nested physics examples hessian".split()
)
NAMES = (
    *"mlp lstm lstm-sequence lstm-loop rosenbrock sine digits digits-fused elementwise gpt".split(),
    *DERIVATIVES,
)
PAIRS = [
    (name, library)
    for name in NAMES
    for library in (cases.DERIVATIVES if name in DERIVATIVES else LIBRARIES)
    if library != "adjoint_eager"
]
LOW_ORDER = 4  # nested gradients of the eighth order take compilers long
SLOW_TO_COMPILE = {("torch_compiled", "gpt"), ("torch_compiled", "lstm-loop"), ("jax_jit", "lstm-loop")}


def workloads(library):
    if PACKAGES[library] not in ("adjoint", "numpy"):
        pytest.importorskip(PACKAGES[library], reason=f"{LIBRARIES[library]} is not installed")
    return importlib.import_module(f"benchmarks.workloads.{library}").WORKLOADS


def outcome(run):
    """Loss and gradients at the start, then the parameters and the loss after three steps."""
    start = copied(run.check())
    for _ in range(3):
        run.step()
    run.wait()
    values = copied(run.values())
    return start, values, {name: value for name, value in copied(run.check()).items() if name == "loss"}


def copied(arrays):
    return {name: np.array(value) for name, value in arrays.items()}


def assert_close(found, expected, of_single=2e-5):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = np.abs(value).max()
        tolerance = 1e-12 if value.dtype == np.float64 else of_single
        assert found[name].dtype == value.dtype
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * scale, err_msg=name)


@pytest.fixture(scope="module", autouse=True)
def low_order():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "ORDER", LOW_ORDER)
        yield


@pytest.fixture(scope="module")
def expected():
    return {name: outcome(make()) for name, make in workloads("adjoint_eager").items() if name in NAMES}


@pytest.mark.parametrize(("name", "library"), PAIRS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the other libraries themselves
def test_agree_with_adjoints(name, library, expected):
    made = workloads(library)
    if name not in made:
        pytest.skip(f"there is no {LIBRARIES[library]} workload of this name")
    if (library, name) in SLOW_TO_COMPILE:
        pytest.skip(f"{LIBRARIES[library]} compiles it for too long")
    start, values, losses = outcome(made[name]())
    assert_close(start, expected[name][0])
    if values:
        assert_close(values, expected[name][1], of_single=2e-4)  # Adam makes the roundings of gradients larger
    assert_close(losses, expected[name][2], of_single=1e-3)  # two forms of Adam differ in where they add eps


@pytest.mark.parametrize("library", ["adjoint_eager", "adjoint_compiled"])
@pytest.mark.parametrize("name", ["mlp", "lstm", "rosenbrock", "digits", "gpt", "physics"])
def test_steps_train(name, library):
    run = workloads(library)[name]()
    losses = []
    for _ in range(5):
        losses.append(float(run.check()["loss"]))
        run.step()
    assert losses[-1] < losses[0]


def test_derivatives_of_sine():
    found = workloads("adjoint_eager")["sine"]().check()
    sin, cos = np.sin(1.0), np.cos(1.0)
    assert [float(y) for y in found.values()] == [sin, cos, -sin, -cos, sin, cos, -sin]


def test_the_eighth_derivative_is_the_same_both_ways(monkeypatch):
    made = workloads("adjoint_eager")
    monkeypatch.setattr(data, "ORDER", 8)
    found = {name: float(made[name]().check()["result"]) for name in ("eighth", "eighth-nested")}
    assert found["eighth"] == pytest.approx(found["eighth-nested"], rel=1e-12)
    assert abs(found["eighth"]) > 1.0


@pytest.mark.parametrize("library", ["adjoint_eager", "adjoint_compiled"])
@pytest.mark.parametrize("name", ["double-backward", "segments"])
def test_small_workloads_run(name, library):
    run = workloads(library)[name]()
    for _ in range(3):
        run.step()


def test_every_case_has_its_workloads():
    here = {"adjoint_eager", "adjoint_compiled", "numpy_by_hand"}
    for case in CASES:
        if case.kind not in ("import", "command"):
            for library in here & set(case.libraries):
                assert case.runs in workloads(library), (case.name, library)
                assert not case.base or case.base in workloads(library), (case.name, library)


def test_names_of_cases_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_gpt_sees_no_later_token():
    model = GPT(7, 6, 8, heads=2, blocks=2, rng=np.random.default_rng(0))
    tokens = np.array([[1, 2, 3, 4, 5]])
    changed = np.array([[1, 2, 3, 6, 0]])
    before, after = model(tokens).data, model(changed).data
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3:] - after[:, 3:]).max() > 0
    assert before.shape == (1, 5, 7)
    assert before.dtype == np.float32
