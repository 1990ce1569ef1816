"""Watchers: what is told of every op that runs within a block.

Outside of any block an op pays for one test of `BLOCKS`, a list that is empty then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, TypeVar

from adjoint.config import run_within

__all__ = ["BLOCKS", "WATCHER", "RuleRunner", "WatchBlock", "Watcher", "run_unwatched", "watcher_due"]

AnyCallable = TypeVar("AnyCallable", bound=Callable[..., Any])


class RuleRunner(Protocol):
    """Runs the derivative rules of one sweep."""

    def __call__(self, node: Any, F: Any, g: Any, y: Any, xs: Any, *wanted: Any) -> Sequence[Any]: ...

    def end(self, leaves: dict[Any, Any]) -> None:
        """Told of the cotangents of the leaves, when the sweep is over."""


class Watcher(Protocol):
    """What watches ops.

    checks_programs: whether compiled functions are traced for it and run operation by operation; else they run eagerly
    infinity: whether an infinity counts, and not NaN alone
    """

    checks_programs: bool
    infinity: bool

    def applied(self, apply: Callable[..., Any], op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """The outputs of an op, which `run_unwatched` gives."""

    def sweeping(self, run_rules: Callable[..., Any], roots: Sequence[Any]) -> AbstractContextManager[RuleRunner]:
        """A block for a sweep, with what runs its rules in place of `run_rules`; `roots` are links and cotangents."""


# One item for each block that is open, in any thread.
BLOCKS: list[WatchBlock] = []
WATCHER: ContextVar[Watcher | None] = ContextVar("adjoint.watcher", default=None)
# The watchers to restore, the next one last (see `adjoint.config`).
_EARLIER: ContextVar[tuple[Watcher | None, ...]] = ContextVar("adjoint.watcher.earlier", default=())
# Whether the next op is one that the watcher itself runs.
_DIRECT: ContextVar[bool] = ContextVar("adjoint.watcher.direct", default=False)
_LOCK = threading.Lock()


def watcher_due() -> Watcher | None:
    """The watcher that is to be told of the op that is about to run."""
    if _DIRECT.get():
        _DIRECT.set(False)
        return None
    return WATCHER.get()


def run_unwatched(apply: Callable[..., Any], op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Runs one op; ops that run within its forward are watched."""
    _DIRECT.set(True)
    return apply(op, *inputs, **params)


class WatchBlock:
    """``with`` block in which a watcher is told of ops; re-enterable, also a decorator."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def __enter__(self) -> None:
        _EARLIER.set((*_EARLIER.get(), WATCHER.get()))
        WATCHER.set(self._watcher)
        with _LOCK:
            BLOCKS.append(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        *rest, previous = _EARLIER.get()
        _EARLIER.set(tuple(rest))
        WATCHER.set(previous)
        with _LOCK:
            BLOCKS.remove(self)

    def __call__(self, function: AnyCallable) -> AnyCallable:
        return run_within(self, function)
