"""What passes are written with: rules on instructions, run over a program once, each result simplified as it is made.

A rule looks at an instruction, whose inputs are new already, and returns what stands for it, or None. Equal
instructions are made once, so common subexpressions go by the way; what nothing needs any more is not reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adjoint.program import Instruction, Program
from adjoint.program.instruction import signs_of
from adjoint.program.operations import OPERATIONS

__all__ = ["Builder", "New", "Replace", "Rule", "is_elementwise", "rewrite", "users"]

Rule = Callable[["Builder", Instruction], "Instruction | None"]

_ELEMENTWISE = frozenset(name for name, operation in OPERATIONS.items() if operation.kind == "elementwise")


def is_elementwise(instruction: Instruction) -> bool:
    """Whether it computes element by element."""
    return instruction.op in _ELEMENTWISE


class Builder:
    """Makes instructions, each once, by the rules of a pass.

    rules: by operation; those under "elementwise" are for all elementwise operations
    """

    def __init__(self, rules: dict[str, list[Rule]]) -> None:
        self._known: dict[tuple[Any, ...], tuple[Instruction, Any]] = {}  # with the inputs, so that no id comes twice
        self._rules = {
            name: [*rules.get(name, ()), *(rules.get("elementwise", ()) if name in _ELEMENTWISE else ())]
            for name in OPERATIONS
        }

    def make(self, op: str, *inputs: Instruction, params: tuple[Any, ...] = ()) -> Instruction:
        """An operation on instructions, or what stands for it."""
        key = (op, params, *map(id, inputs))
        if op == "constant":
            key = (*key, signs_of(params[0]))
        found = self._known.get(key)
        if found is None:
            shape, dtype = OPERATIONS[op].infer(inputs, *params)
            found = self._known[key] = (self._simplified(op, inputs, params, shape, dtype), inputs)
        return found[0]

    def _simplified(self, op: str, inputs: Any, params: Any, shape: Any, dtype: Any) -> Instruction:
        new = Instruction(op, inputs, params, shape, dtype)
        for rule in self._rules[op]:
            result = rule(self, new)
            if result is not None:
                assert (result.shape, result.dtype) == (shape, dtype), (rule, new, result)
                return result
        return new

    def constant(self, value: Any, dtype: Any) -> Instruction:
        """A number of a dtype."""
        return self.make("constant", params=(dtype.type(value).item(), dtype))

    def reshape(self, x: Instruction, shape: tuple[int, ...]) -> Instruction:
        """x in another shape."""
        return x if x.shape == shape else self.make("reshape", x, params=(shape,))

    def broadcast(self, x: Instruction, shape: tuple[int, ...]) -> Instruction:
        """x repeated to a shape."""
        return x if x.shape == shape else self.make("broadcast", x, params=(shape,))


New = dict[Instruction, Instruction]
# Looks at an instruction as it was, with all that were made anew before it, and gives what stands for it, or None.
Replace = Callable[[Builder, Instruction, New], Instruction | None]


def rewrite(program: Program, rules: dict[str, list[Rule]], replace: Replace | None = None) -> Program:
    """The program with each instruction made anew by the rules, unless `replace` gives another for it."""
    builder = Builder(rules)
    new: New = {instruction: instruction for instruction in program.inputs}
    for x in program.instructions():
        made = None if replace is None else replace(builder, x, new)
        new[x] = made or builder.make(x.op, *[new[read] for read in x.inputs], params=x.params)
    return program.with_results([new[output] for output in program.outputs], [new[check] for check in program.keep])


def users(instructions: Iterable[Instruction]) -> dict[Instruction, list[Instruction]]:
    """For each instruction, those that read it, as often as they do."""
    found: dict[Instruction, list[Instruction]] = {}
    for instruction in instructions:
        for read in instruction.inputs:
            found.setdefault(read, []).append(instruction)
    return found
