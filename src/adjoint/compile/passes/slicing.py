"""Slices and joins moved to where values are made, so that what is computed in parts is fused part by part.

The gates of an LSTM lie side by side; sliced before the activation and joined after the derivative, a whole cell
is one kernel over (batch, hidden).
"""

from __future__ import annotations

from typing import Any

from adjoint.compile.passes.rewriting import Builder, Rule, is_elementwise, rewrite, users
from adjoint.compile.passes.simplifying import RULES
from adjoint.program import Instruction, Program

__all__ = ["move_joins", "move_slices"]

Inputs = tuple[Instruction, ...]
_MOST_PARTS = 4


def move_joins(program: Program) -> Program:
    """f(join(a, b), c) becomes join(f(a, c₁), f(b, c₂)); sums of parts that are placed side by side become joins."""
    rules: dict[str, list[Rule]] = {**RULES, "concat": [_flat], "add": [*RULES["add"], _joined_places]}
    rules["elementwise"] = [*RULES["elementwise"], _over_join]
    rules["slice"] = [*RULES["slice"], _slice_of_join]
    rules["sum"] = [*RULES["sum"], _sum_of_join]
    return rewrite(program, rules)


def _over_join(builder: Builder, new: Instruction) -> Instruction | None:
    op = new.op
    for x in new.inputs:
        if (
            x.op == "concat"
            and x.shape == new.shape
            and len(x.inputs) <= _MOST_PARTS
            and all(is_elementwise(part) for part in x.inputs)
        ):
            axis = x.params[0]
            parts = []
            start = 0
            for part in x.inputs:
                length = part.shape[axis]
                these = [part if y is x else _cut(builder, y, len(new.shape), axis, start, length) for y in new.inputs]
                parts.append(builder.make(op, *these, params=new.params))
                start += length
            return builder.make("concat", *parts, params=(axis,))
    return None


def _cut(builder: Builder, x: Instruction, ndim: int, axis: int, start: int, length: int) -> Instruction:
    """The part of an operand that goes with a part of the result along `axis`."""
    own = axis - (ndim - len(x.shape))
    if own < 0 or x.shape[own] == 1:
        return x
    ranges = tuple((start, length, 1) if i == own else (0, n, 1) for i, n in enumerate(x.shape))
    return builder.make("slice", x, params=(ranges,))


def _flat(builder: Builder, new: Instruction) -> Instruction | None:
    """A join of joins along the same axis."""
    if not any(x.op == "concat" and x.params == new.params for x in new.inputs):
        return None
    parts = [part for x in new.inputs for part in (x.inputs if x.op == "concat" and x.params == new.params else (x,))]
    return builder.make("concat", *parts, params=new.params)


def _slice_of_join(builder: Builder, new: Instruction) -> Instruction | None:
    """A slice that lies within one part of a join."""
    (x,), (ranges,) = new.inputs, new.params
    if x.op != "concat":
        return None
    axis = x.params[0]
    start, length, step = ranges[axis]
    last = start + max(length - 1, 0) * step
    begin = 0
    for part in x.inputs:
        end = begin + part.shape[axis]
        if begin <= min(start, last) and max(start, last) < end:
            moved = tuple((start - begin, length, step) if i == axis else r for i, r in enumerate(ranges))
            return builder.make("slice", part, params=(moved,))
        begin = end
    return None


def _sum_of_join(builder: Builder, new: Instruction) -> Instruction | None:
    """A sum of a join along other axes: of each part."""
    (x,), (axes,) = new.inputs, new.params
    if x.op != "concat" or x.params[0] in axes or len(x.inputs) > _MOST_PARTS:
        return None
    axis = x.params[0] - sum(other < x.params[0] for other in axes)
    return builder.make("concat", *(builder.make("sum", part, params=(axes,)) for part in x.inputs), params=(axis,))


def _joined_places(builder: Builder, new: Instruction) -> Instruction | None:
    """Parts that are placed into zeros and added, and that together fill one axis."""
    parts = _placed_parts(new.inputs, new.shape)
    if parts is None:
        return None
    axis = parts[0][0]
    if any(other != axis for other, _, _ in parts):
        return None
    ordered = sorted(parts, key=lambda part: part[1])
    end = 0
    for _, start, part in ordered:
        if start != end:
            return None
        end += part.shape[axis]
    return builder.make("concat", *(part for _, _, part in ordered), params=(axis,)) if end == new.shape[axis] else None


def _placed_parts(inputs: Inputs, shape: Any) -> list[tuple[int, int, Instruction]] | None:
    """(axis, start, part) for each term of a sum, if all are parts placed along one axis."""
    parts: list[tuple[int, int, Instruction]] = []
    for x in inputs:
        if x.op == "add" and x.shape == shape:
            below = _placed_parts(x.inputs, shape)
            if below is None:
                return None
            parts += below
        elif x.op == "place":
            ranges = x.params[0]
            cut = [i for i, r in enumerate(ranges) if r != (0, shape[i], 1)]
            if len(cut) != 1 or ranges[cut[0]][2] != 1:
                return None
            parts.append((cut[0], ranges[cut[0]][0], x.inputs[0]))
        else:
            return None
    return parts


def move_slices(program: Program) -> Program:
    """slice(f(a, b)) becomes f(slice(a), slice(b)) where nothing reads f as a whole."""
    instructions = program.instructions()
    readers = users(instructions)
    kept = {*program.outputs, *program.keep}
    movable: set[Instruction] = set()
    for x in reversed(instructions):
        if (
            (is_elementwise(x) or x.op == "slice")
            and x not in kept
            and readers.get(x)
            and all(y.op == "slice" or (y in movable and _reads_aligned(y, x)) for y in readers[x])
        ):
            movable.add(x)
    if not movable:
        return program
    marks = {id(x) for x in movable}
    new: dict[Instruction, Instruction] = {x: x for x in program.inputs}
    fresh: set[int] = set()
    now: Instruction

    def push(builder: Builder, new: Instruction) -> Instruction | None:
        (x,), (ranges,) = new.inputs, new.params
        if id(x) not in fresh:
            return None
        these = [_sliced(builder, y, ranges, x.shape) for y in x.inputs]
        result = builder.make(x.op, *these, params=x.params)
        if id(now) in marks and is_elementwise(result):
            fresh.add(id(result))  # it is sliced again
        return result

    builder = Builder({**RULES, "slice": [*RULES["slice"], push, _slice_of_join]})
    for instruction in instructions:
        now = instruction
        made = builder.make(instruction.op, *(new[read] for read in instruction.inputs), params=instruction.params)
        if id(instruction) in marks and is_elementwise(made):
            fresh.add(id(made))
        new[instruction] = made
    return program.with_results([new[x] for x in program.outputs], [new[x] for x in program.keep])


def _reads_aligned(reader: Instruction, x: Instruction) -> bool:
    return is_elementwise(reader) and reader.shape == x.shape


def _sliced(builder: Builder, x: Instruction, ranges: Any, shape: Any) -> Instruction:
    """What an operand contributes to a slice of the result; what is repeated along an axis stays."""
    extra = len(shape) - len(x.shape)
    own = tuple((0, 1, 1) if n == 1 != shape[extra + i] else ranges[extra + i] for i, n in enumerate(x.shape))
    return builder.make("slice", x, params=(own,)) if x.shape else x
