"""Operations for which there is no kernel, run by NumPy between two tapes on the memory of the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.lowered import Call, Lowered
from adjoint.compile.native import Between
from adjoint.compile.scheduled import Schedule
from adjoint.program import Instruction
from adjoint.program.operations import OPERATIONS

__all__ = ["host_operation"]


def host_operation(call: Call, schedule: Schedule, lowered: Lowered) -> Between:
    """A call as a function of the arena and the arguments."""
    x = call.instruction
    assert x is not None
    evaluate = OPERATIONS[x.op].evaluate

    def run(arena: Any, given: Sequence[Any]) -> bool:
        inputs = [_array(read, schedule, lowered, arena, given) for read in call.inputs]
        try:
            with np.errstate(all="ignore"):
                result = evaluate(numpy_namespace, *inputs, *x.params)
        except (IndexError, np.linalg.LinAlgError):
            return False
        if x.op == "require" and not np.all(result):
            return False
        _array(x, schedule, lowered, arena, given)[...] = result
        return True

    return run


def _array(value: Instruction, schedule: Schedule, lowered: Lowered, arena: Any, given: Sequence[Any]) -> Any:
    """A constant, or a value that lies in memory, as an array."""
    if value.op == "constant":
        number, dtype = value.params
        return np.asarray(number, dtype)
    layout = schedule.layouts[value]
    root = layout.root
    size = root.size * root.dtype.itemsize
    if root in lowered.slots:
        argument, offset = lowered.slots[root]
        base = given[argument].reshape(-1).view(np.uint8)[offset : offset + size]
    else:
        begin = lowered.offsets[root]
        base = arena[begin : begin + size]
    flat = base.view(root.dtype)
    strides = tuple(step * root.dtype.itemsize for step in layout.strides)
    return np.lib.stride_tricks.as_strided(flat[layout.offset :], layout.shape, strides)
