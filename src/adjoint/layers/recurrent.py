"""Recurrent layers: one time step a call, with a state that is kept between calls."""

from __future__ import annotations

from typing import Any

from adjoint import functions as F, random
from adjoint.arrays import as_array
from adjoint.checks import check_size
from adjoint.core.variable import Variable
from adjoint.errors import StateError
from adjoint.layers.layer import Layer
from adjoint.layers.linear import Linear, float_dtype_of

__all__ = ["GRU", "LSTM", "RNN"]


class _Recurrent(Layer):
    """What recurrent layers share: the maps of input and hidden state to the gates, and the kept state.

    `x` maps the input, with a bias, `h` the hidden state, without. The gates lie side by side.
    """

    _gates: int

    def __init__(self, hidden_size: int, rng: Any = None) -> None:
        self._hidden_size = check_size("hidden_size", hidden_size)
        rng = random.generator(rng)
        width = self._gates * hidden_size
        self.x = Linear(width, rng=rng, blocks=self._gates)
        self.h = Linear(width, bias=False, rng=rng, blocks=self._gates)
        self.h.expect(self._hidden_size)
        self._hidden: Variable | None = None

    @property
    def hidden(self) -> Variable | None:
        """The hidden state, (..., hidden_size); None before the first step."""
        return self._hidden

    def reset_state(self) -> None:
        """Forgets the state: the next call is a first step."""
        super().reset_state()
        self._hidden = None

    def _ready(self, x: Any) -> Any:
        """The input as an array; parameters are made where they are missing, and the state must fit."""
        if not hasattr(x, "shape"):
            x = as_array(x)
        if self.h.w is None or self.x.w is None:
            self.x.prepare(x)
            self.h.build(self._hidden_size, float_dtype_of(x))
        hidden = self._hidden
        if hidden is not None and hidden.shape[:-1] != x.shape[:-1]:
            raise StateError(
                f"{type(self).__name__} keeps a state for inputs {(*hidden.shape[:-1], 'in')}, and this input is "
                f"{x.shape}; call reset_state() before a batch of another size"
            )
        return x

    def _preactivation(self, x: Any) -> Variable:
        """x w + b, and h v with it but for the first step: (..., gates · hidden_size)."""
        x = self._ready(x)
        if self._hidden is None:
            return self.x(x)
        return F.recurrent_linear(x, self.x.w, self._hidden, self.h.w, self.x.b)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._hidden_size})"


class RNN(_Recurrent):
    """h' = tanh(x w + b + h v). The first step has no hidden term. Elman, 1990.

    Args:
        hidden_size: the number of units.
        rng: the `numpy.random.Generator` for the weights; None for fresh entropy.

    Parameters: ``x.w`` (in, hidden), ``x.b`` (hidden,), ``h.w`` (hidden, hidden). Inputs are (..., in), one time
    step a call, outputs (..., hidden).

    Raises:
        StateError: for a batch of another size than the kept state's.

    >>> import adjoint as ad
    >>> layer = RNN(4, rng=ad.random.const())
    >>> layer(ad.Variable([[0.5]])).shape
    (1, 4)
    """

    _gates = 1

    def forward(self, x: Any) -> Variable:
        """x (..., in) → the new hidden state (..., hidden)"""
        self._hidden = F.tanh(self._preactivation(x))
        return self._hidden


class LSTM(_Recurrent):
    """Long short-term memory: c' = f c + i u, h' = o tanh(c'); in the first step c' = i u.

    f, i, o = sigmoid and u = tanh of x w + b + h v, where the gates lie side by side in this order.
    Hochreiter and Schmidhuber, 1997; forget gate by Gers, Schmidhuber and Cummins, 2000.

    Args:
        hidden_size: the number of units.
        rng: the `numpy.random.Generator` for the weights; None for fresh entropy.

    Parameters: ``x.w`` (in, 4 hidden), ``x.b`` (4 hidden,), ``h.w`` (hidden, 4 hidden). Inputs are (..., in), one
    time step a call, outputs (..., hidden).

    Raises:
        StateError: for a batch of another size than the kept state's.

    >>> import adjoint as ad
    >>> layer = LSTM(4, rng=ad.random.const())
    >>> layer(ad.Variable([[0.5]])).shape
    (1, 4)
    """

    _gates = 4

    def __init__(self, hidden_size: int, rng: Any = None) -> None:
        super().__init__(hidden_size, rng)
        self._cell: Variable | None = None

    @property
    def cell(self) -> Variable | None:
        """The cell state, (..., hidden_size); None before the first step."""
        return self._cell

    def reset_state(self) -> None:
        """Forgets both states: the next call is a first step."""
        super().reset_state()
        self._cell = None

    def forward(self, x: Any) -> Variable:
        """x (..., in) → the new hidden state (..., hidden)"""
        self._hidden, self._cell = F.lstm_cell(self._preactivation(x), self._cell)
        return self._hidden


class GRU(_Recurrent):
    """Gated recurrent unit: h' = (1 − z) n + z h; in the first step h' = (1 − z) n.

    z, r = sigmoid of their parts of x w + b + h v, and n = tanh(x w + b + r · h v) of the third, side by side
    in this order. Cho et al., 2014, with the reset gate applied after the product.

    Args:
        hidden_size: the number of units.
        rng: the `numpy.random.Generator` for the weights; None for fresh entropy.

    Parameters: ``x.w`` (in, 3 hidden), ``x.b`` (3 hidden,), ``h.w`` (hidden, 3 hidden). Inputs are (..., in), one
    time step a call, outputs (..., hidden).

    Raises:
        StateError: for a batch of another size than the kept state's.

    >>> import adjoint as ad
    >>> layer = GRU(4, rng=ad.random.const())
    >>> layer(ad.Variable([[0.5]])).shape
    (1, 4)
    """

    _gates = 3

    def forward(self, x: Any) -> Variable:
        """x (..., in) → the new hidden state (..., hidden)"""
        x = self._ready(x)
        size, h = self._hidden_size, self._hidden
        from_input = self.x(x)
        if h is None:
            z = F.sigmoid(from_input[..., :size])
            self._hidden = (1.0 - z) * F.tanh(from_input[..., 2 * size :])
            return self._hidden
        from_hidden = F.matmul(h, self.h.w)
        gates = F.sigmoid(from_input[..., : 2 * size] + from_hidden[..., : 2 * size])
        z, r = gates[..., :size], gates[..., size:]
        candidate = F.tanh(from_input[..., 2 * size :] + r * from_hidden[..., 2 * size :])
        self._hidden = (1.0 - z) * candidate + z * h
        return self._hidden
