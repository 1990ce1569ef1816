"""Optimizers: ``optimizer.update(model)`` changes a model's parameters by their gradients."""

from adjoint.optimizers.adam import (
    Adam as Adam,
    AdamW as AdamW,
)
from adjoint.optimizers.optimizer import (
    Hook as Hook,
    Optimizer as Optimizer,
)
from adjoint.optimizers.sgd import (
    SGD as SGD,
    Momentum as Momentum,
)
