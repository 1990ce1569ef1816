"""From a traced program to one that runs: natively, or operation by operation where LLVM is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.calls import Executable
from adjoint.compile.passes import optimized
from adjoint.compile.tracing import Traced
from adjoint.program import CheckFailed, interpret

__all__ = ["build", "donations"]


def donations(traced: Traced) -> dict[int, int]:
    """For each output that replaces an input (a parameter's new value, say), that input."""
    inputs = {(source.kind, source.path): i for i, source in enumerate(traced.sources)}
    pairs: dict[int, int] = {}
    for effect in traced.effects:
        if effect.kind == "data" and ("data", effect.path) in inputs:
            pairs[effect.output] = inputs["data", effect.path]
        elif effect.kind == "kept":
            for i, output in enumerate(effect.output):
                if ("kept", f"{effect.path}[{i}]") in inputs:
                    pairs[output] = inputs["kept", f"{effect.path}[{i}]"]
    program = traced.program
    return {
        output: i
        for output, i in pairs.items()
        if program.outputs[output].shape == program.inputs[i].shape
        and program.outputs[output].dtype == program.inputs[i].dtype
    }


def build(traced: Traced) -> Executable:
    """The program, ready to run."""
    return _interpreted(traced)


def _interpreted(traced: Traced) -> Executable:
    """Runs the program by NumPy."""
    program = optimized(traced.program)
    kinds = [source.kind for source in traced.sources]
    arrays = sum(kind not in ("float", "int") for kind in kinds)
    floats, ints = kinds.count("float"), kinds.count("int")

    def run(*given: Any) -> Any:
        values = iter(given[:arrays])
        rest = list(given[arrays:])
        numbers = {kind: iter(rest.pop(0)) for kind, count in (("float", floats), ("int", ints)) if count}
        inputs = [next(numbers[kind]) if kind in numbers else next(values) for kind in kinds]
        for array, instruction in zip(inputs, program.inputs, strict=True):
            if array.shape != instruction.shape or array.dtype != instruction.dtype:
                return NotImplemented
        try:
            results = interpret(program, numpy_namespace, [np.asarray(x) for x in inputs])
        except CheckFailed:
            return False
        for result, output in zip([np.array(r) for r in results], rest, strict=True):
            output[...] = result
        return None

    return Executable(run, donations(traced))
