"""Special functions: what probability, statistics and physics need beyond the elementary ones.

DLMF, the NIST Digital Library of Mathematical Functions, has the formulas: https://dlmf.nist.gov, chapters 5 (gamma),
7 (error functions), 8 (incomplete gamma) and 10 (Bessel).
"""

from __future__ import annotations

import math

import numpy as np

from adjoint.errors import GradientError
from adjoint.ops.arithmetic import BROADCASTABLE, PAIRS
from adjoint.ops.declaration import Sample, op
from adjoint.ops.edges import interior, replaced, selected

_TWO_BY_SQRT_PI = 2.0 / math.sqrt(math.pi)
_SQRT_2_PI = math.sqrt(2.0 * math.pi)


def _of_scipy(name):
    """The forward of a function of one array that SciPy computes."""
    return lambda xp, x: xp.special(x, function=name)


# The error functions and the normal distribution. Their inverses end where the argument is no probability any more.


def _inverse_rule(slope):
    """The rule of an inverse, from its `slope` as a function of its value, which is infinite at the ends."""

    def rule(F, g, y, _x):
        inside = interior(F.abs(y) < math.inf)  # which NaN is not, either
        return (selected(F, inside, g * slope(F, replaced(F, inside, y))),)

    return rule


erfc = op(
    "erfc",
    _of_scipy("erfc"),
    vjp=lambda F, g, _y, x: (g * (-_TWO_BY_SQRT_PI * F.exp(-(x * x))),),
    elementwise=True,
)
erfinv = op(
    "erfinv",
    _of_scipy("erfinv"),
    vjp=_inverse_rule(lambda F, y: F.exp(y * y) / _TWO_BY_SQRT_PI),
    elementwise=True,
    domain=(-0.8, 0.8),
)
erfcinv = op(
    "erfcinv",
    _of_scipy("erfcinv"),
    vjp=_inverse_rule(lambda F, y: -F.exp(y * y) / _TWO_BY_SQRT_PI),
    elementwise=True,
    domain=(0.2, 1.8),
)
ndtr = op(
    "ndtr",
    _of_scipy("ndtr"),
    vjp=lambda F, g, _y, x: (g * (F.exp(-0.5 * (x * x)) / _SQRT_2_PI),),
    elementwise=True,
)
log_ndtr = op(
    "log_ndtr",
    _of_scipy("log_ndtr"),
    # The density over the distribution, both of which may be 0 where their quotient is large.
    vjp=lambda F, g, y, x: (g * (F.exp(-0.5 * (x * x) - y) / _SQRT_2_PI),),
    elementwise=True,
)
ndtri = op(
    "ndtri",
    _of_scipy("ndtri"),
    vjp=_inverse_rule(lambda F, y: _SQRT_2_PI * F.exp(0.5 * (y * y))),
    elementwise=True,
    domain=(0.1, 0.9),
)

# The gamma function and its relatives


def _polygamma(xp, x, *, n):
    """(−1)ⁿ⁺¹ n! ζ(n + 1, x), by the zeta function of Hurwitz; for n = 0 the digamma function."""
    if n == 0:
        return xp.special(x, function="digamma")
    return (-1.0) ** (n + 1) * math.factorial(n) * xp.special(n + 1.0, x, function="zeta")


polygamma = op(
    "polygamma",
    _polygamma,
    vjp=lambda F, g, _y, x, *, n: (g * F.polygamma(x, n=n + 1),),
    elementwise=True,
    domain=(1.0, 3.0),
    samples=(Sample((2, 3), n=0), Sample((3,), n=2), Sample((), n=1), Sample((0, 3), n=1)),
)
gammaln = op(
    "gammaln",
    _of_scipy("gammaln"),
    vjp=lambda F, g, _y, x: (g * F.polygamma(x, n=0),),
    elementwise=True,
    domain=(0.8, 3.0),
)
gamma = op(
    "gamma",
    _of_scipy("gamma"),
    vjp=lambda F, g, y, x: (g * (y * F.polygamma(x, n=0)),),
    elementwise=True,
    domain=(0.8, 3.0),
)


def _beta_slope(F, a, b):
    return F.polygamma(a, n=0) - F.polygamma(a + b, n=0)


betaln = op(
    "betaln",
    lambda xp, a, b: xp.special(a, b, function="betaln"),
    vjp=(lambda F, g, _y, a, b: g * _beta_slope(F, a, b), lambda F, g, _y, a, b: g * _beta_slope(F, b, a)),
    elementwise=True,
    domain=(0.8, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)
beta = op(
    "beta",
    lambda xp, a, b: xp.special(a, b, function="beta"),
    vjp=(lambda F, g, y, a, b: g * (y * _beta_slope(F, a, b)), lambda F, g, y, a, b: g * (y * _beta_slope(F, b, a))),
    elementwise=True,
    domain=(0.8, 2.0),
    samples=PAIRS,
    requires=BROADCASTABLE,
)


_ORDERS = np.array([1, 2, 3], np.int8)  # which leaves float32 what it is


def _incomplete_gamma(name, sign):
    """A regularised incomplete gamma function, whose derivative in x is ±xᵃ⁻¹ e⁻ˣ / Γ(a)."""

    def rule(F, g, _y, a, x, *, needs):
        if needs[0]:
            raise GradientError(
                f"{name}(a, x) has no derivative in a here, only in x; give a as an array, as in {name}(a.data, x)"
            )
        if not needs[1]:
            return None, None
        inside = interior((x > 0.0) & (x < math.inf))
        x = replaced(F, inside, x)
        if isinstance(a, (int, float)):  # which takes the dtype of x
            log_gamma = math.lgamma(a) if a > 0 else math.inf
        else:
            a = F.astype(a, dtype=g.dtype)
            log_gamma = F.gammaln(a)
        density = F.exp(F.xlogy(a - 1.0, x) - x - log_gamma)
        return None, selected(F, inside, sign * g * density)

    return op(
        name,
        lambda xp, a, x: xp.special(a, x, function=name),
        vjp=rule,
        elementwise=True,
        domain=(0.5, 3.0),
        samples=(
            Sample((3,), (2, 3), arrays={0: _ORDERS}),
            Sample((3,), (3,), arrays={0: _ORDERS}),
            Sample((3,), (0, 3), arrays={0: _ORDERS}),
        ),
        requires=BROADCASTABLE,
    )


gammainc = _incomplete_gamma("gammainc", 1.0)
gammaincc = _incomplete_gamma("gammaincc", -1.0)


def _log_beta(F, a, b):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):  # which take the dtype of x
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) if a > 0 and b > 0 else math.inf
    return F.betaln(a, b)


