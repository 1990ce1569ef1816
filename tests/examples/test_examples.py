"""Every program in examples/ runs without a warning and prints what it promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

# A line of each program's output. Results of training hold within the bounds of the number in the pattern's group.
LINES: dict[str, list[str | tuple[str, float, float]]] = {
    "array_api_scipy.py": [(r"20 functions, off by at most (.*)", 0.0, 1e-6)],
    "custom_op.py": [r"the rule agrees with differences up to order 3", r"M 1\.0   x \+0\.1652   x' -1\.0054   .*"],
    "digits.py": [(r"epoch 15: loss .*, accuracy on new images (.*)", 0.95, 1.0)],
    "draw_graph.py": [r'  0 \[label="tanh\'\'\(x\)", .*', r"  1 -> 0"],
    "gaussian_process.py": [
        (r"start: 71\.371, gradient off by (.*)", 0.0, 1e-12),
        r"after \d+ steps: 32\.217",
        (r"noise: (.*)", 0.25, 0.35),
        (r"error of the prediction: (.*)", 0.0, 0.15),
    ],
    "kalman_filter.py": [
        r"after \d+ steps: 472\.131",
        r"variance of push: 0\.062, between 0\.033 and 0\.117 \(true: 0\.05\)",
        r"variance of measurement: 4\.00\d, between 3\.22\d and 4\.97\d \(true: 4\.0\)",
    ],
    "lstm_forecast.py": [
        (r"error from 1960 on: (.*)", 5.0, 20.0),
        r"of repeating the year before:    30\.4",
        r"of repeating the 11th year back: 34\.5",
    ],
    "maml_sine.py": [
        (r"sines that were never seen: .* before the step, (.*) after it", 0.0, 0.1),
        (r"sines that were never seen: (.*) before the step, .* after it", 0.3, 1.0),
    ],
    "mlp_sine.py": [(r"epoch 2000: loss (.*)", 0.005, 0.012), (r"largest distance from the sine: (.*)", 0.0, 0.15)],
    "newton.py": [r"3 1\.0253259289766978", r"minimum at 1\.0"],
    "neural_ode.py": [r"the pendulum takes 12 steps", (r"error for new starts: (.*)", 0.0, 0.1)],
    "newton_model.py": [
        (r"gradient        : loss (.*) after 20 steps, .*", 0.55, 0.65),
        (r"natural gradient: loss (.*) after 20 steps, .*", 0.30, 0.35),
        (r"Newton          : loss 0\.30\d\d after 20 steps, largest slope (.*)", 0.0, 1e-3),
        (r"smallest eigenvalue of the Hessian: (.*)", 1e-4, 0.1),
    ],
    "per_example_gradients.py": [
        (r"clipped at inf: mean error (.*), wrong ones among the longest 8: 8", 0.2, 0.5),
        (r"clipped at 0\.5: mean error (.*), wrong ones among the longest 8: 8", 0.0, 0.06),
    ],
    "physics_informed.py": [(r"largest distance from the sine: (.*)", 0.0, 1e-2)],
    "rosenbrock.py": [
        r"  1000 0\.6837118569138317 0\.4659526837427042",
        r" 10000 0\.9944984367782456 0\.9890050527419593",
    ],
    "scipy_sensitivity.py": [
        (r"differences are off by (.*)", 0.0, 1e-8),
        r"concentrations: \[0\.2953 0\.7953 0\.4698 0\.2349\]",
        r"second derivatives of D: \[-0\.0179 -0\.3516 -0\.1154 -0\.077 \]",
    ],
    "third_derivatives.py": [r"order 2: \+3\.2262834996\d+e\+01 .*", (r"order 4: .*, off by (.*)", 0.0, 1e-10)],
}


def run(example: Path, *arguments: str, folder: Path | None = None) -> str:
    """What a program prints; it runs outside of the checkout, and its warnings are errors."""
    command = [sys.executable, "-W", "error", str(example), *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    finished = subprocess.run(
        command, cwd=folder or EXAMPLES.parent, env=environment, capture_output=True, encoding="utf-8", timeout=60
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    return finished.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example(name, tmp_path):
    lines = run(EXAMPLES / name, folder=tmp_path).splitlines()
    for expected in LINES[name]:
        pattern, *bounds = (expected,) if isinstance(expected, str) else expected
        found = [match for line in lines if (match := re.fullmatch(pattern, line))]
        assert len(found) == 1, f"{pattern!r} is not one line of {lines}"
        if bounds:
            lowest, highest = bounds
            assert lowest <= float(found[0][1]) <= highest
    assert list(tmp_path.iterdir()) == []


def test_every_line_is_of_a_program_that_is_there():
    assert set(LINES) == {path.name for path in EXAMPLES.glob("*.py")}


def test_every_program_is_in_the_list_of_examples():
    page = (EXAMPLES.parent / "docs" / "guides" / "examples.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+\.py)` \|", page, re.MULTILINE)) == set(LINES)


def test_draw_graph_writes_to_a_path(tmp_path):
    assert run(EXAMPLES / "draw_graph.py", str(tmp_path / "tanh.dot")) == ""
    assert (tmp_path / "tanh.dot").read_text(encoding="utf-8").startswith("digraph {\n")


def test_a_run_repeats_bit_for_bit():
    assert run(EXAMPLES / "mlp_sine.py") == run(EXAMPLES / "mlp_sine.py")
