"""Losses, each the mean over all elements or examples, and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.arrays import namespace_of
from adjoint.core.apply import apply
from adjoint.core.value import array_of
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError, OutOfRangeError, ShapeError
from adjoint.functions import elementwise, reductions
from adjoint.ops import losses
from adjoint.ops.complex_numbers import is_complex

__all__ = [
    "accuracy",
    "binary_cross_entropy",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
]


def mean_squared_error(y: Any, t: Any) -> Variable:
    """Σ (y − t)² / n over all n elements.

    Raises:
        ShapeError: for unequal shapes.

    >>> print(mean_squared_error(Variable([1.0, 2.0]), [1.0, 4.0]))
    variable(2.0)
    """
    return apply(losses.mean_squared_error, y, t)


def binary_cross_entropy(p: Any, t: Any) -> Variable:
    """−Σ (t ln p + (1 − t) ln(1 − p)) / n for probabilities p. From logits, use `sigmoid_cross_entropy`.

    Raises:
        ShapeError: for unequal shapes.

    >>> print(binary_cross_entropy(Variable([0.5]), [1.0]))
    variable(0.6931471805599453)
    """
    p, t = _with_shape(p), _with_shape(t)
    if p.shape != t.shape:
        raise ShapeError(f"binary_cross_entropy: probabilities {p.shape} and targets {t.shape} have unequal shapes")
    if is_complex(p) or is_complex(t):
        raise DTypeError(f"binary_cross_entropy: probabilities are real numbers, not {p.dtype} and {t.dtype}")
    # xlogy: a term with weight 0 is 0, also where its logarithm is infinite.
    yes = t * elementwise.log(elementwise.where(array_of(t) == 0, 1.0, p))
    no = (1.0 - t) * elementwise.log(elementwise.where(array_of(t) == 1, 1.0, 1.0 - p))
    return -reductions.mean(yes + no)


def sigmoid_cross_entropy(x: Any, t: Any) -> Variable:
    """The binary cross-entropy of sigmoid(x) and t, Σ (ln(1 + eˣ) − x t) / n, computed without overflow.

    Raises:
        ShapeError: for unequal shapes.

    >>> print(sigmoid_cross_entropy(Variable([0.0]), [1.0]))
    variable(0.6931471805599453)
    """
    return apply(losses.sigmoid_cross_entropy, x, t)


def softmax_cross_entropy(x: Any, t: Any, ignore_index: int = -100) -> Variable:
    """−Σ ln softmax(x)[n, t[n]] / n over the labels that are not `ignore_index`; 0 if there are none.

    Args:
        x: logits, (N, C), or (..., C).
        t: whole labels from 0 to C − 1, (N,), or (...).
        ignore_index: the label of examples that do not count.

    Raises:
        ShapeError: where labels and logits do not go together.
        DTypeError: for labels that are not integers.
        OutOfRangeError: for a label outside of 0 … C − 1.

    >>> print(softmax_cross_entropy(Variable([[0.0, 0.0]]), [1]))
    variable(0.6931471805599453)
    """
    x = _with_shape(x)
    labels = _labels("softmax_cross_entropy", x, t, ignore_index)
    return apply(losses.softmax_cross_entropy, x, labels, ignore_index=ignore_index)


def accuracy(y: Any, t: Any, ignore_index: int = -100) -> Variable:
    """The share of rows of y (N, C), or (..., C), whose largest element stands at label t; it has no gradient.

    Args:
        y: scores, (N, C), or (..., C).
        t: whole labels from 0 to C − 1, (N,), or (...).
        ignore_index: the label of rows that do not count.

    Raises:
        ShapeError: where labels and predictions do not go together, or none count.
        DTypeError: for labels that are not integers.
        OutOfRangeError: for a label outside of 0 … C − 1.

    >>> print(accuracy(Variable([[0.1, 0.9], [0.8, 0.2]]), [1, 1]))
    variable(0.5)
    """
    y = _with_shape(y)
    labels = _labels("accuracy", y, t, ignore_index)
    scores = array_of(y)
    xp = namespace_of(scores, labels)
    counted = labels != ignore_index
    number = xp.sum(counted)
    xp.require(number > 0, lambda: ShapeError(f"accuracy: no label counts among those of shape {labels.shape}"))
    hits = xp.sum((xp.argmax(scores, axis=-1) == labels) & counted)
    share = hits / number
    return Variable(xp.astype(share, y.dtype) if y.dtype.kind == "f" else share)


def _with_shape(x: Any) -> Any:
    """A list or number as an array; Variables and arrays as they are."""
    return x if hasattr(x, "shape") else np.asarray(x)


def _labels(what: str, x: Any, t: Any, ignore_index: int) -> Any:
    """The labels as an array that fits x."""
    labels = array_of(t)
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{what}: labels are integers, not {labels.dtype}; use labels.astype(int)")
    if len(x.shape) < 1 or labels.shape != x.shape[:-1]:
        raise ShapeError(
            f"{what}: labels of shape {labels.shape} for rows of shape {tuple(x.shape)}; "
            f"they must be {tuple(x.shape[:-1])}"
        )
    classes = x.shape[-1]
    right = ((labels >= 0) & (labels < classes)) | (labels == ignore_index)
    namespace_of(labels).require(
        right,
        lambda: OutOfRangeError(
            f"{what}: label {labels[~right].flat[0]} for {classes} classes; labels are 0 to {classes - 1}, "
            f"or {ignore_index} for those that do not count"
        ),
    )
    return labels
