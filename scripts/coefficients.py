"""Computes the polynomials of `adjoint.compile.codegen.mathematics`: ``python scripts/coefficients.py``.

Rewrites ``coefficients.py`` of that package. Each polynomial is the minimax one, found by Remez' exchange at 50
digits: of all polynomials of its degree, it has the least maximum of ``weight(x) · |function(x) - polynomial(x)|``
on its interval. The weight turns that error into the relative error of the function that is wanted in the end.
Needs mpmath; takes a few seconds. The file is formatted by ruff afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from mpmath import mp, mpf

Real = Callable[[mpf], mpf]

TARGET = Path(__file__).resolve().parent.parent / "src/adjoint/compile/codegen/mathematics/coefficients.py"

mp.dps = 50
HALF_LOG_2 = mp.log(2) / 2
TINY = mpf(10) ** -8  # in place of 0, where the functions below divide 0 by 0


def minimax(function: Real, weight: Real, low: mpf, high: mpf, degree: int) -> tuple[list[mpf], mpf]:
    """The coefficients, constant first, and the greatest weighted error."""
    count = degree + 2
    cosines = [mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in reversed(range(count))]
    nodes = [(low + high) / 2 + (high - low) / 2 * cosine for cosine in cosines]
    grid = [low + (high - low) * (1 - mp.cos(mp.pi * i / (40 * count))) / 2 for i in range(40 * count + 1)]
    grid = [x if abs(x) > TINY else TINY for x in grid]
    wanted = {x: (function(x), weight(x)) for x in grid}
    for _ in range(30):
        matrix, right = mp.matrix(count, count), mp.matrix(count, 1)
        for row, x in enumerate(nodes):
            scale = weight(x)
            for power in range(degree + 1):
                matrix[row, power] = scale * x**power
            matrix[row, count - 1] = (-1) ** row
            right[row] = scale * function(x)
        solution = mp.lu_solve(matrix, right)
        coefficients = [solution[i] for i in range(degree + 1)]
        backwards = coefficients[::-1]
        errors = [(x, scale * (value - mp.polyval(backwards, x))) for x, (value, scale) in wanted.items()]
        # The greatest error between two changes of its sign; the outer ones go first if there are too many.
        peaks: list[tuple[mpf, mpf]] = []
        for x, error in errors:
            if not peaks or mp.sign(error) != mp.sign(peaks[-1][1]):
                peaks.append((x, error))
            elif abs(error) > abs(peaks[-1][1]):
                peaks[-1] = (x, error)
        while len(peaks) > count:
            del peaks[0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1]
        sizes = [abs(error) for _, error in peaks]
        if len(peaks) < count or max(sizes) < 1.01 * min(sizes):
            break
        nodes = [x for x, _ in peaks]
    return coefficients, max(sizes)


def expm1_tail(x: mpf) -> mpf:
    return (mp.expm1(x) - x) / x**2


def log_tail(x: mpf) -> mpf:
    return (mp.log1p(x) - x + x**2 / 2) / x**3


def log_quotient(z: mpf) -> mpf:
    """log((1 + s) / (1 - s)) = 2s + s · this, z = s²."""
    s = mp.sqrt(z)
    return 2 * (mp.atanh(s) / s - 1) / z


def odd_tail(function: Real) -> Real:
    """(function(x) - x) / x³ of z = x²."""
    return lambda z: (function(mp.sqrt(z)) / mp.sqrt(z) - 1) / z


def odd_weight(function: Real) -> Real:
    return lambda z: z * mp.sqrt(z) / function(mp.sqrt(z))


def cosh_tail(z: mpf) -> mpf:
    return (mp.cosh(mp.sqrt(z)) - 1) / z


def erf_exponent(x: mpf) -> mpf:
    """erf(x) = 1 - exp(-x · this)."""
    return -mp.log(mp.erfc(x)) / x


def polynomials() -> dict[str, dict[str, tuple[list[mpf], mpf]]]:
    """By name and by scalar type."""
    low, high = mp.sqrt(mpf(1) / 2) - 1, mp.sqrt(2) - 1
    log_z = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.001")
    quarter = (mp.sqrt(2) - 1) ** 2 * mpf("1.001")
    specifications: dict[str, tuple[Real, Real, mpf, mpf, dict[str, int]]] = {
        # exp(r) - 1 = r + r² · this
        "EXPM1": (
            expm1_tail,
            lambda x: x**2 / abs(mp.expm1(x)),
            -HALF_LOG_2 * mpf("1.001"),
            HALF_LOG_2 * mpf("1.001"),
            {"float": 4, "double": 9},
        ),
        # log(1 + f) = f - f²/2 + f³ · this
        "LOG": (log_tail, lambda x: abs(x**3 / mp.log1p(x)), low, high, {"float": 7}),
        # log(1 + f) = 2s + s · z · this, s = f / (2 + f), z = s²
        "LOG_QUOTIENT": (log_quotient, lambda z: z / 2, TINY, log_z, {"double": 6}),
        # log(1 + f) = 2s + s·z · (2/3 + z · this)
        "POW_LOG": (lambda z: (log_quotient(z) - mpf(2) / 3) / z, lambda z: z**2 / 2, TINY, log_z, {"double": 7}),
        # log2(1 + f) = f · this
        "LOG2": (lambda f: mp.log(1 + f, 2) / f, lambda f: f / mp.log1p(f), low, high, {"double": 11}),
        "EXP2": (lambda x: mpf(2) ** x, lambda x: mpf(2) ** -x, mpf(-0.5005), mpf(0.5005), {"double": 6}),
        # sin(r) = r + r³ · this(r²)
        "SIN": (odd_tail(mp.sin), odd_weight(mp.sin), TINY, mpf("1.6") ** 2, {"float": 3, "double": 7}),
        # sinh(r) = r + r³ · this(r²), cosh(r) = 1 + r² · this(r²)
        "SINH": (odd_tail(mp.sinh), odd_weight(mp.sinh), TINY, HALF_LOG_2**2 * 1.01, {"float": 1, "double": 4}),
        "COSH": (cosh_tail, lambda z: z, TINY, HALF_LOG_2**2 * 1.01, {"float": 2, "double": 4}),
        # atan(z) = z + z³ · this(z²)
        "ATAN": (odd_tail(mp.atan), odd_weight(mp.atan), TINY, quarter, {"float": 4, "double": 10}),
        # erf(x) = 1 - exp(-x · this)
        "ERF": (
            erf_exponent,
            lambda x: x * mp.erfc(x) / mp.erf(x),
            TINY,
            mpf(6),
            {"float": 9, "double": 23},
        ),
    }
    return {
        name: {
            scalar: minimax(function, weight, low, mpf(4) if (name, scalar) == ("ERF", "float") else high, degree)
            for scalar, degree in degrees.items()
        }
        for name, (function, weight, low, high, degrees) in specifications.items()
    }


def parts(value: mpf, bits: list[int]) -> tuple[float, ...]:
    """Numbers of so many bits whose sum is `value`, greatest first."""
    result = []
    for count in bits:
        scale = mpf(2) ** (count - 1 - mp.floor(mp.log(abs(value), 2)))
        result.append(float(mp.nint(value * scale) / scale))
        value -= mpf(result[-1])
    return tuple(result)


def main() -> None:
    half_pi, single_half_pi = float(mp.pi / 2), float(np.float32(mp.pi / 2))
    parted = {
        "LOG_2": ("log 2; an exponent times the first part is exact", mp.log(2), [15, 24], [41, 53]),
        "PI": ("π, for fused multiply-add", mp.pi, [24] * 3, [53] * 3),
        "PI_SHORT": (
            "π; a number of turns times a part but the last is exact",
            mp.pi,
            [12] * 3 + [24],
            [30] * 3 + [53],
        ),
    }
    found = polynomials()
    names = sorted([*parted, "PI_LOST", "TWO_THIRDS_LOST", *found])
    lines = ['"""Minimax polynomials, constant first, and constants in parts: written by scripts/coefficients.py."""']
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in names), "]"]
    for name, (meaning, value, single, double) in parted.items():
        both = {"float": parts(value, single), "double": parts(value, double)}
        lines += ["", f"# {meaning}", f"{name} = {both}"]
    lost = {"float": float(mp.pi / 2 / single_half_pi - 1), "double": float(mp.pi / 2 / half_pi - 1)}
    lines += ["", "# what the nearest number lacks of π/2, relative to it", f"PI_LOST = {lost}"]
    lines += ["", "# what the nearest number lacks of 2/3", f"TWO_THIRDS_LOST = {float(mpf(2) / 3 - mpf(2 / 3))}"]
    for name, by_scalar in found.items():
        lines += ["", f"{name} = {{"]
        for scalar, (coefficients, error) in by_scalar.items():
            lines.append(f'    "{scalar}": (  # 2^{mp.nstr(mp.log(error, 2), 3)}')
            lines += [f"        {float(coefficient)!r}," for coefficient in coefficients]
            lines.append("    ),")
        lines.append("}")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
