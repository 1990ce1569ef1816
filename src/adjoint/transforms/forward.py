"""Forward mode: Jacobian-vector products and derivatives of high order, by Taylor series."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.arrays import NUMBERS, namespace_of
from adjoint.config import LEVELS, RECORDING, recording_mode
from adjoint.core.apply import leaf
from adjoint.core.arguments import as_variable
from adjoint.core.gradients import RECORDED
from adjoint.core.sweep import sweep
from adjoint.core.value import raw
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.lifted import LIFTED, Series, beneath, levels_in
from adjoint.lifted.series import coefficients_of
from adjoint.ops import Op
from adjoint.structures import flatten
from adjoint.transforms.arguments import (
    Point,
    Results,
    all_shown,
    are_plain,
    constant_or,
    deeper,
    given,
    lifting,
    lifting_in,
    lifting_op,
    with_aux,
)
from adjoint.transforms.levels import Level, levels_with_sizes, placed_first, repeated, without
from adjoint.transforms.reverse import Pullback

__all__ = [
    "Pushed",
    "enter_series",
    "jvp",
    "leave_series",
    "linearize",
    "nth_derivative",
    "push",
]

_HIGHEST_ORDER = 170  # whose factorial is a float64


def _enter_rule(F: Any, g: Any, count: int, *, level: int) -> Any:
    order = count - 1
    found = []
    for power in range(order, -1, -1):
        lost = _lost(raw(g), level, power, order)
        part = lifting_in(_leave, g, level=level, power=power, order=order, lost=lost)
        found.append(repeated(part, lost))  # the engine takes levels off, but only those that it sees
    return tuple(found)


def _leave_rule(F: Any, g: Any, _count: int, *, level: int, power: int, order: int, lost: tuple[Level, ...]) -> Any:
    return (lifting_in(_place, _distributed(g, lost), level=level, power=order - power, order=order),)


def _place_rule(F: Any, g: Any, _count: int, *, level: int, power: int, order: int) -> Any:
    lost = _lost(raw(g), level, order - power, order)
    return (lifting_in(_leave, g, level=level, power=order - power, order=order, lost=lost),)


def _coefficient(y: Any, *, level: int, power: int, order: int, lost: tuple[Level, ...] = ()) -> Any:
    def chosen(_added: int, y: Any) -> Any:
        coefficients = coefficients_of(level, y, order)
        return LIFTED.zeros_like(coefficients[0]) if coefficients[power] is None else coefficients[power]

    return beneath(level, chosen, y)


def _entered(x: Any, *ts: Any, level: int) -> Any:
    return beneath(level, lambda _added, *parts: Series(level, parts), x, *ts)


def _placed(g: Any, *, level: int, power: int, order: int) -> Any:
    """A series with one coefficient: the cotangent of the coefficient of another power."""

    def at_power(_added: int, g: Any) -> Any:
        coefficients = [None] * (order + 1)
        coefficients[power] = g
        if power:
            coefficients[0] = LIFTED.zeros_like(g)
        return Series(level, coefficients)

    return beneath(level, at_power, g)


# Cotangents of series pair with them by the highest power of the product (see `Series.lowered`): so the cotangent of
# the coefficient of εᵏ stands at εⁿ⁻ᵏ.
_enter: Op = lifting_op("enter_series", _entered, _enter_rule)
_leave: Op = lifting_op("leave_series", _coefficient, _leave_rule)
_place: Op = lifting_op("place_coefficient", _placed, _place_rule)


def _lost(y: Any, level: int, power: int, order: int) -> tuple[Level, ...]:
    """The levels in y that are not in its coefficient of a power, other than that of the series."""
    levels = levels_with_sizes(y)
    levels.pop(level, None)
    return without(levels, _coefficient(y, level=level, power=power, order=order)) if levels else ()


def _distributed(g: Any, lost: tuple[Level, ...]) -> Any:
    """The cotangent of something without these levels, as that of something that has them.

    It is a total over the examples. Without the level it would count as the same for each of them, and be added up
    once more: so the first example gets all of it. Of series, whose total is the coefficient of the highest power,
    that power does. While a level's transform goes on nothing is totalled: its gradients are one for each example.
    """
    for level, kind, size in lost:
        if level in LEVELS.get():
            continue
        if kind == "series":
            g = lifting_in(_place, g, level=level, power=size, order=size)
        elif size:
            g = placed_first(g, level, size)
    return g


def enter_series(x: Any, tangents: Sequence[Any], level: int) -> Variable:
    """A Variable on the series of x and its coefficients, in the graph of all of them."""
    return lifting(_enter, constant_or(x), *tangents, level=level)


def leave_series(y: Variable, level: int, power: int, order: int) -> Variable:
    """The coefficient of a power in y, which is a constant where it is no series of this level."""
    if level in levels_in(y._data):
        lost = _lost(y._data, level, power, order)
        return lifting(_leave, y, level=level, power=power, order=order, lost=lost)
    return y if power == 0 else leaf(namespace_of(y._data).zeros_like(y._data))


class Pushed:
    """Results of a function of series: their values and coefficients, as Variables."""

    def __init__(self, value: Any, level: int, order: int) -> None:
        self.out = Results(value)
        self._level = level
        self._order = order

    def coefficients(self, power: int) -> list[Variable]:
        """The coefficients of one power, one for each result that is made of floats."""
        return [leave_series(y, self._level, power, self._order) for y in self.out.variables]


def push(point: Point, coefficients: Sequence[Sequence[Any]], *, has_aux: bool = False) -> tuple[Pushed, Any]:
    """The function of series: for each leaf of the point, its coefficients after the value.

    A leaf whose coefficients are all None is a constant.
    """
    order = max(len(part) for part in coefficients)
    with deeper() as level:
        entered = [
            enter_series(x, _filled(x, part, order), level) if any(c is not None for c in part) else as_variable(x)
            for x, part in zip(point.leaves, coefficients, strict=True)
        ]
        value = point.call(entered)
        aux = None
        if has_aux:
            value, aux = with_aux(point.function, value)
            aux_leaves, structure = flatten(aux)
            aux = structure.build(
                [leave_series(x, level, 0, order) if isinstance(x, Variable) else x for x in aux_leaves]
            )
        return Pushed(value, level, order), aux


def _filled(x: Any, part: Sequence[Any], order: int) -> list[Any]:
    """Coefficients as the op takes them: zeros for None, NumPy's arrays in the namespace of x.

    So a program that is traced computes with them at each call: beside constants, NumPy would at the trace.
    """
    value = raw(x)
    namespace = namespace_of(value)
    zeros = None
    filled = []
    for k in range(order):
        c = part[k] if k < len(part) else None
        if c is None:
            zeros = (
                LIFTED.zeros_like(np.asarray(value) if type(value) in NUMBERS else value) if zeros is None else zeros
            )
            c = zeros
        elif type(c) is np.ndarray:
            c = namespace.asarray(c)
        filled.append(c)
    return filled


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """f's value and its derivative along a direction, J t, the Jacobian-vector product (forward mode).

    One run of f, in which each value carries its tangent: what it costs does not depend on the number of inputs, and
    nothing is kept.

    Args:
        f: a function of Variables.
        primals: a tuple with the arguments: arrays, Variables, numbers, models, or structures of them.
        tangents: a tuple with a direction for each of them, in its shape; None for a constant. For a model, a
            dictionary by path.
        has_aux: f returns a pair, of which the second is passed on as it is.

    Returns:
        ``(value, tangent)``, or ``(value, tangent, aux)``.

    Raises:
        ArgumentError: where a tangent has another structure or shape than its primal.

    >>> import adjoint as ad
    >>> ad.jvp(lambda x, y: x * y, (3.0, 2.0), (1.0, 0.0))
    (np.float64(6.0), np.float64(2.0))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise DTypeError("jvp takes the arguments and their tangents as tuples, as in ad.jvp(f, (x,), (t,))")
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp got {len(primals)} arguments and {len(tangents)} tangents")
    point = Point(f, primals, {}, tuple(range(len(primals))))
    directions = point.directions(tuple(tangents), "the tangent")
    pushed, aux = push(point, [(t,) for t in directions], has_aux=has_aux)
    values, derivatives = pushed.coefficients(0), pushed.coefficients(1)
    is_plain = point.is_plain and not any(isinstance(t, Variable) for t in directions)
    is_plain = are_plain(is_plain, (*values, *derivatives))
    taken = (*point.leaves, *directions)
    value = pushed.out.build(all_shown(values, is_plain=is_plain, given=taken), is_plain=is_plain)
    tangent = pushed.out.build(all_shown(derivatives, is_plain=is_plain, given=taken), is_plain=is_plain)
    return (value, tangent, aux) if has_aux else (value, tangent)


