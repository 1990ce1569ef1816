"""What a function sees while it is traced: tracers in the place of arrays and numbers, in all that was found."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from adjoint.arrays import is_differentiable_dtype
from adjoint.compile.places import Attribute, State, VariablePlace
from adjoint.compile.traced import InputSource
from adjoint.core.variable import Variable
from adjoint.errors import TraceError
from adjoint.program import Instruction, Trace, Tracer
from adjoint.tree import KeptArrays

__all__ = ["Gradient", "StandIns", "TracedKept"]


class Gradient(NamedTuple):
    """The gradient that a Variable has at the start of a trace.

    variable: stands for it while the function runs; None if the Variable has none
    instruction: its input
    is_phantom: whether the Variable has none really, and the function is to show whether that matters
    """

    variable: Variable | None
    instruction: Instruction | None
    is_phantom: bool


class TracedKept(KeptArrays):
    """Takes the place of an optimizer's kept arrays: what is asked for becomes an input."""

    def __init__(self, original: KeptArrays, path: str, stand_ins: StandIns) -> None:
        super().__init__(original.count)
        self._original = original
        self._path = path
        self._stand_ins = stand_ins

    def get(self, key: Any, default: Any = None) -> Any:
        """As a dictionary's; every Variable that was found is there."""
        if key not in self:
            stand_ins = self._stand_ins
            place = stand_ins.place_of(key())
            path = f"{self._path}[{stand_ins.state.names.of(key)}]"
            label, detail = f"what is kept for {place.label}", (self._original, key)
            sources = [InputSource("kept", f"{path}[{i}]", label, detail) for i in range(self.count)]
            like = stand_ins.data[id(key())]
            self[key] = tuple(stand_ins.trace.tracer(source, like) for source in sources)
            stand_ins.first_kept[id(self), key] = self[key]
        return super().get(key, default)


