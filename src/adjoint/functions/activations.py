"""Activations, normalised exponentials, dropout and the long short-term memory cell."""

from __future__ import annotations

import numbers
from typing import Any

from adjoint import random
from adjoint.config import is_training
from adjoint.core.apply import apply
from adjoint.core.arguments import as_variable
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.functions.elementwise import mul
from adjoint.ops import activations, recurrent

__all__ = [
    "dropout",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "lstm_cell",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "swish",
]


def sigmoid(x: Any) -> Variable:
    """1 / (1 + e⁻ˣ)

    >>> print(sigmoid(Variable(0.0)))
    variable(0.5)
    """
    return apply(activations.sigmoid, x)


def relu(x: Any) -> Variable:
    """max(x, 0); its derivative at 0 is 0.

    >>> print(relu(Variable([-1.0, 2.0])))
    variable[2]([0. 2.])
    """
    return apply(activations.relu, x)


def leaky_relu(x: Any, slope: float = 0.01) -> Variable:
    """x where it is positive, else slope · x.

    >>> print(leaky_relu(Variable([-1.0, 2.0]), 0.5))
    variable[2]([-0.5  2. ])
    """
    return apply(activations.leaky_relu, x, slope=slope)


def elu(x: Any, alpha: float = 1.0) -> Variable:
    """x where it is positive, else alpha · (eˣ − 1). Clevert, Unterthiner and Hochreiter, 2016.

    >>> print(elu(Variable([0.0, 2.0])))
    variable[2]([0. 2.])
    """
    return apply(activations.elu, x, alpha=alpha)


def softplus(x: Any) -> Variable:
    """ln(1 + eˣ), computed without overflow.

    >>> print(softplus(Variable(0.0)))
    variable(0.6931471805599453)
    """
    return apply(activations.softplus, x)


def swish(x: Any) -> Variable:
    """x · sigmoid(x). Ramachandran, Zoph and Le, 2017.

    >>> print(swish(Variable(0.0)))
    variable(0.0)
    """
    return mul(x, sigmoid(x))


def gelu(x: Any, approximate: str = "tanh") -> Variable:
    """The Gaussian error linear unit, x · Φ(x). Hendrycks and Gimpel, 2016.

    Args:
        x: an array.
        approximate: "tanh" for ½x(1 + tanh(√(2/π)(x + 0.044715x³))), "none" for ½x(1 + erf(x/√2)).

    Raises:
        ArgumentError: for another `approximate`.

    >>> print(gelu(Variable(0.0)))
    variable(0.0)
    """
    if approximate == "tanh":
        return apply(activations.gelu_tanh, x)
    if approximate == "none":
        return apply(activations.gelu_erf, x)
    raise ArgumentError(f"gelu: approximate is 'tanh' or 'none', not {approximate!r}")


def softmax(x: Any, axis: int = -1) -> Variable:
    """exp(x) / Σ exp(x) along `axis`, computed without overflow.

    >>> print(softmax(Variable([0.0, 0.0])))
    variable[2]([0.5 0.5])
    """
    return apply(activations.softmax, x, axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Variable:
    """x − ln Σ exp(x) along `axis`, computed without overflow.

    >>> print(log_softmax(Variable([0.0, 0.0])))
    variable[2]([-0.69314718 -0.69314718])
    """
    return apply(activations.log_softmax, x, axis=axis)


def dropout(x: Any, ratio: Any = 0.5, rng: Any = None) -> Variable:
    """In training, x/(1 − ratio) with each element set to 0 with probability `ratio`; in `test_mode`, x.

    Srivastava et al., 2014, in its inverted form: the expectation is x.

    Args:
        x: an array of floats.
        ratio: 0 ≤ ratio < 1.
        rng: the `numpy.random.Generator` to draw from.

    Raises:
        ArgumentError: for a ratio outside of [0, 1).

    >>> import adjoint as ad
    >>> print(dropout(Variable([1.0, 1.0, 1.0, 1.0]), 0.5, ad.random.const(1)))
    variable[4]([2. 2. 0. 2.])
    """
    if not isinstance(ratio, numbers.Real):
        raise DTypeError(f"dropout: the ratio is a number, not {ratio!r}")
    ratio = float(ratio)
    if not 0 <= ratio < 1:
        raise ArgumentError(f"dropout: the ratio is at least 0 and below 1, not {ratio}")
    x = as_variable(x)
    if not is_training() or ratio == 0:
        return x
    keep = random.draw(rng, "random", size=x.shape) >= ratio
    return mul(x, keep.astype(x.dtype) / (1.0 - ratio))


def lstm_cell(z: Any, c: Any = None) -> tuple[Variable, Variable]:
    """One step of a long short-term memory: c' = f c + i u, h = o tanh(c').

    f, i, o = sigmoid and u = tanh of the four parts of z, side by side in this order. Hochreiter and
    Schmidhuber, 1997; forget gate by Gers, Schmidhuber and Cummins, 2000.

    Args:
        z: (..., 4 · hidden), the gates before their activation.
        c: (..., hidden), the cell state, or None in the first step.

    Returns:
        h and c', each (..., hidden).

    >>> h, c = lstm_cell(Variable([[0.0, 0.0, 0.0, 1.0]]))
    >>> print(c)
    variable(0.3807970779778824)
    """
    h, cell = apply(recurrent.lstm_cell, z) if c is None else apply(recurrent.lstm_cell, z, c)
    return h, cell
