"""Special functions against SciPy's, their derivatives against differences, and what they need."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import Variable, functions as F, special
from adjoint.arrays.special import _function
from adjoint.errors import ArgumentError, DTypeError, GradientError, MissingDependencyError
from adjoint.testing import check_grads

POLES = np.array([0.0, -1.0, -2.0, -3.0])
LINE = np.linspace(-3.0, 3.0, 13)
POSITIVE = np.array([1e-3, 0.3, 1.0, 2.5, 7.0])
PROBABILITIES = np.array([1e-12, 0.01, 0.3, 0.5, 0.6, 0.99])
INSIDE = np.array([-0.99, -0.3, 0.1, 0.8])
OF_ONE = {
    "erf": LINE,
    "erfc": LINE,
    "erfinv": INSIDE,
    "erfcinv": 1.0 - INSIDE,
    "ndtr": LINE,
    "log_ndtr": np.append(LINE, -30.0),
    "ndtri": PROBABILITIES,
    "gamma": np.append(POSITIVE, -0.5),
    "gammaln": np.append(POSITIVE, -0.5),
    "digamma": np.append(POSITIVE, -0.5),
    "expit": LINE,
    "logit": PROBABILITIES,
    "log_expit": np.append(LINE, [-800.0, 800.0]),
    "j0": LINE,
    "j1": LINE,
    "y0": POSITIVE[1:],
    "y1": POSITIVE[1:],
    "rgamma": np.append(POSITIVE, -0.5),
    "psi": POSITIVE,
    "gammasgn": np.append(POSITIVE, [-0.5, -1.5, -1.0, -2.0, 0.0]),
    "i0": LINE,
    "i1": LINE,
    "i0e": np.append(LINE, 900.0),
    "i1e": np.append(LINE, 900.0),
    "entr": np.append(POSITIVE, [0.0, -1.0]),
}
X, Y = (grid.ravel() for grid in np.meshgrid([0.0, 0.4, 1.0, 2.5, -1.0], [0.0, 0.7, 2.5, -0.5]))
OF_TWO = {"beta": (X[5:10], 0.7), "betaln": (X[5:8], 0.7), "xlogy": (X, Y), "xlog1py": (X, Y)}
OF_TWO |= {
    "rel_entr": (X, Y),
    "kl_div": (X, Y),
    "gammainc": (abs(X) + 0.5, abs(Y)),
    "gammaincc": (abs(X) + 0.5, abs(Y)),
}


@pytest.mark.parametrize(("name", "x"), OF_ONE.items(), ids=OF_ONE)
def test_values_of_one_argument_are_scipys(name, x):
    assert_allclose(getattr(special, name)(Variable(x)).data, getattr(scipy.special, name)(x), rtol=1e-13)


@pytest.mark.parametrize(("name", "xs"), OF_TWO.items(), ids=OF_TWO)
def test_values_of_two_arguments_are_scipys(name, xs):
    with np.errstate(invalid="ignore", divide="ignore"):
        found = getattr(special, name)(*xs)
    assert_allclose(found, getattr(scipy.special, name)(*xs), rtol=1e-13)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_polygamma_is_scipys(n):
    x = np.append(POSITIVE, -0.5)
    assert_allclose(special.polygamma(n, x), scipy.special.polygamma(n, x), rtol=1e-13)


@pytest.mark.parametrize("order", [0, 1, 3, -2, 0.5, -0.5, 2.25])
@pytest.mark.parametrize("name", ["iv", "ive"])
def test_bessel_functions_are_scipys(name, order):
    expected = getattr(scipy.special, name)(float(order), POSITIVE)
    assert_allclose(getattr(special, name)(order, POSITIVE), expected, rtol=1e-13)


@pytest.mark.parametrize(("name", "x"), OF_ONE.items(), ids=OF_ONE)
def test_derivatives_of_one_argument(name, x):
    if name == "gammasgn":
        assert special.gammasgn(Variable(x)).creator is None
        return
    away = x[(abs(x) > 0.05) & (abs(x) < 5.0)] if name != "entr" else POSITIVE[1:]
    if name in ("erfinv", "erfcinv", "ndtri", "logit"):
        away = np.array([0.2, 0.45, 0.7])
    check_grads(getattr(special, name), away, 3, rtol=1e-4)


@pytest.mark.parametrize("name", OF_TWO)
def test_derivatives_of_two_arguments(name):
    function = getattr(special, name)
    x, y = np.array([0.7, 1.3]), np.array([1.6, 0.9])
    if name.startswith("gammainc"):
        check_grads(lambda y: function(x, y), y, 3)
    else:
        check_grads(function, (x, y), 3)


@pytest.mark.parametrize("order", [0, 1, 2, 2.5])
@pytest.mark.parametrize("name", ["iv", "ive"])
def test_derivatives_of_bessel_functions(name, order):
    check_grads(lambda x: getattr(special, name)(order, x), np.array([0.5, 1.0, 2.0]), 3)


def test_derivatives_of_polygamma():
    check_grads(lambda x: special.polygamma(2, x), np.array([1.0, 2.0]), 3)


def test_tail_of_the_normal_distribution_keeps_its_slope():
    """At −40 both density and distribution are 0; their quotient is about 40."""
    x = Variable(-40.0)
    special.log_ndtr(x).backward()
    assert x.grad.item() == pytest.approx(40.02494, rel=1e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "erf"])
def test_functions_that_are_elsewhere_are_the_same(name):
    assert getattr(special, name).__wrapped__ is getattr(F, name)


def test_plain_arguments_give_plain_results():
    x = np.array([0.3, 0.7])
    for found in (
        special.gammaln(x), special.logsumexp(x, axis=0), special.softmax(x), special.polygamma(1, x),
        special.betainc(2.0, 3.0, x=x), special.jn(2, x), special.multigammaln(x + 3.0, 2), special.ndtr(0.5),
    ):  # fmt: skip
        assert isinstance(found, (np.ndarray, np.floating))
    for found in (special.xlogy(x, Variable(x)), special.logsumexp(x=Variable(x)), special.beta(Variable(1.0), x)):
        assert isinstance(found, Variable)


@pytest.mark.parametrize("order", [0, 1, 2, -1, 2.5])
@pytest.mark.parametrize("name", ["jv", "yv"])
def test_cylinder_functions(name, order):
    x = np.array([0.5, 1.3, 4.0])
    assert_allclose(getattr(special, name)(order, x), getattr(scipy.special, name)(order, x), rtol=1e-13)
    check_grads(lambda x: getattr(special, name)(order, x), x, 3)
    assert_allclose(ad.nth_derivative(lambda x: special.jn(2, x), 2)(1.3), scipy.special.jvp(2, 1.3, 2))


def test_gradients_at_the_ends_of_the_domain_are_0():
    for f, point in (
        (special.y0, 0.0),
        (lambda x: special.jv(0.5, x), 0.0),
        (lambda x: special.betainc(0.5, 0.5, x), 1.0),
    ):
        assert ad.grad(f)(point) == 0.0


def test_multivariate_gamma_function_is_scipys():
    a = np.array([2.3, 4.0])
    for d in (1, 3):
        assert_allclose(special.multigammaln(a, d), scipy.special.multigammaln(a, d), rtol=1e-13)
    check_grads(lambda a: special.multigammaln(a, 3), a)
    with pytest.raises(ArgumentError, match="whole number"):
        special.multigammaln(a, 0)


def test_incomplete_beta_function_has_no_derivative_in_its_orders():
    a = Variable([1.5, 2.0])
    with pytest.raises(GradientError, match="in x alone"):
        special.betainc(a, 2.0, 0.3).backward(np.ones(2))
    check_grads(lambda x: special.betainc(np.array([0.7, 2.0]), np.array([1, 3]), x), np.array([0.3, 0.6]), 3)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_0_log_0_is_0_and_so_are_its_derivatives(name):
    x, y = Variable(0.0), Variable(0.0 if name == "xlogy" else -1.0)
    z = getattr(special, name)(x, y)
    z.backward()
    assert (z.item(), x.grad.item(), y.grad.item()) == (0.0, 0.0, 0.0)


def test_kl_div_at_0_has_the_slope_of_what_is_left():
    y = Variable(0.5)
    special.kl_div(0.0, y).backward()
    assert y.grad.item() == 1.0


def test_incomplete_gamma_function_says_that_it_has_no_derivative_in_a():
    a, x = Variable(1.5), Variable(2.0)
    with pytest.raises(GradientError, match=r"no derivative in a.*gammainc\(a\.data, x\)"):
        special.gammainc(a, x).backward()
    special.gammainc(a.data, x).backward()
    assert a.grad is None
    assert x.grad is not None


@pytest.mark.parametrize("n", [-1, 1.5, "1"])
def test_polygamma_refuses_other_orders(n):
    with pytest.raises(ArgumentError, match="whole number"):
        special.polygamma(n, 1.0)


def test_bessel_functions_refuse_arrays_of_orders():
    with pytest.raises(DTypeError, match="is a number, not ndarray"):
        special.iv(np.ones(2), 1.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_small_floats_stay_what_they_are(dtype):
    x = Variable(np.array([0.5, 1.5], dtype))
    for f in (special.gammaln, special.ndtr, special.i1e, lambda x: special.polygamma(1, x), special.entr):
        assert f(x).dtype == dtype


def test_compiled_functions_call_scipy_between_native_code():
    def f(x):
        y = F.sum(special.gammaln(x * x + 1.0) + special.polygamma(1, x + 2.0) + special.gammainc(2.0, x * x))
        y.backward()
        return y, x.grad

    x = np.linspace(-1.0, 1.0, 2000)
    y, grad = f(Variable(x))
    for _ in range(2):
        compiled_y, compiled_grad = ad.compile(f)(Variable(x))
        assert_allclose(compiled_y.data, y.data, rtol=1e-12)
        assert_allclose(compiled_grad.data, grad.data, rtol=1e-12)


def test_scipy_is_imported_when_it_is_used():
    program = (
        "import sys, adjoint as ad; x = ad.Variable(0.5); ad.special.logit(x); ad.special.entr(x);"
        "assert 'scipy' not in sys.modules; ad.special.gammaln(x); assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_error_without_scipy_names_what_to_install(monkeypatch):
    _function.cache_clear()
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        MissingDependencyError, match=r"gammaln needs the SciPy library: pip install 'adjoint\[scipy\]'"
    ):
        special.gammaln(Variable(1.0))
    _function.cache_clear()


def test_the_reciprocal_of_gamma_is_smooth_at_its_zeros():
    assert_allclose(ad.grad(lambda x: np.sum(special.rgamma(x)))(POLES), [1.0, -1.0, 2.0, -6.0], rtol=1e-12)
    check_grads(special.rgamma, np.append(POLES, [-2.5, 0.4, 0.6, 3.0]), order=3)


def test_incomplete_gamma_ends_at_infinity():
    for a in (0.5, 1.0, 2.0):
        assert ad.grad(lambda x, a=a: special.gammainc(a, x))(np.inf) == 0.0
    assert_allclose(special.gammasgn(np.array([np.inf, -0.5, -1.5, 2.0])), [1.0, -1.0, 1.0, 1.0])


def test_orders_of_bessel_functions():
    for order in (1, np.int64(1), np.float32(1.0)):
        assert_allclose(special.jv(order, 1.5), scipy.special.jv(1, 1.5))
    for order in (Variable(1.0), np.ones(2), "1"):
        with pytest.raises(DTypeError, match="call the function once for each"):
            special.jv(order, 1.5)
