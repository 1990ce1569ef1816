"""`compile`: the decorator, and the function that it makes."""

from __future__ import annotations

import functools
import threading
import warnings
from collections import namedtuple
from collections.abc import Callable, Sequence
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import MethodType
from typing import TYPE_CHECKING, Any, overload

from adjoint.compile.outcome import MISS, CallFailed
from adjoint.config import TRACE, TRANSFORMING
from adjoint.errors import DTypeError, RetraceWarning
from adjoint.provenance.watching import BLOCKS, WATCHER, Watcher

if TYPE_CHECKING:
    from adjoint.compile.specialising import Specialisation
    from adjoint.program import Program

__all__ = ["CacheInfo", "CompiledFunction", "compile"]

CacheInfo = namedtuple("CacheInfo", "hits misses maxsize currsize")
CacheInfo.__doc__ = "How often a program was there (hits) and had to be made (misses), and how many are kept."

_MOST_PROGRAMS = 64
_WARN_AFTER = 8  # traces without as many calls between them


class CompiledFunction:
    """A function that runs as native code; made by `compile`, and called as the function that it was made of.

    As an attribute of a class it is a method. `__wrapped__` is the function itself, which runs eagerly.
    """

    def __init__(self, function: Callable[..., Any], state: Sequence[Any]) -> None:
        functools.update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.__wrapped__ = function
        self._state = tuple(state)
        self._programs: list[Specialisation] = []
        self._lock = threading.RLock()
        self._misses = 0
        self._hits = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if TRANSFORMING.get():  # its derivative is needed, or a batch of it: the transform looks into the function
            return self.__wrapped__(*args, **kwargs)
        if BLOCKS and TRACE.get() is None and (watcher := WATCHER.get()) is not None:
            return self._watched(watcher, args, kwargs)
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
        if TRACE.get() is not None:  # within another compiled function
            return self.__wrapped__(*args, **kwargs)
        with self._lock:
            try:
                for specialisation in self._programs:
                    result = specialisation.with_fitting_arrays(args, kwargs)
                    if result is not MISS:
                        self._hits += 1
                        return result
                return self._traced_call(args, kwargs)
            except CallFailed:
                return self._eagerly(args, kwargs)

    def _traced_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # What follows is imported with the first program: a program without compiled functions does not wait for it.
        from adjoint.compile.specialising import Specialisation, StructureChanged

        try:
            made = Specialisation(self.__wrapped__, args, kwargs, self._state)
        except StructureChanged:
            return self.__wrapped__(*args, **kwargs)
        earlier = self._programs
        self._misses += 1
        self._programs = [made, *earlier][:_MOST_PROGRAMS]
        result = made.with_fitting_arrays(args, kwargs)
        assert result is not MISS
        for text in made.traced.warnings:
            warnings.warn(text, RetraceWarning, stacklevel=4)
        if self._misses >= _WARN_AFTER and self._hits <= 4 * self._misses:
            self._warn_of_retracing(earlier[0].what_changed(args, kwargs))
        return result

    def _warn_of_retracing(self, cause: str) -> None:
        """Says so when nearly every call makes a program."""
        warnings.warn(
            f"{self.__name__} was traced {self._misses} times in {self._hits + self._misses} calls, the last time "
            f"because {cause}. Each time takes much longer than a call: keep shapes and values that are no arrays the "
            "same, or pass what changes as an array",
            RetraceWarning,
            stacklevel=5,
        )

    def _watched(self, watcher: Watcher, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call whose operations are looked at (see `adjoint.detect_anomaly`)."""
        if not watcher.checks_programs:
            return self.__wrapped__(*args, **kwargs)
        from adjoint.compile.checked import checked_call

        return checked_call(self.__wrapped__, args, kwargs, self._state, infinity=watcher.infinity)

    def _eagerly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        from adjoint.compile.specialising import run_eagerly

        return run_eagerly(self.__wrapped__, args, kwargs, self._state)

    # Looking inside

    @property
    def program(self) -> Program:
        """The program that was made last, as it was traced, before the passes. It can be printed.

        Raises:
            DTypeError: there is none before the first call.
        """
        return self._latest().traced.program

    def explain(self) -> str:
        """A table of the kernels of the program that was made last: what is fused into each, and its measured time.

        Times are medians of runs on zeros, kernel by kernel. "range" is what a kernel loops over, (M, K, N) for a
        product of matrices; GFLOP/s counts an exponential or a comparison as one operation.
        """
        return self._latest().explain(self.__name__)

    def _latest(self) -> Specialisation:
        if not self._programs:
            raise DTypeError(f"{self.__name__} has no program yet: call it once")
        return self._programs[0]

    def cache_info(self) -> CacheInfo:
        """How many calls found their program, how many had to make one, and how many programs there are.

        >>> import adjoint as ad
        >>> f = compile(lambda x: 2.0 * x)
        >>> y = f(ad.ones(2)), f(ad.ones(2)), f(ad.ones(3))
        >>> f.cache_info()
        CacheInfo(hits=1, misses=2, maxsize=64, currsize=2)
        """
        return CacheInfo(self._hits, self._misses, _MOST_PROGRAMS, len(self._programs))

    def __repr__(self) -> str:
        return f"<compiled function {self.__name__}: {len(self._programs)} programs>"


@overload
def compile(function: Callable[..., Any], *, state: Sequence[Any] = ()) -> CompiledFunction: ...
@overload
def compile(*, state: Sequence[Any] = ()) -> Callable[[Callable[..., Any]], CompiledFunction]: ...
def compile(function: Any = None, *, state: Sequence[Any] = ()) -> Any:
    """Makes a function run as native code, with the same results to rounding.

    The first call traces the function: it runs once on stand-ins for arrays, and all that it computes, gradients and
    updates included, becomes one program. Later calls run that. Another program is made for other shapes or dtypes, for
    other values of what is no array and no float, and for the modes of `no_grad` and `test_mode`.

    What the function reads and changes besides its arguments is found: models, optimizers, generators and Variables in
    its closure, its globals, and the object that it is a method of. Call `backward` inside: results are not
    differentiated outside of the function.

    Can be written as ``@ad.compile`` or as ``@ad.compile(state=[…])``.

    Args:
        function: what to compile. Its values must not be read while it runs; see the guide for what may be inside.
        state: objects that the function reaches in a way that is not found, such as a weak reference.

    Raises:
        DTypeError: `function` cannot be called, or is a generator or a coroutine.

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
