"""Powers of 2, logarithms, roots and sums in logarithms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.testing import check_grads

POSITIVE = np.array([0.3, 1.0, 2.5, 7.0])
ARGUMENTS = {"exp2": POSITIVE, "log2": POSITIVE, "log10": POSITIVE, "cbrt": -POSITIVE, "reciprocal": POSITIVE}


@pytest.mark.parametrize(("name", "x"), ARGUMENTS.items(), ids=ARGUMENTS)
def test_values_are_numpys_and_derivatives_right(name, x):
    assert_allclose(getattr(F, name)(Variable(x)).data, getattr(np, name)(x), rtol=1e-15)
    check_grads(getattr(F, name), x, 3, rtol=1e-4)


@pytest.mark.parametrize("name", ["hypot", "logaddexp"])
def test_two_arguments_are_broadcast(name):
    a, b = np.array([[0.5], [-2.0]]), np.array([1.0, 3.0, -0.25])
    assert_allclose(getattr(F, name)(a, b).data, getattr(np, name)(a, b), rtol=1e-15)
    check_grads(getattr(F, name), (a, b), 3)


def test_hypot_and_its_gradient_do_not_overflow():
    a, b = Variable(3e200), Variable(4e200)
    y = F.hypot(a, b)
    y.backward()
    assert y.item() == pytest.approx(5e200)
    assert (a.grad.item(), b.grad.item()) == (pytest.approx(0.6), pytest.approx(0.8))


def test_logaddexp_of_logarithms_of_0():
    a, b = Variable(-np.inf), Variable(1.0)
    F.logaddexp(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (0.0, 1.0)
