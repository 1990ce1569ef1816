"""sin, cos and atan.

sin and cos take the nearest multiple of π from their argument, in several parts of π one after the other, and an
odd polynomial of what remains, in [-π/2, π/2]. That is exact enough up to a limit; beyond it, a function that is
next to never called takes lane after lane to the C library. The branch to it makes new blocks: what is added after
sin or cos is in another block than what was before.
"""

from __future__ import annotations

from math import pi, sqrt

from adjoint.compile.codegen.mathematics import coefficients
from adjoint.compile.codegen.mathematics.lanes import Lanes

__all__ = ["atan", "cos", "sin"]


def _sine_reduced(v: Lanes, x: str, n: str, rounded: str) -> tuple[str, str]:
    """±sin(x - n·π) and the bit that says whether to change its sign, of the bits of `rounded`."""
    parts = coefficients.PI if v.fused else coefficients.PI_SHORT
    r = x
    for part in parts[v.kind.scalar]:
        r = v.fma(n, -part, r)
    z = v.multiply(r, r)
    result = v.fma(v.multiply(r, z), v.polynomial(coefficients.SIN[v.kind.scalar], z), r)
    result = v.at_least(v.at_most(result, 1.0), -1.0)  # a rounding may lead over it
    return result, v.integer("shl", v.bits(rounded), v.kind.bits - 1)


def sin(v: Lanes, x: str) -> str:
    """Of |x|, and the sign put back at the end: that is what keeps -0."""
    magnitude = v.absolute(x)
    rounded = v.fma(magnitude, 1 / pi, v.rounder)
    result, sign = _sine_reduced(v, magnitude, v.subtract(rounded, v.rounder), rounded)
    sign = v.integer("xor", sign, v.integer("xor", v.bits(x), v.bits(magnitude)))
    result = v.number(v.integer("xor", v.bits(result), sign))
    return _beyond(v, "sin", x, magnitude, result)


def cos(v: Lanes, x: str) -> str:
    """(-1)ⁿ·sin(x - (n - ½)·π)."""
    rounded = v.add(v.fma(x, 1 / pi, 0.5), v.rounder)
    half = v.subtract(v.subtract(rounded, v.rounder), 0.5)
    result, sign = _sine_reduced(v, x, half, rounded)
    result = v.number(v.integer("xor", v.bits(result), sign))
    return _beyond(v, "cos", x, v.absolute(x), result)


def _beyond(v: Lanes, name: str, x: str, magnitude: str, result: str) -> str:
    """`result`, but by the C library where |x| is over the limit of the reduction."""
    f, kind = v.function, v.kind
    limit = v.pick(2.0**17, 2.0**27) if v.fused else v.pick(6000.0, 2.0**23)
    mask = kind.of("i1")
    over = v.compare("ogt", magnitude, limit)
    f.declarations.add(f"declare i1 @llvm.vector.reduce.or.{mask.suffix}({mask})")
    some = f.let(f"call i1 @llvm.vector.reduce.or.{mask.suffix}({mask} {over})")
    near, far, join = f.fresh("near"), f.fresh("far"), f.fresh("join")
    f.do(f"br label %{near}")  # only so that the block before the branch has a name that the phi can use
    f.label(near)
    f.do(f"br i1 {some}, label %{far}, label %{join}")
    f.label(far)
    corrected = f.let(f"call {kind} @{_library_lanes(v, name)}({kind} {x}, {kind} {result}, {mask} {over})")
    f.do(f"br label %{join}")
    f.label(join)
    return f.let(f"phi {kind} [ {result}, %{near} ], [ {corrected}, %{far} ]")


def _library_lanes(v: Lanes, name: str) -> str:
    """The name of a function of x, results and a mask: the results, by the C library where the mask says so."""
    kind, mask, scalar = v.kind, v.kind.of("i1"), v.kind.scalar
    function = f"{name}_by_library_{kind.suffix}"
    widen, narrow = ("fpext float %a to double", "fptrunc double %c to float")
    if scalar == "double":
        widen, narrow = ("fadd double %a, 0x8000000000000000", "fadd double %c, 0x8000000000000000")
    v.function.declarations |= {
        f"declare double @{name}(double)",
        f"""\
define internal {kind} @{function}({kind} %x, {kind} %results, {mask} %over) noinline cold nounwind {{
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %latch ]
  %now = phi {kind} [ %results, %entry ], [ %then, %latch ]
  %here = extractelement {mask} %over, i32 %i
  br i1 %here, label %call, label %latch
call:
  %a = extractelement {kind} %x, i32 %i
  %b = {widen}
  %c = call double @{name}(double %b)
  %d = {narrow}
  %changed = insertelement {kind} %now, {scalar} %d, i32 %i
  br label %latch
latch:
  %then = phi {kind} [ %now, %loop ], [ %changed, %call ]
  %next = add i32 %i, 1
  %more = icmp ult i32 %next, {kind.lanes}
  br i1 %more, label %loop, label %exit
exit:
  ret {kind} %then
}}""",
    }
    return function


def atan(v: Lanes, x: str) -> str:
    """atan a = b + atan z with b = 0, π/4, π/2 and z = a, (a - 1) / (a + 1), -1 / a, by one division: |z| ≤ √2 - 1."""
    a = v.absolute(x)
    middle, large = v.compare("ogt", a, sqrt(2) - 1), v.compare("ogt", a, sqrt(2) + 1)
    above = v.select(large, -1.0, v.select(middle, v.subtract(a, 1.0), a))
    below = v.select(large, a, v.select(middle, v.add(a, 1.0), 1.0))
    base = v.select(large, pi / 2, v.select(middle, pi / 4, 0.0))
    z = v.divide(above, below)
    square = v.multiply(z, z)
    tail = v.fma(v.multiply(z, square), v.polynomial(coefficients.ATAN[v.kind.scalar], square), z)
    # π/2 and π/4 lose the same fraction of themselves by rounding.
    tail = v.fma(base, coefficients.PI_LOST[v.kind.scalar], tail)
    return v.copysign(v.add(base, tail), x)