class StandIns:
    """The tracers of one trace, and what they stand for.

    data: of each Variable, at the start, by its id
    grads: the gradient of each Variable, at the start, by its id
    numbers: by the id of the `Attribute`
    kept: the path of each table of kept arrays, and what takes its place
    first_kept: what was there at the start, by the table's id and the key
    attached: the ids of Variables that came with a graph
    given: the path of each argument, by its tracer's id
    rebuilt: containers among the arguments, with a copy of each and what they are called
    """

    def __init__(self, state: State, trace: Trace, *, phantoms: bool) -> None:
        self.state = state
        self.trace = trace
        self.data: dict[int, Tracer] = {}
        self.grads: dict[int, Gradient] = {}
        self.numbers: dict[int, Tracer] = {}
        self.kept: list[tuple[str, TracedKept]] = []
        self.first_kept: dict[tuple[int, Any], tuple[Tracer, ...]] = {}
        self.attached: set[int] = set()
        self.given: dict[int, str] = {}
        self.rebuilt: list[tuple[Any, Any, str]] = []
        self._phantoms = phantoms
        self._arguments = {a.path: a for a in state.attributes if a.owner is None}

    def place_of(self, variable: Any) -> VariablePlace:
        """Where a Variable was found, which an optimizer updates. Raises TraceError if it was not."""
        place = self.state.variables.get(id(variable))
        if place is None:
            raise TraceError(
                f"{variable!r} is updated by an optimizer, but was not found in what the function holds; "
                "pass the model as ad.compile(…, state=[model])"
            )
        return place

    @contextmanager
    def in_place(self, before: dict[int, dict[str, Any]]) -> Iterator[None]:
        """Within the block, what was found is traced; then Variables and objects are as they were.

        before: the attributes of each object by its id
        """
        variables = [place.variable for place in self.state.variables.values()]
        saved = [(variable, variable._data, variable._grad, variable._link) for variable in variables]
        spaces = [(vars(owner), before[id(owner)]) for owner, _ in self.state.owners.values()]
        try:
            for place in self.state.variables.values():
                self._trace_variable(place)
            for attribute in self.state.attributes:
                if attribute.owner is not None:
                    vars(attribute.owner)[attribute.name] = self._traced(attribute)
            for path, owner, original in self.state.kept:
                stand_in = TracedKept(original, path, self)
                self.kept.append((path, stand_in))
                for name in [name for name, item in vars(owner).items() if item is original]:
                    vars(owner)[name] = stand_in
            yield
        finally:
            for variable, data, grad, link in saved:
                variable._data, variable._grad, variable._link = data, grad, link
            for space, attributes in spaces:
                space.clear()
                space.update(attributes)

    def _trace_variable(self, place: VariablePlace) -> None:
        variable, original, grad = place.variable, place.variable._data, place.variable._grad
        key = id(variable)
        self.data[key] = self.trace.tracer(InputSource("data", place.path, place.label), original)
        if grad is None and not (self._phantoms and is_differentiable_dtype(original.dtype)):
            self.grads[key] = Gradient(None, None, False)
        else:
            source = InputSource("grad", place.path, f"the gradient of {place.label}")
            traced = self.trace.tracer(source, original if grad is None else grad._data)
            self.grads[key] = Gradient(_leaf(traced), traced.instruction, grad is None)
            variable._grad = self.grads[key].variable
        if variable.creator is not None:
            self.attached.add(key)
        variable._data = self.data[key]
        variable._link = None

    def _traced(self, attribute: Attribute) -> Tracer:
        kind = type(attribute.value)
        tracer: Tracer
        if kind in (float, int):
            source = InputSource("float" if kind is float else "int", attribute.path, attribute.label)
            tracer = self.trace.number(source, attribute.value)
        else:
            tracer = self.trace.tracer(InputSource("array", attribute.path, attribute.label), attribute.value)
            if attribute.owner is None:
                self.trace.arguments.add(tracer.instruction)
        self.numbers[id(attribute)] = tracer
        return tracer

    def arguments(self, args: Any, kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments to call the function with."""
        positional = [self._argument(value, f"a[{i}]") for i, value in enumerate(args)]
        return positional, {name: self._argument(value, f"b[{name!r}]") for name, value in kwargs.items()}

    def _argument(self, value: Any, path: str) -> Any:
        attribute = self._arguments.get(path)
        if attribute is not None:
            tracer = self._traced(attribute)
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

    def draw(self, generator: Any, method: str, arguments: Any, size: tuple[int, ...]) -> Tracer:
        """Takes the place of `adjoint.random.draw`: each call makes the draw anew, in the same order."""
        names = self.state.names
        name = names.of(generator)
        self.state.generators.setdefault(id(generator), (name, generator))
        dtype = getattr(np.random.default_rng(0), method)(*arguments, 0).dtype
        given = "".join(f"{names.of(x)}, " for x in arguments)
        source = InputSource("draw", f"{name}.{method}({given}{size!r})", f"{method}{size}", name)
        return self.trace.wrap(self.trace.input(source, size, dtype))

    def only_instructions(self) -> None:
        """Lets go of what the function has worked on: Variables may lead to graphs, and so to tracers."""
        self.grads = {key: grad._replace(variable=None) for key, grad in self.grads.items()}
        self.data.clear()

    def held(self) -> set[int]:
        """The ids of the tracers that are held here."""
        tables = [*self.first_kept.values(), *(arrays for _, kept in self.kept for arrays in kept.values())]
        return {id(tracer) for tracer in self.numbers.values()} | {id(t) for arrays in tables for t in arrays}


def _leaf(data: Any) -> Variable:
    """A Variable without the checks of its making."""
    variable = Variable.__new__(Variable)
    variable._data = data
    variable._grad = variable._link = variable.name = None
    return variable


def _argument_label(path: str) -> str:
    """What an argument is called, given its path: a[0]['x'] is argument 1['x']."""
    first, rest = path[2 : path.index("]")], path[path.index("]") + 1 :]
    return f"argument {int(first) + 1 if path[0] == 'a' else first}{rest}"
