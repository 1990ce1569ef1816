"""Minima by SciPy's methods, with exact derivatives of arrays, structures and models."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import adjoint as ad
from adjoint import functions as F, models
from adjoint.errors import ArgumentError, DTypeError, GradientError, MissingDependencyError, ShapeError

scipy_optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")

GRADIENT = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
CURVATURE = ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr", "trust-exact", "dogleg"]
NONE = ["Nelder-Mead", "Powell", "COBYLA"]


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(x):
    return ((x - np.array([1.0, -2.0])) ** 2).sum() + F.exp(x).sum()


@pytest.mark.parametrize("method", [None, *GRADIENT, *CURVATURE])
def test_methods_find_the_minimum(method):
    # from a point where the Hessian is positive definite, which dogleg needs
    found = ad.optimize.minimize(rosenbrock, np.array([1.1, 1.2]), method=method, tol=1e-9)
    assert found.success
    assert_allclose(found.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("method", NONE)
def test_methods_without_derivatives(method):
    found = ad.optimize.minimize(bowl, np.zeros(2), method=method, tol=1e-6)
    assert_allclose(found.x, ad.optimize.minimize(bowl, np.zeros(2)).x, atol=1e-3)


def calls_of(method):
    """What SciPy is given for a method, by the names of its arguments."""
    given = {}

    def recorded(fun, x0, *args, **options):
        given.update(options, fun=fun, x0=x0)
        return scipy_optimize.OptimizeResult(x=x0, success=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scipy_optimize, "minimize", recorded)
        ad.optimize.minimize(rosenbrock, np.array([0.5, 2.0]), method=method)
    return given


@pytest.mark.parametrize("method", CURVATURE)
def test_second_derivatives_that_methods_get_are_exact(method):
    given = calls_of(method)
    x, v = np.array([0.5, 2.0]), np.array([3.0, -1.0])
    expected = np.array([[1200 * 0.25 - 400 * 2 + 2, -200.0], [-200.0, 200.0]])
    if "hess" in given:
        assert_allclose(given["hess"](x), expected, rtol=1e-14)
    else:
        assert_allclose(given["hessp"](x, v), expected @ v, rtol=1e-14)


def test_value_and_gradient_come_from_one_run():
    runs = []

    def counted(x):
        runs.append(x)
        return rosenbrock(x)

    found = ad.optimize.minimize(counted, np.zeros(2), method="BFGS")
    assert len(runs) == found.nfev == found.njev


def test_fewer_runs_than_by_differences():
    exact = ad.optimize.minimize(rosenbrock, np.zeros(10))
    assert exact.success
    assert_allclose(exact.x, 1.0, atol=1e-6)
    differences = scipy_optimize.minimize(lambda x: rosenbrock(ad.Variable(x)).item(), np.zeros(10))
    assert exact.nfev * 5 < differences.nfev


class TestStructures:
    """What x0 may be."""

    def test_of_arrays(self):
        def f(p):
            return ((p["w"] - 2.0) ** 2).sum() + (p["b"][0] + 1.0) ** 2 + (p["b"][1] * p["w"][0, 0] - 3.0) ** 2

        found = ad.optimize.minimize(f, {"w": np.zeros((2, 2)), "b": (0.0, 1.0)}, tol=1e-10)
        assert found.x["w"].shape == found.jac["w"].shape == (2, 2)
        assert_allclose(found.x["w"], 2.0, atol=1e-6)
        assert_allclose(found.x["b"], (-1.0, 1.5), atol=1e-6)
        assert isinstance(found.x["b"], tuple)

    def test_number_array_of_any_shape_and_list(self):
        assert_allclose(ad.optimize.minimize(lambda x: (x - 3.0) ** 2, 1).x, 3.0)
        assert ad.optimize.minimize(lambda x: ((x - 3.0) ** 2).sum(), np.zeros((2, 3))).x.shape == (2, 3)
        for start in ([0, 1], (0.0, 1.0), [[0.0], [1.0]], np.array([0, 1])):
            found = ad.optimize.minimize(lambda x: ((x - 3.0) ** 2).sum(), start)
            assert found.x.shape == np.shape(start)
            assert_allclose(found.x, 3.0)

    def test_dtypes_are_kept_and_integers_of_variables_are_constants(self):
        seen = []

        def f(p):
            seen.append(p["x"].dtype)
            return ((p["x"] - p["n"]) ** 2).sum()

        x0 = {"x": np.zeros(2, np.float32), "n": ad.Variable(np.array([1, 2]))}
        found = ad.optimize.minimize(f, x0)
        assert {*seen, found.x["x"].dtype} == {np.dtype(np.float32)}
        assert_allclose(found.x["x"], [1.0, 2.0], atol=1e-4)
        assert found.x["n"] is x0["n"]

    def test_model(self):
        rng = ad.random.const()
        x = rng.standard_normal((20, 2))
        model = models.MLP([3, 1], activation=F.tanh, rng=rng)
        t = model(x).data + 0.5
        before = {path: p.data.copy() for path, p in model.params().items()}

        def loss(model):
            return F.mean_squared_error(model(x), t)

        found = ad.optimize.minimize(loss, model)
        assert found.fun < 1e-6
        assert {path: p.shape for path, p in model.params().items()} == {path: x.shape for path, x in found.x.items()}
        for path, p in model.params().items():
            assert_allclose(p.data, before[path], rtol=0)
            assert p.grad is None
            p.data = found.x[path]
        assert_allclose(loss(model).item(), found.fun)

    def test_start_is_not_changed_and_not_shared(self):
        start = np.zeros(2)
        found = ad.optimize.minimize(bowl, start, options={"maxiter": 0})
        found.x[0] = 5.0
        assert_allclose(start, 0.0, rtol=0)

    def test_arguments_are_constants(self):
        found = ad.optimize.minimize(lambda x, a, b: ((x - a) ** 2).sum() * b, np.zeros(2), (np.array([1.0, 2.0]), 3.0))
        assert_allclose(found.x, [1.0, 2.0], atol=1e-6)
        for method in ("Newton-CG", "trust-exact", "Nelder-Mead"):
            found = ad.optimize.minimize(lambda x, a: ((x - a) ** 2).sum(), np.zeros(2), (1.5,), method)
            assert_allclose(found.x, 1.5, atol=1e-4)

    def test_function_of_other_variables(self):
        a = ad.Variable(2.0)
        for method in ("BFGS", "Newton-CG", "trust-exact"):
            assert_allclose(ad.optimize.minimize(lambda x: (x - a) ** 2, 0.0, method=method).x, 2.0, atol=1e-6)
        assert a.grad is None


class TestBounds:
    def test_of_arrays_are_scipys(self):
        for bounds in ([(0, None), (0, None)], scipy_optimize.Bounds(0, np.inf)):
            assert_allclose(ad.optimize.minimize(bowl, np.ones(2), bounds=bounds).x[1], 0.0)

    def test_of_structures_by_key(self):
        def f(p):
            return ((p["a"] - 2.0) ** 2).sum() + (p["b"] + 1.0) ** 2 + (p["c"] - 4.0) ** 2

        start = {"a": np.ones(2), "b": 1.0, "c": 1.0}
        bounds = {"a": (None, np.array([1.5, 9.0])), "b": (0.5, None)}
        found = ad.optimize.minimize(f, start, bounds=bounds)
        assert_allclose(found.x["a"], [1.5, 2.0], atol=1e-6)
        assert_allclose([found.x["b"], found.x["c"]], [0.5, 4.0], atol=1e-6)

    def test_of_wrong_keys_and_shapes(self):
        def f(p):
            return (p["a"] ** 2).sum()

        with pytest.raises(ArgumentError, match="bounds has 'b', but x0 there has 'a'"):
            ad.optimize.minimize(f, {"a": np.ones(2)}, bounds={"b": (0, 1)})
        with pytest.raises(ShapeError, match=r"do not fit an array of shape \(2,\)"):
            ad.optimize.minimize(f, {"a": np.ones(2)}, bounds={"a": (np.zeros(3), None)})


class TestConstraints:
    """Functions of x that are held at or above zero."""

    @staticmethod
    def circle(x):
        return 1.0 - (x**2).sum()

    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr", "COBYLA"])
    def test_of_inequality(self, method):
        found = ad.optimize.minimize(
            lambda x: -(x[0] + x[1]), np.zeros(2), method=method, constraints={"type": "ineq", "fun": self.circle}
        )
        assert_allclose(found.x, np.sqrt(0.5), atol=1e-3)

    @pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
    def test_of_equality_in_a_structure(self, method):
        found = ad.optimize.minimize(
            lambda p: (p["a"] ** 2).sum() + p["b"] ** 2,
            {"a": np.ones(2), "b": 0.5},
            method=method,
            constraints=[{"type": "eq", "fun": lambda p, total: [p["a"].sum() + p["b"] - total], "args": (3.0,)}],
        )
        assert_allclose([*found.x["a"], found.x["b"]], 1.0, atol=1e-4)

    def test_objects_have_exact_derivatives(self):
        constraint = scipy_optimize.NonlinearConstraint(lambda x: [x[0] * x[1], x[0] ** 3], 0.0, 1.0)
        given = {}

        def recorded(fun, x0, *args, **options):
            given.update(options)
            return scipy_optimize.OptimizeResult(x=x0)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scipy_optimize, "minimize", recorded)
            ad.optimize.minimize(bowl, np.ones(2), constraints=constraint)
        made, x = given["constraints"], np.array([2.0, 3.0])
        assert_allclose(made.fun(x), [6.0, 8.0])
        assert_allclose(made.jac(x), [[3.0, 2.0], [12.0, 0.0]])
        assert_allclose(made.hess(x, np.array([5.0, 7.0])), [[84.0, 5.0], [5.0, 0.0]])
        assert (made.lb, made.ub) == (0.0, 1.0)

    def test_with_their_own_derivatives_stay_as_they_are(self):
        linear = scipy_optimize.LinearConstraint(np.ones((1, 2)), 1.0, 1.0)
        own = {"type": "ineq", "fun": lambda x: x[:1], "jac": lambda x: np.array([[1.0, 0.0]])}
        found = ad.optimize.minimize(lambda x: (x**2).sum(), np.ones(2), constraints=[linear, own], method="SLSQP")
        assert_allclose(found.x, 0.5, atol=1e-6)


class TestCallbacks:
    def test_take_x_in_its_structure(self):
        points = []
        ad.optimize.minimize(lambda p: (p["a"] - 1.0) ** 2, {"a": 5.0}, callback=points.append)
        assert points
        assert_allclose(points[-1]["a"], 1.0)

    def test_take_results_by_name(self):
        results = []

        def callback(intermediate_result):
            results.append(intermediate_result)
            if len(results) == 2:
                raise StopIteration

        ad.optimize.minimize(lambda p: rosenbrock(p["a"]), {"a": np.zeros(2)}, method="BFGS", callback=callback)
        assert len(results) == 2
        assert results[0].x["a"].shape == (2,)
        assert results[1].fun < results[0].fun

    def test_of_trust_constr_take_a_state(self):
        found = []
        ad.optimize.minimize(
            bowl, np.zeros((1, 2)), method="trust-constr", callback=lambda x, state: found.append((x.shape, state.nit))
        )
        assert found[0] == ((1, 2), 1)


@pytest.mark.parametrize("method", ["BFGS", "Powell"])
def test_compiled_functions_give_the_same(method):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    eager = ad.optimize.minimize(bowl, np.zeros(2), method=method)
    found = ad.optimize.minimize(bowl, np.zeros(2), method=method, compile=True)
    assert_allclose(found.x, eager.x, rtol=1e-6)


class TestErrors:
    def test_of_what_is_no_point(self):
        with pytest.raises(DTypeError, match=r"minimize: x0 is complex; look for its real"):
            ad.optimize.minimize(bowl, np.zeros(2, complex))
        with pytest.raises(DTypeError, match=r"x0\['n'\] is an array of int64"):
            ad.optimize.minimize(bowl, {"n": np.zeros(2, np.int64)})
        with pytest.raises(ArgumentError, match="x0 holds no floating point number"):
            ad.optimize.minimize(bowl, models.MLP([1]))

    def test_of_what_is_no_variable(self):
        def height(x):
            return float((x**2).sum())

        with pytest.raises(GradientError, match="height returned a float, which has no derivative in x") as raised:
            ad.optimize.minimize(height, np.ones(2))
        assert raised.value.location.endswith("ad.optimize.minimize(height, np.ones(2))")

    def test_of_what_is_no_number(self):
        with pytest.raises(GradientError, match=r"returned an array of shape \(2,\); return one number"):
            ad.optimize.minimize(lambda x: x**2, np.ones(2))

    def test_without_scipy_names_what_to_install(self, monkeypatch):
        for name in ("scipy.optimize", "scipy"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(
            MissingDependencyError, match=r"minimize needs the SciPy library: pip install 'adjoint\[scipy\]'"
        ):
            ad.optimize.minimize(bowl, np.zeros(2))


def test_scipy_is_imported_when_it_is_used():
    program = (
        "import sys, adjoint as ad; assert 'scipy' not in sys.modules;"
        "ad.optimize.minimize(lambda x: x * x, 1.0); assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("bounds", [(0.3, None), {"a": (0.0, 1.0)}])
def test_bounds_of_an_array_are_a_list_of_pairs(bounds):
    with pytest.raises(ArgumentError, match=r"pair for each element|one for each element"):
        ad.optimize.minimize(lambda x: F.sum(x * x), np.ones(2), bounds=bounds)


def test_one_further_argument_needs_no_tuple():
    found = ad.optimize.minimize(lambda x, a: F.sum((x - a) ** 2), np.ones(2), args=3.0).x
    assert_allclose(found, [3.0, 3.0], rtol=1e-6)
