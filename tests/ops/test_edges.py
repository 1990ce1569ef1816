"""Derivatives at the edges of a domain and outside: 0 in every order, and what IEEE arithmetic says on request."""

from __future__ import annotations

import math

import numpy as np
import pytest

import adjoint as ad
from adjoint import Variable, functions as F, special

# A function of one number, and where its first derivative is infinite or there is none.
ONE = {
    "sqrt": (F.sqrt, [0.0, -0.0, -1.0]),
    "log": (F.log, [0.0, -1.0]),
    "log1p": (F.log1p, [-1.0, -2.0]),
    "log2": (F.log2, [0.0, -1.0]),
    "log10": (F.log10, [0.0, -1.0]),
    "cbrt": (F.cbrt, [0.0]),
    "x ** 0.5": (lambda x: x**0.5, [0.0, -1.0]),
    "x ** -0.5": (lambda x: x**-0.5, [0.0, -1.0]),
    "x ** 1.5": (lambda x: x**1.5, [0.0, -1.0]),
    "x ** array(0.5)": (lambda x: x ** np.array(0.5), [0.0, -1.0]),
    "x ** array(2.5)": (lambda x: x ** np.array(2.5), [0.0, -1.0]),
    "0 ** x": (lambda x: 0.0**x, [0.5, -0.5]),
    "arcsin": (F.arcsin, [1.0, -1.0, 1.5]),
    "arccos": (F.arccos, [1.0, -1.0, -1.5]),
    "arccosh": (F.arccosh, [1.0, 0.5, -2.0]),
    "arctanh": (F.arctanh, [1.0, -1.0, 2.0]),
    "norm": (lambda x: F.norm(F.stack([x, x * 0.0])), [0.0]),
    "std": (lambda x: F.std(F.stack([x, x])), [3.0]),
    "hypot": (lambda x: F.hypot(x, 0.0), [0.0]),
    "arctan2": (lambda x: F.arctan2(x, 0.0), [0.0]),
    "logit": (special.logit, [0.0, 1.0, -0.5]),
    "xlogy": (lambda y: special.xlogy(2.0, y), [0.0, -1.0]),
    "xlog1py": (lambda y: special.xlog1py(2.0, y), [-1.0, -2.0]),
    "entr": (special.entr, [0.0, -1.0]),
    "rel_entr in x": (lambda x: special.rel_entr(x, 2.0), [0.0, -1.0]),
    "rel_entr in y": (lambda y: special.rel_entr(2.0, y), [0.0, -1.0]),
    "kl_div in x": (lambda x: special.kl_div(x, 2.0), [0.0, -1.0]),
    "erfinv": (special.erfinv, [1.0, -1.0, 2.0]),
    "erfcinv": (special.erfcinv, [0.0, 2.0]),
    "ndtri": (special.ndtri, [0.0, 1.0, -1.0]),
    "gammainc": (lambda x: special.gammainc(0.5, x), [0.0]),
    "iv": (lambda x: special.iv(0.5, x), [0.0]),
}
CASES = [pytest.param(f, x, id=f"{name} at {x}") for name, (f, points) in ONE.items() for x in points]


def slopes(y, x):
    """The derivatives of the sum of y, orders 1 to 3. Adding 0·x keeps x in the graph where nothing depends on it."""
    found = []
    for _ in range(3):
        x.cleargrad()
        F.sum(y + 0.0 * x).backward(create_graph=True)
        y = x.grad
        found.append(y)
    return found


@pytest.mark.parametrize(("f", "x"), CASES)
def test_derivatives_of_every_order_are_0(f, x):
    v = Variable(x)
    with np.errstate(all="ignore"):  # the value may be infinite, or none
        y = f(v)
    assert [slope.item() for slope in slopes(y, v)] == [0.0] * 3  # a warning would be an error


