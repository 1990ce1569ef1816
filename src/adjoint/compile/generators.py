"""Random generators that a function may draw from: all are put back after it was traced."""

from __future__ import annotations

import copy
import random as python_random
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from adjoint.compile.places import State
from adjoint.errors import TraceError

__all__ = ["Undrawn", "copied_states", "put_back"]


def copied_states(state: State) -> list[tuple[Any, Any]]:
    """The generators that a function can reach, each with a copy of its state."""
    return [(generator, copy.deepcopy(_state_of(generator))) for _, generator in state.generators.values()]


def put_back(states: Iterable[tuple[Any, Any]]) -> None:
    """Sets generators back to earlier states."""
    for generator, earlier in states:
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = earlier
        elif isinstance(generator, np.random.RandomState):
            generator.set_state(earlier)
        else:
            generator.setstate(earlier)


class Undrawn:
    """A block after which all generators are put back. Raises TraceError if it has drawn from one."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __enter__(self) -> None:
        self._before, self._shared = copied_states(self._state), _shared_states()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        after, shared = copied_states(self._state), _shared_states()
        put_back(self._before)
        _put_shared_back(self._shared)
        # what was found on the way comes after the others
        drawn = any(not _same(was, now) for (_, was), (_, now) in zip(self._before, after, strict=False))
        if error is None and (drawn or not all(map(_same, self._shared, shared))):
            raise TraceError(
                "the function draws from a random generator itself, and a compiled call would repeat the numbers "
                "of the first; draw by F.dropout or ad.rand, ad.randn, ad.normal with rng=…, or pass draws as arguments"
            )


def _state_of(generator: Any) -> Any:
    """The state of a generator of NumPy's, new or legacy, or of Python's."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state(legacy=False) if isinstance(generator, np.random.RandomState) else generator.getstate()


def _shared_states() -> tuple[Any, Any]:
    """The states of Python's and NumPy's own generators, which functions draw from without being given one."""
    legacy = sys.modules.get("numpy.random")
    return python_random.getstate(), legacy.get_state(legacy=False) if legacy else None


def _put_shared_back(states: tuple[Any, Any]) -> None:
    python_random.setstate(states[0])
    if states[1] is not None:
        sys.modules["numpy.random"].set_state(states[1])


def _same(a: Any, b: Any) -> bool:
    """Whether two states are equal; arrays may be among their parts."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(part, b[name]) for name, part in a.items())
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)
