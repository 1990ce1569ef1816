"""Random generators: NumPy's, with names for a fixed and a seeded source."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from adjoint.errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["RECORDER", "const", "draw", "generator", "source"]

# Takes the place of drawing: called with the generator, the method's name, its arguments and the shape. Set while a
# function is traced, so that each call of the program draws anew.
RECORDER: ContextVar[Callable[..., Any] | None] = ContextVar("adjoint.random.recorder", default=None)

_shared: Generator | None = None


def const(seed: int = 0) -> Generator:
    """A generator that gives the same numbers in every run: ``source(0)`` unless another seed is given.

    >>> import adjoint as ad
    >>> bool(ad.random.const().random() == ad.random.const().random())
    True
    """
    return source(seed)


def source(seed: int) -> Generator:
    """The `numpy.random.Generator` seeded with `seed`, an integer from 0."""
    import numpy.random

    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise DTypeError(f"a seed is a whole number, not {type(seed).__name__}")
    if seed.__index__() < 0:
        raise ArgumentError(f"a seed is 0 or more, not {seed}")
    return numpy.random.default_rng(seed)


def generator(rng: Any = None) -> Generator:
    """`rng` itself, or, for None, the process's generator, which starts from fresh entropy."""
    global _shared
    import numpy.random

    if rng is None:
        if _shared is None:
            _shared = numpy.random.default_rng()
        return _shared
    if isinstance(rng, numpy.random.Generator):
        return rng
    raise DTypeError(
        f"rng takes a numpy.random.Generator, not {type(rng).__name__}; make one by adjoint.random.source(seed)"
    )


def draw(rng: Any, method: str, *arguments: Any, size: tuple[int, ...]) -> Any:
    """An array of `size` drawn by a method of `rng`, or, for None, of the process's generator."""
    recorder = RECORDER.get()
    if recorder is not None:
        return recorder(generator(rng), method, arguments, size)
    return getattr(generator(rng), method)(*arguments, size)


def _forget_shared() -> None:
    global _shared
    _shared = None


if hasattr(os, "register_at_fork"):  # a child process draws numbers of its own
    os.register_at_fork(after_in_child=_forget_shared)