@pytest.mark.parametrize(("f", "x"), CASES)
def test_neighbours_in_an_array_keep_their_derivatives(f, x):
    inside = 0.3 if f is not F.arccosh else 1.3
    v, alone = Variable([x, inside]), Variable(inside)
    with np.errstate(all="ignore"):
        y = F.stack([f(v[0]), f(v[1])]) if f in OF_ONE_NUMBER else f(v)
    for both, one in zip(slopes(y, v), slopes(f(alone), alone), strict=True):
        np.testing.assert_allclose(both.data, [0.0, one.item()], rtol=1e-12, atol=1e-12)


OF_ONE_NUMBER = {ONE["norm"][0], ONE["std"][0]}


@pytest.mark.parametrize(("f", "x"), CASES)
def test_compiled_functions_do_the_same(f, x):
    @ad.compile
    def derivatives_of(v):
        return slopes(f(v), v)

    assert [y.item() for y in derivatives_of(Variable(x))] == [0.0] * 3


STRICT = {
    "sqrt": (F.sqrt, 0.0, math.inf),
    "sqrt outside": (F.sqrt, -1.0, math.nan),
    "log": (F.log, 0.0, math.inf),
    "log outside": (F.log, -2.0, -0.5),
    "power": (lambda x: x**0.5, 0.0, math.inf),
    "pow": (lambda x: x ** np.array(0.5), 0.0, math.inf),
    "arcsin": (F.arcsin, 1.0, math.inf),
    "hypot": (lambda x: F.hypot(x, 0.0), 0.0, math.nan),
    "norm": (lambda x: F.norm(x), 0.0, math.nan),
    "entr": (special.entr, 0.0, math.inf),
}


@pytest.mark.parametrize(("f", "x", "expected"), STRICT.values(), ids=STRICT)
def test_strict_mode_gives_what_the_formula_says(f, x, expected):
    v = Variable(x)
    with np.errstate(all="ignore"):
        y = f(v)
        with ad.strict_ieee():
            y.backward()
        np.testing.assert_equal(v.grad.item(), expected)
        v.cleargrad()
        y.backward()
    assert v.grad.item() == 0.0


def test_compiled_functions_know_the_mode():
    @ad.compile
    def slope(x):
        y = F.sqrt(x)
        x.cleargrad()
        y.backward()
        return x.grad.data

    x = Variable(np.zeros(3))
    for _ in range(2):
        assert slope(x).tolist() == [0.0] * 3
        with ad.strict_ieee():
            assert slope(x).tolist() == [math.inf] * 3


def test_cotangents_that_are_infinite_do_not_pass_the_edge():
    x = Variable(0.0)
    with np.errstate(divide="ignore"):
        (1.0 / F.sqrt(x)).backward()
    assert x.grad.item() == 0.0


def test_poles_are_no_edges():
    x = Variable(0.0)
    with np.errstate(divide="ignore"):
        y = x**-1
        y.backward()
    assert x.grad.item() == -math.inf


def test_whole_powers_of_negative_numbers_keep_their_derivatives():
    x = Variable([-2.0, 0.0])
    F.sum(x ** np.array([3.0, 1.0])).backward()
    assert x.grad.data.tolist() == [12.0, 1.0]
    x.cleargrad()
    F.sum(x**3).backward()
    assert x.grad.data.tolist() == [12.0, 0.0]


@pytest.mark.parametrize("infinity", [math.inf, -math.inf])
def test_logaddexp_of_equal_infinities_shares_evenly(infinity):
    a, b = Variable(infinity), Variable(infinity)
    F.logaddexp(a, b).backward()
    assert (a.grad.item(), b.grad.item()) == (0.5, 0.5)


def test_logsumexp_of_nothing_but_logarithms_of_0():
    x = Variable([[-math.inf, -math.inf], [-math.inf, 0.0]])
    F.logsumexp(x, axis=1).backward()
    assert x.grad.data.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_gradients_stay_in_float32_at_the_edge():
    x = Variable(np.array([0.0, 1.0], np.float32))
    for f in (F.sqrt, lambda x: x**1.5, F.cbrt, lambda x: F.hypot(x, x)):
        x.cleargrad()
        F.sum(f(x)).backward()
        assert x.grad.dtype == np.float32
