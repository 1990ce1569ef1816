"""The modes of a computation: is it recorded, is it a training run, and are derivatives at edges infinite.

Each mode lives in a `contextvars.ContextVar`, so threads and asyncio tasks do not see one another's, and
leaving a block restores what was there before it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar, overload

from adjoint.errors import DTypeError

__all__ = [
    "ModeSwitch",
    "is_recording",
    "is_training",
    "no_grad",
    "recording_mode",
    "run_within",
    "strict_ieee",
    "test_mode",
]

AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])

RECORDING: ContextVar[bool] = ContextVar("adjoint.recording", default=True)
TRAINING: ContextVar[bool] = ContextVar("adjoint.training", default=True)
# Whether rules give an infinity or NaN at the edges of a domain, and not 0 (see `adjoint.ops.edges`).
STRICT: ContextVar[bool] = ContextVar("adjoint.strict", default=False)
# The levels of the transforms that lift arrays (`vmap`, `jvp`) and are running, one within another.
LEVELS: ContextVar[frozenset[int]] = ContextVar("adjoint.levels", default=frozenset())
# Whether a transform runs a function: compiled functions within it run as they were written.
TRANSFORMING: ContextVar[bool] = ContextVar("adjoint.transforming", default=False)
# Whether rules run on Variables, in a sweep that is recorded: comparisons give them plain arrays, as in other sweeps.
IN_RULES: ContextVar[bool] = ContextVar("adjoint.in_rules", default=False)
# The trace that is being made (see `adjoint.program.trace`).
TRACE: ContextVar[Any] = ContextVar("adjoint.trace", default=None)

# For each mode, the values to restore, the next one last. They belong to the thread or task, not to a block, since
# one block may be used by several.
_EARLIER: dict[ContextVar[bool], ContextVar[tuple[bool, ...]]] = {
    mode: ContextVar(f"{mode.name}.earlier", default=()) for mode in (RECORDING, TRAINING, STRICT)
}

is_recording = RECORDING.get
is_training = TRAINING.get

_SUSPENDABLE = 0x20 | 0x80 | 0x200  # inspect.CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR


class _ModeBlock:
    """``with`` block that gives a mode a value and restores the earlier one; re-enterable, also a decorator."""

    __slots__ = ("_mode", "_value")

    def __init__(self, mode: ContextVar[bool], value: bool) -> None:
        self._mode = mode
        self._value = value

    def __enter__(self) -> None:
        earlier = _EARLIER[self._mode]
        earlier.set((*earlier.get(), self._mode.get()))
        self._mode.set(self._value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        earlier = _EARLIER[self._mode]
        *rest, previous = earlier.get()
        earlier.set(tuple(rest))
        self._mode.set(previous)

    def __call__(self, function: AnyCallable) -> AnyCallable:
        return run_within(self, function)


def run_within(block: AbstractContextManager[None], function: AnyCallable) -> AnyCallable:
    """The function that runs `function` within a block, which can be entered again: what the block is as a decorator.

    Raises:
        DTypeError: for generators and coroutines.
    """
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _SUSPENDABLE:
        raise DTypeError(
            f"{getattr(function, '__name__', function)!r} is a generator or a coroutine, whose body runs after "
            "the decorator is left; open the block with `with` inside it instead"
        )

    @functools.wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return within  # type: ignore[return-value]


class ModeSwitch:
    """A mode's setting, used as ``with switch():``, ``@switch()`` or ``@switch``."""

    def __init__(self, mode: ContextVar[bool], value: bool, doc: str) -> None:
        self._mode = mode
        self._value = value
        self.__doc__ = doc

    @overload
    def __call__(self) -> _ModeBlock: ...
    @overload
    def __call__(self, function: AnyCallable) -> AnyCallable: ...
    def __call__(self, function: Any = None) -> Any:
        block = _ModeBlock(self._mode, self._value)
        return block if function is None else block(function)


def recording_mode(value: bool) -> _ModeBlock:
    """A block in which computations are recorded (True) or not (False)."""
    return _ModeBlock(RECORDING, value)


no_grad = ModeSwitch(
    RECORDING,
    False,
    """Computes without recording: no graph, no gradient. A ``with`` block or a decorator; blocks nest.

    >>> import adjoint as ad
    >>> x = ad.Variable(2.0)
    >>> with ad.no_grad():
    ...     y = x * x
    >>> y.creator is None
    True
    """,
)

test_mode = ModeSwitch(
    TRAINING,
    False,
    """Computes as for prediction: dropout passes its input on. A ``with`` block or a decorator; blocks nest.

    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> with ad.test_mode():
    ...     print(F.dropout(ad.Variable([1.0, 2.0]), 0.5))
    variable[2]([1. 2.])
    """,
)

strict_ieee = ModeSwitch(
    STRICT,
    True,
    """Takes derivatives as the formula says, in IEEE arithmetic: at 0 that of the square root is infinite, not 0.

    It counts where gradients are computed, not where the function was. A ``with`` block or a decorator; blocks nest.

    >>> import numpy as np
    >>> import adjoint as ad
    >>> from adjoint import functions as F
    >>> x = ad.Variable(0.0)
    >>> y = F.sqrt(x)
    >>> y.backward()
    >>> print(x.grad)
    variable(0.0)
    >>> x.cleargrad()
    >>> with ad.strict_ieee(), np.errstate(divide="ignore"):
    ...     y.backward()
    >>> print(x.grad)
    variable(inf)
    """,
)
