"""Batches: one array for each example, side by side, which rules treat as a single one.

The hidden axis is the first of `value`, (B, *shape). So elementwise operations need only line up the other axes, and
axes of reductions move on by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from adjoint.arrays import primitives
from adjoint.errors import TransformError
from adjoint.lifted.axes import axes_from_zero, resolved
from adjoint.lifted.indices import batched_getitem, batched_index_update, batched_unindex, selected_shape
from adjoint.lifted.lifted import LIFTED as xp, OPERATORS, Lifted

__all__ = ["BATCH_RULES", "Batch", "elementwise", "held", "spread"]

BATCH_RULES: dict[str, Callable[..., Any]] = {}


class Batch(Lifted):
    """An array for each example of a batch.

    value: (B, *shape)
    """

    __slots__ = ("value",)

    rules = BATCH_RULES

    def __init__(self, level: int, value: Any) -> None:
        self.level = level
        self.value = value

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        shape: tuple[int, ...] = self.value.shape
        return shape[1:]

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def length(self) -> int:
        """The number of examples."""
        return int(self.value.shape[0])

    def lowered(self) -> Any:
        """The sum over the examples: what the cotangent of something that they share is."""
        return xp.sum(self.value, axis=0)

    def lowered_constant(self, x: Any) -> Any:
        """The same sum of a cotangent that does not differ from example to example."""
        return x * self.length

    def _unreadable(self, *_: Any) -> Any:
        raise TransformError(
            "the value of an array within vmap is read by Python, but it differs from example to example; "
            "use F.where instead of `if`, and a fixed number of steps instead of `while`"
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = item = tolist = _unreadable

    def __repr__(self) -> str:
        return f"<batch of {self.length}, each {self.dtype}{list(self.shape)}>"


def held(level: int, x: Any) -> Any:
    """What a batch of this level holds, (B, *shape); None for anything else, which all examples share."""
    return x.value if isinstance(x, Batch) and x.level == level else None


def _length(level: int, *xs: Any) -> int:
    return next(x.length for x in xs if held(level, x) is not None)


def spread(level: int, x: Any, length: int) -> Any:
    """A value for each example also of what they share, (B, *shape)."""
    value = held(level, x)
    return xp.broadcast_to(x, (length, *x.shape)) if value is None else value


def _lined_up(value: Any, ndim: int) -> Any:
    """(B, *shape) with axes of length 1 after the first, so that `ndim` follow it."""
    missing = ndim + 1 - len(value.shape)
    return value.reshape((value.shape[0], *(1,) * missing, *value.shape[1:])) if missing else value


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of a function that acts element by element."""

    def rule(level: int, *xs: Any, **options: Any) -> Any:
        if len(xs) == 1:
            return Batch(level, function(xs[0].value, **options))
        ndim = max(len(getattr(x, "shape", ())) for x in xs)
        operands = [x if held(level, x) is None else _lined_up(x.value, ndim) for x in xs]
        return Batch(level, function(*operands, **options))

    return rule


def _with_tangent(level: int, op: Any, tangent: Callable[..., Any], *xs: Any, **params: Any) -> Any:
    """The rule of the forward of an op that has a `jvp`: all examples at once, or one by one where it matters."""
    within = partial(xp.with_tangent(op, tangent), xp)
    if op.elementwise or op.by_matrix:
        return elementwise(within)(level, *xs, **params)
    values = [held(level, x) for x in xs]
    length = _length(level, *xs)
    if not length or not any(_holds_more(x) for x in xs):
        return op.forward(xp, *xs, **params)  # there is nothing to differentiate
    found = [
        within(*(x if value is None else value[i] for x, value in zip(xs, values, strict=True)), **params)
        for i in range(length)
    ]
    if isinstance(found[0], tuple):
        return tuple(Batch(level, xp.stack(parts)) for parts in zip(*found, strict=True))
    return Batch(level, xp.stack(found))


