"""From a traced program to one that runs: natively, or operation by operation where LLVM is missing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.calls import Executable
from adjoint.compile.codegen import cache, kernels, llvm
from adjoint.compile.codegen.entry import ArgumentSpec
from adjoint.compile.codegen.target import Target
from adjoint.compile.codegen.text import Function
from adjoint.compile.hosts import host_operation
from adjoint.compile.lowered import Call, Lowered, Operand
from adjoint.compile.lowering import lower
from adjoint.compile.moving import CHECKS
from adjoint.compile.native import Between, NativeProgram
from adjoint.compile.passes import optimized
from adjoint.compile.plan import Plan, Row, plan_key
from adjoint.compile.schedule import make_schedule
from adjoint.compile.scheduled import Schedule
from adjoint.compile.tracing import Traced
from adjoint.program import CheckFailed, Instruction, Program, interpret

__all__ = ["build", "can_fail", "donations"]


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


def can_fail(program: Program) -> bool:
    """Whether something is checked at run time."""
    return any(x.op in CHECKS for x in program.instructions())


def build(traced: Traced) -> Executable:
    """The program, ready to run."""
    if not llvm.is_available():
        _say_once()
        return _interpreted(traced, optimized(traced.program))
    key = plan_key(traced.program, [source.kind for source in traced.sources], donations(traced))
    content = cache.read(key)
    if content is not None:
        plan = Plan.from_bytes(content)
        addresses = kernels.known(sorted({row.kernel for row in plan.rows()}))
        if addresses is not None:
            return _executable(NativeProgram(plan, addresses, [None] * (len(plan.segments) - 1)))
    plan, functions, between = _Planner(traced, optimized(traced.program)).build()
    addresses = dict(zip(map(kernels.key_of, functions), kernels.addresses(functions), strict=True))
    if not any(between):
        cache.write(key, plan.to_bytes())
    return _executable(NativeProgram(plan, addresses, between))


def _executable(native: NativeProgram) -> Executable:
    return Executable(native.run, native.plan.in_place, native.plan.can_fail, native)


def _row(call: Call, lowered: Lowered) -> Row:
    return Row(
        kernels.key_of(call.function) if call.function is not None else "",
        tuple(word for part in call.record for word in _words(part, lowered)),
        call.extent,
        call.chunks,
        call.title,
        call.shape,
        call.members,
        call.flops,
        call.bytes,
    )


def _words(part: Any, lowered: Lowered) -> tuple[int, ...]:
    """A part of a record as numbers: an operand is its slot and its offset."""
    if not isinstance(part, Operand):
        return (int(part),)
    if part.root in lowered.slots:
        argument, offset = lowered.slots[part.root]
        return argument + 1, offset + part.offset
    return 0, lowered.offsets[part.root] + part.offset


def _bytes(root: Any) -> int:
    return int(root.size * root.dtype.itemsize) if isinstance(root, Instruction) else 0


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


@dataclass
class _Arguments:
    """How inputs and outputs are given: arrays, then the floats in one array, the whole numbers in another, outputs."""

    specs: list[ArgumentSpec]
    slots: dict[Any, tuple[int, int]]  # argument and offset in bytes, by root


class _Planner:
    def __init__(self, traced: Traced, program: Program) -> None:
        self.traced = traced
        self.program = program

    def build(self) -> tuple[Plan, list[Function], list[Between | None]]:
        """The plan, its kernels' code, and what runs between its segments."""
        schedule = make_schedule(self.program)
        arguments = self._arguments(schedule)
        lowered = lower(schedule, Target.host(), arguments.slots)
        in_place = self._in_place(schedule, lowered)
        last_check = max((i for i, call in enumerate(lowered.calls) if call.title in CHECKS), default=-1)
        segments: list[list[Row]] = [[]]
        between: list[Between | None] = []
        functions = []
        for i, call in enumerate(lowered.calls):
            if call.function is None:
                between.append(host_operation(call, schedule, lowered))
                segments.append([])
            elif i == last_check + 1 and i > 0 and in_place:
                between.append(None)  # inputs are replaced only once nothing can fail any more
                segments.append([])
            segments[-1].append(_row(call, lowered))
            if call.function is not None:
                functions.append(call.function)
        values = sum(_bytes(root) for root in lowered.offsets)
        plan = Plan(segments, lowered.arena, arguments.specs, in_place, can_fail(self.program), values)
        return plan, functions, between

    def _arguments(self, schedule: Schedule) -> _Arguments:
        kinds = [source.kind for source in self.traced.sources]
        specs: list[ArgumentSpec] = []
        slots: dict[Any, tuple[int, int]] = {}
        for instruction, kind in zip(self.program.inputs, kinds, strict=True):
            if kind not in ("float", "int"):
                slots[instruction] = (len(specs), 0)
                specs.append(ArgumentSpec(instruction.dtype, instruction.shape))
        for kind, dtype in (("float", np.float64), ("int", np.int64)):
            numbers = [x for x, k in zip(self.program.inputs, kinds, strict=True) if k == kind]
            for i, instruction in enumerate(numbers):
                slots[instruction] = (len(specs), 8 * i)
            if numbers:
                specs.append(ArgumentSpec(np.dtype(dtype), (len(numbers),)))
        for root, output in zip(schedule.outputs, self.program.outputs, strict=True):
            slots[root] = (len(specs), 0)
            specs.append(ArgumentSpec(output.dtype, output.shape, writeable=True))
        return _Arguments(specs, slots)

    def _in_place(self, schedule: Schedule, lowered: Lowered) -> dict[int, int]:
        """Which outputs may be written where the input that they replace lies: nothing reads it later, or otherwise."""
        wanted = donations(self.traced)
        checks = max((i for i, c in enumerate(lowered.calls) if c.title in CHECKS), default=-1)
        found = {}
        for output, i in wanted.items():
            root, source = schedule.outputs[output], self.program.inputs[i]
            if _may_overwrite(schedule, lowered, root, source, checks):
                found[output] = i
        return found


