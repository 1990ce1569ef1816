"""Calls of compiled functions within `detect_anomaly`: traced anew, and run one operation after another.

While the function is traced, it is noted what made each result of an op and each cotangent. The program runs as it was
traced, without passes. Nothing is kept for later calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.calls import Executable
from adjoint.compile.executable import inputs_of
from adjoint.compile.outcome import MISS, CallFailed
from adjoint.compile.specialising import Specialisation, StructureChanged, run_eagerly
from adjoint.compile.traced import Traced
from adjoint.errors import AnomalyError
from adjoint.program import CheckFailed, Instruction
from adjoint.program.interpreter import run
from adjoint.provenance.notes import NOTES, Notes
from adjoint.provenance.reports import Given, Record, anomaly
from adjoint.provenance.values import first_bad

__all__ = ["checked_call"]


def checked_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    extra: Sequence[Any],
    *,
    infinity: bool,
) -> Any:
    """A call whose results are looked at. Raises AnomalyError, and has changed nothing then."""
    notes = Notes(infinity=infinity)
    found: list[AnomalyError] = []
    token = NOTES.set(notes)
    try:
        made = Specialisation(function, args, kwargs, extra, lambda traced: _executable(traced, notes, found))
    except StructureChanged:
        return run_eagerly(function, args, kwargs, extra)
    finally:
        NOTES.reset(token)
    try:
        result = made.with_fitting_arrays(args, kwargs)
    except CallFailed:
        if found:
            raise found.pop() from None
        return run_eagerly(function, args, kwargs, extra)
    assert result is not MISS
    return result


def _executable(traced: Traced, notes: Notes, found: list[AnomalyError]) -> Executable:
    """Runs the program; False, with the error in `found`, where something is not finite."""

    def run_checked(*given: Any) -> Any:
        arrays, outputs = inputs_of(traced, given)
        try:
            results = _Run(traced, notes).results(arrays)
        except AnomalyError as error:
            found.append(error)
            return False
        except (CheckFailed, IndexError, np.linalg.LinAlgError):
            return False
        for output, result in zip(outputs, results, strict=True):
            output[...] = result
        return None

    return Executable(run_checked, {}, can_fail=True)


class _Run:
    """One run of a program, whose values are all kept."""

    def __init__(self, traced: Traced, notes: Notes) -> None:
        self._program = traced.program
        self._notes = notes
        self._values: dict[Instruction, Any] = {}

    def results(self, inputs: Sequence[Any]) -> list[Any]:
        """The program's outputs."""
        values = self._values
        values.update(zip(self._program.inputs, inputs, strict=True))
        order = self._program.instructions()
        with np.errstate(all="ignore"):
            for instruction in order:
                values[instruction] = run(instruction, numpy_namespace, values)
                record = self._notes.records.get(instruction)
                if record is not None and self._is_bad(instruction):
                    raise self._error(record)
        for name, output in zip(self._program.output_names, self._program.outputs, strict=True):
            if self._is_bad(output):
                raise self._error(self._made_outside_of_ops(name, output, order))
        return [values[output] for output in self._program.outputs]

    def _is_bad(self, instruction: Instruction) -> bool:
        return first_bad(self._values[instruction], infinity=self._notes.infinity) is not None

    def _error(self, record: Record) -> AnomalyError:
        return anomaly(
            record, lambda x: self._values.get(x) if isinstance(x, Instruction) else x, infinity=self._notes.infinity
        )

    def _made_outside_of_ops(self, name: str, output: Instruction, order: Sequence[Instruction]) -> Record:
        """What led to an output that no op made: the first operation behind it whose operands are finite."""
        behind = _behind(output)
        bad = [x for x in order if x in behind and self._is_bad(x)]
        first = next((x for x in bad if not any(map(self._is_bad, x.inputs))), bad[0] if bad else output)
        names = dict(zip(self._program.inputs, self._program.input_names, strict=True))
        return Record(
            None,
            "update",
            f"the operation {first.op}, on the way to {name}, made",
            [Given(f"operand {i}", [(None, x)], names.get(x)) for i, x in enumerate(first.inputs)],
            [(None, first)],
            "result",
            self._notes.places.get(first),
        )


def _behind(output: Instruction) -> set[Instruction]:
    found = {output}
    waiting = [output]
    while waiting:
        for x in waiting.pop().inputs:
            if x not in found:
                found.add(x)
                waiting.append(x)
    return found
