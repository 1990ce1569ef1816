"""What optimizers share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol
from weakref import ref

from adjoint.arrays import NAMESPACES
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["Hook", "HasParams", "Optimizer", "check_fraction", "check_positive"]

# Takes the parameters and their gradients, and returns the gradients to use.
Hook = Callable[[Sequence[Variable], Sequence[Any]], Sequence[Any]]


class HasParams(Protocol):
    """A layer or model, or anything else with parameters by name."""

    def params(self) -> dict[str, Variable]: ...


def check_positive(what: str, value: float) -> float:
    """`value` if it is a finite number above 0."""
    if not hasattr(value, "__float__"):
        raise DTypeError(f"{what} is a number, not {value!r}")
    if not 0 < float(value) < math.inf:
        raise ArgumentError(f"{what} is a finite number above 0, not {value}")
    return float(value)


def check_fraction(what: str, value: float) -> float:
    """`value` if it is at least 0 and below 1."""
    if not 0 <= value < 1:
        raise ArgumentError(f"{what} is at least 0 and below 1, not {value}")
    return float(value)


class Optimizer:
    """Changes parameters by their gradients.

    A subclass defines `rule`, a pure function: from a parameter's array, its gradient's and the arrays that it
    keeps for this parameter (zeros at first, one for each name in `slots`), it makes the new ones.

    Args:
        learning_rate: the step size; it may be assigned anew between updates.
        hooks: functions from parameters and gradients to the gradients to use, in this order.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: float, hooks: Sequence[Hook] = ()) -> None:
        self.learning_rate = check_positive("learning_rate", learning_rate)
        self.hooks = list(hooks)
        self.updates = 0  # the number of updates so far
        # What is kept for each parameter. A weak reference is the same object each time, and hashes by identity.
        self._kept: dict[ref[Variable], tuple[Any, ...]] = {}

    def rule(self, xp: Any, p: Any, g: Any, *kept: Any) -> tuple[Any, ...]:
        """The new parameter and the new kept arrays; `updates` counts this one."""
        raise NotImplementedError(f"{type(self).__name__} defines no rule")

    def update(self, model: HasParams) -> None:
        """One step for every parameter of `model` that has a gradient.

        All new values are computed before any is assigned, so an error leaves everything as it was. Arrays are
        replaced, not written to.

        Raises:
            ShapeError: for a gradient of another shape than its parameter's.
        """
        parameters, gradients = self._with_gradients(model)
        if not parameters:
            return
        for hook in self.hooks:
            gradients = hook(parameters, gradients)
        self.updates += 1
        try:
            step = self._step if self.slots else self._step_without_slots
            results = [step(parameter, g) for parameter, g in zip(parameters, gradients, strict=True)]
        except BaseException:
            self.updates -= 1
            raise
        for parameter, result in zip(parameters, results, strict=True):
            parameter._data = result[0]
        if self.slots:
            self._keep(parameters, results)

    def _keep(self, parameters: list[Variable], results: list[tuple[Any, ...]]) -> None:
        """Keeps what the rule made beside the new parameters; drops what is kept for Variables that are gone."""
        for parameter, result in zip(parameters, results, strict=True):
            self._kept[ref(parameter)] = result[1:]
        if len(self._kept) > 2 * len(parameters):
            self._kept = {key: kept for key, kept in self._kept.items() if key() is not None}

    def _with_gradients(self, model: HasParams) -> tuple[list[Variable], Sequence[Any]]:
        parameters, gradients = [], []
        for path, parameter in model.params().items():
            if parameter._grad is None:
                continue
            gradient, data = parameter._grad._data, parameter._data
            if gradient.shape != data.shape:
                raise ShapeError(f"the gradient of {path!r} has shape {gradient.shape}, the parameter {data.shape}")
            if gradient.dtype != data.dtype:
                gradient = gradient.astype(data.dtype)
            parameters.append(parameter)
            gradients.append(gradient)
        return parameters, gradients

    def _step_without_slots(self, parameter: Variable, gradient: Any) -> tuple[Any, ...]:
        p = parameter._data
        return self.rule(NAMESPACES[type(p)], p, gradient)

    def _step(self, parameter: Variable, gradient: Any) -> tuple[Any, ...]:
        p = parameter._data
        xp = NAMESPACES[type(p)]
        kept = self._kept.get(ref(parameter))
        if kept is None or kept[0].shape != p.shape or kept[0].dtype != p.dtype:
            kept = tuple(xp.zeros_like(p) for _ in self.slots)
        return self.rule(xp, p, gradient, *kept)
