"""xʸ = exp(y·log|x|), with the sign and the special values put in afterwards.

y·log|x| reaches 745, so that its relative error is multiplied as often: it needs ten more bits than the result has.
float takes them from double, with logarithm and power of base 2, of which whole parts are exact. double computes
the logarithm and the product as unevaluated sums of two numbers, high and low.
"""

from __future__ import annotations

from math import inf, nan

from adjoint.compile.codegen.mathematics import coefficients
from adjoint.compile.codegen.mathematics.exponential import exp
from adjoint.compile.codegen.mathematics.lanes import Lanes
from adjoint.compile.codegen.mathematics.logarithm import normal, split

__all__ = ["power"]

Pair = tuple[str, str]


def power(v: Lanes, x: str, y: str) -> str:
    """exp(y·log|x|), and what C says of signs, zeros, infinities and NaN."""
    magnitude = v.absolute(x)
    # Without ∞, which times a logarithm of 0 is NaN; beyond 2⁶⁴, only a logarithm of 0 matters.
    bounded = v.at_least(v.at_most(y, 2.0**64), -(2.0**64))
    if v.kind.scalar == "float":
        wide = v.of("double")
        result = _pow_of_floats(wide, v.converted("fpext", magnitude, wide), v.converted("fpext", bounded, wide))
        result = wide.converted("fptrunc", result, v)
    else:
        result = _pow_of_doubles(v, magnitude, bounded)
    return _specials(v, x, y, magnitude, result)


def _specials(v: Lanes, x: str, y: str, magnitude: str, result: str) -> str:
    """C's: `result` is right for finite |x| > 0 and integer y."""
    # Numbers of the size of 2ᵐ⁺¹ are even: adding it to |y| and taking it away rounds to an even number.
    even = 2.0 ** (v.mantissa + 1)
    size = v.at_most(v.absolute(y), even)
    distance = v.subtract(size, v.subtract(v.add(size, even), even))
    odd = v.compare("oeq", v.absolute(distance), 1.0)
    fractional = v.logic("xor", v.compare("one", distance, 0.0), odd)
    result = v.select(v.logic("and", v.compare("olt", x, 0.0), fractional), nan, result)
    vanishing = v.logic("xor", v.compare("ogt", magnitude, 1.0), v.compare("ogt", y, 0.0))
    extreme = v.compare("oeq", v.multiply(magnitude, 0.5), magnitude)  # 0 and ∞
    result = v.select(extreme, v.select(vanishing, 0.0, inf), result)
    result = v.select(odd, v.copysign(result, x), result)
    result = v.select(v.compare("uno", x, y), nan, result)
    return v.select(v.logic("or", v.compare("oeq", x, 1.0), v.compare("oeq", y, 0.0)), 1.0, result)


def _pow_of_floats(v: Lanes, x: str, y: str) -> str:
    """xʸ to 30 bits, of doubles in the range of float."""
    exponent, fraction, _ = split(v, x, 2.0**v.mantissa + v.bias)
    f = v.subtract(fraction, 1.0)
    logarithm = v.fma(f, v.polynomial(coefficients.LOG2["double"], f), exponent)
    exponent = v.multiply(y, logarithm)
    exponent = v.at_least(v.at_most(exponent, 200.0), -200.0)
    rounder = v.rounder + v.bias
    rounded = v.add(exponent, rounder)
    rest = v.subtract(exponent, v.subtract(rounded, rounder))
    scale = v.number(v.integer("shl", v.bits(rounded), v.mantissa))
    return v.multiply(v.polynomial(coefficients.EXP2["double"], rest), scale)


def _pow_of_doubles(v: Lanes, x: str, y: str) -> str:
    high, low = _log(v, x)
    exponent, error = _product(v, y, high)
    error = v.fma(y, low, error)
    # Where the exponent is out of range, its error may be anything; else it is less than this.
    error = v.at_least(v.at_most(error, 2.0**-10), -(2.0**-10))
    return exp(v, exponent, error)


def _product(v: Lanes, x: str, y: str) -> Pair:
    """x·y and its rounding error: one fma, or Dekker's way by halves of the mantissa."""
    product = v.multiply(x, y)
    if v.fused:
        return product, v.fma(x, y, v.negative(product))
    (x_high, x_low), (y_high, y_low) = _halved(v, x), _halved(v, y)
    error = v.subtract(v.multiply(x_high, y_high), product)
    error = v.add(v.add(error, v.multiply(x_high, y_low)), v.multiply(x_low, y_high))
    return product, v.add(error, v.multiply(x_low, y_low))


def _halved(v: Lanes, x: str) -> Pair:
    scaled = v.multiply(x, 2.0**27 + 1)
    high = v.subtract(scaled, v.subtract(scaled, x))
    return high, v.subtract(x, high)


def _sum(v: Lanes, greater: str | float, less: str) -> Pair:
    """Their sum and its rounding error."""
    total = v.add(greater, less)
    return total, v.add(v.subtract(greater, total), less)


def _log(v: Lanes, x: str) -> Pair:
    """e·log 2 + 2s + s³·(2/3 + z·P(z)), z = s²: to 65 bits, of which s, s³ and 2/3 need to be pairs."""
    scaled, zero = normal(v, x)
    exponent, fraction, _ = split(v, scaled, zero)
    f = v.subtract(fraction, 1.0)
    below = v.add(f, 2.0)
    below_low = v.subtract(f, v.subtract(below, 2.0))
    inverse = v.divide(1.0, below)
    s = v.multiply(f, inverse)
    product, error = _product(v, s, below)
    rest = v.fma(s, below_low, v.subtract(error, v.subtract(f, product)))
    s_low = v.negative(v.multiply(rest, inverse))
    z, z_low = _product(v, s, s)
    z_low = v.fma(v.add(s, s), s_low, z_low)
    third, third_low = _sum(v, 2 / 3, v.multiply(z, v.polynomial(coefficients.POW_LOG["double"], z)))
    third_low = v.add(third_low, coefficients.TWO_THIRDS_LOST)
    cube, cube_low = _product(v, z, s)
    cube_low = v.fma(z, s_low, v.fma(z_low, s, cube_low))
    tail, tail_low = _product(v, cube, third)
    tail_low = v.fma(cube, third_low, v.fma(cube_low, third, tail_low))
    total, total_low = _sum(v, v.add(s, s), tail)
    total_low = v.add(total_low, v.fma(s_low, 2.0, tail_low))
    high, low = coefficients.LOG_2["double"]
    result, result_low = _sum(v, v.multiply(exponent, high), total)
    result_low = v.add(result_low, v.fma(exponent, low, total_low))
    return _sum(v, result, result_low)
