"""Gradient descent, with and without momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.optimizers import settings
from adjoint.optimizers.optimizer import Hook, Optimizer

__all__ = ["SGD", "Momentum"]


class SGD(Optimizer):
    """Stochastic gradient descent: p ← p − lr · g

    Args:
        learning_rate: lr, above 0.
        hooks: see `Optimizer`.

    >>> import adjoint as ad
    >>> from adjoint import layers as L
    >>> layer = L.Linear(1, in_size=1, bias=False)
    >>> layer.w.data = [[1.0]]
    >>> layer.w.grad = [[0.5]]
    >>> SGD(0.1).update(layer)
    >>> print(layer.w)
    variable(0.95)
    """

    def __init__(self, learning_rate: float = 0.01, *, hooks: Sequence[Hook] = ()) -> None:
        super().__init__(learning_rate, hooks)

    def rule(self, xp: Any, p: Any, g: Any) -> tuple[Any, ...]:
        """p − lr g"""
        return (p - self.learning_rate * g,)


class Momentum(Optimizer):
    """Gradient descent with momentum: v ← μ v − lr · g, p ← p + v. Polyak, 1964.

    Args:
        learning_rate: lr, above 0.
        momentum: μ, at least 0 and below 1.
        hooks: see `Optimizer`.

    >>> Momentum(0.1, 0.9).momentum
    0.9
    """

    slots = ("velocity",)
    momentum: float = settings.fraction()

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9, *, hooks: Sequence[Hook] = ()) -> None:
        super().__init__(learning_rate, hooks)
        self.momentum = momentum

    def rule(self, xp: Any, p: Any, g: Any, v: Any) -> tuple[Any, ...]:
        """v' = μ v − lr g, and p + v'"""
        v_new = self.momentum * v
        v_new -= self.learning_rate * g
        v_new = xp.flush_tiny(v_new)
        return p + v_new, v_new
