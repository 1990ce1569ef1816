"""Hooks of optimizers: what is done to gradients before an update, given as ``hooks=[...]``.

A hook is called with the parameters and their gradients' arrays, both lists in the order of ``params()``, and
returns the gradients to use. It changes neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.arrays import namespace_of
from adjoint.core.variable import Variable
from adjoint.optimizers import settings

__all__ = ["ClipGrad", "WeightDecay"]


class WeightDecay:
    """g ← g + rate · p, the gradient of ½ rate |p|².

    Args:
        rate: a finite number from 0.

    >>> from adjoint import optimizers
    >>> optimizer = optimizers.SGD(0.1, hooks=[WeightDecay(1e-4)])
    """

    rate: float = settings.from_zero()

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, parameters: Sequence[Variable], gradients: Sequence[Any]) -> list[Any]:
        return [g + self.rate * p.data for p, g in zip(parameters, gradients, strict=True)]


class ClipGrad:
    """Scales all gradients by max_norm/(norm + 1e-6) where that is below 1; norm is that of all together.

    Pascanu, Mikolov and Bengio, 2013. The sum runs in the order of the parameters: bitwise the same every run.

    Args:
        max_norm: a number above 0.

    >>> from adjoint import optimizers
    >>> optimizer = optimizers.SGD(0.1, hooks=[ClipGrad(1.0)])
    """

    max_norm: float = settings.positive(finite=False)

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def __call__(self, parameters: Sequence[Variable], gradients: Sequence[Any]) -> list[Any]:
        if not gradients:
            return []
        xp = namespace_of(*gradients)
        sizes = [g * (xp.conj(g) if g.dtype.kind == "c" else g) for g in gradients]
        squares = [xp.astype(xp.sum(size), np.float64) for size in sizes]
        total = squares[0]
        for square in squares[1:]:
            total = total + square
        scale = xp.minimum(self.max_norm / (xp.sqrt(total) + 1e-6), 1.0)
        return [g * xp.astype(scale, g.dtype) for g in gradients]
