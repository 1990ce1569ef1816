"""The typed programs that functions are traced to: instructions in static single assignment.

    %3: float32[2, 3] = mul %1 %2

An instruction is its own result. It names an operation of `adjoint.program.operations`, the instructions that it
reads, and parameters; the shape and the dtype of its result are fixed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["Instruction", "Program", "reachable", "signs_of", "type_text"]


class Instruction:
    """One operation and its result.

    op: the operation's name
    inputs: the instructions that it reads
    params: its parameters, hashable, in the order of the operation's `parameters`
    shape, dtype: the result's
    """

    __slots__ = ("dtype", "inputs", "op", "params", "shape")

    def __init__(
        self, op: str, inputs: tuple[Instruction, ...], params: tuple[Any, ...], shape: tuple[int, ...], dtype: Any
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.shape = shape
        self.dtype = dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    def __repr__(self) -> str:
        return f"<{self.op}: {type_text(self)}>"


def signs_of(value: Any) -> tuple[float, float]:
    """The signs of a number's real and imaginary part: they tell 0.0 from -0.0, which are equal."""
    return math.copysign(1.0, value.real), math.copysign(1.0, value.imag)


def type_text(instruction: Instruction) -> str:
    """The type of a result: float32[2, 3]."""
    return f"{instruction.dtype}[{', '.join(map(str, instruction.shape))}]"


class Program:
    """Instructions in an order in which they can run, what they start from and what they give.

    inputs: instructions of operation "input", the values that are given
    outputs: the results, of which one may stand there twice, or be an input
    names: what inputs and outputs are called, for printing
    """

    def __init__(
        self,
        inputs: Sequence[Instruction],
        outputs: Sequence[Instruction],
        input_names: Sequence[str] = (),
        output_names: Sequence[str] = (),
        name: str = "program",
        keep: Sequence[Instruction] = (),
    ) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.input_names = list(input_names) or [f"in{i}" for i in range(len(inputs))]
        self.output_names = list(output_names) or [f"out{i}" for i in range(len(outputs))]
        self.name = name
        self.keep = list(keep)  # checks, which run for their effect

    def with_results(self, outputs: Sequence[Instruction], keep: Sequence[Instruction]) -> Program:
        """The same program with other results in the places of its own."""
        return Program(self.inputs, outputs, self.input_names, self.output_names, self.name, keep)

    def instructions(self) -> list[Instruction]:
        """What the results need, each after what it reads; without inputs."""
        return reachable([*self.keep, *self.outputs])

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        numbers: dict[Instruction, str] = {}
        given = []
        for instruction, name in zip(self.inputs, self.input_names, strict=True):
            numbers[instruction] = f"%{len(numbers)}"
            given.append(f"{numbers[instruction]}: {type_text(instruction)}  # {name}")
        yield f"program {self.name}"
        yield from (f"  input {line}" for line in given)
        for instruction in self.instructions():
            numbers[instruction] = f"%{len(numbers)}"
            yield f"  {_line(instruction, numbers)}"
        for instruction, name in zip(self.outputs, self.output_names, strict=True):
            yield f"  return {numbers[instruction]}  # {name}"

    def __repr__(self) -> str:
        return f"<program {self.name}: {len(self.inputs)} inputs, {len(self.instructions())} instructions>"


def reachable(roots: Iterable[Instruction]) -> list[Instruction]:
    """The instructions that `roots` need, themselves included, each after its inputs; without "input"s.

    Without recursion: a program may be thousands of instructions deep.
    """
    order: list[Instruction] = []
    done: set[Instruction] = set()
    for root in roots:
        stack: list[tuple[Instruction, bool]] = [(root, False)]
        while stack:
            instruction, ready = stack.pop()
            if instruction in done:
                continue
            if ready:
                done.add(instruction)
                if instruction.op != "input":
                    order.append(instruction)
                continue
            stack.append((instruction, True))
            stack.extend((read, False) for read in reversed(instruction.inputs) if read not in done)
    return order


def _line(instruction: Instruction, numbers: dict[Instruction, str]) -> str:
    parts = [instruction.op, *(numbers[read] for read in instruction.inputs)]
    if instruction.params:
        parts.append(f"({', '.join(_param(value) for value in instruction.params)})")
    return f"{numbers[instruction]}: {type_text(instruction)} = {' '.join(parts)}"


def _param(value: Any) -> str:
    return str(value) if isinstance(value, np.dtype) else re.sub(r"\s+", " ", repr(value))
