"""Layers: ``from adjoint import layers as L``. They are called, ``layer(x)``, and hold their parameters."""

from adjoint.layers.layer import Layer as Layer
from adjoint.layers.linear import Linear as Linear
from adjoint.layers.recurrent import (
    GRU as GRU,
    LSTM as LSTM,
    RNN as RNN,
)