def linearize(f: Callable[..., Any], *primals: Any) -> Any:
    """f's value, and its derivative at this point as a function of the direction: t ↦ J t.

    f runs once. The function is linear, and may be called any number of times.

    >>> import adjoint as ad
    >>> value, f_jvp = ad.linearize(lambda x: x * x, 3.0)
    >>> print(value, f_jvp(1.0), f_jvp(2.0))
    9.0 6.0 12.0
    """
    point = Point(f, primals, {}, tuple(range(len(primals))))
    run = Pullback(point)
    # The vector-Jacobian product is linear in its cotangent; its own one, taken back, is the Jacobian-vector product.
    with recording_mode(True):
        starts = [given(namespace_of(y._data).zeros_like(y._data)) for y in run.out.variables]
        parts = run.pull(starts, create_graph=True)
    links, zeros = [g._link for g in starts], [g._data for g in starts]
    del starts  # while they are held, a derivative in them may be asked for

    def f_jvp(*tangents: Any) -> Any:
        directions = point.directions(tuple(tangents), "the tangent")
        is_plain = run.is_plain and not any(isinstance(t, Variable) for t in directions)
        directions = [constant_or(t) for t in directions]
        is_detached = run.is_detached and not any(isinstance(t, Variable) for t in directions)
        record = RECORDING.get() and not is_detached
        roots = [
            (part._link, as_variable(t) if record else raw(t))
            for part, t in zip(parts, directions, strict=True)
            if t is not None and part._link is not None
        ]
        targets = {link for link in links if link is not None}
        found: dict[Any, Any] = {}
        if roots:
            namespace = namespace_of(*(raw(t) for _, t in roots))
            found = sweep(roots, namespace, RECORDED if record else None, targets=targets)
        derivatives = []
        for link, zero in zip(links, zeros, strict=True):
            part = found.get(link)
            if part is None:
                part = namespace_of(zero).zeros_like(zero)
            derivatives.append(part if isinstance(part, Variable) else leaf(part))
        return run.out.build(all_shown(derivatives, is_plain=is_plain, given=directions), is_plain=is_plain)

    value = run.value()
    run.end()
    return value, f_jvp


