"""The long short-term memory model."""

from __future__ import annotations

from typing import Any

from adjoint import layers, random
from adjoint.core.variable import Variable
from adjoint.models.model import Model

__all__ = ["LSTM"]


class LSTM(Model):
    """An LSTM layer, then a linear one: one time step a call.

    Args:
        hidden_size: the number of LSTM units.
        out_size: the number of outputs.
        rng: the `numpy.random.Generator` for the weights; None for fresh entropy.

    Raises:
        ArgumentError: for a size below 1.

    >>> import adjoint as ad
    >>> model = LSTM(100, 1, rng=ad.random.const())
    >>> model(ad.rand(30, 1)).shape
    (30, 1)
    >>> list(model.params())
    ['lstm.x.w', 'lstm.x.b', 'lstm.h.w', 'linear.w', 'linear.b']
    """

    def __init__(self, hidden_size: int, out_size: int, rng: Any = None) -> None:
        rng = random.generator(rng)
        self.lstm = layers.LSTM(hidden_size, rng=rng)
        self.linear = layers.Linear(out_size, rng=rng)

    def forward(self, x: Any) -> Variable:
        """x (..., in) → (..., out_size)"""
        return self.linear(self.lstm(x))

    def __repr__(self) -> str:
        return f"LSTM({self.lstm._hidden_size}, {self.linear._out_size})"
