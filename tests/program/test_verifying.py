"""Programs that do not hold together are found."""

from __future__ import annotations

import numpy as np
import pytest

from adjoint.compile.passes import PASSES
from adjoint.errors import ProgramError
from adjoint.program import Instruction, Program, Trace
from adjoint.program.verifying import verify

FLOATS = np.dtype(np.float64)


def traced(function, *arrays):
    with Trace() as trace:
        result = function(*[trace.tracer(i, array) for i, array in enumerate(arrays)])
        return Program(trace.inputs, [trace.read(result)])


def an_input(shape):
    return Instruction("input", (), (0,), shape, FLOATS)


def test_every_pass_leaves_a_program_that_holds_together():
    program = traced(
        lambda x, w, c: (np.tanh((x @ w)[:, 1:3]) * c.T - 1.0).sum(axis=0),
        np.ones((3, 5)),
        np.ones((5, 4)),
        np.ones((2, 3)),
    )
    verify(program)
    for one in PASSES:
        program = one(program)
        verify(program)


def test_a_result_of_another_type_is_found():
    x = an_input((2, 3))
    wrong = Instruction("neg", (x,), (), (3, 2), FLOATS)
    with pytest.raises(ProgramError, match=r"neg.*float64\[2, 3\]"):
        verify(Program([x], [wrong]))


def test_an_input_of_another_program_is_found():
    x, other = an_input((2,)), an_input((2,))
    total = Instruction("add", (x, other), (), (2,), FLOATS)
    with pytest.raises(ProgramError, match="no input of"):
        verify(Program([x], [total]))


def test_an_unknown_operation_is_found():
    x = an_input((2,))
    with pytest.raises(ProgramError, match="'hop'"):
        verify(Program([x], [Instruction("hop", (x,), (), (2,), FLOATS)]))
