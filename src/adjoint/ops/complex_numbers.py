"""Parts of complex numbers, and their conjugates.

The cotangent of z = x + iy is ∂/∂x − i ∂/∂y of what is differentiated. So the rule of a function that has a complex
derivative is that of real numbers, g · f'(z); those here have none, and are linear in x and y only.
"""

from __future__ import annotations

from typing import Any

from adjoint.ops.declaration import Sample, op


def is_complex(x: Any) -> bool:
    """Whether an array or a number is of complex numbers."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else bool(dtype.kind == "c")


def real_only(y):
    """y as it is. Raises TypeError for complex numbers, for ops that compare."""
    if y.dtype.kind == "c":
        raise TypeError("complex numbers have no order; take F.abs, F.real or F.imag of them first")
    return y


COMPLEX = (Sample((2, 3), complex=True), Sample((), complex=True), Sample((0, 3), complex=True))
REAL = (Sample((2, 3)),)

real = op(
    "real",
    lambda xp, x: xp.real(x),
    vjp=lambda F, g, _y, _x: (g,),
    elementwise=True,
    linear=True,
    samples=COMPLEX + REAL,
)
imag = op(
    "imag",
    lambda xp, x: xp.imag(x),
    vjp=lambda F, g, _y, _x: (g * -1j if _x.dtype.kind == "c" else 0.0 * g,),
    elementwise=True,
    linear=True,
    samples=COMPLEX + REAL,
)
conj = op(
    "conj",
    lambda xp, x: xp.conj(x),
    vjp=lambda F, g, _y, _x: (F.conj(g),),
    elementwise=True,
    linear=True,
    samples=COMPLEX + REAL,
)


def _angle_rule(F, g, _y, x):
    """−i g / z; 0 at z = 0, and for real numbers, whose angle is 0 or π."""
    if x.dtype.kind != "c":
        return (0.0 * g,)
    nothing = x == 0
    return (F.where(nothing, 0.0, g * -1j / F.where(nothing, 1.0, x)),)


angle = op(
    "angle",
    lambda xp, x: xp.atan2(xp.imag(x), xp.real(x)),
    vjp=_angle_rule,
    elementwise=True,
    samples=COMPLEX + REAL,
)