def _holds_more(x: Any) -> bool:
    """Whether there is anything but batches among the levels of an array."""
    while isinstance(x, Batch):
        x = x.value
    return isinstance(x, Lifted)


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(xp, name)

    def rule(level: int, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(a + 1 for a in axes_from_zero(axis, x.ndim))
        return Batch(level, function(x.value, axis=axes, keepdims=keepdims) if axes else function(x.value, axis=()))

    return rule


def _along(name: str) -> Callable[..., Any]:
    """The rule of a function along one axis that gives an array again."""
    function = getattr(xp, name)

    def rule(level: int, x: Any, *, axis: Any = -1, **options: Any) -> Any:
        (one,) = axes_from_zero(axis, x.ndim)
        return Batch(level, function(x.value, axis=one + 1, **options))

    return rule


def _argmax(level: int, x: Any, *, axis: Any = None) -> Any:
    if axis is None:
        x, axis = xp.reshape(x, (-1,)), 0
    (one,) = axes_from_zero(axis, x.ndim)
    return Batch(level, xp.argmax(x.value, axis=one + 1))


def _flip(level: int, x: Any, *, axis: Any = None) -> Any:
    return Batch(level, xp.flip(x.value, axis=tuple(a + 1 for a in axes_from_zero(axis, x.ndim))))


def _broadcast_to(level: int, x: Any, shape: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if len(shape) < x.ndim:
        raise ValueError(f"an array of shape {x.shape} cannot be broadcast to {shape}")
    return Batch(level, xp.broadcast_to(_lined_up(x.value, len(shape)), (x.length, *shape)))


def _sum_to(level: int, x: Any, shape: tuple[int, ...]) -> Any:
    padded = (1,) * (x.ndim - len(shape)) + shape
    return Batch(level, xp.reshape(xp.sum_to(x.value, (x.length, *padded)), (x.length, *shape)))


def _reshape(level: int, x: Any, shape: Any) -> Any:
    return Batch(level, xp.reshape(x.value, (x.length, *resolved(shape, x.size, x.shape))))


def _permute_dims(level: int, x: Any, axes: Any = None) -> Any:
    order = range(x.ndim)[::-1] if axes is None else axes_from_zero(tuple(axes), x.ndim)
    return Batch(level, xp.permute_dims(x.value, (0, *(a + 1 for a in order))))


def _concat(level: int, xs: Any, axis: int = 0) -> Any:
    length = _length(level, *xs)
    (one,) = axes_from_zero(axis, xs[0].ndim)
    return Batch(level, xp.concat([spread(level, x, length) for x in xs], axis=one + 1))


def _stack(level: int, xs: Any, axis: int = 0) -> Any:
    length = _length(level, *xs)
    (one,) = axes_from_zero(axis, xs[0].ndim + 1)
    return Batch(level, xp.stack([spread(level, x, length) for x in xs], axis=one + 1))


def _matmul(level: int, a: Any, b: Any) -> Any:
    """Products of each example; one product of all where only the rows differ from example to example."""
    batched_a, batched_b = held(level, a), held(level, b)
    ndim_a, ndim_b = len(a.shape), len(b.shape)
    if not ndim_a or not ndim_b or a.shape[-1] != b.shape[-2 if ndim_b > 1 else 0]:
        raise ValueError(f"matmul of {a.shape} and {b.shape}")
    if batched_b is None and ndim_b <= 2:  # (B, ..., k) @ (k, m): the hidden axis is one more of rows
        if ndim_a <= 1 or ndim_b == 1:
            return Batch(level, xp.matmul(batched_a, b))
        rows = xp.reshape(batched_a, (math.prod(batched_a.shape[:-1]), batched_a.shape[-1]))
        return Batch(level, xp.reshape(xp.matmul(rows, b), (*batched_a.shape[:-1], b.shape[-1])))
    if batched_a is None and ndim_a <= 2 and ndim_b == 1:  # (n, k) @ (B, k)
        product = xp.matmul(batched_b, a.T)  # (B, n), or (B,) for a vector a
        return Batch(level, product)
    left = a if batched_a is None else batched_a
    right = b if batched_b is None else batched_b
    left = _as_matrices(left, ndim_a, ndim_b, -2, batched_a is not None)
    right = _as_matrices(right, ndim_b, ndim_a, -1, batched_b is not None)
    product = left * right if left.shape[-1] == 1 else xp.matmul(left, right)
    shape = product.shape
    if ndim_a == 1 and ndim_b == 1:
        shape = shape[:-2]
    elif ndim_a == 1:
        shape = (*shape[:-2], shape[-1])
    elif ndim_b == 1:
        shape = shape[:-1]
    return Batch(level, xp.reshape(product, shape))


def _as_matrices(x: Any, ndim: int, other: int, new_axis: int, batched: bool) -> Any:
    """Vectors as rows (-2) or columns (-1), and stacks lined up with those of the other operand."""
    shape = x.shape
    core = shape[-2:] if ndim > 1 else ((1, shape[-1]) if new_axis == -2 else (shape[-1], 1))
    if not batched:
        return xp.reshape(x, (*shape[: max(ndim - 2, 0)], *core))
    stack = shape[1 : 1 + max(ndim - 2, 0)]
    missing = max(other - 2, 0) - len(stack)
    return xp.reshape(x, (shape[0], *(1,) * max(missing, 0), *stack, *core))


def _einsum(level: int, subscripts: str, *xs: Any) -> Any:
    left, result = subscripts.split("->")
    letter = next(c for c in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba" if c not in subscripts)
    values = [held(level, x) for x in xs]
    terms = [term if value is None else letter + term for term, value in zip(left.split(","), values, strict=True)]
    operands = [x if value is None else value for x, value in zip(xs, values, strict=True)]
    return Batch(level, xp.einsum(f"{','.join(terms)}->{letter}{result}", *operands))


def _getitem(level: int, x: Any, index: Any) -> Any:
    return Batch(level, batched_getitem(level, x, index, held))


def _unindex(level: int, values: Any, index: Any, shape: Any) -> Any:
    return Batch(level, batched_unindex(level, values, index, tuple(shape), held))


def _index_update(level: int, x: Any, index: Any, values: Any, in_place: bool = False) -> Any:
    return Batch(level, batched_index_update(level, x, index, values, held))


def _scatter_add(level: int, x: Any, index: Any, values: Any) -> Any:
    wanted = selected_shape(x.shape, index)
    return x + xp.unindex(xp.broadcast_to(values, wanted) if values.shape != wanted else values, index, x.shape)


def _take(level: int, x: Any, indices: Any, *, axis: int = 0) -> Any:
    (one,) = axes_from_zero(axis, len(x.shape))
    return xp.getitem(x, (*(slice(None),) * one, indices))


def _pick(level: int, x: Any, labels: Any) -> Any:
    return xp.getitem(x, (np.arange(labels.shape[0]), labels))


def _require(level: int, flags: Any, error: Any) -> None:
    xp.require(flags.value, error)


_CONSTANTS: dict[str, Callable[..., Any]] = {
    "zeros_like": lambda level, x: np.zeros(x.shape, x.dtype),
    "ones_like": lambda level, x: np.ones(x.shape, x.dtype),
    "full_like": lambda level, x, value: xp.broadcast_to(xp.astype(xp.asarray(value), x.dtype), x.shape),
}
BATCH_RULES.update({name: elementwise(function) for name, function in OPERATORS.items()})
BATCH_RULES.update({name: elementwise(getattr(xp, name)) for name in (*primitives.ELEMENTWISE, "copy")})
BATCH_RULES.update({name: _reduction(name) for name in ("max", "min", "sum")})
BATCH_RULES.update({name: _along(name) for name in ("argsort", *primitives.SCANS, *primitives.FOURIER)})
BATCH_RULES.update(_CONSTANTS)
BATCH_RULES.update(
    argmax=_argmax,
    asarray=lambda level, x, dtype=None: x if dtype is None else xp.astype(x, dtype),
    astype=lambda level, x, dtype: Batch(level, xp.astype(x.value, dtype)),
    broadcast_to=_broadcast_to,
    concat=_concat,
    einsum=_einsum,
    flip=_flip,
    getitem=_getitem,
    index_update=_index_update,
    matmul=_matmul,
    permute_dims=_permute_dims,
    pick=_pick,
    require=_require,
    reshape=_reshape,
    scatter_add=_scatter_add,
    stack=_stack,
    sum_to=_sum_to,
    take=_take,
    unindex=_unindex,
    with_tangent=_with_tangent,
)
