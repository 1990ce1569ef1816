"""Logarithms: x = 2ᵉ·(1 + f) with 1 + f in [√½, √2), so that log x = e·log 2 + log(1 + f).

float takes log(1 + f) as a polynomial in f; double as one in s² with s = f / (2 + f), of half the degree.
"""

from __future__ import annotations

from math import inf, nan, sqrt

from adjoint.compile.codegen.mathematics import coefficients
from adjoint.compile.codegen.mathematics.lanes import Lanes, bits_of

__all__ = ["log", "log1p", "normal", "split"]


def normal(v: Lanes, x: str) -> tuple[str, str]:
    """x, scaled if it is subnormal, and what `split` is to take for the exponent's zero."""
    subnormal = v.compare("olt", x, 2.0 ** (1 - v.bias))
    shift = v.mantissa + 1
    zero = 2.0**v.mantissa + v.bias
    scaled = v.select(subnormal, v.multiply(x, 2.0**shift), x)
    return scaled, v.select(subnormal, zero + shift, zero)


def split(v: Lanes, x: str, zero: str | float) -> tuple[str, str, str]:
    """Of positive normal x: e as a number, 1 + f, and the bits of 2ᵉ. `zero` is 2ᵐ plus the exponent's bias.

    Adding the distance from √½ to 1 to the bits carries into the exponent exactly from √2 on.
    """
    lowest = bits_of(v.kind.scalar, sqrt(0.5))
    shifted = v.integer("add", v.bits(x), bits_of(v.kind.scalar, 1.0) - lowest)
    mantissa = v.integer("and", shifted, (1 << v.mantissa) - 1)
    fraction = v.number(v.integer("add", mantissa, lowest))
    exponent = v.integer("lshr", shifted, v.mantissa)
    # The bits of 2ᵐ with a small integer below are 2ᵐ plus it: conversion without an instruction for it.
    biased = v.number(v.integer("or", exponent, bits_of(v.kind.scalar, 2.0**v.mantissa)))
    return v.subtract(biased, zero), fraction, v.integer("sub", shifted, mantissa)


def _log_reduced(v: Lanes, exponent: str, f: str) -> str:
    """exponent · log 2 + log(1 + f), smallest terms first."""
    high, low = coefficients.LOG_2[v.kind.scalar]
    square = v.multiply(f, f)
    if v.kind.scalar == "float":
        tail = v.multiply(v.multiply(square, f), v.polynomial(coefficients.LOG["float"], f))
        tail = v.fma(-0.5, square, v.fma(exponent, low, tail))
        return v.fma(exponent, high, v.add(f, tail))
    s = v.divide(f, v.add(f, 2.0))
    z = v.multiply(s, s)
    half = v.multiply(square, 0.5)
    # log(1 + f) = 2s + s·z·P(z) = f - (f²/2 - s·(f²/2 + z·P(z))): the greatest term, f, is exact.
    tail = v.fma(z, v.polynomial(coefficients.LOG_QUOTIENT["double"], z), half)
    tail = v.fma(s, tail, v.multiply(exponent, low))
    return v.fma(exponent, high, v.subtract(f, v.subtract(half, tail)))


def _specials(v: Lanes, x: str, result: str) -> str:
    """The result for 0 < x < ∞, and otherwise the logarithm's value there."""
    result = v.select(v.compare("olt", x, inf), result, x)
    result = v.select(v.compare("olt", x, 0.0), nan, result)
    return v.select(v.compare("oeq", x, 0.0), -inf, result)


def log(v: Lanes, x: str) -> str:
    """e·log 2 + log(1 + f); subnormal numbers are scaled first."""
    exponent, fraction, _ = split(v, *normal(v, x))
    return _specials(v, x, _log_reduced(v, exponent, v.subtract(fraction, 1.0)))


def log1p(v: Lanes, x: str) -> str:
    """log of u = 1 + x, with what the rounding of u lost, divided by 2ᵉ, added to f."""
    u = v.add(x, 1.0)
    # Knuth's sum: exact whichever of the two is greater.
    rest = v.subtract(u, 1.0)
    lost = v.add(v.subtract(1.0, v.subtract(u, rest)), v.subtract(x, rest))
    exponent, fraction, power = split(v, u, 2.0**v.mantissa + v.bias)
    # Twice 2⁻ᵉ, as 2⁻¹²⁸ is no normal number.
    inverse = v.number(v.integer("sub", 2 * v.bias + 1 << v.mantissa, power))
    f = v.fma(v.multiply(lost, 0.5), inverse, v.subtract(fraction, 1.0))
    return v.copysign(_specials(v, u, _log_reduced(v, exponent, f)), x)
