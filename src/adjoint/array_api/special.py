"""Special functions for programs that ask a namespace for them, as SciPy does; they are no part of the standard.

They are those of `adjoint.special`. Of some others of SciPy there is the value alone: a backward pass through one of
them is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from adjoint import functions, special
from adjoint.core.apply import apply
from adjoint.core.variable import Variable
from adjoint.errors import GradientError
from adjoint.ops import Op

__all__ = ["WITHOUT_DERIVATIVE"]

_ELEMENTARY = ("cbrt", "exp2", "sinc")
WITHOUT_DERIVATIVE = frozenset(
    """
    bdtr bdtrc bdtri betaincinv binom chdtri ellipk ellipkm1 erfcx exp1 expi expn fdtr fdtrc fdtri gammainccinv
    gammaincinv gdtr gdtrc k0 k0e k1 k1e nbdtr nbdtrc nbdtri pdtr pdtrc pdtri poch spence zeta
    """.split()
)


def __getattr__(name: str) -> Any:
    if name in WITHOUT_DERIVATIVE:
        return _value_of(name)
    for module, names in ((functions, _ELEMENTARY), (special, dir(special))):
        if name in names and not name.startswith("_"):
            return getattr(module, name)
    raise AttributeError(f"module 'adjoint.array_api.special' has no attribute {name!r}")


@cache
def _value_of(name: str) -> Callable[..., Variable]:
    """A function of SciPy whose rule is an error."""

    def rule(_F: Any, _g: Any, _y: Any, *_xs: Any) -> Any:
        raise GradientError(f"{name} has no derivative here; take what you need of the result before it, or its .data")

    value = Op(name, lambda xp, *xs: xp.special(*xs, function=name), vjp=rule, elementwise=True)

    def function(*xs: Any) -> Variable:
        return apply(value, *xs)

    function.__name__ = function.__qualname__ = name
    return function
