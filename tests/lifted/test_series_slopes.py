"""Forward mode of the functions that are known by their slopes: derivatives are those of the backward pass."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F, special
from adjoint.errors import GradientError
from tests.support import derivatives

MIDDLE = np.array([0.2, 0.45, 0.7])
OF_ONE = {
    "tan": F.tan,
    "arcsin": F.arcsin,
    "arccos": F.arccos,
    "arcsinh": F.arcsinh,
    "arccosh": lambda x: F.arccosh(x + 1.0),
    "arctanh": F.arctanh,
    "exp2": F.exp2,
    "log2": F.log2,
    "log10": F.log10,
    "cbrt": F.cbrt,
    "sinc": F.sinc,
    "remainder": lambda x: F.remainder(x * x, 0.3),
    "fmod": lambda x: F.fmod(-x * x, 0.3),
    "round": lambda x: x * F.round(x) + F.floor(x) + F.sign(x),
    "logit": special.logit,
    "log_expit": special.log_expit,
    "entr": special.entr,
    "erfc": special.erfc,
    "erfinv": special.erfinv,
    "erfcinv": special.erfcinv,
    "ndtr": special.ndtr,
    "log_ndtr": special.log_ndtr,
    "ndtri": special.ndtri,
    "gamma": special.gamma,
    "gammaln": special.gammaln,
    "digamma": special.digamma,
    "polygamma": lambda x: special.polygamma(2, x),
    "gammainc": lambda x: special.gammainc(np.array([0.5, 1.0, 2.5]), x),
    "gammaincc": lambda x: special.gammaincc(np.array([0.5, 1.0, 2.5]), x),
    "i0": special.i0,
    "i1": special.i1,
    "i0e": special.i0e,
    "i1e": special.i1e,
    "iv": lambda x: special.iv(2.5, x),
    "iv of a whole order": lambda x: special.iv(3, x),
    "ive": lambda x: special.ive(0.5, x),
}
OF_TWO = {
    "arctan2": F.arctan2,
    "hypot": F.hypot,
    "logaddexp": F.logaddexp,
    "copysign": F.copysign,
    "beta": special.beta,
    "betaln": special.betaln,
    "xlogy": special.xlogy,
    "xlog1py": special.xlog1py,
    "rel_entr": special.rel_entr,
    "kl_div": special.kl_div,
}


def assert_series_are_right(f):
    backward = derivatives(lambda x: f(x), MIDDLE, 3)
    for n in (1, 2, 3):
        found = ad.nth_derivative(f, n)(MIDDLE)
        np.testing.assert_allclose(found.data, backward[n], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("f", OF_ONE.values(), ids=OF_ONE)
def test_derivatives_of_one_argument(f):
    assert_series_are_right(f)


@pytest.mark.parametrize("f", OF_TWO.values(), ids=OF_TWO)
def test_derivatives_of_two_arguments(f):
    assert_series_are_right(lambda x: f(x, 1.0 + x * x))
    assert_series_are_right(lambda x: f(x, 2.0))
    assert_series_are_right(lambda x: f(np.array([2.0, 1.0, 0.5]), x))


EDGES = {"arcsin": (F.arcsin, 1.0), "arccosh": (F.arccosh, 1.0), "arctanh": (F.arctanh, 1.0), "cbrt": (F.cbrt, 0.0)}
EDGES |= {"log2": (F.log2, 0.0), "hypot": (lambda x: F.hypot(x, x), 0.0), "ndtri": (special.ndtri, 0.0)}
EDGES |= {"gammainc": (lambda x: special.gammainc(0.5, x), 0.0), "iv": (lambda x: special.iv(0.5, x), 0.0)}


@pytest.mark.parametrize(("f", "x"), EDGES.values(), ids=EDGES)
def test_slopes_at_the_edge_are_0(f, x):
    with np.errstate(all="ignore"):
        found = ad.jvp(f, (Variable(x),), (Variable(1.0),))[1]
    assert found.item() == 0.0


def test_logaddexp_of_equal_infinities():
    x = Variable(-math.inf)
    assert ad.jvp(F.logaddexp, (x, x), (Variable(1.0), Variable(0.0)))[1].item() == 0.5


def test_incomplete_gamma_function_has_no_slope_in_a():
    with pytest.raises(GradientError, match="no derivative in a"):
        ad.jvp(lambda a: special.gammainc(a, 1.0), (Variable(1.5),), (Variable(1.0),))


@pytest.mark.parametrize("f", [*OF_ONE.values()], ids=OF_ONE)
def test_batches_of_examples(f):
    if f in (OF_ONE["gammainc"], OF_ONE["gammaincc"]):
        f = special.gammaln
    found = ad.vmap(f)(Variable(MIDDLE))
    np.testing.assert_allclose(found.data, f(Variable(MIDDLE)).data, rtol=1e-14)
