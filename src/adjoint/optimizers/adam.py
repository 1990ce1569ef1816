"""Adaptive moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint.optimizers import settings
from adjoint.optimizers.optimizer import Hook, Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015), in the form of the paper's section 2:

        m ← m + (1 − β₁)(g − m),  v ← v + (1 − β₂)(g² − v)
        p ← p − lr_t · m/(√v + eps),  lr_t = lr √(1 − β₂ᵗ)/(1 − β₁ᵗ)

    Args:
        learning_rate: lr, above 0.
        beta1, beta2: β₁ and β₂, at least 0 and below 1.
        eps: above 0.
        hooks: see `Optimizer`.

    >>> Adam().learning_rate
    0.001
    """

    slots = ("mean", "mean_square")
    beta1: float = settings.fraction()
    beta2: float = settings.fraction()
    eps: float = settings.positive()

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        *,
        hooks: Sequence[Hook] = (),
    ) -> None:
        super().__init__(learning_rate, hooks)
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps

    def corrected_rate(self) -> float:
        """lr_t, which makes up for moments that start from zero."""
        t = self.updates
        return self.learning_rate * (1.0 - self.beta2**t) ** 0.5 / (1.0 - self.beta1**t)

    def rule(self, xp: Any, p: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        """The formulas above; each line changes a fresh array in place, which is faster for large parameters."""
        m_new = g - m
        m_new *= 1.0 - self.beta1
        m_new += m
        v_new = g * (xp.conj(g) if g.dtype.kind == "c" else g)
        v_new -= v
        v_new *= 1.0 - self.beta2
        v_new += v
        m_new, v_new = xp.flush_tiny(m_new), xp.flush_tiny(v_new)
        step = self.corrected_rate() * m_new
        step /= xp.sqrt(v_new) + self.eps
        return p - step, m_new, v_new


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): p ← p − lr · wd · p − (Adam's step).

    Args:
        learning_rate, beta1, beta2, eps, hooks: as in `Adam`.
        weight_decay: wd, at least 0. Its step uses lr, not lr_t.

    >>> AdamW().weight_decay
    0.01
    """

    weight_decay: float = settings.from_zero()

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        hooks: Sequence[Hook] = (),
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, eps, hooks=hooks)
        self.weight_decay = weight_decay

    def rule(self, xp: Any, p: Any, g: Any, m: Any, v: Any) -> tuple[Any, ...]:
        """Adam's, on decayed weights."""
        new, m, v = super().rule(xp, p, g, m, v)
        return new - self.learning_rate * self.weight_decay * p, m, v
