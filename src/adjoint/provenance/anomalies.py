"""`detect_anomaly`: stopping at the first NaN or infinity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from adjoint.provenance.chains import steps_before, steps_behind
from adjoint.provenance.notes import NOTES
from adjoint.provenance.places import PLACES, Place, name_in_layers
from adjoint.provenance.reports import Given, Held, Record, anomaly
from adjoint.provenance.sweeps import SWEEP, SweepRunner
from adjoint.provenance.values import first_bad, held_in, is_traced
from adjoint.provenance.watching import AnyCallable, WatchBlock, run_unwatched

__all__ = ["Anomalies", "detect_anomaly"]

_MOST_KEPT = 100_000  # elements of an operand that no rule keeps


class Anomalies:
    """Looks at what every op makes; a `Watcher`.

    infinity: whether an infinity counts, and not NaN alone
    """

    checks_programs = True

    def __init__(self, *, infinity: bool) -> None:
        self.infinity = infinity

    def applied(self, apply: Callable[..., Any], op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
        sweep = SWEEP.get()
        place = Place.here(None if sweep is None else sweep.current)
        with np.errstate(all="ignore"):
            result = run_unwatched(apply, op, inputs, params)
        outputs = result if isinstance(result, tuple) else (result,)
        place.operands = [_kept(x) for x in inputs]
        for output in outputs:
            if output._link is not None and output._link.creator is not None:
                PLACES[output._link.creator] = place
        if sweep is None:  # within rules what counts are the cotangents that they give
            for output in outputs:
                self._look_at(op, inputs, output._data, place)
        return result

    def _look_at(self, op: Any, inputs: tuple[Any, ...], result: Any, place: Place) -> None:
        if is_traced(result):
            notes = NOTES.get()
            if notes is not None:
                record = _record(op, inputs, result, place)
                record.steps = lambda: steps_before(record, notes)
                notes.expect(record)
        elif first_bad(result, infinity=self.infinity) is not None:
            record = _record(op, inputs, result, place)
            record.steps = lambda: steps_behind(getattr(x, "_link", None) for x in inputs)
            raise anomaly(record, lambda array: array, infinity=self.infinity)

    def sweeping(self, run_rules: Callable[..., Any], roots: Sequence[Any]) -> SweepRunner:
        return SweepRunner(run_rules, roots, infinity=self.infinity)


def _record(op: Any, inputs: tuple[Any, ...], result: Any, place: Place) -> Record:
    """What is noted of a forward; `inputs` are Variables and constants."""
    operands = [Given(f"operand {i}", held_in(_array_of(x)), _what_is(x)) for i, x in enumerate(inputs)]
    return Record(
        op.name,
        "forward",
        f"{op.name} made",
        operands,
        held_in(result),
        "result",
        place,
        heading="the operands were made by",
        is_elementwise=op.elementwise,
    )


def _kept(value: Any) -> Held:
    """The array of an operand, for errors of the backward pass, unless it is large."""
    array = _array_of(value)
    return held_in(array) if is_traced(array) or array.size <= _MOST_KEPT else []


def _array_of(value: Any) -> Any:
    return value._data if hasattr(value, "_data") else value if hasattr(value, "dtype") else np.asarray(value)


def _what_is(value: Any) -> str:
    """What an operand is, in words."""
    if not hasattr(value, "_link"):
        return "a constant"
    link = value._link
    if link is not None and link.creator is not None:
        return f"made by {link.creator.op.name}"
    path = name_in_layers(value)
    if path is not None:
        return f"the parameter {path}"
    return f"the leaf {value.name}" if value.name else "a leaf"


@overload
def detect_anomaly(*, infinity: bool = True) -> WatchBlock: ...
@overload
def detect_anomaly(function: AnyCallable, *, infinity: bool = True) -> AnyCallable: ...
def detect_anomaly(function: Any = None, *, infinity: bool = True) -> Any:
    """Stops at the first op whose result, or whose derivative, is not finite, and says where it came from.

    A ``with`` block or a decorator; blocks nest, and each holds for its own thread or task. Within it every op is
    looked at, forward and backward. A compiled function is traced anew and run one operation after another. Elements
    that a selection such as `F.where` leaves out count in the forward, where they are computed; their cotangents do
    not.

    Args:
        function: what to decorate.
        infinity: whether infinities count. With False it stops at NaN alone, so that a mask may hold −inf.

    Raises:
        AnomalyError: within the block. It names the op, the user's line, the operands, and the ops that led to it.

    >>> import adjoint as ad
    >>> from adjoint import errors, functions as F
    >>> x = ad.Variable([1.0, 0.0])
    >>> try:
    ...     with ad.detect_anomaly():
    ...         y = F.log(x * x)
    ... except errors.AnomalyError as error:
    ...     print(error.message.splitlines()[0])
    log made infinity in 1 of 2 elements, from finite values
    """
    block = WatchBlock(Anomalies(infinity=infinity))
    return block if function is None else block(function)
