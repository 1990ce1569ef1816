"""The workloads, once for each library, under the same names.

Each module has ``WORKLOADS``, from a name to a function that makes a `Run`. A module imports its library at the
top: whoever imports it pays for that, and a process imports one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]
Transform = Callable[[Callable[..., Any]], Callable[..., Any]]


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _nothing() -> None:
    pass


class Run(NamedTuple):
    """A workload, ready to run.

    step: one iteration
    check: the loss and the gradients (by adjoint's names) at the present parameters, which stay as they are
    values: the parameters
    wait: returns once every step is done, where steps run on behind the caller's back
    """

    step: Callable[[], object]
    check: Callable[[], Arrays]
    values: Callable[[], Arrays] = dict
    wait: Callable[[], object] = _nothing


def named(result: Any, array: Callable[[Any], np.ndarray] = np.asarray) -> Arrays:
    """What a step returned, as a check gives it: arrays by name, and one alone as "result"."""
    parts = result if isinstance(result, dict) else {"result": result}
    return {name: array(part) for name, part in parts.items()}
