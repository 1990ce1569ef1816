"""Functions that read a number or an array of a computed value, and would lose its derivative."""

from __future__ import annotations

import cmath
import copy
import math
from math import sqrt

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable
from adjoint.errors import GradientError


def sine(x):
    return math.sin(x) * x


def several_lines(x):
    return 1.0 + math.hypot(
        3.0,
        x,
    )


def filled(x):
    array = np.zeros(2)
    array.fill(x)
    return array[0] * x


@pytest.mark.parametrize(("function", "name"), [
    (sine, r"math\.sin"), (several_lines, r"math\.hypot"), (lambda x: sqrt(x) + x, r"math\.sqrt"),
    (lambda x: x * (1.0 - math.exp(-x)), r"math\.exp"), (lambda x: cmath.phase(x) * x, r"cmath\.phase"),
    (lambda x: np.arange(0.0, x)[-1] * x, "numpy"),
])  # fmt: skip
def test_functions_of_numbers_are_refused(function, name):
    with pytest.raises(GradientError, match=name):
        ad.grad(function)(2.0)
    assert isinstance(function(2.0), (float, np.floating))


@pytest.mark.parametrize("function", [filled, lambda x: np.sum(np.fromiter([x, x], float)) * x])
def test_where_numpy_raises_its_own_error_the_cause_says_why(function):
    with pytest.raises(ValueError, match="sequence") as raised:
        ad.grad(function)(2.0)
    assert isinstance(raised.value.__cause__, GradientError)


def test_numbers_are_read_on_purpose():
    def f(x):
        assert float(x) == 2.0
        assert math.isfinite(x)
        assert not math.isnan(x)
        assert math.floor(x) == int(x) == round(x) == 2
        assert f"{x:.1f}" == "2.0"
        assert x.item() == 2.0
        return x * float(x) + math.sqrt(float(x))

    assert ad.grad(f)(2.0) == 2.0
    with ad.no_grad():
        loss = Variable(2.0) * 3.0
    assert math.log(loss) == math.log(6.0)
    assert np.mean([loss, loss]) == 6.0
    assert math.log(Variable(3.0)) == math.log(3.0)


def test_functions_of_math_read_a_loss_outside_of_transforms():
    x = Variable(2.0)
    loss = x * x
    assert math.exp(loss) == math.exp(4.0)
    assert cmath.sqrt(loss) == 2.0
    with pytest.raises(ValueError, match="sequence") as raised:
        filled(loss)
    assert isinstance(raised.value.__cause__, GradientError)


@pytest.mark.parametrize(("function", "name"), [
    (lambda x: np.exp([x, 1.0]), r"numpy\.exp"), (lambda x: np.sum([x, 1.0]), r"numpy\.sum"),
    (lambda x: np.dot([x, x], [1.0, 2.0]), r"numpy\.dot"), (lambda x: np.mean([[x], [1.0]]), r"numpy\.mean"),
    (lambda x: np.multiply(2.0, (x, x)), r"numpy\.multiply"), (lambda x: np.ones(2) * [x, 1.0], "an operator"),
])  # fmt: skip
def test_lists_that_hold_a_leaf_are_refused(function, name):
    x = Variable(2.0)
    y = x * x
    with pytest.raises(GradientError, match=f"{name} was given a list"):
        function(x)
    assert np.asarray([x, 1.0]).tolist() == [2.0, 1.0]
    assert np.argmax([x, 1.0]) == 0
    assert y.data == 4.0


def test_arrays_of_objects_lose_no_graph():
    x = Variable([1.0, 2.0])
    y = x * x
    for read in (lambda: np.vectorize(lambda v: v * v)(y), lambda: np.asarray(y, dtype=object)):
        with pytest.raises(GradientError, match="which a NumPy array would lose"):
            read()


def test_functions_of_scipy_name_their_like():
    special = pytest.importorskip("scipy.special")
    linalg = pytest.importorskip("scipy.linalg")
    for function, name in ((special.logsumexp, r"scipy\.special\.logsumexp"), (linalg.expm, r"scipy\.linalg\.expm")):
        with pytest.raises(GradientError, match=name + r" computes on plain arrays(.|\n)*adjoint\.linalg"):
            ad.grad(lambda x, function=function: np.sum(function(x)))(np.eye(2))


def test_copies_that_are_values_and_copies_that_are_recorded():
    x = Variable([1.0, 2.0])
    y = x * x
    assert copy.copy(y).creator is None
    assert y.copy().creator is not None
