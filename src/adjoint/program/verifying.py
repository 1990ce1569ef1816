"""Whether a program holds together: what every pass must leave as it was."""

from __future__ import annotations

from adjoint.errors import ProgramError
from adjoint.program.instruction import Program
from adjoint.program.operations import OPERATIONS

__all__ = ["verify"]


def verify(program: Program) -> None:
    """Checks that every operation is known, that results have the types that it infers, and that only inputs are read.

    Raises:
        ProgramError: for a program that a pass has spoilt.
    """
    given = set(program.inputs)
    for instruction in program.instructions():
        operation = OPERATIONS.get(instruction.op)
        if operation is None:
            raise ProgramError(f"no operation is named {instruction.op!r}")
        for read in instruction.inputs:
            if read.op == "input" and read not in given:
                raise ProgramError(f"{instruction!r} reads {read!r}, which is no input of {program.name}")
        inferred = operation.infer(instruction.inputs, *instruction.params)
        if inferred != (instruction.shape, instruction.dtype):
            raise ProgramError(f"{instruction!r} is said to be {inferred[1]}{list(inferred[0])} by its operation")
