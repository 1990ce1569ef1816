"""What a traced function has returned and changed, as outputs of its program and effects of a call."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.compile.changes import check_unchanged
from adjoint.compile.places import State, VariablePlace
from adjoint.compile.stand_ins import StandIns, TracedKept
from adjoint.compile.traced import Effect, Result, Returned, StructureChanged
from adjoint.core.variable import Variable
from adjoint.errors import TraceError
from adjoint.program import Instruction, Number, Trace, Tracer

__all__ = ["Effects", "has_new_parameters"]

_MISSING = object()
_VALUES = (str, tuple, list, dict, set, frozenset, np.generic, np.ndarray)


class Effects:
    """The outputs and effects of one trace.

    outputs, output_names: the program's
    effects: what is to be done with them
    warnings: texts for the user
    """

    def __init__(self, state: State, trace: Trace, stand_ins: StandIns) -> None:
        self.outputs: list[Instruction] = []
        self.output_names: list[str] = []
        self.effects: list[Effect] = []
        self.warnings: list[str] = []
        self._state = state
        self._trace = trace
        self._stand_ins = stand_ins
        self._given_out: dict[int, tuple[Variable, int]] = {}  # the output of each Variable

    def collect(self, result: Any, before: dict[int, dict[str, Any]]) -> Any:
        """Notes all that has changed, and gives what is returned, with results in the place of what was computed.

        before: the attributes of each object by its id

        Raises:
            TraceError: a call could not repeat a change.
            StructureChanged: there are new parameters.
        """
        returned = self._returned(result, "result")
        for place in self._state.variables.values():
            self._data_effect(place)
            if place.owner is None or vars(place.owner).get(place.name) is place.variable:
                self._gradient_effect(place)  # else the Variable was replaced, and with it its gradient
        self._kept_effects()
        for owner, label in list(self._state.owners.values()):
            self._attribute_effects(owner, label, before[id(owner)])
        check_unchanged(self._state, self._stand_ins.rebuilt)
        self._given_out.clear()
        return returned

    def _add_output(self, instruction: Instruction, name: str) -> int:
        self.outputs.append(instruction)
        self.output_names.append(name)
        return len(self.outputs) - 1

    def _output(self, value: Any, name: str) -> int:
        return self._add_output(self._trace.read(value), name)

    def _variable_output(self, value: Variable, name: str) -> int:
        """The output for a Variable, which may be given out at several places."""
        known = self._given_out.get(id(value))
        if known is None:
            known = self._given_out[id(value)] = value, self._output(value._data, name)
        return known[1]

    def _returned(self, value: Any, label: str) -> Any:
        if isinstance(value, Variable):
            place = self._state.variables.get(id(value))
            if place is not None:
                return Returned(place.path)
            return Result(self._variable_output(value, label), "variable", value.name, value.creator is not None)
        if isinstance(value, Tracer):
            if id(value) in self._stand_ins.given:
                return Returned(self._stand_ins.given[id(value)])
            return Result(self._output(value, label), "number" if isinstance(value, Number) else "array")
        kind = type(value)
        if kind in (list, tuple):
            return kind(self._returned(item, f"{label}[{i}]") for i, item in enumerate(value))
        if hasattr(kind, "_fields"):
            return kind(
                *(self._returned(item, f"{label}.{name}") for name, item in zip(kind._fields, value, strict=True))
            )
        if kind is dict:
            return {key: self._returned(item, f"{label}[{key!r}]") for key, item in value.items()}
        return value

    def _data_effect(self, place: VariablePlace) -> None:
        data = place.variable._data
        if not isinstance(data, Tracer):
            output = self._add_output(self._trace.captured(np.asarray(data)), place.label)
        elif data.instruction is not self._stand_ins.data[id(place.variable)].instruction:
            output = self._output(data, place.label)
        else:
            return
        self.effects.append(Effect("data", place.path, output))

    def _gradient_effect(self, place: VariablePlace) -> None:
        grad, first = place.variable._grad, self._stand_ins.grads[id(place.variable)]
        if grad is None:
            if first.variable is not None:
                self.effects.append(Effect("no grad", place.path))
        elif grad is not first.variable or self._trace.read(grad._data) is not first.instruction:
            if id(place.variable) in self._stand_ins.attached:
                raise TraceError(
                    f"{place.label} has a graph behind it, into which a gradient of a compiled function does not go; "
                    "pass its detach(), or compute it inside of the function"
                )
            output = self._variable_output(grad, f"the gradient of {place.label}")
            self.effects.append(Effect("grad", place.path, output))

    def _kept_effects(self) -> None:
        for path, stand_in in self._stand_ins.kept:
            for key, arrays in stand_in.items():
                name = self._state.names.of(key)
                if self._stand_ins.first_kept.get((id(stand_in), key)) is arrays:
                    continue
                label = f"what is kept for {self._stand_ins.place_of(key()).label}"
                outputs = tuple(self._output(array, label) for array in arrays)
                self.effects.append(Effect("kept", f"{path}[{name}]", outputs))

    def _attribute_effects(self, owner: Any, label: str, before: dict[str, Any]) -> None:
        space = self._state.names.of(vars(owner), "d")
        caches = getattr(type(owner), "_caches", ())
        numbers = {a.name: self._stand_ins.numbers[id(a)] for a in self._state.attributes if a.owner is owner}
        for name, value in list(vars(owner).items()):
            earlier, number = before.get(name, _MISSING), numbers.get(name)
            if name in caches or value is earlier or isinstance(value, TracedKept):
                continue
            if _is_new_parameter(name, value, earlier):
                raise StructureChanged
            if number is None or value is not number:
                self._attribute_effect(value, earlier, number, f"{space}[{name!r}]", f"{label}.{name}")
        for name in before.keys() - vars(owner).keys():
            raise TraceError(f"the function deletes {label}.{name}, which a compiled call cannot repeat")

    def _attribute_effect(self, value: Any, earlier: Any, number: Tracer | None, place: str, label: str) -> None:
        """An attribute that has another value now. `number` stood for the one before."""
        if isinstance(value, Number):
            step = _increment(value.instruction, number)
            if step is not None:
                self.effects.append(Effect("increment", place, step))
            else:
                self.effects.append(Effect("number", place, self._output(value, label)))
        elif isinstance(value, Tracer):
            self.effects.append(Effect("array", place, self._output(value, label)))
        elif isinstance(value, Variable):
            self._variable_effect(value, place, label)
        elif type(value) in (int, float):
            if value != earlier:
                raise TraceError(
                    f"the function changes {label} from {earlier!r} to {value!r}, which a compiled call cannot repeat; "
                    "change it outside of the compiled function"
                )
        elif isinstance(value, (list, tuple, dict)) and _holds_traced(value):
            self.effects.append(Effect("structure", place, None, self._returned(value, label)))
        elif type(value) in (bool, str, type(None)) or (isinstance(value, _VALUES) and not _holds_traced(value)):
            self.effects.append(Effect("constant", place, None, value))

    def _variable_effect(self, value: Variable, place: str, label: str) -> None:
        known = self._state.variables.get(id(value))
        if not isinstance(value._data, Tracer):
            self.effects.append(Effect("constant", place, None, value))
        elif known is not None:
            self.effects.append(Effect("alias", place, known.path))
        else:
            if value.creator is not None:  # eagerly, the next call's gradient would go back through this state
                self.warnings.append(
                    f"{label} is kept for the next call with the graph behind it, and gradients of a compiled call end "
                    "at its begin; cut it by unchain_backward(), or compute it under no_grad()"
                )
            self.effects.append(Effect("variable", place, self._variable_output(value, label), value.name))


def _holds_traced(value: Any) -> bool:
    """Whether a collection holds something that was computed."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        return any(map(_holds_traced, value))
    return isinstance(value, Tracer) or (isinstance(value, Variable) and isinstance(value._data, Tracer))


def _is_new_parameter(name: str, value: Any, earlier: Any) -> bool:
    return name[0] != "_" and isinstance(value, Variable) and not isinstance(earlier, Variable)


def has_new_parameters(owner: Any, before: dict[str, Any]) -> bool:
    """Whether an object, whose attributes `before` were, has more Variables that are parameters."""
    return any(_is_new_parameter(name, value, before.get(name)) for name, value in vars(owner).items())


def _increment(instruction: Instruction, first: Tracer | None) -> int | None:
    """k, where a whole number is the first value plus k."""
    step = 0
    while first is not None and instruction is not first.instruction:
        if instruction.op != "add" or instruction.dtype.kind != "i":
            return None
        a, b = instruction.inputs
        if b.op != "constant":
            a, b = b, a
        if b.op != "constant":
            return None
        step += b.params[0]
        instruction = a
    return step if first is not None else None
