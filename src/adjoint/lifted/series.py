"""Truncated Taylor series: a value and its coefficients along one direction.

    x(ε) = c₀ + c₁ ε + … + cₙ εⁿ

With n = 1 this is forward mode: the coefficient of ε is the tangent, and every rule is a rule for dual numbers. With
larger n it gives n derivatives in one run of a function, for about n² times the work instead of 2ⁿ.
Griewank and Walther, "Evaluating Derivatives" (2008), chapter 13.

A coefficient that is zero throughout is None. Coefficients that are there have the shape and dtype of the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from adjoint.lifted.lifted import LIFTED as xp, OPERATORS, Lifted

__all__ = [
    "SERIES_RULES",
    "Series",
    "coefficients_of",
    "in_shape_of",
    "linear",
    "multilinear",
    "of_floats",
    "on_values",
    "order_of",
    "plus",
    "value_of",
]

SERIES_RULES: dict[str, Callable[..., Any]] = {}


class Series(Lifted):
    """The coefficients of a truncated Taylor series, the value first."""

    __slots__ = ("coefficients",)

    rules = SERIES_RULES

    def __init__(self, level: int, coefficients: Sequence[Any]) -> None:
        self.level = level
        self.coefficients = list(coefficients)

    @property
    def value(self) -> Any:
        """The coefficient of ε⁰."""
        return self.coefficients[0]

    @property
    def order(self) -> int:
        """The highest power that is kept."""
        return len(self.coefficients) - 1

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        shape: tuple[int, ...] = self.coefficients[0].shape
        return shape

    @property
    def dtype(self) -> Any:
        return self.coefficients[0].dtype

    def coefficient(self, k: int) -> Any:
        """The coefficient of εᵏ, as an array also where it is zero throughout."""
        found = self.coefficients[k]
        return xp.zeros_like(self.value) if found is None else found

    def lowered(self) -> Any:
        """The coefficient of the highest power.

        Cotangents of series pair with them by the highest power of the product; so this is the cotangent of a
        constant, which enters every series as its value.
        """
        return self.coefficient(self.order)

    def lowered_constant(self, x: Any) -> Any:
        """That coefficient of a constant."""
        return xp.zeros_like(x)

    def truncated(self, order: int) -> Any:
        """The series up to a lower power; the value alone for 0."""
        return self.value if order == 0 else Series(self.level, self.coefficients[: order + 1])

    # Python reads the value: branches and loops go the way that it shows

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def item(self, *index: int) -> Any:
        return self.value.item(*index)

    def tolist(self) -> Any:
        return self.value.tolist()

    def __repr__(self) -> str:
        return f"<series of order {self.order}, {self.dtype}{list(self.shape)}>"


def coefficients_of(level: int, x: Any, order: int) -> list[Any]:
    """The coefficients up to `order` of a series of this level; of anything else, which is a constant, its value."""
    if isinstance(x, Series) and x.level == level:
        return x.coefficients[: order + 1]
    return [x] + [None] * order


def order_of(level: int, xs: Sequence[Any]) -> int:
    """The order of a result of these operands."""
    return min(x.order for x in xs if isinstance(x, Series) and x.level == level)


def value_of(level: int, x: Any) -> Any:
    """What a series of this level is without its direction."""
    return x.coefficients[0] if isinstance(x, Series) and x.level == level else x


def in_shape_of(value: Any, coefficient: Any) -> Any:
    """A coefficient repeated where its value was, by the other operand."""
    if coefficient is None or coefficient.shape == value.shape:
        return coefficient
    return xp.broadcast_to(coefficient, value.shape)


def plus(a: Any, b: Any) -> Any:
    """a + b, where None is zero."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def of_floats(level: int, coefficients: list[Any]) -> Any:
    """The series, or its value alone where there are no derivatives: of whole numbers and booleans."""
    return Series(level, coefficients) if coefficients[0].dtype.kind in "fc" else coefficients[0]


