"""How a training run shows itself on standard error, and how Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from adjoint.cli.outputs import tell

__all__ = ["Interrupt", "show"]


def show(losses: Iterator[float], epochs: int) -> Iterator[float]:
    """Passes each epoch's loss on: with a progress bar on a terminal, if tqdm is installed, else with a line."""
    tqdm = _tqdm() if sys.stderr is not None and sys.stderr.isatty() else None
    return _lines(losses, epochs) if tqdm is None else _bar(tqdm, losses, epochs)


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm


def _lines(losses: Iterator[float], epochs: int) -> Iterator[float]:
    width = len(str(epochs))
    for epoch, loss in enumerate(losses, 1):
        tell(f"epoch {epoch:{width}}: loss {loss:.6g}")
        yield loss


def _bar(tqdm: Any, losses: Iterator[float], epochs: int) -> Iterator[float]:
    with tqdm(total=epochs, unit=" epochs", file=sys.stderr, ncols=_columns()) as bar:
        for loss in losses:
            bar.set_postfix_str(f"loss {loss:.6g}", refresh=False)
            bar.update()
            yield loss


def _columns() -> int:
    """The width of the terminal; some say that it is 0."""
    return os.get_terminal_size(sys.stderr.fileno()).columns or 80


class Interrupt:
    """Within the block, the first Ctrl-C only sets `requested`; the second ends the program as usual.

    Where Ctrl-C is ignored or handled by another, and outside of the main thread, it stays as it is.
    """

    def __init__(self) -> None:
        self.requested = False
        self._active = False

    def __enter__(self) -> Interrupt:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                signal.signal(signal.SIGINT, self._request)
                self._active = True
            except ValueError:  # not the main thread
                pass
        return self

    def _request(self, *_: Any) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            signal.signal(signal.SIGINT, signal.default_int_handler)
