"""The multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adjoint import functions as F, random
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError
from adjoint.layers import Linear
from adjoint.models.model import Model

__all__ = ["MLP"]


class MLP(Model):
    """Linear layers with an activation between them; the last is linear, without activation.

    Args:
        sizes: the number of outputs of each layer.
        activation: a function of one Variable, as `functions.relu`.
        rng: the `numpy.random.Generator` for the weights; None for fresh entropy.

    Raises:
        ArgumentError: without a size, or for one below 1.
        DTypeError: for sizes that are no list, and an activation that is no function.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> model = MLP([10, 1], activation=F.relu, rng=ad.random.const())
    >>> model(ad.rand(100, 1)).shape
    (100, 1)
    >>> list(model.params())
    ['layers.0.w', 'layers.0.b', 'layers.1.w', 'layers.1.b']
    """

    def __init__(
        self, sizes: Sequence[int], activation: Callable[[Any], Variable] = F.sigmoid, rng: Any = None
    ) -> None:
        try:
            self._sizes = tuple(sizes)
        except TypeError:
            raise DTypeError(f"MLP takes a list of layer sizes, as [10, 1], not {sizes!r}") from None
        if not self._sizes:
            raise ArgumentError("MLP needs at least one layer size, as in MLP([10, 1])")
        if not callable(activation):
            raise DTypeError(f"the activation of MLP is a function of one Variable, as F.relu, not {activation!r}")
        rng = random.generator(rng)
        self._activation = activation
        self.layers = [Linear(size, rng=rng) for size in self._sizes]

    def forward(self, x: Any) -> Variable:
        """x (..., in) → (..., sizes[-1])"""
        *inner, last = self.layers
        for layer in inner:
            x = self._activation(layer(x))
        return last(x)

    def __repr__(self) -> str:
        name = getattr(self._activation, "__name__", repr(self._activation))
        return f"MLP({list(self._sizes)}, activation={name})"