def nth_derivative(f: Callable[..., Any], n: int, argnum: int = 0) -> Any:
    """The function that gives the n-th derivative of f in one argument, element by element.

    Computed in one run of f on truncated Taylor series, for about n² times its work; n nested gradients take about 2ⁿ
    times. Griewank and Walther, "Evaluating Derivatives" (2008), chapter 13.

    Args:
        f: a function of Variables. For an argument with several elements it is differentiated along (1, …, 1): where f
            acts element by element, that is each element's derivative.
        n: the order, from 0.
        argnum: the position of the argument.

    Raises:
        ArgumentError: for a negative order, and for one above 170.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> print(ad.nth_derivative(F.sin, 5)(0.0), ad.nth_derivative(lambda x: x**5, 4)(2.0))
    1.0 240.0
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise DTypeError(f"nth_derivative: the order is a whole number, not {n!r}")
    if n < 0:
        raise ArgumentError(f"nth_derivative: the order is 0 or more, not {n}")
    if n > _HIGHEST_ORDER:
        raise ArgumentError(
            f"nth_derivative: the order is {_HIGHEST_ORDER} or less, not {n}: n!, by which a coefficient of the series "
            f"is multiplied, is no float64 from {_HIGHEST_ORDER + 1} on"
        )

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        point = Point(f, args, kwargs, argnum)
        if n == 0:
            out = Results(point.call([as_variable(x) for x in point.leaves]))
            is_plain = are_plain(point.is_plain, out.variables)
            return out.build(all_shown(out.variables, is_plain=is_plain, given=point.leaves), is_plain=is_plain)
        ones = [LIFTED.ones_like(given(x)._data) for x in point.leaves]
        pushed, _ = push(point, [(t, *(None,) * (n - 1)) for t in ones])
        found = [c * float(math.factorial(n)) for c in pushed.coefficients(n)]
        is_plain = are_plain(point.is_plain, found)
        return pushed.out.build(all_shown(found, is_plain=is_plain), is_plain=is_plain)

    return derivative
