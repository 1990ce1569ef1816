"""The base of models."""

from __future__ import annotations

from adjoint.layers import Layer

__all__ = ["Model"]


class Model(Layer):
    """A `Layer` that stands on its own; the base for models of your own.

    >>> from adjoint import functions as F, layers as L, models
    >>> class Tagger(models.Model):
    ...     def __init__(self):
    ...         self.inner = L.Linear(8, in_size=2)
    ...         self.outer = L.Linear(1, in_size=8)
    ...     def forward(self, x):
    ...         return self.outer(F.relu(self.inner(x)))
    >>> list(Tagger().params())
    ['inner.w', 'inner.b', 'outer.w', 'outer.b']
    """
