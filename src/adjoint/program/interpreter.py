"""Running a program one operation after another, in any namespace: the plainest meaning of a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.program.instruction import Instruction, Program
from adjoint.program.operations import OPERATIONS

__all__ = ["CheckFailed", "interpret", "run"]


class CheckFailed(Exception):
    """A flag that the program requires to be true is not."""


def interpret(program: Program, xp: Any, inputs: Sequence[Any]) -> list[Any]:
    """The program's outputs for the given inputs, computed with the namespace `xp`.

    Raises CheckFailed where a check of the program fails.
    """
    values: dict[Instruction, Any] = dict(zip(program.inputs, inputs, strict=True))
    order = program.instructions()
    last: dict[Instruction, int] = {read: i for i, instruction in enumerate(order) for read in instruction.inputs}
    kept = {*program.outputs, *program.inputs}
    with np.errstate(all="ignore"):
        for i, instruction in enumerate(order):
            values[instruction] = run(instruction, xp, values)
            for read in set(instruction.inputs):
                if last[read] == i and read not in kept:
                    del values[read]
    return [values[output] for output in program.outputs]


def run(instruction: Instruction, xp: Any, values: dict[Instruction, Any]) -> Any:
    """The result of one instruction."""
    operation = OPERATIONS[instruction.op]
    result = operation.evaluate(xp, *(values[read] for read in instruction.inputs), *instruction.params)
    if instruction.op == "require" and not np.all(result):
        raise CheckFailed
    return result
