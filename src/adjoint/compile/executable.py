"""From a traced program to one that runs: natively, or operation by operation where LLVM is missing.

The passes and the generators of code are imported when a program is planned: one that is found on disk needs none.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.calls import Executable
from adjoint.compile.codegen import cache, kernels, llvm
from adjoint.compile.native import NativeProgram
from adjoint.compile.plan import Plan, can_fail, plan_key
from adjoint.compile.traced import Traced
from adjoint.program import CheckFailed, interpret

__all__ = ["build", "donations", "inputs_of"]


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
    if not llvm.is_available():
        _say_once()
        return _interpreted(traced)
    donated = donations(traced)
    key = plan_key(traced.program, [source.kind for source in traced.sources], donated)
    content = cache.read(key)
    if content is not None:
        plan = Plan.from_bytes(content)
        addresses = kernels.known(sorted({row.kernel for row in plan.rows()}))
        if addresses is not None:
            return _executable(NativeProgram(plan, addresses, [None] * (len(plan.segments) - 1)))
    from adjoint.compile.planning import make_plan

    plan, functions, between = make_plan(traced, donated)
    addresses = dict(zip(map(kernels.key_of, functions), kernels.addresses(functions), strict=True))
    if not any(between):
        cache.write(key, plan.to_bytes())
    return _executable(NativeProgram(plan, addresses, between))


def _executable(native: NativeProgram) -> Executable:
    return Executable(native.run, native.plan.in_place, native.plan.can_fail, native)


_said = False


def _say_once() -> None:
    global _said
    if not _said:
        _said = True
        warnings.warn(
            "llvmlite is not installed: compiled functions are run by NumPy, operation by operation. "
            "pip install llvmlite makes them several times faster",
            RuntimeWarning,
            stacklevel=8,
        )


def inputs_of(traced: Traced, given: Sequence[Any]) -> tuple[list[Any], Sequence[Any]]:
    """Of what a call gives: the program's inputs, and the arrays for its outputs."""
    kinds = [source.kind for source in traced.sources]
    arrays = sum(kind not in ("float", "int") for kind in kinds)
    values = iter(given[:arrays])
    rest = list(given[arrays:])
    numbers = {kind: iter(rest.pop(0)) for kind in ("float", "int") if kind in kinds}
    return [np.asarray(next(numbers[kind]) if kind in numbers else next(values)) for kind in kinds], rest


def _interpreted(traced: Traced) -> Executable:
    """Runs the program by NumPy."""
    from adjoint.compile.passes import optimized

    program = optimized(traced.program)

    def run(*given: Any) -> Any:
        inputs, outputs = inputs_of(traced, given)
        for array, instruction in zip(inputs, program.inputs, strict=True):
            if array.shape != instruction.shape or array.dtype != instruction.dtype:
                return NotImplemented
        try:
            results = interpret(program, numpy_namespace, inputs)
        except (CheckFailed, IndexError, np.linalg.LinAlgError):
            return False
        for result, output in zip([np.array(r) for r in results], outputs, strict=True):
            output[...] = result
        return None

    return Executable(run, donations(traced), can_fail(program))
