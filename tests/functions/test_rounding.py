"""Rounding, remainders and signs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from adjoint import Variable, functions as F
from adjoint.testing import check_grads

A = np.array([7.5, -7.5, 7.5, -7.5, 0.0, 2.5, -0.5])
B = np.array([2.0, 2.0, -2.0, -2.0, 3.0, 2.5, 5.0])


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "round", "sign"])
def test_steps_are_numpys_and_constant(name):
    y = getattr(F, name)(Variable(A))
    assert_array_equal(y.data, getattr(np, name)(A))
    assert y.creator is None


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod", "copysign"])
def test_values_are_numpys(name):
    assert_array_equal(getattr(F, name)(A, B).data, getattr(np, name)(A, B))
    whole = A.astype(int), B.astype(int)
    assert_array_equal(getattr(F, name)(*whole).data, getattr(np, name)(*whole))


@pytest.mark.parametrize("name", ["remainder", "fmod", "copysign"])
def test_derivatives_between_the_jumps(name):
    check_grads(getattr(F, name), (A[:4], B[:4]), 2)


@pytest.mark.parametrize(("name", "expected"), [("remainder", 4.0), ("fmod", 3.0)])
def test_gradient_in_the_divisor_is_less_the_whole_quotient(name, expected):
    a, b = Variable(-7.5), Variable(2.0)
    getattr(F, name)(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (1.0, expected)


def test_gradient_of_copysign_is_0_at_the_kink():
    a, b = Variable(0.0), Variable(-1.0)
    F.copysign(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (0.0, 0.0)
