"""Models: layers put together. Each is a `Layer`: it has `params`, `cleargrads`, `reset_state`, `save`, `load`."""

from adjoint.models.lstm import LSTM as LSTM
from adjoint.models.mlp import MLP as MLP
from adjoint.models.model import Model as Model
