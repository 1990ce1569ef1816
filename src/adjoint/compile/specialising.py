"""Programs of a compiled function: made for one kind of arguments, called, and compared with what has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.compile.calls import Executable, make_call
from adjoint.compile.executable import build
from adjoint.compile.explaining import explanation
from adjoint.compile.generators import copied_states, put_back
from adjoint.compile.outcome import MISS
from adjoint.compile.state import find_state
from adjoint.compile.traced import InputSource, StructureChanged, Traced
from adjoint.compile.tracing import trace
from adjoint.program import Instruction

__all__ = ["Specialisation", "StructureChanged", "run_eagerly"]


class Specialisation:
    """A program of a function, for one kind of arguments.

    attempt: makes a call, given positional and keyword arguments; MISS where the program does not fit
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        extra: Sequence[Any],
        build: Callable[[Traced], Executable] = build,
    ) -> None:
        begin = time.perf_counter()
        state = find_state(function, args, kwargs, extra)
        self.traced = trace(function, args, kwargs, state)
        middle = time.perf_counter()
        self.executable = build(self.traced)
        self.call = make_call(self.traced, self.executable, len(args), list(kwargs))
        state.release()
        self._seconds = (middle - begin, time.perf_counter() - middle)
        self.attempt = self.call.attempt

    def with_fitting_arrays(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call on copies of arrays that are contiguous, aligned, in native byte order; MISS if that is not all."""
        arrays = self.call.inputs(args, kwargs)
        if arrays is MISS:
            return MISS
        fitting = _fitting(arrays, self.traced)
        return MISS if fitting is None else self.call.finish(fitting, args, kwargs)

    def what_changed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Why the program does not fit, in words."""
        space = {**self.call.names, "a": args, "b": kwargs}
        for condition, cause in self.call.conditions:
            try:
                holds = eval(condition, space)
            except (KeyError, IndexError, AttributeError, TypeError):
                holds = False
            if not holds:
                return cause
        return self._what_does_not_fit(args, kwargs)

    def _what_does_not_fit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        arrays = self.call.inputs(args, kwargs)
        for given, (x, source) in zip([] if arrays is MISS else arrays, _array_inputs(self.traced), strict=False):
            array = np.asarray(given)
            if array.shape != x.shape or array.dtype != x.dtype:
                return (
                    f"{source.label} has another shape or dtype: {array.dtype}{list(array.shape)}, before "
                    f"{x.dtype}{list(x.shape)}"
                )
        return "the arguments have another form"

    def explain(self, name: str) -> str:
        """The table of the program's kernels."""
        return explanation(name, self.executable.native, len(self.traced.program.instructions()), self._seconds)


def run_eagerly(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], extra: Sequence[Any]
) -> Any:
    """A call by NumPy, to raise the error of a check with its text; if it raises, all is put back."""
    state = find_state(function, args, kwargs, extra)
    saved = [(p.variable, p.variable._data, p.variable._grad, p.variable._link) for p in state.variables.values()]
    attributes = [(vars(owner), dict(vars(owner))) for owner, _ in state.owners.values()]
    kept = [(table, dict(table)) for _, _, table in state.kept]
    draws = copied_states(state)
    try:
        return function(*args, **kwargs)
    except BaseException:
        for variable, data, grad, link in saved:
            variable._data, variable._grad, variable._link = data, grad, link
        for space, earlier in [*attributes, *kept]:
            space.clear()
            space.update(earlier)
        put_back(draws)
        raise


def _array_inputs(traced: Traced) -> list[tuple[Instruction, InputSource]]:
    inputs = zip(traced.program.inputs, traced.sources, strict=True)
    return [(instruction, source) for instruction, source in inputs if not source.is_number]


def _fitting(arrays: list[Any], traced: Traced) -> list[Any] | None:
    """The arrays as a program reads them, or None where one has another shape or dtype."""
    result = []
    for given, (instruction, _) in zip(arrays, _array_inputs(traced), strict=True):
        array = np.asarray(given)
        if array.shape != instruction.shape or array.dtype.newbyteorder("=") != instruction.dtype:
            return None
        result.append(np.require(array, instruction.dtype, ["C", "A"]).view(np.ndarray))
    return result
