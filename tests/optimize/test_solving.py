"""Least squares and systems of equations by SciPy's methods, with exact Jacobians."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import functions as F
from adjoint.errors import ArgumentError, GradientError, ShapeError

scipy_optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")

TIMES = np.linspace(0.0, 4.0, 30)
DECAY = 2.5 * np.exp(-1.3 * TIMES) + 0.5


def residuals(p):
    return p["a"] * np.exp(-p["k"] * TIMES) + p["c"] - DECAY


class TestLeastSquares:
    @pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
    def test_methods_find_the_parameters(self, method):
        found = ad.optimize.least_squares(residuals, {"a": 1.0, "k": 1.0, "c": 0.0}, method=method)
        assert_allclose([found.x["a"], found.x["k"], found.x["c"]], [2.5, 1.3, 0.5], rtol=1e-6)
        assert found.jac.shape == (30, 3)
        assert set(found.grad) == {"a", "k", "c"}

    def test_jacobian_is_exact(self):
        found = ad.optimize.least_squares(residuals, {"a": 2.0, "k": 1.0, "c": 0.0}, max_nfev=1)
        e = np.exp(-TIMES)
        assert_allclose(found.jac, np.stack([e, -2.0 * TIMES * e, np.ones(30)], 1), rtol=1e-13)

    def test_bounds(self):
        start = {"a": 1.0, "k": 1.0, "c": 0.0}
        found = ad.optimize.least_squares(residuals, start, bounds={"c": (None, 0.25)})
        assert_allclose(found.x["c"], 0.25, atol=1e-6)
        found = ad.optimize.least_squares(lambda x: x - np.array([1.0, 2.0]), np.zeros(2), bounds=(-1.0, 1.5))
        assert_allclose(found.x, [1.0, 1.5], atol=1e-6)

    def test_fewer_residuals_than_unknowns(self):
        found = ad.optimize.least_squares(lambda x: [x.sum() - 1.0], np.zeros(3))
        assert_allclose(found.x.sum(), 1.0)
        assert_allclose(found.jac, np.ones((1, 3)))

    def test_options_and_arguments_are_passed_on(self):
        def outlier(x, t):
            return x - t

        t = np.array([0.0, 0.0, 0.0, 100.0])
        plain = ad.optimize.least_squares(outlier, 1.0, (t,))
        robust = ad.optimize.least_squares(outlier, 1.0, (t,), loss="soft_l1", f_scale=0.1)
        assert_allclose(plain.x, 25.0)
        assert abs(robust.x) < 1.0

    def test_compiled(self):
        pytest.importorskip("llvmlite", reason="llvmlite is not installed")
        found = ad.optimize.least_squares(residuals, {"a": 1.0, "k": 1.0, "c": 0.0}, compile=True)
        assert_allclose(found.x["k"], 1.3, rtol=1e-6)

    def test_what_is_no_variable(self):
        with pytest.raises(GradientError, match="returned a ndarray, which has no derivative in x"):
            ad.optimize.least_squares(lambda x: x.data - 1.0, np.zeros(2))


class TestRoot:
    @pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "df-sane"])
    def test_methods_find_a_root(self, method):
        def f(p):
            x, y = p["x"], p["y"]
            return {"first": x + 0.5 * (x - y) ** 3 - 1.0, "second": [0.5 * (y - x) ** 3 + y]}

        found = ad.optimize.root(f, {"x": 0.0, "y": 0.0}, method=method)
        assert found.success
        assert_allclose([found.x["x"], found.x["y"]], [0.8411639, 0.1588361], rtol=1e-5)

    def test_shape_arguments_and_tolerance(self):
        found = ad.optimize.root(
            lambda x, a: x**3 - a, np.ones((2, 2)), (np.arange(1.0, 5.0).reshape(2, 2),), tol=1e-12
        )
        assert_allclose(found.x, np.cbrt(np.arange(1.0, 5.0).reshape(2, 2)), rtol=1e-12)

    def test_jacobian_is_exact(self):
        given = {}

        def recorded(fun, x0, *args, **options):
            given.update(options)
            return scipy_optimize.OptimizeResult(x=x0)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scipy_optimize, "root", recorded)
            ad.optimize.root(lambda x: F.stack([x[0] * x[1], x[1] ** 2]), np.ones(2))
        assert_allclose(given["jac"](np.array([2.0, 3.0])), [[3.0, 2.0], [0.0, 6.0]])

    def test_callback_takes_x_in_its_structure(self):
        points = []
        ad.optimize.root(
            lambda p: p["x"] ** 2 - 2.0, {"x": 1.0}, method="broyden1", callback=lambda x, f: points.append((x, f))
        )
        assert_allclose(points[-1][0]["x"], np.sqrt(2.0), rtol=1e-4)

    def test_compiled(self):
        pytest.importorskip("llvmlite", reason="llvmlite is not installed")
        assert_allclose(ad.optimize.root(lambda x: F.cos(x) - x, np.ones(2), compile=True).x, 0.7390851332151607)

    def test_numbers_of_equations_and_unknowns(self):
        with pytest.raises(ShapeError, match="f returns 3 numbers for 2 unknowns"):
            ad.optimize.root(lambda x: F.concat([x, x[:1]]), np.ones(2))
        assert ad.optimize.root(lambda x: F.concat([x, x[:1]]) - 1.0, np.zeros(2), method="lm").success


@pytest.mark.parametrize("option", [{"jac": "2-point"}, {"kwargs": {"a": 2.0}}])
def test_arguments_of_scipy_that_make_no_sense_here(option):
    with pytest.raises(ArgumentError, match="least_squares takes no "):
        ad.optimize.least_squares(lambda x: x - 1.0, np.ones(2), **option)
