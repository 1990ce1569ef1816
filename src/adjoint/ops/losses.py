"""Losses with a forward and a rule of their own."""

from __future__ import annotations

import math

from adjoint.ops.complex_numbers import real_only
from adjoint.ops.declaration import Sample, op
from adjoint.ops.raw import raw_functions


def _check_equal(y, t):
    """Targets are compared element by element: broadcasting one against the other is a mistake."""
    if y.shape != t.shape:
        raise ValueError(f"predictions {y.shape} and targets {t.shape} have unequal shapes")
    if 0 in y.shape:
        raise ValueError("the mean of no elements is undefined")


EQUAL_SHAPES = "predictions and targets of equal shapes; reshape one of them"


def _mean_squared_error(xp, y, t):
    """Σ (y − t)² / n over all n elements"""
    _check_equal(y, t)
    difference = real_only(xp.reshape(y - t, (-1,)))
    return difference @ difference / difference.shape[0]


def _scaled_difference(g, y, t):
    """2 (y − t) g / n"""
    return (y - t) * (2.0 / math.prod(y.shape) * g)


mean_squared_error = op(
    "mean_squared_error",
    _mean_squared_error,
    vjp=(
        lambda F, g, _y, y, t: _scaled_difference(g, y, t),
        lambda F, g, _y, y, t: _scaled_difference(g, t, y),
    ),
    samples=(Sample((4, 1), (4, 1)), Sample((2, 3), (2, 3)), Sample((), ())),
    requires=EQUAL_SHAPES,
)


def _safe_labels(xp, t, ignore_index):
    """Flat labels with 0 for the ignored ones, the flags of those that count, and their number."""
    t = xp.reshape(t, (-1,))
    counted = t != ignore_index
    return xp.where(counted, t, xp.zeros_like(t)), counted, xp.sum(counted)


def _softmax_cross_entropy(xp, x, t, *, ignore_index):
    """−Σ log softmax(x)[n, t[n]] / (number of labels that count)"""
    rows = xp.reshape(x, (-1, x.shape[-1]))  # (N, C)
    labels, counted, number = _safe_labels(xp, t, ignore_index)
    shifted = rows - real_only(xp.max(rows, axis=1, keepdims=True))
    losses = xp.log(xp.sum(xp.exp(shifted), axis=1)) - xp.pick(shifted, labels)  # (N,)
    total = xp.sum(xp.where(counted, losses, xp.zeros_like(losses)))
    return total / xp.astype(xp.maximum(number, 1), x.dtype)


def _label_weight(xp, t, *, ignore_index, dtype):
    """1/(number that count) for each label that counts, else 0, with a last axis of 1."""
    _, counted, number = _safe_labels(xp, t, ignore_index)
    weight = xp.astype(counted, dtype) / xp.astype(xp.maximum(number, 1), dtype)
    return xp.reshape(weight, (*t.shape, 1))


def _one_hot(xp, t, *, classes, ignore_index, dtype):
    """(..., classes): 1 at each label, else 0; any row for an ignored label."""
    labels, _, _ = _safe_labels(xp, t, ignore_index)
    columns = xp.cumulative_sum(xp.ones(classes, dtype=labels.dtype), axis=0) - 1
    hot = xp.reshape(labels, (-1, 1)) == columns
    return xp.reshape(xp.astype(hot, dtype), (*t.shape, classes))


# Labels are whole numbers: no rules.
label_weight = op("label_weight", _label_weight)
one_hot = op("one_hot", _one_hot)


def _softmax_cross_entropy_rule(F, g, _y, x, t, *, ignore_index):
    """(softmax(x) − one_hot(t)) / number, on the rows that count"""
    hot = F.one_hot(t, classes=x.shape[-1], ignore_index=ignore_index, dtype=x.dtype)
    weight = F.label_weight(t, ignore_index=ignore_index, dtype=x.dtype)
    return (F.softmax(x, axis=-1) - hot) * (weight * g), None


softmax_cross_entropy = op(
    "softmax_cross_entropy",
    _softmax_cross_entropy,
    vjp=_softmax_cross_entropy_rule,
    samples=(
        Sample((4, 3), (4,), ignore_index=-100, arrays={1: [0, 2, 1, 2]}),
        Sample((4, 3), (4,), ignore_index=1, arrays={1: [0, 1, 1, 2]}),
        Sample((2, 2, 3), (2, 2), ignore_index=-100, arrays={1: [[0, 2], [1, 2]]}),
    ),
    requires="logits (..., C) and whole labels (...) from 0 to C - 1, or ignore_index",
)


def _sigmoid_cross_entropy(xp, x, t):
    """Σ softplus(x) − x t / n, the cross-entropy of sigmoid(x) and t"""
    _check_equal(x, t)
    losses = real_only(xp.maximum(x, 0) - x * t) + raw_functions(xp).softplus_tail(x)
    flat = xp.reshape(losses, (-1,))
    return xp.sum(flat) / flat.shape[0]


sigmoid_cross_entropy = op(
    "sigmoid_cross_entropy",
    _sigmoid_cross_entropy,
    vjp=(
        lambda F, g, _y, x, t: (F.sigmoid(x) - t) * (g / math.prod(x.shape)),
        lambda F, g, _y, x, _t: -x * (g / math.prod(x.shape)),
    ),
    samples=(Sample((4, 1), (4, 1)), Sample((2, 3), (2, 3))),
    requires=EQUAL_SHAPES,
)