def _incomplete_beta_rule(F, g, _y, a, b, x, *, needs):
    """xᵃ⁻¹ (1 − x)ᵇ⁻¹ / B(a, b), in x"""
    if needs[0] or needs[1]:
        raise GradientError("betainc(a, b, x) has a derivative in x alone here; give a and b as arrays, as in a.data")
    inside = interior((x > 0.0) & (x < 1.0))
    x = replaced(F, inside, x, 0.5)
    a, b = (part if isinstance(part, (int, float)) else F.astype(part, dtype=g.dtype) for part in (a, b))
    density = F.exp(F.xlogy(a - 1.0, x) + F.xlog1py(b - 1.0, -x) - _log_beta(F, a, b))
    return None, None, selected(F, inside, g * density)


betainc = op(
    "betainc",
    lambda xp, a, b, x: xp.special(a, b, x, function="betainc"),
    vjp=_incomplete_beta_rule,
    jvp=True,
    elementwise=True,
    domain=(0.2, 0.8),
    samples=(
        Sample((3,), (), (2, 3), arrays={0: _ORDERS, 1: np.int8(2)}),
        Sample((3,), (3,), (0, 3), arrays={0: _ORDERS, 1: _ORDERS}),
    ),
    requires=BROADCASTABLE,
)


def _gamma_sign(xp, x):
    """1, or −1 where an odd number of poles lies between x and 0."""
    below = xp.floor(x)
    sign = xp.where(x > 0.0, 1.0, 1.0 - 2.0 * (xp.where(x > 0.0, 0.0, below) % 2.0))
    return xp.where((x == below) & (x < 0.0), math.nan, sign)


gammasgn = op("gammasgn", _gamma_sign, elementwise=True)  # piecewise constant: no rule


def _rgamma_rule(F, g, y, x):
    """−ψ(x) / Γ(x); from ½ down by the reflection 1/Γ(x) = Γ(1 − x) sin(πx) / π, which has no poles there."""
    is_low = x < 0.5
    high = F.where(is_low, 1.0, x)
    low = F.where(is_low, x, 0.0)
    turned, angle = 1.0 - low, math.pi * low
    slope = F.gamma(turned) * (F.cos(angle) - F.polygamma(turned, n=0) * F.sin(angle) / math.pi)
    return (g * F.where(is_low, slope, -F.where(is_low, 0.0, y) * F.polygamma(high, n=0)),)


rgamma = op(
    "rgamma",
    _of_scipy("rgamma"),
    vjp=_rgamma_rule,
    jvp=True,
    elementwise=True,
    domain=(0.8, 3.0),
)

# Modified Bessel functions of the first kind, of a fixed real order


def _bessel(name):
    def forward(xp, x, *, order):
        if float(order).is_integer():
            order = abs(order)  # the same function
        if order in (0, 1):
            return xp.special(x, function=f"i{order:.0f}{name[2:]}")
        return xp.special(float(order), x, function=name)

    return forward


def _bessel_rule(F, g, _y, x, *, order):
    """½ (Iₙ₋₁ + Iₙ₊₁); an order that is not whole needs x > 0."""
    if order == 0:
        return (g * F.iv(x, order=1),)
    if float(order).is_integer():
        return (g * (0.5 * (F.iv(x, order=order - 1) + F.iv(x, order=order + 1))),)
    inside = interior(x > 0.0)
    x = replaced(F, inside, x)
    return (selected(F, inside, g * (0.5 * (F.iv(x, order=order - 1) + F.iv(x, order=order + 1)))),)


def _scaled_bessel_rule(F, g, y, x, *, order):
    """That of Iₙ, less ± the function itself, which is the derivative of its factor exp(−|x|)."""
    if float(order).is_integer():
        neighbours = 0.5 * (F.ive(x, order=order - 1) + F.ive(x, order=order + 1))
        return (g * (neighbours - F.sign(x) * y),)
    inside = interior(x > 0.0)
    x = replaced(F, inside, x)
    neighbours = 0.5 * (F.ive(x, order=order - 1) + F.ive(x, order=order + 1))
    return (selected(F, inside, g * (neighbours - y)),)


_BESSEL_SAMPLES = (
    Sample((2, 3), order=0),
    Sample((3,), order=1),
    Sample((3,), order=2.5, domain=(0.5, 2.0)),
    Sample((), order=3),
    Sample((0, 3), order=0),
)
iv = op("iv", _bessel("iv"), vjp=_bessel_rule, elementwise=True, samples=_BESSEL_SAMPLES)
ive = op(
    "ive",
    _bessel("ive"),
    vjp=_scaled_bessel_rule,
    elementwise=True,
    domain=(0.5, 2.0),  # at 0 there is a kink
    samples=_BESSEL_SAMPLES,
)
