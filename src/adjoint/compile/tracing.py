"""Running a function once on tracers: what it computes becomes a program, what it changes a list of effects.

While it runs, the arrays of all Variables that it can reach are tracers, and so are numbers and arrays among the
attributes of its objects. Whatever happens, everything is put back before the trace is left: the first call is
then made as every other, by the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adjoint import random
from adjoint.arrays import is_differentiable_dtype
from adjoint.compile.changes import undo_changes
from adjoint.compile.effects import Effects, has_new_parameters
from adjoint.compile.escapes import UnknownVariables, check_survivors
from adjoint.compile.generators import Undrawn
from adjoint.compile.places import State
from adjoint.compile.stand_ins import StandIns
from adjoint.compile.traced import Effect, InputSource, Result, Returned, StructureChanged, Traced
from adjoint.compile.watching import Reads, watched
from adjoint.errors import AdjointError, TraceError
from adjoint.program import Instruction, Number, Program, Trace
from adjoint.program.instruction import reachable

__all__ = ["Effect", "InputSource", "Result", "Returned", "StructureChanged", "Traced", "trace"]


def trace(function: Callable[..., Any], args: Any, kwargs: Any, state: State) -> Traced:
    """The program of `function`.

    Gradients that are None are traced as if they were there first. Where nothing reads them the program holds for
    both; else it is traced again for their absence.
    """
    traced = _Tracing(state, phantoms=True).run(function, args, kwargs)
    if traced is None:
        traced = _Tracing(state, phantoms=False).run(function, args, kwargs)
        assert traced is not None
    return traced


class _Tracing:
    def __init__(self, state: State, *, phantoms: bool) -> None:
        self.state = state
        self.phantoms = phantoms
        self.trace = Trace()
        self.stand_ins = StandIns(state, self.trace, phantoms=phantoms)
        self.effects = Effects(state, self.trace, self.stand_ins)
        self.unknown = UnknownVariables(state, _Tracing.run.__code__)
        self.trace.on_capture = self.unknown.captured

    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Traced | None:
        """What `function` does, or None if it depends on gradients that are not there."""
        before = {id(owner): dict(vars(owner)) for owner, _ in self.state.owners.values()}
        with Undrawn(self.state), self._recorded_draws():
            with self._everything_put_back(before), self.trace:
                result, reads = self._called(function, args, kwargs, before)
                returned = self.effects.collect(result, before)
                del result
            self.stand_ins.only_instructions()
            used = self._inputs_read()
            if any(grad.is_phantom and grad.instruction in used for grad in self.stand_ins.grads.values()):
                return None
        return self._traced(getattr(function, "__name__", "function"), returned, reads, used)

    def _called(
        self, function: Callable[..., Any], args: Any, kwargs: Any, before: dict[int, dict[str, Any]]
    ) -> tuple[Any, Reads]:
        """What the function returns, and what it has read."""
        owners = [owner for owner, _ in self.state.owners.values()]
        try:
            with watched(owners) as reads:
                positional, named = self.stand_ins.arguments(args, kwargs)
                return function(*positional, **named), reads
        except Exception as error:
            swallowed = _trace_error_behind(error)
            if swallowed is not None:
                raise swallowed from error  # NumPy makes a ValueError of it
            if isinstance(error, AdjointError) and any(has_new_parameters(x, before[id(x)]) for x in owners):
                raise StructureChanged from None
            raise

    @contextmanager
    def _recorded_draws(self) -> Iterator[None]:
        recorder = random.RECORDER.set(self.stand_ins.draw)
        try:
            yield
        finally:
            random.RECORDER.reset(recorder)

    @contextmanager
    def _everything_put_back(self, before: dict[int, dict[str, Any]]) -> Iterator[None]:
        try:
            with self.unknown.put_back(), self.stand_ins.in_place(before):
                yield
        finally:
            undo_changes(self.state)

    def _inputs_read(self) -> set[Instruction]:
        """The inputs that an instruction reads, or that are results."""
        outputs = self.effects.outputs
        read = {instruction for instruction in outputs if instruction.op == "input"}
        for instruction in reachable([*self.trace.checks, *outputs]):
            read.update(x for x in instruction.inputs if x.op == "input")
        return read

    def _traced(self, name: str, returned: Any, reads: Reads, used: set[Instruction]) -> Traced:
        captured = {id(array) for array in self.trace.captured_arrays()}
        inputs: list[Instruction] = []
        sources: list[InputSource] = []
        for instruction, source in zip(self.trace.inputs, self.trace.sources, strict=True):
            if instruction in used or instruction in self.trace.pinned:
                if id(source) in captured:
                    source = InputSource("array", self.state.names.of(source), "an array that it found")
                inputs.append(instruction)
                sources.append(source)
        self.unknown.check()
        check_survivors(self.trace, self.stand_ins.held())
        effects = self.effects
        labels = [source.label for source in sources]
        program = Program(inputs, effects.outputs, labels, effects.output_names, name, self.trace.checks)
        conditions = [*self._guards(reads), *self._gradients(sources), *self._pinned(), *self._aliases()]
        frozen = self.trace.frozen
        return Traced(program, self.state, sources, effects.effects, returned, conditions, frozen, effects.warnings)

    # Under which conditions the program is right: expressions, and what has changed where one is false

    def _guards(self, reads: Reads) -> Iterator[tuple[str, str]]:
        """Of what was read."""
        for guard in self.state.guards:
            if guard.owner is None or reads.has(guard.owner, guard.attribute):
                yield guard.condition, guard.cause

    def _gradients(self, sources: list[InputSource]) -> Iterator[tuple[str, str]]:
        """Of gradients, where they matter."""
        for place in self.state.variables.values():
            absent = self.stand_ins.grads[id(place.variable)].instruction is None
            if absent and not self.phantoms and is_differentiable_dtype(place.variable.dtype):
                yield f"{place.path}._grad is None", f"{place.label} has a gradient now"
        for source in sources:
            if source.kind == "grad":
                yield f"{source.path}._grad is not None", f"{source.label} is None now"

    def _pinned(self) -> Iterator[tuple[str, str]]:
        """Of numbers whose values were read."""
        sources = dict(zip(self.trace.inputs, self.trace.sources, strict=True))
        for attribute in self.state.attributes:
            number = self.stand_ins.numbers.get(id(attribute))
            if isinstance(number, Number) and number.instruction in self.trace.pinned:
                path = sources[number.instruction].path
                condition = f"same_number({path}, {self.state.names.of(attribute.value)})"
                cause = f"{attribute.label}, {attribute.value!r} before, has another value, which the function reads"
                yield condition, cause

    def _aliases(self) -> Iterator[tuple[str, str]]:
        """Of Variables that are given: each is one of its own."""
        arguments = self.state.arguments
        for i, place in enumerate(arguments):
            for other in arguments[:i]:
                yield f"{place.path} is not {other.path}", f"{place.label} is the same as {other.label}"
        ours = frozenset(id(p.variable) for p in self.state.variables.values() if p not in arguments)
        for place in arguments if ours else ():
            known = self.state.names.of(ours)
            yield f"id({place.path}) not in {known}", f"{place.label} is a parameter as well"


def _trace_error_behind(error: BaseException) -> TraceError | None:
    """The TraceError that led to an error of another kind."""
    behind: BaseException | None = None if isinstance(error, AdjointError) else error
    while behind is not None:
        if isinstance(behind, TraceError):
            return behind
        behind = behind.__cause__ or behind.__context__
    return None
