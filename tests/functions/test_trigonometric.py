"""The tangent, inverse functions and sinc: NumPy's values, and derivatives where formulas lose digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.testing import assert_allclose

from adjoint import Variable, functions as F
from adjoint.testing import check_grads
from tests.support import derivatives

INSIDE = np.linspace(-0.9, 0.9, 7)
ARGUMENTS = {"tan": INSIDE, "arcsin": INSIDE, "arccos": INSIDE, "arctanh": INSIDE, "arcsinh": 5.0 * INSIDE}
ARGUMENTS |= {"arccosh": 2.0 + INSIDE, "sinc": 5.0 * INSIDE, "deg2rad": 100.0 * INSIDE, "rad2deg": INSIDE}


@pytest.mark.parametrize(("name", "x"), ARGUMENTS.items(), ids=ARGUMENTS)
def test_values_are_numpys_and_derivatives_right(name, x):
    assert_allclose(getattr(F, name)(Variable(x)).data, getattr(np, name)(x), rtol=1e-14, atol=1e-15)
    check_grads(getattr(F, name), x[abs(x) < 3.0], 3, rtol=1e-4)


@pytest.mark.parametrize(("y", "x"), [(1.0, 2.0), (1.0, -2.0), (-1.0, -2.0), (-1.0, 2.0), (1.0, 0.0), (0.0, -1.0)])
def test_arctan2_in_every_quadrant(y, x):
    assert F.arctan2(y, x).item() == math.atan2(y, x)
    a, b = Variable(y), Variable(x)
    F.arctan2(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (x / (x * x + y * y), -y / (x * x + y * y))


def test_arccosh_of_large_numbers_has_a_slope():
    x = Variable(1e200)
    F.arccosh(x).backward()
    assert x.grad.item() == pytest.approx(1e-200)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, -1e-3, 0.01, 0.3, 0.4774, 0.4775, 0.8, -1.5, 7.25, 1000.3])
def test_sinc_has_exact_derivatives_of_four_orders(x):
    with mp.workdps(50):
        exact = [mp.diff(lambda t: mp.sincpi(t), mpf(x), n, h=mpf(10) ** -9) for n in range(5)]
    found = derivatives(F.sinc, np.float64(x), 4)
    scale = [math.pi**n / (n + 1) for n in range(5)]
    for n in range(5):
        assert abs(float(found[n]) - float(exact[n])) <= 1e-13 * scale[n] * max(1.0, abs(x)), n
