"""Directions within compiled functions: programs compute with them at each call, and not once while they are traced."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import functions as F

X = np.array([0.3, -1.2, 0.7, 2.0])
T = np.array([1.0, 2.0, -1.0, 0.5])

TRANSFORMS = {
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (T,))[1],
    "hvp": lambda f: lambda x: ad.hvp(lambda x: F.sum(f(x)), x, T),
    "nth_derivative": lambda f: ad.nth_derivative(f, 2),
    "forward jacobian": lambda f: ad.jacobian(f, mode="forward"),
    "reverse jacobian": lambda f: ad.jacobian(f, mode="reverse"),
    "hessian": lambda f: ad.hessian(lambda x: F.sum(f(x))),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_arrays_that_change_in_place_are_read_anew(name):
    w = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
    derivative = TRANSFORMS[name](lambda x: F.tanh(x @ w))
    compiled = ad.compile(derivative)
    before = compiled(X)
    w *= 2.0
    after = compiled(X)
    assert_allclose(after, derivative(X), rtol=1e-12)
    assert np.abs(after - before).max() > 0.1
    assert compiled.cache_info().misses == 1


def test_directions_that_change_in_place_are_read_anew():
    t = T.copy()
    compiled = ad.compile(lambda x: ad.jvp(F.sin, (x,), (t,))[1])
    compiled(X)
    t *= 3.0
    assert_allclose(compiled(X), np.cos(X) * t, rtol=1e-15)


@pytest.mark.parametrize("name", ["forward jacobian", "reverse jacobian", "hessian"])
def test_parts_of_unit_directions_are_taken_by_the_program(name):
    """A part of NumPy's own is no contiguous array, and would be copied at every call."""
    compiled = ad.compile(TRANSFORMS[name](lambda x: F.sin(x[1:]) * x[:-1]))
    compiled(X)
    assert [x.shape for x in compiled.program.inputs[1:]] in ([(4, 4)], [(3, 3)])
