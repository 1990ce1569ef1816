"""Minima of functions of several variables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compile.function import compile as compiled
from adjoint.config import no_grad
from adjoint.core.variable import Variable
from adjoint.optimize.routines import scipy_optimize
from adjoint.optimize.unknowns import Unknowns
from adjoint.transforms import grad, hessian, jacobian, jvp, value_and_grad

__all__ = ["minimize"]

# What SciPy's methods use of derivatives; the others use the gradient.
_NO_GRADIENT = {"nelder-mead", "powell", "cobyla", "cobyqa"}
_HESSIAN = {"dogleg", "trust-exact"}
_HESSIAN_PRODUCT = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: Sequence[Any] = (),
    method: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    compile: bool = False,
) -> Any:
    """A local minimum of f, by `scipy.optimize.minimize` with exact derivatives.

    Methods that use a gradient get it with the value from one run of f. Newton-CG, trust-ncg, trust-krylov and
    trust-constr get products of the Hessian with a vector as well, forward over reverse; dogleg and trust-exact get the
    Hessian.

    Args:
        f: a function of Variables that returns one number. It takes x in the structure of `x0`, then `args`.
        x0: where to start: an array of any shape, a number, a structure of arrays, or a model, which f is then called
            with. A list of numbers is an array.
        args: further arguments of f, which are constants: a tuple, or one.
        method: a method of SciPy's, by name. For None, BFGS, or with bounds L-BFGS-B, or with constraints SLSQP.
        bounds: as SciPy takes them, for each element of x a pair; or for a structure or a model a dictionary of pairs
            by key or path, in which None stands for no bound, and keys may be left out.
        constraints: as SciPy takes them: dictionaries with "type" and "fun", `NonlinearConstraint` and
            `LinearConstraint`. Their functions take x as f does. They get exact derivatives, unless they bring a "jac".
        tol: when to stop; what it means depends on the method.
        callback: called with x after each iteration, as SciPy does; x has the structure of `x0`.
        options: of the method, as "maxiter".
        compile: whether to compile f with its gradient, by `ad.compile`.

    Returns:
        SciPy's `OptimizeResult`. Its `x`, and its `jac`, which is the gradient, have the structure of `x0`: for a model
        a dictionary by path. The model itself is not changed.

    Raises:
        GradientError: f returns no Variable, or not one number.
        MissingDependencyError: without SciPy.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> def rosenbrock(x):
    ...     return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    >>> ad.optimize.minimize(rosenbrock, np.zeros(3), method="trust-ncg").x.round(6)
    array([1., 1., 1.])
    """
    routine = scipy_optimize("minimize")
    unknowns = Unknowns(x0, "minimize")
    of_vector = unknowns.scalar(f)
    name = method.lower() if isinstance(method, str) else method
    derivatives = _derivatives(of_vector, name)
    result = routine.minimize(
        _value(of_vector, compile) if name in _NO_GRADIENT else _value_and_gradient(of_vector, compile),
        unknowns.start,
        args if isinstance(args, tuple) else tuple(args) if isinstance(args, list) else (args,),
        method,
        bounds=unknowns.bounds(bounds),
        constraints=_constraints(routine, constraints, unknowns, name),
        tol=tol,
        callback=None if callback is None else _structured(callback, unknowns),
        options=options,
        **derivatives,
    )
    return unknowns.shaped(result, "jac", "grad")


def _value(f: Callable[..., Any], compile: bool) -> Callable[..., Any]:
    def run(x: Any, *args: Any) -> Any:
        return f(Variable(x), *args)

    run = compiled(run) if compile else run

    def value(x: Any, *args: Any) -> float:
        with no_grad():
            return float(run(x, *args))

    return value


def _value_and_gradient(f: Callable[..., Any], compile: bool) -> Callable[..., Any]:
    run = value_and_grad(f, create_graph=False)
    if compile:
        run = compiled(run)

    def value_and_gradient(x: Any, *args: Any) -> tuple[float, Any]:
        value, gradient = run(x, *args)
        return float(value), _plain(gradient)

    return value_and_gradient


def _derivatives(f: Callable[..., Any], method: Any) -> dict[str, Any]:
    """The derivatives that a method uses, as arguments of SciPy's function."""
    if method in _NO_GRADIENT:
        return {}
    found: dict[str, Any] = {"jac": True}
    if method in _HESSIAN:
        matrix = hessian(f)
        found["hess"] = lambda x, *args: _plain(matrix(x, *args))
    if method in _HESSIAN_PRODUCT or callable(method):
        gradient = grad(f, create_graph=False)

        def product(x: Any, v: Any, *args: Any) -> Any:
            with no_grad():
                return _plain(jvp(lambda x: gradient(x, *args), (x,), (np.asarray(v),))[1])

        found["hessp"] = product
    return found


def _plain(x: Any) -> Any:
    """The array of a derivative, which is a Variable where f depends on others."""
    return x.data if isinstance(x, Variable) else x


def _constraints(routine: Any, constraints: Any, unknowns: Unknowns, method: Any) -> Any:
    """Constraints with exact derivatives, on the vector of x."""
    if isinstance(constraints, (list, tuple)):
        return [_constraint(routine, one, unknowns, method) for one in constraints]
    return _constraint(routine, constraints, unknowns, method)


def _constraint(routine: Any, constraint: Any, unknowns: Unknowns, method: Any) -> Any:
    if isinstance(constraint, dict):
        if callable(constraint.get("jac")) or "fun" not in constraint:
            return constraint
        fun = unknowns.vector(constraint["fun"])
        if method == "trust-constr" and constraint.get("type") in ("eq", "ineq"):  # which would guess a Hessian
            fun = _with_arguments(fun, constraint.get("args", ()))
            high = 0.0 if constraint["type"] == "eq" else np.inf
            return routine.NonlinearConstraint(_values(fun), 0.0, high, _matrix(fun), _curvature(fun))
        return {**constraint, "fun": _values(fun), "jac": _matrix(fun)}
    if isinstance(constraint, routine.NonlinearConstraint) and not callable(constraint.jac):
        fun = unknowns.vector(constraint.fun)
        return routine.NonlinearConstraint(
            _values(fun), constraint.lb, constraint.ub, _matrix(fun), _curvature(fun), constraint.keep_feasible
        )
    return constraint


def _with_arguments(f: Callable[..., Any], args: Sequence[Any]) -> Callable[..., Any]:
    return lambda x: f(x, *args)


def _values(f: Callable[..., Any]) -> Callable[..., Any]:
    def values(x: Any, *args: Any) -> Any:
        with no_grad():
            return _plain(f(Variable(x), *args))

    return values


def _matrix(f: Callable[..., Any]) -> Callable[..., Any]:
    matrix = jacobian(f, mode="reverse")  # there are fewer constraints than unknowns
    return lambda x, *args: _plain(matrix(x, *args))


def _curvature(f: Callable[..., Any]) -> Callable[..., Any]:
    """The Hessian of v · f(x), which the method trust-constr asks for."""
    matrix = hessian(lambda x, v: (f(x) * v).sum())
    return lambda x, v: _plain(matrix(x, v))


def _structured(callback: Callable[..., Any], unknowns: Unknowns) -> Callable[..., Any]:
    """A callback on the vector of x. SciPy looks at the name of its argument."""
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:

        def with_result(intermediate_result: Any) -> Any:
            return callback(intermediate_result=unknowns.shaped(type(intermediate_result)(intermediate_result)))

        return with_result

    @functools.wraps(callback)
    def with_point(x: Any, *state: Any) -> Any:
        return callback(unknowns.arrays(x), *state)

    return with_point
