"""NumPy's own functions on Variables: which function of this package stands for each of them.

NumPy hands a call over when an argument is, or holds, a Variable: ``np.sin(x)`` comes to `Value.__array_ufunc__`,
``np.sum(x)`` to `Value.__array_function__` (NEP 13 and NEP 18). The engine knows none of them by name. The tables are
filled by `adjoint.numpy`, with functions of NumPy's signatures.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from adjoint.errors import DTypeError

__all__ = ["FUNCTIONS", "SCIPY_UFUNCS", "UFUNCS", "UFUNC_FORMS", "call_function", "call_ufunc", "ufunc_function"]

Function = Callable[..., Any]

# For each ufunc, what computes it from its inputs.
UFUNCS: dict[Any, Function] = {}
# SciPy's ufuncs by name: it need not be installed, and is not imported.
SCIPY_UFUNCS: dict[str, Function] = {}
# For a call with options (out=, where=, dtype=), under "__call__", and for each method of ufuncs that is supported.
UFUNC_FORMS: dict[str, Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]] = {}
# For each other function, what stands for it.
FUNCTIONS: dict[Any, Function] = {}


def ufunc_function(ufunc: Any) -> Function:
    """What computes a ufunc. Raises DTypeError for those that are not supported."""
    function = UFUNCS.get(ufunc)
    if function is None:
        name = ufunc.__name__
        special = sys.modules.get("scipy.special")
        if special is not None and name in SCIPY_UFUNCS and getattr(special, name, None) is ufunc:
            return SCIPY_UFUNCS[name]
        raise DTypeError(
            f"the ufunc {name} cannot be recorded for a Variable; compose it from adjoint.functions, "
            "declare it by ad.op, or compute with x.data, which is not recorded"
        )
    return function


def call_ufunc(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc, or one of its methods, on Variables."""
    if method == "__call__" and not options:
        return ufunc_function(ufunc)(*inputs)
    form = UFUNC_FORMS.get(method)
    if form is None:
        raise DTypeError(
            f"numpy.{ufunc.__name__}.{method} is not supported for a Variable; compose it from adjoint.functions, "
            "or compute with x.data, which is not recorded"
        )
    return form(ufunc, inputs, options)


def call_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function on Variables."""
    found = FUNCTIONS.get(function)
    if found is None:
        name = f"{function.__module__}.{function.__name__}"
        raise DTypeError(
            f"{name} is not recorded for a Variable; compose it from adjoint.functions, "
            "or compute with x.data, which is not recorded"
        )
    return found(*args, **kwargs)
