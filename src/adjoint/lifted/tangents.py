"""Taylor series of functions whose derivative along a direction is known, y' = J(x) x'.

On the series of x, y and x' up to a power, the formula gives y' up to this power, which is y up to the next one:

    k yₖ = the coefficient of εᵏ⁻¹ in J(x(ε)) x'(ε)

So a formula for the first derivative, written with primitives and operators, gives all orders.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from adjoint.lifted.lifted import LIFTED as xp
from adjoint.lifted.series import Series, coefficients_of, in_shape_of, order_of

__all__ = ["by_tangent", "with_tangent"]

Tangent = Callable[..., Any]


def by_tangent(function: Callable[..., Any], tangent: Tangent, *, reads_value: bool = True) -> Callable[..., Any]:
    """The rule of y = function(*xs) from ``tangent(y, xs, ts, **options)``, y' for the directions `ts`.

    y and y' are arrays, or tuples of arrays for a function of several results. A direction that is zero throughout
    is None, in what the formula gets and in what it gives. If the formula does not read y, one run gives all powers.
    """

    def rule(level: int, *xs: Any, **options: Any) -> Any:
        order = order_of(level, xs)
        inputs = [coefficients_of(level, x, order) for x in xs]
        value = function(*(c[0] for c in inputs), **options)
        several = isinstance(value, tuple)
        found = [[part] for part in (value if several else (value,))]
        for k in range(1, order + 1) if reads_value else (order,):
            ys = tuple(_series(level, c) for c in found)
            points = [_series(level, c[:k]) for c in inputs]
            directions = [_derivative(level, c[: k + 1]) for c in inputs]
            slopes = tangent(ys if several else ys[0], points, directions, **options)
            for c, slope in zip(found, slopes if several else (slopes,), strict=True):
                parts = [None] * k if slope is None else coefficients_of(level, slope, k - 1)
                for n in range(len(c), k + 1):
                    part = parts[n - 1]
                    c.append(in_shape_of(c[0], part if part is None or n == 1 else part / n))
        results = tuple(Series(level, c) for c in found)
        return results if several else results[0]

    return rule


def with_tangent(level: int, op: Any, tangent: Tangent, *xs: Any, **params: Any) -> Any:
    """The rule of the forward of an op that has a `jvp`."""
    on_coefficients = partial(xp.with_tangent(op, tangent), xp, **params)

    def of_series(y: Any, xs: Any, ts: Any) -> Any:
        return tangent(ts, y, *xs, **params)

    return by_tangent(on_coefficients, of_series, reads_value=op.jvp_reads_output)(level, *xs)


def _series(level: int, coefficients: Sequence[Any]) -> Any:
    """The series, which is a constant where all but the value are zero."""
    return coefficients[0] if all(c is None for c in coefficients[1:]) else Series(level, coefficients)


def _derivative(level: int, coefficients: Sequence[Any]) -> Any:
    """x' of a series x; None where it is zero throughout."""
    rest = [c if c is None or k == 1 else float(k) * c for k, c in enumerate(coefficients[1:], 1)]
    if all(c is None for c in rest):
        return None
    if rest[0] is None:
        rest[0] = xp.zeros_like(coefficients[0])
    return _series(level, rest)
