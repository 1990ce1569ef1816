"""`compile`: the decorator, and the function that it makes."""

from __future__ import annotations

import copy
import functools
import threading
import warnings
from collections import namedtuple
from collections.abc import Callable, Sequence
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import MethodType
from typing import Any, overload

import numpy as np

from adjoint.compile.calls import MISS, Call, CallFailed, make_call
from adjoint.compile.executable import build
from adjoint.compile.state import find_state
from adjoint.compile.tracing import StructureChanged, Traced, trace
from adjoint.core.variable import Variable
from adjoint.errors import DTypeError, RetraceWarning
from adjoint.program import Program
from adjoint.program.tracer import current_trace

__all__ = ["CacheInfo", "CompiledFunction", "compile"]

CacheInfo = namedtuple("CacheInfo", "hits misses maxsize currsize")
CacheInfo.__doc__ = "How often a program was there (hits) and had to be made (misses), and how many are kept."

_MOST_PROGRAMS = 64
_WARN_AFTER = 8  # traces without as many calls between them


class Specialisation:
    """A program of a compiled function, for one kind of arguments."""

    def __init__(self, traced: Traced, executable: Any, call: Call) -> None:
        self.traced = traced
        self.executable = executable
        self.call = call
        self.attempt = call.attempt


class CompiledFunction:
    """A function that runs as native code; made by `compile`."""

    def __init__(self, function: Callable[..., Any], state: Sequence[Any]) -> None:
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._state = tuple(state)
        self._programs: list[Specialisation] = []
        self._lock = threading.RLock()
        self._misses = 0
        self._hits = 0
        self._traces_in_a_row = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for specialisation in self._programs:
            try:
                result = specialisation.attempt(args, kwargs)
            except CallFailed:
                return self._eagerly(args, kwargs)
            if result is not MISS:
                self._hits += 1
                return result
        return self._first_call(args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def _first_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that no program fits as it stands."""
        if current_trace() is not None:  # within another compiled function
            return self.__wrapped__(*args, **kwargs)
        with self._lock:
            try:
                result = self._with_fitting_arrays(args, kwargs)
                if result is not MISS:
                    self._hits += 1
                    return result
                return self._traced_call(args, kwargs)
            except CallFailed:
                return self._eagerly(args, kwargs)

    def _with_fitting_arrays(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call by a program that only needs copies of arrays: contiguous, aligned, in native byte order."""
        for specialisation in self._programs:
            arrays = specialisation.call.inputs(args, kwargs)
            if arrays is MISS:
                continue
            fitting = _fitting(arrays, specialisation.traced)
            if fitting is not None:
                result = specialisation.call.finish(fitting, args, kwargs)
                if result is not MISS:
                    return result
        return MISS

    def _traced_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = _plain(args), _plain(kwargs)
        try:
            specialisation = self._specialise(args, kwargs)
        except StructureChanged:
            result = self.__wrapped__(*args, **kwargs)
            return result
        arrays = specialisation.call.inputs(args, kwargs)
        fitting = _fitting(arrays, specialisation.traced)
        result = specialisation.call.finish(fitting, args, kwargs)
        assert result is not MISS
        return result

    def _specialise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Specialisation:
        """Traces the function for these arguments, and keeps the program."""
        state = find_state(self.__wrapped__, args, kwargs, self._state)
        traced = trace(self.__wrapped__, args, kwargs, state)
        executable = build(traced)
        call = make_call(traced, executable, len(args), list(kwargs))
        specialisation = Specialisation(traced, executable, call)
        self._warn_of_retracing(args, kwargs)
        self._misses += 1
        for text in traced.warnings:
            warnings.warn(text, RetraceWarning, stacklevel=5)
        self._programs = [specialisation, *self._programs][:_MOST_PROGRAMS]
        return specialisation

    def _warn_of_retracing(self, args: Any, kwargs: Any) -> None:
        """Says so when nearly every call makes a program."""
        if self._misses + 1 < _WARN_AFTER or self._hits > 4 * self._misses:
            return
        cause = self._what_changed(args, kwargs)
        warnings.warn(
            f"{self.__name__} was traced {self._misses + 1} times in {self._hits + self._misses + 1} calls, the last "
            f"time because {cause}. Each time takes much longer than a call: keep shapes and values that are no arrays "
            "the same, or pass what changes as an array",
            RetraceWarning,
            stacklevel=6,
        )

    def _what_changed(self, args: Any, kwargs: Any) -> str:
        if not self._programs:
            return "there was none"
        last = self._programs[0].call
        space = {**last.names, "a": args, "b": kwargs}
        for condition, cause in last.conditions:
            try:
                holds = eval(condition, space)
            except (KeyError, IndexError, AttributeError, TypeError):
                holds = False
            if not holds:
                return cause
        return "an array has another shape or dtype"

    def _eagerly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call in which a check failed: run by NumPy, it raises the error with its text; then all is put back."""
        state = find_state(self.__wrapped__, args, kwargs, self._state)
        saved = [(p.variable, p.variable._data, p.variable._grad, p.variable._link) for p in state.variables.values()]
        attributes = [(vars(owner), dict(vars(owner))) for owner, _ in state.owners.values()]
        kept = [(table, dict(table)) for _, _, table in state.kept]
        draws = [(generator, generator.bit_generator.state) for _, generator in state.generators.values()]
        try:
            return self.__wrapped__(*args, **kwargs)
        except BaseException:
            for variable, data, grad, link in saved:
                variable._data, variable._grad, variable._link = data, grad, link
            for space, copy in [*attributes, *kept]:
                space.clear()
                space.update(copy)
            for generator, earlier in draws:
                generator.bit_generator.state = earlier
            raise

    # Looking inside

    @property
    def program(self) -> Program:
        """The program that was made last, before the passes."""
        return self._latest().traced.program

    def _latest(self) -> Specialisation:
        if not self._programs:
            raise DTypeError(f"{self.__name__} has no program yet: call it once")
        return self._programs[0]

    def cache_info(self) -> CacheInfo:
        """How many calls found their program, and how many had to make one."""
        return CacheInfo(self._hits, self._misses, _MOST_PROGRAMS, len(self._programs))

    def __repr__(self) -> str:
        return f"<compiled function {self.__name__}: {len(self._programs)} programs>"


def _plain(values: Any) -> Any:
    """NumPy's scalars as arrays: a program reads arrays."""
    if isinstance(values, np.generic):
        return np.asarray(values)
    kind = type(values)
    if hasattr(kind, "_fields"):
        return kind(*map(_plain, values))
    if isinstance(values, tuple):
        return kind(map(_plain, values))
    if isinstance(values, list):
        values = copy.copy(values)
        values[:] = [_plain(value) for value in values]
        return values
    if isinstance(values, dict):
        values = copy.copy(values)
        for key, value in values.items():
            values[key] = _plain(value)
        return values
    if isinstance(values, Variable) and isinstance(values._data, np.generic):
        values._data = np.asarray(values._data)
    return values


def _fitting(arrays: list[Any], traced: Traced) -> list[Any] | None:
    """The arrays as a program reads them, or None where one has another shape or dtype."""
    inputs = [i for i, s in zip(traced.program.inputs, traced.sources, strict=True) if s.kind not in ("float", "int")]
    result = []
    for array, instruction in zip(arrays, inputs, strict=True):
        array = np.asarray(array)
        if array.shape != instruction.shape or array.dtype.newbyteorder("=") != instruction.dtype:
            return None
        result.append(np.require(array, instruction.dtype, ["C", "A"]).view(np.ndarray))
    return result


@overload
def compile(function: Callable[..., Any], *, state: Sequence[Any] = ()) -> CompiledFunction: ...
@overload
def compile(*, state: Sequence[Any] = ()) -> Callable[[Callable[..., Any]], CompiledFunction]: ...
def compile(function: Any = None, *, state: Sequence[Any] = ()) -> Any:
    """Makes a function run as native code, with the same results.

    >>> import adjoint as ad
    >>> @ad.compile
    ... def f(x):
    ...     return x * x + 1.0
    >>> print(f(ad.Variable(3.0)))
    variable(10.0)
    """
    if function is None:
        return functools.partial(compile, state=state)
    if not callable(function):
        raise DTypeError(f"compile takes a function, not {type(function).__name__}")
    if any(test(function) for test in (isgeneratorfunction, iscoroutinefunction, isasyncgenfunction)):
        raise DTypeError(
            f"{function.__name__!r} is a generator or a coroutine, which has no single result; compile the function "
            "that computes one step, and call it from there"
        )
    return CompiledFunction(function, state)

