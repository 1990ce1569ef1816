"""Functions of eˣ, all by one reduction: x = n·log 2 + r with |r| ≤ log 2 / 2, so that eˣ = 2ⁿ·eʳ.

n is rounded by adding 1.5·2ᵐ (m bits of mantissa), which leaves it in the lowest bits of the sum: no conversion
to an integer, and no trouble with NaN. log 2 is subtracted in two parts, of which the first has so few bits that
n times it is exact. eʳ - 1 = r + r²·P(r); the functions differ in how they put 2ⁿ and eʳ - 1 together.
"""

from __future__ import annotations

from math import e, log2

from adjoint.compile.codegen.mathematics import coefficients
from adjoint.compile.codegen.mathematics.lanes import Lanes

__all__ = ["cosh", "erf", "exp", "expm1", "sigmoid", "sinh", "tanh"]


def _reduce(v: Lanes, x: str, shift: int = 0, factor: int = 1) -> tuple[str, str]:
    """The bits of 2ⁿ⁺ˢʰⁱᶠᵗ and r of factor·x, r divided by factor, a power of two.

    What is added to round n has the exponent's bias in its own lowest bits: moving the sum's bits to the place of
    the exponent makes the number. If n + shift is out of a number's range, so are the bits, but to them any shift
    may still be added.
    """
    rounder = v.rounder + v.bias + shift
    rounded = v.fma(x, factor * log2(e), rounder)
    n = v.subtract(rounded, rounder)
    r = x
    for part in coefficients.LOG_2[v.kind.scalar]:
        r = v.fma(n, -part / factor, r)
    return v.integer("shl", v.bits(rounded), v.mantissa), r


def _expm1_reduced(v: Lanes, r: str, factor: int = 1) -> str:
    """(exp(factor·r) - 1) / factor, to a unit in the last place."""
    scaled = [c * factor ** (power + 1) for power, c in enumerate(coefficients.EXPM1[v.kind.scalar])]
    return v.fma(v.multiply(r, r), v.polynomial(scaled, r), r)


def _exp_reduced(v: Lanes, r: str, factor: float = 1.0) -> str:
    """factor·eʳ."""
    return v.polynomial([factor * c for c in (1.0, 1.0, *coefficients.EXPM1[v.kind.scalar])], r)


def exp(v: Lanes, x: str, error: str | None = None) -> str:
    """2eʳ·2ⁿ⁻¹, as 2¹²⁸ does not exist; nor does 2ⁿ below the normal numbers: there, 2ⁿ⁺⁶³ and 2⁻⁶⁴.

    With `error`, a number small beside 1, it is the exponential of x + error.
    """
    x = v.at_least(v.at_most(x, v.pick(89, 710)), v.pick(-104.5, -746))
    scale, r = _reduce(v, x, shift=-1)
    if error is not None:
        r = v.add(r, error)
    small = v.compare("olt", x, v.pick(-86, -700))
    scale = v.select_integer(small, v.integer("add", scale, 64 << v.mantissa), scale)
    result = v.multiply(_exp_reduced(v, r, 2.0), v.number(scale))
    return v.select(small, v.multiply(result, 2.0**-64), result)


def expm1(v: Lanes, x: str) -> str:
    """2ⁿ·(eʳ - 1) + (2ⁿ - 1), halved until the end for the sake of n = 128; near 0 it is x, which keeps -0."""
    bits, r = _reduce(v, v.at_least(v.at_most(x, v.pick(89, 710)), v.pick(-18, -38)), shift=-1)
    scale = v.number(bits)
    result = v.fma(scale, _expm1_reduced(v, r), v.subtract(scale, 0.5))
    tiny = v.compare("olt", v.absolute(x), v.pick(2.0**-26, 2.0**-55))
    return v.select(tiny, x, v.add(result, result))


