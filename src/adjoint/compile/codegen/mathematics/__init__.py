"""Vector mathematics: functions that add instructions to a function's text, for any number of lanes.

Of polynomials of our own, explicit vectors and nothing particular to a processor. LLVM's intrinsics for these
functions would be calls of the C library, lane by lane. `FUNCTIONS` has one entry for each, called with a
`Function`, a `Vector` of float or double, and the names of the arguments; the result is a name, too:

>>> f = Function("logistic", "<8 x float> %x", returns="<8 x float>")
>>> result = FUNCTIONS["sigmoid"](f, Vector("float", 8), "%x")
>>> f.do(f"ret <8 x float> {result}")

Errors are at most 4 units in the last place, mostly under 2, over the whole range of arguments, subnormal numbers
included; ±0, ±∞ and NaN give what NumPy gives. ``fma=False`` is for processors without fused multiply-add.

sin and cos end in another block than they began in: a loop around them needs a block of its own for its branch
back, whose name its phi can use. For arguments beyond 10⁵ (float) or 10⁸ (double) they call `sin` and `cos` of the
C library, lane by lane; lanes that only pad a vector should hold small numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from adjoint.compile.codegen.mathematics import exponential, logarithm, power, simple, trigonometric
from adjoint.compile.codegen.mathematics.lanes import Lanes, constant
from adjoint.compile.codegen.text import Function, Vector

__all__ = ["FUNCTIONS", "constant", "power_integer"]


def _emitter(body: Callable[..., str]) -> Callable[..., str]:
    def emit(f: Function, kind: Vector, *arguments: str, fma: bool = True) -> str:
        return body(Lanes(f, kind, fma), *arguments)

    emit.__name__ = emit.__qualname__ = body.__name__
    emit.__doc__ = body.__doc__
    return emit


FUNCTIONS: dict[str, Callable[..., str]] = {
    "abs": _emitter(simple.absolute),
    "neg": _emitter(simple.negative),
    "sign": _emitter(simple.sign),
    "sqrt": _emitter(simple.sqrt),
    "exp": _emitter(exponential.exp),
    "expm1": _emitter(exponential.expm1),
    "sigmoid": _emitter(exponential.sigmoid),
    "tanh": _emitter(exponential.tanh),
    "sinh": _emitter(exponential.sinh),
    "cosh": _emitter(exponential.cosh),
    "erf": _emitter(exponential.erf),
    "log": _emitter(logarithm.log),
    "log1p": _emitter(logarithm.log1p),
    "sin": _emitter(trigonometric.sin),
    "cos": _emitter(trigonometric.cos),
    "atan": _emitter(trigonometric.atan),
    "pow": _emitter(power.power),
}


def power_integer(f: Function, kind: Vector, x: str, n: int) -> str:
    """xⁿ by repeated multiplication, within 0.8·|n| units in the last place: meant for small n, of either sign."""
    return simple.power_integer(Lanes(f, kind), x, n)
