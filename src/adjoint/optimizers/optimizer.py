"""What optimizers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol
from weakref import ref

from adjoint.arrays import NAMESPACES, as_array
from adjoint.core.variable import Variable
from adjoint.errors import ArgumentError, DTypeError, ShapeError
from adjoint.optimizers import settings
from adjoint.tree import KeptArrays

__all__ = ["HasParams", "Hook", "Optimizer"]

# Takes the parameters and their gradients, and returns the gradients to use.
Hook = Callable[[Sequence[Variable], Sequence[Any]], Sequence[Any]]


class HasParams(Protocol):
    """A layer or model, or anything else with parameters by name."""

    def params(self) -> dict[str, Variable]: ...


class Optimizer:
    """Changes parameters by their gradients.

    A subclass defines `rule`, a pure function: from a parameter's array, its gradient's and the arrays that it
    keeps for this parameter (zeros at first, one for each name in `slots`), it makes the new ones. Of complex
    parameters, hooks and rules get the conjugate of the gradient, which is the direction of the steepest ascent.

    Args:
        learning_rate: the step size, above 0; it may be assigned anew between updates, and then be 0 as well, as at
            the end of a schedule.
        hooks: functions from parameters and gradients to the gradients to use, in this order.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    learning_rate: float = settings.from_zero()

    def __init__(self, learning_rate: float, hooks: Sequence[Hook] = ()) -> None:
        if not isinstance(hooks, (list, tuple)):
            raise DTypeError(f"hooks is a list of functions, not {hooks!r}")
        for hook in hooks:
            if not callable(hook):
                raise DTypeError(f"a hook is a function of parameters and gradients, not {hook!r}")
        if isinstance(learning_rate, (int, float)) and learning_rate <= 0:
            raise ArgumentError(f"learning_rate is a finite number above 0, not {learning_rate}")
        self.learning_rate = learning_rate
        self.hooks = list(hooks)
        self.updates = 0  # the number of updates so far
        # What is kept for each parameter. A weak reference is the same object each time, and hashes by identity.
        self._kept = KeptArrays(len(self.slots))

    def __getstate__(self) -> dict[str, Any]:
        # Copies and pickles hold what is kept together with its parameters: copy a model and its optimizer at once,
        # as in copy.deepcopy((model, optimizer)), and the one still belongs to the other.
        kept = [(key(), kept) for key, kept in self._kept.items() if key() is not None]
        return {**self.__dict__, "_kept": kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = KeptArrays(len(self.slots), {ref(parameter): kept for parameter, kept in state["_kept"]})
        self.__dict__.update({**state, "_kept": kept})

    def rule(self, xp: Any, p: Any, g: Any, *kept: Any) -> tuple[Any, ...]:
        """The new parameter and the new kept arrays; `updates` counts this one."""
        raise NotImplementedError(f"{type(self).__name__} defines no rule")

    def update(self, model: HasParams) -> None:
        """One step for every parameter of `model` that has a gradient.

        All new values are computed before any is assigned, so an error leaves everything as it was. Arrays are
        replaced, not written to.

        Raises:
            ShapeError: for a gradient of another shape than its parameter's.
            ArgumentError: for a hook that does not return a gradient for each parameter.
            DTypeError: for what has no parameters.
        """
        if not hasattr(model, "params"):
            raise DTypeError(f"update takes a layer or a model, or what has params() as they have, not {model!r}")
        parameters, gradients = self._with_gradients(model)
        if not parameters:
            return
        for hook in self.hooks:
            gradients = _returned(hook, parameters, hook(parameters, gradients))
        self.updates += 1
        try:
            results = [self._step(parameter, g) for parameter, g in zip(parameters, gradients, strict=True)]
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
            for key in [key for key in self._kept if key() is None]:
                del self._kept[key]

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
            if data.dtype.kind == "c":
                gradient = NAMESPACES[type(gradient)].conj(gradient)
            parameters.append(parameter)
            gradients.append(gradient)
        return parameters, gradients

    def _step(self, parameter: Variable, gradient: Any) -> tuple[Any, ...]:
        p = parameter._data
        xp = NAMESPACES[type(p)]
        if not self.slots:
            return self.rule(xp, p, gradient)
        kept = self._kept.get(ref(parameter))
        if kept is None or kept[0].shape != p.shape or kept[0].dtype != p.dtype:
            kept = tuple(xp.zeros_like(p) for _ in self.slots)
        return self.rule(xp, p, gradient, *kept)


def _returned(hook: Hook, parameters: list[Variable], returned: Any) -> list[Any]:
    """What a hook returned, if these are gradients for the parameters."""
    if returned is None:
        raise ArgumentError(f"the hook {hook!r} returned None; a hook returns the gradients to use")
    gradients = [as_array(gradient) for gradient in returned]
    if len(gradients) != len(parameters):
        raise ArgumentError(f"the hook {hook!r} returned {len(gradients)} gradients for {len(parameters)} parameters")
    for i, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
        if gradient.shape != parameter.shape:
            raise ShapeError(
                f"the hook {hook!r} returned a gradient of shape {gradient.shape} for a parameter {parameter.shape}"
            )
        if gradient.dtype != parameter.dtype:
            gradients[i] = gradient.astype(parameter.dtype)
    return gradients
