"""Running a function once on tracers: what it computes becomes a program, what it changes a list of effects.

While it runs, the arrays of all Variables that it can reach are tracers, and so are numbers and arrays among the
attributes of its objects. Whatever happens, everything is put back before the trace is left: the first call is
then made as every other, by the program.
"""

from __future__ import annotations

import copy
import gc
import random as python_random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CellType, FrameType
from typing import Any
from weakref import ref

import numpy as np

from adjoint import random
from adjoint.compile.state import (
    Attribute,
    Names,
    State,
    VariablePlace,
    generator_state,
    set_generator_state,
)
from adjoint.compile.watching import Reads, watched
from adjoint.core.variable import Variable, apply
from adjoint.errors import AdjointError, TraceError, user_line
from adjoint.program import Instruction, Number, Program, Trace, Tracer
from adjoint.tree import KeptArrays

__all__ = ["Effect", "InputSource", "Result", "Returned", "StructureChanged", "Traced", "trace"]


class StructureChanged(Exception):
    """The function made parameters on the way: it has to run once before it can be traced."""


@dataclass(frozen=True)
class InputSource:
    """Where an input comes from at a call.

    kind: "data" or "grad" of a Variable, "array", "float" or "int" (an attribute or argument), "kept", "draw"
    path: the expression that gives the array or number; for "data" and "grad", the Variable
    """

    kind: str
    path: str
    label: str
    detail: Any = None


@dataclass(frozen=True)
class Effect:
    """What is to be done with a result after a call.

    kind: "data", "grad", "no grad", "kept", "variable", "array", "number" or "increment"
    path: the Variable's path, or that of the attribute's place
    output: the number of the program's output, or the increment
    """

    kind: str
    path: str
    output: Any = None
    detail: Any = None


@dataclass
class Traced:
    """A program, and what to do with it at each call.

    sources: for each input of the program
    effects: after the call
    result: what the function returned, with `Result`s in the place of arrays
    conditions: guards, as expressions, with their causes
    """

    program: Program
    state: State
    sources: list[InputSource]
    effects: list[Effect]
    result: Any
    conditions: list[tuple[str, str]]
    frozen: list[tuple[Any, Any]]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Result:
    """Stands in a returned structure for output number `output`: an array, a Variable, or a number."""

    output: int
    kind: str
    name: str | None = None
    attached: bool = False  # whether there is a graph behind it


@dataclass(frozen=True)
class Returned:
    """Stands in a returned structure for a Variable that was found, or given: it is returned itself."""

    path: str


def trace(function: Callable[..., Any], args: Any, kwargs: Any, state: State) -> Traced:
    """The program of `function`.

    Gradients that are None are traced as if they were there first. Where nothing reads them the program holds for
    both; else it is traced again for their absence.
    """
    traced = _Tracing(state, phantoms=True).run(function, args, kwargs)
    return traced if traced is not None else _require(_Tracing(state, phantoms=False).run(function, args, kwargs))


def _require(traced: Traced | None) -> Traced:
    assert traced is not None
    return traced