def _expm1_plain(v: Lanes, x: str, factor: int = 1) -> str:
    """expm1(factor·x) / factor where 2ⁿ is a normal number."""
    bits, r = _reduce(v, x, factor=factor)
    scale = v.number(bits)
    below = v.fma(scale, 1 / factor, -1 / factor) if factor > 1 else v.subtract(scale, 1.0)
    return v.fma(scale, _expm1_reduced(v, r, factor), below)


def tanh(v: Lanes, x: str) -> str:
    """H / (H + 1) of H = expm1(2|x|) / 2, up to the |x| from where the result is 1."""
    half = _expm1_plain(v, v.at_most(v.absolute(x), v.pick(9.1, 19.1)), factor=2)
    return v.copysign(v.divide(half, v.add(half, 1.0)), x)


def sigmoid(v: Lanes, x: str) -> str:
    """1 / (1 + e⁻ˣ) with numerator and denominator multiplied by 2ˢʰⁱᶠᵗ: e⁻ˣ may be beyond the greatest number."""
    x = v.at_least(v.at_most(v.negative(x), v.pick(104.5, 746)), -40.0)
    shift = int(v.pick(-64, -512))
    scale, r = _reduce(v, x, shift)
    return v.divide(2.0**shift, v.fma(_exp_reduced(v, r), v.number(scale), 2.0**shift))


def _halves(v: Lanes, magnitude: str) -> tuple[str, str, str, str]:
    """sinh(n·log 2) / 2, cosh(n·log 2) / 2, sinh(r), cosh(r) - 1."""
    quarter, r = _reduce(v, v.at_most(magnitude, v.pick(89.6, 710.6)), shift=-2)
    scalar = v.kind.scalar
    z = v.multiply(r, r)
    sinh_reduced = v.fma(v.multiply(r, z), v.polynomial(coefficients.SINH[scalar], z), r)
    cosh_reduced = v.multiply(z, v.polynomial(coefficients.COSH[scalar], z))
    # 2⁶⁴⁻ⁿ is a normal number where 2⁻ⁿ may be none.
    inverse = v.number(v.integer("sub", 2 * v.bias + 62 << v.mantissa, quarter))
    up, down = v.number(quarter), v.multiply(inverse, 2.0**-66)
    return v.subtract(up, down), v.add(up, down), sinh_reduced, cosh_reduced


def sinh(v: Lanes, x: str) -> str:
    """sinh(a + r) = sinh(a)·cosh(r) + cosh(a)·sinh(r): no difference of exponentials, exact where n = 0."""
    magnitude = v.absolute(x)
    sinh_n, cosh_n, sinh_r, cosh_r = _halves(v, magnitude)
    half = v.add(sinh_n, v.fma(sinh_n, cosh_r, v.multiply(cosh_n, sinh_r)))
    tiny = v.compare("olt", magnitude, v.pick(2.0**-13, 2.0**-28))
    return v.copysign(v.select(tiny, magnitude, v.add(half, half)), x)


def cosh(v: Lanes, x: str) -> str:
    """cosh(a + r) = cosh(a)·cosh(r) + sinh(a)·sinh(r)."""
    sinh_n, cosh_n, sinh_r, cosh_r = _halves(v, v.absolute(x))
    half = v.add(cosh_n, v.fma(cosh_n, cosh_r, v.multiply(sinh_n, sinh_r)))
    return v.add(half, half)


def erf(v: Lanes, x: str) -> str:
    """-expm1(-|x|·Q(|x|)): log(1 - erf) is smooth, so that one polynomial serves all |x| up to where erf is 1.

    The error of Q counts ever less as |x| grows, by the factor 1 - erf.
    """
    magnitude = v.at_most(v.absolute(x), v.pick(4.0, 6.0))
    exponent = v.multiply(magnitude, v.polynomial(coefficients.ERF[v.kind.scalar], magnitude))
    return v.copysign(_expm1_plain(v, v.negative(exponent)), x)