def _may_overwrite(schedule: Schedule, lowered: Lowered, root: Any, source: Any, checks: int) -> bool:
    writers = [i for i, call in enumerate(lowered.calls) if _uses(schedule, call, root)]
    readers = [i for i, call in enumerate(lowered.calls) if _uses(schedule, call, source)]
    if not writers or min(writers) <= checks:
        return False
    first = min(writers)
    if any(reader > first for reader in readers):
        return False
    if first not in readers:
        return True
    call = lowered.calls[first]
    if call.function is None or call.title in ("matmul", "pack"):
        return False
    return _reads_as_it_writes(call, root, source)


def _reads_as_it_writes(call: Call, root: Any, source: Any) -> bool:
    """Whether a loop reads each element of `source` just where it writes that of `root`: same offset and strides."""
    patterns = []
    for i, part in enumerate(call.record):
        if isinstance(part, Operand) and part.root in (root, source):
            steps = []
            for word in call.record[i + 1 :]:
                if isinstance(word, Operand):
                    break
                steps.append(word)
            patterns.append((part.offset, tuple(steps)))
    return (
        len(set(patterns)) == 1
        and call.title.split()[-1] not in ("sum", "max", "min")
        and "sum" not in call.title.split()
    )


def _uses(schedule: Schedule, call: Call, root: Any) -> bool:
    if call.function is None:
        assert call.instruction is not None
        return any(schedule.layouts[x].root is root for x in (*call.inputs, call.instruction))
    return any(isinstance(part, Operand) and part.root is root for part in call.record)


def _interpreted(traced: Traced, program: Program) -> Executable:
    """Runs the program by NumPy."""
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
        except (CheckFailed, IndexError):
            return False
        for result, output in zip([np.array(r) for r in results], rest, strict=True):
            output[...] = result
        return None

    return Executable(run, donations(traced), can_fail(program))
