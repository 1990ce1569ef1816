"""``adjoint dot``: derivatives by name and order, and their graphs."""

import math
import re
import shutil
import subprocess

import pytest

from adjoint.cli import dot

X = 0.7
T = math.tanh(X)
DERIVATIVES = {
    "sin": [math.sin(X), math.cos(X), -math.sin(X), -math.cos(X), math.sin(X)],
    "cos": [math.cos(X), -math.sin(X), -math.cos(X), math.sin(X), math.cos(X)],
    "tanh": [T, 1 - T**2, -2 * T * (1 - T**2), (1 - T**2) * (6 * T**2 - 2), T * (1 - T**2) * (16 - 24 * T**2)],
    "exp": [math.exp(X)] * 5,
    "log": [math.log(X), 1 / X, -1 / X**2, 2 / X**3, -6 / X**4],
    "pow": [X**3, 3 * X**2, 6 * X, 6.0, 0.0],
    "square": [X**2, 2 * X, 2.0, 0.0, 0.0],
    "neg": [-X, -1.0, 0.0, 0.0, 0.0],
}


def names(text):
    return re.findall(r'label="(x|y|gx\d+)"', text)


def test_the_functions_are_those_of_the_table():
    assert list(dot.FUNCTIONS) == list(DERIVATIVES)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_values_and_names(name):
    x, *values = dot.derivatives(dot.FUNCTIONS[name], X, 4)
    assert (x.name, x.item()) == ("x", X)
    assert [value.name for value in values] == ["y", "gx1", "gx2", "gx3", "gx4"]
    assert [value.item() for value in values] == pytest.approx(DERIVATIVES[name], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("order", [0, 1, 3])
def test_the_graph_names_its_result(program, name, order):
    run = program("dot", "--func", name, "--order", order)
    assert (run.status, run.err) == (0, "")
    assert run.out.startswith("digraph")
    assert names(run.out)[0] == (f"gx{order}" if order else "y")


def test_the_defaults_are_the_first_derivative_of_tanh(program):
    assert program("dot") == program("dot", "--func", "tanh", "--order", 1, "--x", 1.0)


def test_order_0_is_the_function_itself(program):
    assert names(program("dot", "--func", "sin", "--order", 0).out) == ["y", "x"]


def test_verbose_tells_shapes_and_values(program):
    plain, verbose = (program("dot", "--func", "sin", "--order", 0, *words).out for words in ([], ["--verbose"]))
    assert "float64" in verbose
    assert "0.8414709848078965" in verbose
    assert "float64" not in plain


def test_x_chooses_the_place(program):
    run = program("dot", "--func", "square", "--order", 0, "--x", -3, "--verbose")
    assert "9.0" in run.out


def test_an_overflow_is_drawn(program):
    run = program("dot", "--func", "exp", "--x", 1000, "--verbose")
    assert (run.status, run.err) == (0, "")
    assert "inf" in run.out


def test_a_name_is_repeated_the_same(program):
    assert program("dot", "--order", 4).out == program("dot", "--order", 4).out


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("words", [["--order", "3"], ["--func", "pow", "--order", "2", "--verbose"], ["--order", "0"]])
def test_graphviz_takes_it(program, words):
    text = program("dot", *words).out
    run = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
    assert "<svg" in run.stdout
