"""Systems of nonlinear equations, and least squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compile.function import compile as compiled
from adjoint.config import no_grad
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, ShapeError
from adjoint.optimize.routines import scipy_optimize
from adjoint.optimize.unknowns import Unknowns
from adjoint.transforms import jacobian

__all__ = ["least_squares", "root"]

_JACOBIAN = {"hybr", "lm"}  # the methods of `root` that use one


class _System:
    """Values and Jacobian of a function, as functions of the vector of its unknowns."""

    def __init__(self, f: Callable[..., Any], unknowns: Unknowns, compile: bool) -> None:
        self._f = unknowns.vector(f)
        self._count = unknowns.start.size
        self._wrap: Callable[..., Any] = compiled if compile else lambda f: f
        self._values: Any = self._wrap(lambda x, *args: self._f(Variable(x), *args))
        self._matrix: Any = None

    def values(self, x: Any, *args: Any) -> Any:
        with no_grad():
            return self._values(x, *args).data

    def matrix(self, x: Any, *args: Any) -> Any:
        if self._matrix is None:
            mode = "forward" if self._count <= self.values(x, *args).size else "reverse"
            self._matrix = self._wrap(jacobian(self._f, mode=mode))
        with no_grad():
            found = self._matrix(x, *args)
        return found.data if isinstance(found, Variable) else found


def least_squares(
    residuals: Callable[..., Any],
    x0: Any,
    args: Sequence[Any] = (),
    bounds: Any = None,
    method: str = "trf",
    *,
    compile: bool = False,
    **options: Any,
) -> Any:
    """A local minimum of ½ Σ rᵢ(x)², by `scipy.optimize.least_squares` with the exact Jacobian ∂rᵢ/∂xⱼ.

    Args:
        residuals: a function of Variables that returns r: an array, or a structure of arrays. It takes x in the
            structure of `x0`, then `args`.
        x0: where to start; see `minimize`.
        args: further arguments, which are constants.
        bounds: as SciPy takes them, a pair of vectors; or for a structure or a model a dictionary of pairs by key or
            path; see `minimize`.
        method: "trf", "dogbox", or "lm", which takes no bounds.
        compile: whether to compile the residuals and their Jacobian, by `ad.compile`.
        options: further arguments of SciPy's function: `loss`, `f_scale`, `x_scale`, `ftol`, `max_nfev`, ….

    Returns:
        SciPy's `OptimizeResult`. Its `x` and `grad` have the structure of `x0`; `fun` is a vector, and `jac` a matrix.

    Raises:
        GradientError: the residuals are no Variables.
        ArgumentError: for `jac` and `kwargs`.
        MissingDependencyError: without SciPy.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> t = np.array([0.0, 1.0, 2.0])
    >>> def residuals(p):
    ...     return p["a"] * np.exp(-p["k"] * t) - np.array([3.0, 1.5, 0.75])
    >>> found = ad.optimize.least_squares(residuals, {"a": 1.0, "k": 1.0}).x
    >>> print(f"{found['a']:.4f} {found['k']:.4f}")
    3.0000 0.6931
    """
    for name in ("jac", "kwargs"):
        if name in options:
            raise ArgumentError(
                f"least_squares takes no {name}: the Jacobian is exact, and arguments by name go into a function of x, "
                "as in lambda x: residuals(x, a=2.0)"
            )
    routine = scipy_optimize("least_squares")
    unknowns = Unknowns(x0, "least_squares")
    system = _System(residuals, unknowns, compile)
    if bounds is None:
        bounds = (-np.inf, np.inf)
    elif isinstance(bounds, dict):
        bounds = tuple(np.array(unknowns.bounds(bounds)).T)
    result = routine.least_squares(
        system.values, unknowns.start, system.matrix, bounds, method, args=tuple(args), **options
    )
    return unknowns.shaped(result, "grad")


def root(
    f: Callable[..., Any],
    x0: Any,
    args: Sequence[Any] = (),
    method: str = "hybr",
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    compile: bool = False,
) -> Any:
    """A solution of f(x) = 0, by `scipy.optimize.root` with the exact Jacobian.

    Args:
        f: a function of Variables that returns as many numbers as x has: an array, or a structure of arrays. It takes x
            in the structure of `x0`, then `args`.
        x0: where to start; see `minimize`.
        args: further arguments, which are constants.
        method: a method of SciPy's, by name. "hybr" and "lm" use the Jacobian.
        tol: when to stop.
        callback: called with x and f(x) after each iteration, by the methods that do so; x has the structure of `x0`.
        options: of the method.
        compile: whether to compile f and its Jacobian, by `ad.compile`.

    Returns:
        SciPy's `OptimizeResult`. Its `x` has the structure of `x0`.

    Raises:
        GradientError: f returns no Variable.
        MissingDependencyError: without SciPy.
        ShapeError: f returns more or fewer numbers than x has.

    >>> import adjoint as ad
    >>> import numpy as np
    >>> print(ad.optimize.root(lambda x: np.cos(x) - x, 1.0).x.round(6))
    0.739085
    """
    routine = scipy_optimize("root")
    unknowns = Unknowns(x0, "root")
    system = _System(f, unknowns, compile)
    count = system.values(unknowns.start, *args).size
    if count != unknowns.start.size and method != "lm":  # which takes more equations than unknowns
        raise ShapeError(f"root: f returns {count} numbers for {unknowns.start.size} unknowns; there must be as many")
    result = routine.root(
        system.values,
        unknowns.start,
        tuple(args),
        method,
        jac=system.matrix if method in _JACOBIAN else None,
        tol=tol,
        callback=None if callback is None else lambda x, *rest: callback(unknowns.arrays(x), *rest),
        options=options,
    )
    return unknowns.shaped(result)