def linear(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function that is linear in its first argument and has no others that are arrays of floats."""

    def rule(level: int, x: Any, *rest: Any, **options: Any) -> Any:
        if not (isinstance(x, Series) and x.level == level):
            return function(x, *(value_of(level, part) for part in rest), **options)
        rest = tuple(value_of(level, part) for part in rest)
        return of_floats(level, [None if c is None else function(c, *rest, **options) for c in x.coefficients])

    return rule


def on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function that is constant but for steps: a constant."""

    def rule(level: int, *xs: Any, **options: Any) -> Any:
        return function(*(value_of(level, x) for x in xs), **options)

    return rule


def multilinear(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a product: each coefficient is a sum over the ways to share its power among the factors."""

    def rule(level: int, *xs: Any, **options: Any) -> Any:
        order = order_of(level, xs)
        factors = [coefficients_of(level, x, order) for x in xs]
        value = function(*(factor[0] for factor in factors), **options)
        found: list[Any] = [value] + [None] * order
        for powers in product(*([k for k, c in enumerate(factor) if c is not None] for factor in factors)):
            total = sum(powers)
            if 0 < total <= order:
                part = function(*(factor[k] for factor, k in zip(factors, powers, strict=True)), **options)
                found[total] = plus(found[total], part)
        return Series(level, [in_shape_of(value, c) for c in found])

    return rule


def _sum_rule(sign: int) -> Callable[..., Any]:
    def rule(level: int, a: Any, b: Any) -> Any:
        order = order_of(level, (a, b))
        left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)
        value = left[0] + right[0] if sign > 0 else left[0] - right[0]
        found = [value]
        for x, y in zip(left[1:], right[1:], strict=True):
            if y is None:
                c = x
            elif x is None:
                c = y if sign > 0 else -y
            else:
                c = x + y if sign > 0 else x - y
            found.append(in_shape_of(value, c))
        return Series(level, found)

    return rule


def _where(level: int, condition: Any, a: Any, b: Any) -> Any:
    condition = value_of(level, condition)
    if not any(isinstance(x, Series) and x.level == level for x in (a, b)):
        return xp.where(condition, a, b)
    order = order_of(level, (a, b))
    left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)
    value = xp.where(condition, left[0], right[0])
    found = [value]
    for x, y in zip(left[1:], right[1:], strict=True):
        if x is None and y is None:
            found.append(None)
            continue
        found.append(in_shape_of(value, xp.where(condition, 0.0 if x is None else x, 0.0 if y is None else y)))
    return Series(level, found)


def _extreme_of_two(name: str) -> Callable[..., Any]:
    function, wins = getattr(xp, name), OPERATORS["gt" if name == "maximum" else "lt"]

    def rule(level: int, a: Any, b: Any) -> Any:
        order = order_of(level, (a, b))
        left, right = coefficients_of(level, a, order), coefficients_of(level, b, order)
        first, tie = wins(left[0], right[0]), left[0] == right[0]
        value = function(left[0], right[0])
        found = [value]
        for x, y in zip(left[1:], right[1:], strict=True):
            if x is None and y is None:
                found.append(None)
                continue
            x, y = 0.0 if x is None else x, 0.0 if y is None else y
            found.append(in_shape_of(value, xp.where(first, x, xp.where(tie, 0.5 * x + 0.5 * y, y))))
        return Series(level, found)

    return rule


def _extreme(name: str) -> Callable[..., Any]:
    """The rule of a maximum or minimum along axes: exact ties share evenly."""
    function = getattr(xp, name)

    def rule(level: int, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        kept = function(x.value, axis=axis, keepdims=True)
        value = function(x.value, axis=axis, keepdims=keepdims)
        ties = (x.value == kept) | ((x.value != x.value) & (kept != kept))  # NaN is the extreme where it stands
        ties = xp.astype(ties, x.dtype)
        share = ties / xp.sum(ties, axis=axis, keepdims=True)
        rest = [  # what is not the extreme may have an infinite derivative
            None if c is None else xp.sum(xp.where(ties > 0.0, share * c, 0.0), axis=axis, keepdims=keepdims)
            for c in x.coefficients[1:]
        ]
        return Series(level, [value, *rest])

    return rule


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function of a list of arrays that is linear in all of them."""

    def rule(level: int, xs: Any, axis: int = 0) -> Any:
        order = order_of(level, xs)
        parts = [coefficients_of(level, x, order) for x in xs]
        found: list[Any] = []
        for k in range(order + 1):
            column = [part[k] for part in parts]
            if all(c is None for c in column):
                found.append(None)
                continue
            filled = [xp.zeros_like(part[0]) if c is None else c for part, c in zip(parts, column, strict=True)]
            found.append(function(filled, axis=axis))
        return Series(level, found)

    return rule


def _scatter_add(level: int, x: Any, index: Any, values: Any) -> Any:
    order = order_of(level, (x, values))
    left, right = coefficients_of(level, x, order), coefficients_of(level, values, order)
    found = [xp.scatter_add(left[0], index, right[0])]
    for c, d in zip(left[1:], right[1:], strict=True):
        if d is None:
            found.append(c)
        else:
            found.append(xp.scatter_add(xp.zeros_like(found[0]) if c is None else c, index, d))
    return Series(level, found)


def _index_update(level: int, x: Any, index: Any, values: Any, in_place: bool = False) -> Any:
    order = order_of(level, (x, values))
    left, right = coefficients_of(level, x, order), coefficients_of(level, values, order)
    found = [xp.index_update(left[0], index, right[0])]
    for c, d in zip(left[1:], right[1:], strict=True):
        if c is None and d is None:
            found.append(None)
        else:
            found.append(xp.index_update(xp.zeros_like(found[0]) if c is None else c, index, 0.0 if d is None else d))
    return Series(level, found)


def _argmax(level: int, x: Any, *, axis: Any = None) -> Any:
    return xp.argmax(x.value, axis=axis)


def _mod(level: int, a: Any, b: Any) -> Any:
    """a − b ⌊a/b⌋, where the whole number is constant."""
    quotient = value_of(level, a) // value_of(level, b)
    return a - b * quotient


def _copy(level: int, x: Any) -> Any:
    return Series(level, [None if c is None else xp.copy(c) for c in x.coefficients])


def _asarray(level: int, x: Any, dtype: Any = None) -> Any:
    return x if dtype is None else xp.astype(x, dtype)


def _abs(level: int, x: Any) -> Any:
    if x.dtype.kind == "c":
        return xp.sqrt(xp.real(x) * xp.real(x) + xp.imag(x) * xp.imag(x))
    slope = xp.sign(x.value)
    return Series(level, [xp.abs(x.value), *(None if c is None else slope * c for c in x.coefficients[1:])])


def _flush_tiny(level: int, x: Any) -> Any:
    return Series(level, [xp.flush_tiny(x.value), *x.coefficients[1:]])


def _sum_to(level: int, x: Any, shape: tuple[int, ...]) -> Any:
    return Series(level, [None if c is None else xp.sum_to(c, shape) for c in x.coefficients])


_LINEAR = (
    "broadcast_to cumulative_sum flip getitem permute_dims pick reshape sum take unindex astype real imag conj "
    "fft ifft irfft rfft"
).split()
_STEPS = "argsort isfinite isnan logical_not sign floor ceil trunc round".split()
_COMPARISONS = "eq ne lt le gt ge and or xor invert floordiv lshift rshift".split()
SERIES_RULES.update({name: linear(getattr(xp, name)) for name in _LINEAR})
SERIES_RULES.update({name: on_values(getattr(xp, name)) for name in _STEPS})
SERIES_RULES.update({name: on_values(OPERATORS[name]) for name in _COMPARISONS})
SERIES_RULES.update({name: on_values(getattr(xp, name)) for name in ("zeros_like", "ones_like", "require")})
SERIES_RULES.update({name: _extreme_of_two(name) for name in ("maximum", "minimum")})
SERIES_RULES.update({name: _extreme(name) for name in ("max", "min")})
SERIES_RULES.update(
    {
        "abs": _abs,
        "add": _sum_rule(1),
        "argmax": _argmax,
        "asarray": _asarray,
        "concat": _joined(xp.concat),
        "copy": _copy,
        "einsum": lambda level, subscripts, *xs: multilinear(lambda *operands: xp.einsum(subscripts, *operands))(
            level, *xs
        ),
        "flush_tiny": _flush_tiny,
        "index_update": _index_update,
        "full_like": lambda level, x, value: xp.broadcast_to(xp.astype(xp.asarray(value), x.dtype), x.shape),
        "matmul": multilinear(xp.matmul),
        "mod": _mod,
        "mul": multilinear(OPERATORS["mul"]),
        "neg": linear(OPERATORS["neg"]),
        "scatter_add": _scatter_add,
        "square": lambda level, x: x * x,
        "stack": _joined(xp.stack),
        "sub": _sum_rule(-1),
        "sum_to": _sum_to,
        "where": _where,
    }
)