class _TracedKept(KeptArrays):
    """Takes the place of an optimizer's kept arrays: what is asked for becomes an input."""

    def __init__(self, original: KeptArrays, path: str, tracing: _Tracing) -> None:
        super().__init__(original.count)
        self._path = path
        self._tracing = tracing

    def get(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            place = self._tracing.place_of(key())
            data = self._tracing.data[id(key())]
            name = self._tracing.state.names.of(key)
            label = f"what is kept for {place.label}"
            self[key] = tuple(
                self._tracing.array(InputSource("kept", f"{self._path}[{name}][{i}]", label, (self, key)), data)
                for i in range(self.count)
            )
            self._tracing.first_kept[id(self), key] = self[key]
        return super().get(key, default)


class _Tracing:
    def __init__(self, state: State, *, phantoms: bool) -> None:
        self.state = state
        self.phantoms = phantoms
        self.trace = Trace()
        self.trace.on_capture = self._check_captured
        self.data: dict[int, Tracer] = {}  # of each Variable, at the start
        self.grads: dict[int, tuple[Variable | None, Instruction | None, bool]] = {}  # and is it a phantom
        self.numbers: dict[int, Tracer] = {}
        self.kept: list[tuple[str, Any, _TracedKept]] = []
        self.first_kept: dict[tuple[int, Any], tuple[Tracer, ...]] = {}
        self.attached: set[int] = set()  # Variables that came with a graph
        self.unknown_before: list[tuple[Variable, Any, Any]] = []
        self.unknown: list[tuple[ref[Variable], str | None]] = []  # Variables that were read, but not found
        self.given: dict[int, str] = {}  # the path of each argument, by its tracer
        self.rebuilt: list[tuple[Any, Any, str]] = []  # containers among the arguments
        self.wrapped: dict[int, tuple[Variable, int]] = {}  # the output of each Variable that is given out
        self.outputs: list[Instruction] = []
        self.output_names: list[str] = []
        self.effects: list[Effect] = []
        self.warnings: list[str] = []

    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Traced | None:
        owners = [owner for owner, _ in self.state.owners.values()]
        before = {id(owner): dict(vars(owner)) for owner in owners}
        draws = _generator_states(self.state)
        shared = _shared_states()
        recorder = random.RECORDER.set(self._draw)
        try:
            with self._replaced(before), self.trace:
                try:
                    with watched(owners) as reads:
                        result = function(*self._arguments(args), **self._named_arguments(kwargs))
                except Exception as error:
                    swallowed = _trace_error_behind(error)
                    if swallowed is not None:
                        raise swallowed from error  # NumPy makes a ValueError of it
                    if isinstance(error, AdjointError) and any(
                        _has_new_parameters(owner, before[id(owner)]) for owner in owners
                    ):
                        raise StructureChanged from None
                    raise
                returned = self._collect(result, before)
                del result
            phantom_used = self._phantom_used()
        finally:
            random.RECORDER.reset(recorder)
            after = _generator_states(self.state)
            _restore_generators(self.state, draws)
            shared_after = _shared_states()
            _restore_shared(shared)
        if repr(draws) != repr(after[: len(draws)]) or repr(shared) != repr(shared_after):
            raise TraceError(
                "the function draws from a random generator itself, and a compiled call would repeat the numbers "
                "of the first; draw by F.dropout or ad.rand, ad.randn, ad.normal with rng=…, or pass draws as arguments"
            )
        if phantom_used:
            return None
        return self._traced(function, returned, reads)

    # Before the function runs

    def array(self, source: InputSource, like: Any) -> Tracer:
        """A tracer for an input."""
        return self.trace.tracer(source, like)

    def place_of(self, variable: Any) -> VariablePlace:
        place = self.state.variables.get(id(variable))
        if place is None:
            raise TraceError(
                f"{variable!r} is updated by an optimizer, but was not found in what the function holds; "
                "pass the model as ad.compile(…, state=[model])"
            )
        return place

    @contextmanager
    def _replaced(self, before: dict[int, dict[str, Any]]) -> Iterator[None]:
        """Within the block, what was found is traced; afterwards all is as it was."""
        saved = [(p.variable, p.variable._data, p.variable._grad, p.variable._link) for p in self._places()]
        kept = [(owner, name) for _, owner, original in self.state.kept for name in _names_of(owner, original)]
        originals = {id(owner): vars(owner) for owner, _ in self.state.owners.values()}
        try:
            self._trace_variables()
            for attribute in self.state.attributes:
                if attribute.owner is not None:
                    vars(attribute.owner)[attribute.name] = self._traced_attribute(attribute)
            for path, owner, original in self.state.kept:
                stand_in = _TracedKept(original, path, self)
                self.kept.append((path, original, stand_in))
                for name in _names_of(owner, original):
                    vars(owner)[name] = stand_in
            yield
        finally:
            for variable, data, grad, link in saved:
                variable._data, variable._grad, variable._link = data, grad, link
            for variable, grad, link in self.unknown_before:
                variable._grad, variable._link = grad, link
            self.unknown_before.clear()
            for owner_id, attributes in originals.items():
                attributes.clear()
                attributes.update(before[owner_id])
            for container, earlier, _ in self.state.containers:
                if not _same_items(container, earlier):
                    container.clear()
                    (container.extend if hasattr(container, "extend") else container.update)(earlier)
            self._put_names_back()
            del kept

    def _check_captured(self, array: Any) -> None:
        """An op reads an array that is no tracer. That of a Variable which is kept somewhere would stay as it is now."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code is not _APPLY:
            if frame.f_code is _RUN:
                return
            frame = frame.f_back
        if frame is None:
            return
        for value in frame.f_locals["inputs"]:
            if isinstance(value, Variable) and value._data is array and id(value) not in self.state.variables:
                self.unknown.append((ref(value), user_line()))
                self.unknown_before.append((value, value._grad, value._link))

    def _check_unknown(self) -> None:
        """Variables that were read, were not found, and are still there now that the function is left."""
        for reference, line in self.unknown:
            value = reference()
            holder = None if value is None else _holder(value)
            if value is not None and holder is not None:
                raise TraceError(
                    f"{value._brief()}, held {holder}, is used by the function at {line}, but was not found in what it "
                    "holds; pass the object that holds it as ad.compile(…, state=[…])"
                )

    def _put_names_back(self) -> None:
        for array, values, _ in self.state.arrays:
            if array.flags.writeable:
                array[...] = values
        for cell, value, _ in self.state.cells:
            cell.cell_contents = value
        for space, name, value in self.state.globals:
            space[name] = value
        for space, names in self.state.spaces.values():
            for name in space.keys() - names if len(space) != len(names) else ():
                del space[name]
        for owner, attributes, _ in self.state.classes:
            for name, value in attributes.items():
                if vars(owner).get(name, _MISSING) is not value:
                    setattr(owner, name, value)

    def _places(self) -> list[VariablePlace]:
        return list(self.state.variables.values())

    def _trace_variables(self) -> None:
        for place in self._places():
            variable = place.variable
            original = variable._data
            tracer = self.data[id(variable)] = self.array(InputSource("data", place.path, place.label), original)
            grad = variable._grad
            floats = original.dtype.kind == "f"
            if grad is not None or (self.phantoms and floats):
                like = original if grad is None else grad._data
                source = InputSource("grad", place.path, f"the gradient of {place.label}", grad is None)
                traced = self.array(source, like)
                stand_in = _leaf(traced)
                self.grads[id(variable)] = (stand_in, traced.instruction, grad is None)
                variable._grad = stand_in
            else:
                self.grads[id(variable)] = (None, None, False)
            if variable.creator is not None:
                self.attached.add(id(variable))
            variable._data = tracer
            variable._link = None

    def _traced_attribute(self, attribute: Attribute) -> Any:
        kind = type(attribute.value)
        if kind in (float, int):
            source = InputSource("float" if kind is float else "int", attribute.path, attribute.label)
            number = self.trace.number(source, attribute.value)
            self.numbers[id(attribute)] = number
            return number
        tracer = self.array(InputSource("array", attribute.path, attribute.label), attribute.value)
        if attribute.owner is None:
            self.trace.arguments.add(tracer.instruction)
        self.numbers[id(attribute)] = tracer
        return tracer

    def _arguments(self, args: Any) -> list[Any]:
        self._by_path = {a.path: a for a in self.state.attributes if a.owner is None}
        return [self._argument(value, f"a[{i}]") for i, value in enumerate(args)]

    def _named_arguments(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {name: self._argument(value, f"b[{name!r}]") for name, value in kwargs.items()}

    def _argument(self, value: Any, path: str) -> Any:
        attribute = self._by_path.get(path)
        if attribute is not None:
            tracer = self._traced_attribute(attribute)
            self.given[id(tracer)] = path
            return tracer
        kind = type(value)
        if hasattr(kind, "_fields"):
            return kind(*(self._argument(item, f"{path}[{i}]") for i, item in enumerate(value)))
        if isinstance(value, tuple):
            return kind(self._argument(item, f"{path}[{i}]") for i, item in enumerate(value))
        if isinstance(value, list):
            rebuilt: Any = copy.copy(value)
            rebuilt[:] = [self._argument(item, f"{path}[{i}]") for i, item in enumerate(value)]
        elif isinstance(value, dict):
            names = self.state.names
            rebuilt = copy.copy(value)
            for key, item in value.items():
                place = repr(key) if type(key) in (str, int) else names.of(key)
                rebuilt[key] = self._argument(item, f"{path}[{place}]")
        else:
            return value
        self.rebuilt.append((rebuilt, copy.copy(rebuilt), _argument_label(path)))
        return rebuilt

    def _draw(self, generator: Any, method: str, arguments: Any, size: tuple[int, ...]) -> Tracer:
        """Notes a draw: each call makes it anew, in the same order."""
        name = self.state.names.of(generator)
        self.state.generators.setdefault(id(generator), (name, generator))
        like = getattr(np.random.default_rng(0), method)(*arguments, 0)
        given = "".join(f"{self.state.names.of(x)}, " for x in arguments)
        source = InputSource("draw", f"{name}.{method}({given}{size!r})", f"{method}{size}", name)
        return self.array(source, np.broadcast_to(like[:0].sum(), size))

    # After the function has run

    def _output(self, value: Any, name: str) -> int:
        self.outputs.append(self.trace.read(value))
        self.output_names.append(name)
        return len(self.outputs) - 1

    def _variable_output(self, value: Variable, name: str) -> int:
        """The output for a Variable, which may be given out at several places."""
        known = self.wrapped.get(id(value))
        if known is None:
            known = self.wrapped[id(value)] = value, self._output(value._data, name)
        return known[1]

    def _collect(self, result: Any, before: dict[int, dict[str, Any]]) -> Any:
        returned = self._returned(result, "result")
        for place in self._places():
            self._variable_effects(place)
        self._kept_effects()
        for owner, label in list(self.state.owners.values()):
            self._attribute_effects(owner, label, before[id(owner)])
        self._check_side_effects()
        self.wrapped.clear()
        # Only what they were: the Variables may lead to graphs, and so to tracers.
        self.grads = {key: (None, instruction, phantom) for key, (_, instruction, phantom) in self.grads.items()}
        return returned

    def _check_side_effects(self) -> None:
        """Raises TraceError for changes that a call could not repeat."""
        changed = [
            f"{label}, a {type(container).__name__}"
            for container, earlier, label in [*self.state.containers, *self.rebuilt]
            if not _same_items(container, earlier)
        ]
        changed += [
            f"an element of {label}"
            for array, earlier, label in self.state.arrays
            if not np.array_equal(array, earlier, equal_nan=array.dtype.kind == "f")
        ]
        changed += [name for cell, value, name in self.state.cells if cell.cell_contents is not value]
        changed += [f"the global {name}" for space, name, value in self.state.globals if space.get(name) is not value]
        for space, names in self.state.spaces.values():
            changed += [f"the global {name}" for name in (space.keys() - names if len(space) != len(names) else ())]
        for owner, attributes, _ in self.state.classes:
            changed += [
                f"{owner.__name__}.{name}"
                for name, value in attributes.items()
                if vars(owner).get(name, _MISSING) is not value
            ]
        if changed:
            raise TraceError(
                f"the function changes {changed[0]}, which a compiled call cannot repeat; return the new value and "
                "store it after the call"
            )

    def _returned(self, value: Any, label: str) -> Any:
        """What is returned, with results in the place of what was computed."""
        if isinstance(value, Variable):
            place = self.state.variables.get(id(value))
            if place is not None:
                return Returned(place.path)
            return Result(self._variable_output(value, label), "variable", value.name, value.creator is not None)
        if isinstance(value, Tracer) and id(value) in self.given:
            return Returned(self.given[id(value)])
        if isinstance(value, Number):
            return Result(self._output(value, label), "number")
        if isinstance(value, Tracer):
            return Result(self._output(value, label), "array")
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

    def _variable_effects(self, place: VariablePlace) -> None:
        variable = place.variable
        if not isinstance(variable._data, Tracer):
            self.outputs.append(self.trace.captured(np.asarray(variable._data)))
            self.output_names.append(place.label)
            self.effects.append(Effect("data", place.path, len(self.outputs) - 1))
        elif variable._data.instruction is not self.data[id(variable)].instruction:
            self.effects.append(Effect("data", place.path, self._output(variable._data, place.label)))
        if place.owner is not None and vars(place.owner).get(place.name) is not variable:
            return  # the Variable was replaced, and with it its gradient
        grad = variable._grad
        first, instruction, phantom = self.grads[id(variable)]
        label = f"the gradient of {place.label}"
        if grad is None:
            if first is not None:
                self.effects.append(Effect("no grad", place.path))
        elif grad is not first or self.trace.read(grad._data) is not instruction:
            if id(variable) in self.attached:
                raise TraceError(
                    f"{place.label} has a graph behind it, into which a gradient of a compiled function does not go; pass "
                    "its detach(), or compute it inside of the function"
                )
            self.effects.append(Effect("grad", place.path, self._variable_output(grad, label)))
        elif phantom:
            return

    def _kept_effects(self) -> None:
        for path, _, stand_in in self.kept:
            for key, arrays in stand_in.items():
                name = self.state.names.of(key)
                first = self.first_kept.get((id(stand_in), key))
                if first is arrays:
                    continue
                place = self.place_of(key())
                outputs = tuple(self._output(array, f"what is kept for {place.label}") for array in arrays)
                self.effects.append(Effect("kept", f"{path}[{name}]", outputs))

    def _attribute_effects(self, owner: Any, label: str, before: dict[str, Any]) -> None:
        now = {name: value for name, value in vars(owner).items() if name not in getattr(type(owner), "_caches", ())}
        space = self.state.names.of(vars(owner), "d")
        numbers = {a.name: self.numbers[id(a)] for a in self.state.attributes if a.owner is owner}
        caches = getattr(type(owner), "_caches", ())
        for name, value in now.items():
            if name in caches:
                continue
            earlier = before.get(name, _MISSING)
            place, what = f"{space}[{name!r}]", f"{label}.{name}"
            if value is earlier or value is numbers.get(name, _MISSING) or isinstance(value, _TracedKept):
                continue
            if isinstance(value, Number):
                self._number_effect(value, numbers.get(name), place, what)
            elif isinstance(value, Tracer):
                self.effects.append(Effect("array", place, self._output(value, what)))
            elif isinstance(value, Variable):
                self._attribute_variable(value, earlier, place, what, name)
            elif type(value) in (bool, str, type(None)) or (
                isinstance(value, (tuple, list, dict, set, frozenset, np.generic)) and not _holds_traced(value)
            ):
                self.effects.append(Effect("constant", place, None, value))
            elif type(value) in (int, float) and value != earlier:
                raise TraceError(
                    f"the function changes {what} from {earlier!r} to {value!r}, which a compiled call cannot repeat; "
                    "change it outside of the compiled function"
                )
            elif isinstance(value, (list, tuple, dict)) and _holds_traced(value):
                self.effects.append(Effect("structure", place, None, self._returned(value, what)))
        for name in before.keys() - vars(owner).keys():
            raise TraceError(f"the function deletes {label}.{name}, which a compiled call cannot repeat")

    def _attribute_variable(self, value: Variable, earlier: Any, place: str, what: str, name: str) -> None:
        if _is_new_parameter(name, value, earlier):
            raise StructureChanged
        known = self.state.variables.get(id(value))
        if not isinstance(value._data, Tracer):
            self.effects.append(Effect("constant", place, None, value))
        elif known is not None:
            self.effects.append(Effect("alias", place, known.path))
        else:
            self._warn_attached(value, what)
            self.effects.append(Effect("variable", place, self._variable_output(value, what), value.name))

    def _warn_attached(self, value: Variable, what: str) -> None:
        """Eagerly, the next call's gradient would go back through this state."""
        if value.creator is not None:
            self.warnings.append(
                f"{what} is kept for the next call with the graph behind it, and gradients of a compiled call end at "
                "its begin; cut it by unchain_backward(), or compute it under no_grad()"
            )

    def _number_effect(self, value: Number, first: Tracer | None, place: str, what: str) -> None:
        step = _increment(value.instruction, first)
        if step is not None:
            self.effects.append(Effect("increment", place, step))
        else:
            self.effects.append(Effect("number", place, self._output(value, what)))

    def _phantom_used(self) -> bool:
        phantoms = {instruction for _, instruction, phantom in self.grads.values() if phantom}
        if not phantoms:
            return False
        program = self._program("")
        return bool(phantoms & _inputs_read(program))

    def _program(self, name: str) -> Program:
        names = [getattr(source, "label", "a constant array") for source in self.trace.sources]
        return Program(self.trace.inputs, self.outputs, names, self.output_names, name, self.trace.checks)

    def _traced(self, function: Any, returned: Any, reads: Reads) -> Traced:
        full = self._program(getattr(function, "__name__", "function"))
        used = _inputs_read(full)
        captured = {id(array) for array in self.trace.captured_arrays()}
        sources, inputs, names = [], [], []
        for instruction, source, name in zip(full.inputs, self.trace.sources, full.input_names, strict=True):
            if instruction not in used and instruction not in self.trace.pinned:
                continue
            if id(source) in captured:
                source = InputSource("array", self.state.names.of(source), "an array that it found")
            inputs.append(instruction)
            sources.append(source)
            names.append(name)
        full.inputs, full.input_names = inputs, names
        self._check_unknown()
        self._check_survivors()
        return Traced(
            full,
            self.state,
            sources,
            self.effects,
            returned,
            self._conditions(reads, sources),
            self.trace.frozen,
            self.warnings,
        )

    def _conditions(self, reads: Reads, sources: list[InputSource]) -> list[tuple[str, str]]:
        """The guards that matter: of what was read, of gradients where they matter, of numbers that were pinned."""
        conditions = [
            (guard.condition, guard.cause)
            for guard in self.state.guards
            if guard.owner is None or reads.has(guard.owner, guard.attribute)
        ]
        for place in self._places():
            _, instruction, _ = self.grads[id(place.variable)]
            if instruction is None and not self.phantoms and place.variable.dtype.kind == "f":
                conditions.append((f"{place.path}._grad is None", f"{place.label} has a gradient now"))
        for source in sources:
            if source.kind == "grad":
                conditions.append((f"{source.path}._grad is not None", f"{source.label} is None now"))
        names = self.state.names
        by_instruction = dict(zip(self.trace.inputs, self.trace.sources, strict=True))
        for attribute in self.state.attributes:
            number = self.numbers.get(id(attribute))
            if isinstance(number, Number) and number.instruction in self.trace.pinned:
                path = by_instruction[number.instruction].path
                cause = f"{attribute.label}, {attribute.value!r} before, has another value, which the function reads"
                conditions.append((f"same_number({path}, {names.of(attribute.value)})", cause))
        arguments = self.state.arguments
        for i, place in enumerate(arguments):
            for other in arguments[:i]:
                conditions.append((f"{place.path} is not {other.path}", f"{place.label} is the same as {other.label}"))
        if arguments:
            ours = [p for p in self._places() if p not in arguments]
            if ours:
                known = names.of(frozenset(id(p.variable) for p in ours))
                conditions += [
                    (f"id({place.path}) not in {known}", f"{place.label} is a parameter as well") for place in arguments
                ]
        return conditions

    def _check_survivors(self) -> None:
        """Tracers that something still holds would be read later, without a value."""
        self.data.clear()
        ours = {id(tracer) for tracer in self.numbers.values()}
        ours |= {id(t) for arrays in self.first_kept.values() for t in arrays}
        ours |= {id(t) for _, _, kept in self.kept for arrays in kept.values() for t in arrays}
        if not self._survivors(ours):
            return
        gc.collect()
        survivors = self._survivors(ours)
        if survivors:
            holder = _holder(survivors[0]) or "somewhere"
            raise TraceError(
                f"a value that was computed in the function is still held {holder}; a compiled call cannot put another "
                "there. Return the value and store it after the call, or pass the object that holds it as "
                "ad.compile(…, state=[…])"
            )

    def _survivors(self, ours: set[int]) -> list[Any]:
        alive = (reference() for reference in self.trace.tracers)
        return [tracer for tracer in alive if tracer is not None and id(tracer) not in ours]


_MISSING = object()


def _leaf(data: Any) -> Variable:
    variable = Variable.__new__(Variable)
    variable._data = data
    variable._grad = variable._link = variable.name = None
    return variable


def _names_of(owner: Any, value: Any) -> list[str]:
    return [name for name, item in vars(owner).items() if item is value]


def _trace_error_behind(error: BaseException) -> TraceError | None:
    """The TraceError that led to an error of another kind."""
    behind: BaseException | None = None if isinstance(error, AdjointError) else error
    while behind is not None:
        if isinstance(behind, TraceError):
            return behind
        behind = behind.__cause__ or behind.__context__
    return None


def _argument_label(path: str) -> str:
    """What an argument is called, given its path: a[0]['x'] is argument 1['x']."""
    first, rest = path[2 : path.index("]")], path[path.index("]") + 1 :]
    return f"argument {int(first) + 1 if path[0] == 'a' else first}{rest}"


def _holds_traced(value: Any) -> bool:
    """Whether a collection holds something that was computed."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple, set)):
        return any(map(_holds_traced, value))
    return isinstance(value, Tracer) or (isinstance(value, Variable) and isinstance(value._data, Tracer))


def _is_new_parameter(name: str, value: Any, earlier: Any) -> bool:
    return name[0] != "_" and isinstance(value, Variable) and not isinstance(earlier, Variable)


def _has_new_parameters(owner: Any, before: dict[str, Any]) -> bool:
    return any(_is_new_parameter(name, value, before.get(name)) for name, value in vars(owner).items())


def _same_items(container: Any, earlier: Any) -> bool:
    if len(container) != len(earlier):
        return False
    if isinstance(container, dict):
        return all(container.get(key, _MISSING) is value for key, value in earlier.items())
    if isinstance(container, set):
        return bool(container == earlier)
    return all(a is b for a, b in zip(container, earlier, strict=True))


def _inputs_read(program: Program) -> set[Instruction]:
    """The inputs that an instruction reads, or that are results."""
    read = {i for i in program.outputs if i.op == "input"}
    for instruction in program.instructions():
        read.update(i for i in instruction.inputs if i.op == "input")
    return read


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


def _generator_states(state: State) -> list[Any]:
    return [copy.deepcopy(generator_state(generator)) for _, generator in state.generators.values()]


def _restore_generators(state: State, states: list[Any]) -> None:
    for (_, generator), earlier in zip(state.generators.values(), states, strict=False):
        set_generator_state(generator, earlier)


def _shared_states() -> tuple[Any, Any]:
    """The states of Python's and NumPy's own generators, which functions draw from without being given one."""
    legacy = sys.modules.get("numpy.random")
    return python_random.getstate(), legacy.get_state(legacy=False) if legacy else None


def _restore_shared(states: tuple[Any, Any]) -> None:
    python_random.setstate(states[0])
    if states[1] is not None:
        sys.modules["numpy.random"].set_state(states[1])


_APPLY = apply.__code__
_RUN = _Tracing.run.__code__
_PASSING = (
    "frame",
    "list_iterator",
    "tuple_iterator",
    "generator",
    "Link",
    "Node",
    "ManyNode",
    "weakref",
    "ReferenceType",
)


def _holder(held: Any) -> str | None:
    """Where something is held that outlives the function, in words; None where only frames and the graph hold it."""
    seen = {id(held)}
    level = [held]
    for _ in range(5):
        above = []
        for value in level:
            for referrer in gc.get_referrers(value):
                if id(referrer) in seen or type(referrer).__name__ in _PASSING:
                    continue
                if isinstance(referrer, (State, Names, _Tracing, Trace)) or referrer is level:
                    continue
                seen.add(id(referrer))
                found = _place_in(referrer, value)
                if found is not None:
                    return found
                if isinstance(referrer, (list, tuple, dict, set, Variable, CellType)):
                    above.append(referrer)
        level = above
    return None


def _place_in(referrer: Any, value: Any) -> str | None:
    """Where in a module, a class or an object of the user's something is held."""
    if isinstance(referrer, dict) and "__name__" in referrer and "__builtins__" in referrer:
        names = [name for name, item in referrer.items() if item is value]
        return f"by the global name {names[0]!r} of {referrer['__name__']}" if names else None
    kind = type(referrer)
    if isinstance(referrer, type):
        return f"by the class {referrer.__name__}"
    if kind.__module__.partition(".")[0] in ("builtins", "weakref", "_weakref", "collections"):
        return None
    if isinstance(referrer, (Variable, Tracer, Instruction)) or kind.__module__.startswith("adjoint.compile"):
        return None
    names = [name for name, item in getattr(referrer, "__dict__", {}).items() if item is value]
    return f"by an attribute of a {kind.__name__}" + (f", {names[0]!r}" if names else "")
