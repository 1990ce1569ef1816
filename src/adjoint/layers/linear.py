"""The linear layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint import functions as F, random
from adjoint.arrays import as_array, is_differentiable_dtype
from adjoint.checks import check_size
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError
from adjoint.layers.layer import Layer

__all__ = ["Linear", "float_dtype_of"]


def float_dtype_of(x: Any) -> Any:
    """The dtype for parameters that meet `x`: x's own, or float64 for integers and booleans."""
    return x.dtype if is_differentiable_dtype(x.dtype) else np.dtype(np.float64)


class Linear(Layer):
    """x w + b

    The weight is made at the first call, when the size and the dtype of the input are known, or at once where
    `in_size` is given; the dtype of the first input counts in either case. It is drawn from N(0, 1/in_size)
    (LeCun et al., "Efficient BackProp", 1998); the bias is zeros.

    Args:
        out_size: the number of outputs.
        in_size: the number of inputs; None to take it from the first input.
        bias: whether there is a bias.
        rng: the `numpy.random.Generator` to draw from; None for fresh entropy.
        blocks: draws the weight in that many blocks side by side, each as a layer of its own would.

    Attributes:
        w: (in_size, out_size), or None before the first call.
        b: (out_size,), or None.

    >>> import adjoint as ad
    >>> layer = Linear(2, rng=ad.random.const())
    >>> layer(ad.Variable([[1.0, 2.0, 3.0]])).shape
    (1, 2)
    >>> [(name, p.shape) for name, p in layer.params().items()]
    [('w', (3, 2)), ('b', (2,))]
    """

    w: Variable | None
    b: Variable | None

    def __init__(
        self, out_size: int, in_size: int | None = None, bias: bool = True, rng: Any = None, *, blocks: int = 1
    ) -> None:
        self._out_size = check_size("out_size", out_size)
        self._bias = bool(bias)
        self._rng = random.generator(rng)
        self._blocks = check_size("blocks", blocks)
        if self._out_size % self._blocks:
            raise ArgumentError(f"{out_size} outputs cannot be drawn in {blocks} equal blocks")
        self._in_size: int | None = None
        self._dtype_open = False
        self.w = self.b = None
        if in_size is not None:
            self.build(in_size, np.dtype(np.float64))
            self._dtype_open = True

    def expect(self, in_size: int) -> None:
        """Says what in_size will be, where the parameters are not made at once: a file that is loaded must fit."""
        self._in_size = in_size

    def build(self, in_size: int, dtype: Any) -> None:
        """Makes the parameters that are still missing, for inputs of `in_size` and `dtype`."""
        in_size = check_size("in_size", in_size)
        if self.w is None:
            width = self._out_size // self._blocks
            draws = [self._rng.standard_normal((in_size, width)) for _ in range(self._blocks)]
            self.w = Variable((np.concatenate(draws, axis=1) / math.sqrt(in_size)).astype(dtype))
        if self.b is None and self._bias:
            self.b = Variable(np.zeros(self._out_size, dtype))

    def _take_dtype(self, dtype: Any) -> None:
        """Parameters made before any input was seen take the dtype of the first."""
        self._dtype_open = False
        for parameter in self.params().values():
            parameter.data = parameter.data.astype(dtype, copy=False)

    def forward(self, x: Any) -> Variable:
        """x (..., in_size) → (..., out_size)"""
        if self.w is None or self._dtype_open:
            self.prepare(x)
        return F.linear(x, self.w, self.b)

    def prepare(self, x: Any) -> None:
        """Makes what is missing, by the size and the dtype of the first input."""
        if not hasattr(x, "shape"):
            x = as_array(x)
        if len(x.shape) == 0:
            raise ArgumentError("Linear takes inputs with at least one axis, (..., in_size), not a single number")
        if self._dtype_open and self.w is not None and x.shape[-1] == self.w.shape[0]:
            self._take_dtype(float_dtype_of(x))
        self.build(x.shape[-1], float_dtype_of(x))

    def pending(self) -> tuple[str, ...]:
        return (("w",) if self.w is None else ()) + (("b",) if self.b is None and self._bias else ())

    def _misfit(self, name: str, shape: tuple[int, ...]) -> str:
        if name == "w":
            fits = len(shape) == 2 and shape[1] == self._out_size and shape[0] == (self._in_size or max(shape[0], 1))
            wanted = f"({self._in_size or 'in_size'}, {self._out_size})"
        else:
            fits, wanted = shape == (self._out_size,), f"({self._out_size},)"
        return "" if fits else f"has shape {shape}, the model's is {wanted}"

    def __repr__(self) -> str:
        return f"Linear({self._out_size}{'' if self._bias else ', bias=False'})"
