"""Arithmetic on constants, identities, and views of views: what needs no look at the rest of the program.

Every rule keeps each bit of the result, but for the sign of a NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from adjoint.arrays import numpy_namespace
from adjoint.compile.passes.rewriting import Builder, Rule, rewrite
from adjoint.program import Instruction, Program
from adjoint.program.operations import OPERATIONS, broadcast_shapes

__all__ = ["constant_value", "simplify"]


def constant_value(instruction: Instruction) -> Any:
    """The number that every element is, or None."""
    while instruction.op in ("broadcast", "reshape"):
        instruction = instruction.inputs[0]
    return instruction.params[0] if instruction.op == "constant" else None


def _fold(builder: Builder, new: Instruction) -> Instruction | None:
    """An operation on constants is a constant."""
    values = [constant_value(x) for x in new.inputs]
    if not values or any(value is None for value in values):
        return None
    arrays = [np.asarray(value, x.dtype) for value, x in zip(values, new.inputs, strict=True)]
    with np.errstate(all="ignore"):
        result = OPERATIONS[new.op].evaluate(numpy_namespace, *arrays, *new.params)
    return builder.broadcast(builder.constant(result, new.dtype), new.shape)


def _identity(builder: Builder, new: Instruction) -> Instruction | None:
    """x·1, 1·x, x/1, x − 0; not for complex x, where an infinite part times 0 is NaN"""
    if new.dtype.kind == "c":
        return None
    a, b = new.inputs
    op = new.op
    kept = None
    if (op in ("mul", "div") and constant_value(b) == 1) or (op == "sub" and constant_value(b) == 0):
        kept = a
    elif op == "mul" and constant_value(a) == 1:
        kept = b
    if kept is None or (op == "sub" and math.copysign(1.0, constant_value(b)) < 0) or kept.dtype != new.dtype:
        return None
    return builder.broadcast(kept, new.shape)


def _exact_reciprocal(builder: Builder, new: Instruction) -> Instruction | None:
    """x / 2ᵏ is x · 2⁻ᵏ"""
    value = constant_value(new.inputs[1])
    if value is None or new.dtype.kind != "f" or not math.isfinite(value) or value == 0:
        return None
    with np.errstate(all="ignore"):
        reciprocal = new.dtype.type(1.0) / new.dtype.type(value)
        is_exact = abs(math.frexp(value)[0]) == 0.5 and np.isfinite(reciprocal) and 1.0 / reciprocal == value
    tiny = np.finfo(new.dtype).tiny
    if not is_exact or not tiny <= abs(reciprocal):
        return None
    return builder.make("mul", new.inputs[0], builder.constant(reciprocal, new.dtype))


def _implicit_broadcast(builder: Builder, new: Instruction) -> Instruction | None:
    """Elementwise operations broadcast by themselves."""
    changed = list(new.inputs)
    for i, x in enumerate(new.inputs):
        if x.op == "broadcast":
            changed[i] = x.inputs[0]
            if broadcast_shapes(*[y.shape for y in changed]) != new.shape:
                changed[i] = x
    return None if tuple(changed) == new.inputs else builder.make(new.op, *changed, params=new.params)


def _common_reshape(builder: Builder, new: Instruction) -> Instruction | None:
    """f(reshape(a), reshape(b)) is reshape(f(a, b)), for then f may be fused with what made a and b."""
    source = None
    is_worth_it = False
    for x in new.inputs:
        if x.op == "reshape" and x.shape == new.shape and x.inputs[0].op != "input":
            if source not in (None, x.inputs[0].shape):
                return None
            source = x.inputs[0].shape
            is_worth_it |= not _is_stored(x.inputs[0])
    if source is None or not is_worth_it:
        return None
    changed = []
    for x in new.inputs:
        if x.size == 1 and new.shape != x.shape:
            changed.append(builder.reshape(x, ()))
        elif x.shape != new.shape or not (x.op == "reshape" or _is_stored(x)):
            return None
        else:
            changed.append(
                x.inputs[0] if x.op == "reshape" and x.inputs[0].shape == source else builder.reshape(x, source)
            )
    return builder.reshape(builder.make(new.op, *changed, params=new.params), new.shape)


def _is_stored(x: Instruction) -> bool:
    """Whether it lies in memory anyhow, so that another shape of it costs nothing."""
    return x.op in ("input", "matmul", "gather", "concat", "cumsum")


def _reshape(builder: Builder, new: Instruction) -> Instruction | None:
    (x,) = new.inputs
    if x.shape == new.shape:
        return x
    if x.op == "reshape":
        return builder.reshape(x.inputs[0], new.shape)
    if x.op == "broadcast" and x.inputs[0].size == 1:
        return builder.broadcast(builder.reshape(x.inputs[0], ()), new.shape)
    return None


def _permute(builder: Builder, new: Instruction) -> Instruction | None:
    (x,), (axes,) = new.inputs, new.params
    if x.op == "permute":
        axes = tuple(x.params[0][axis] for axis in axes)
        x = x.inputs[0]
    if axes == tuple(range(len(axes))):
        return x
    moved = [axis for axis in axes if x.shape[axis] != 1]
    if moved == sorted(moved):  # only axes of length 1 change their places
        return builder.reshape(x, new.shape)
    if x.op == "broadcast" and x.inputs[0].size == 1:
        return builder.broadcast(builder.reshape(x.inputs[0], ()), new.shape)
    return None if x is new.inputs[0] else builder.make("permute", x, params=(axes,))


def _broadcast(builder: Builder, new: Instruction) -> Instruction | None:
    (x,) = new.inputs
    if x.shape == new.shape:
        return x
    return builder.broadcast(x.inputs[0], new.shape) if x.op == "broadcast" else None


def _slice(builder: Builder, new: Instruction) -> Instruction | None:
    (x,), (ranges,) = new.inputs, new.params
    if all(wanted == (0, n, 1) for wanted, n in zip(ranges, x.shape, strict=True)):
        return x
    if x.op == "broadcast" and x.inputs[0].size == 1:
        return builder.broadcast(builder.reshape(x.inputs[0], ()), new.shape)
    if x.op == "slice":
        inner = x.params[0]
        whole = tuple(
            (first + start * step, length, by * step)
            for (start, length, by), (first, _, step) in zip(ranges, inner, strict=True)
        )
        return builder.make("slice", x.inputs[0], params=(whole,))
    return None


def _reduction(builder: Builder, new: Instruction) -> Instruction | None:
    (x,), (axes,) = new.inputs, new.params
    if all(x.shape[axis] == 1 for axis in axes):
        return builder.reshape(x, new.shape)
    if x.op == "reshape" and not new.shape:  # over all: in any new.shape
        source = x.inputs[0]
        return builder.make(new.op, source, params=(tuple(range(len(source.shape))),))
    return None


def _sum_of_repeated(builder: Builder, new: Instruction) -> Instruction | None:
    """The sum of n times the same is n times it."""
    (x,), (axes,) = new.inputs, new.params
    if x.op != "broadcast" or x.inputs[0].size != 1 or x.dtype.kind == "c":
        return None
    times = math.prod(x.shape[axis] for axis in axes)
    if times == 0:
        return builder.broadcast(builder.constant(0, new.dtype), new.shape)
    count = builder.constant(times, new.dtype)
    return builder.broadcast(builder.make("mul", builder.reshape(x.inputs[0], ()), count), new.shape)


def _cast(builder: Builder, new: Instruction) -> Instruction | None:
    return new.inputs[0] if new.inputs[0].dtype == new.dtype else None


def _double_negation(builder: Builder, new: Instruction) -> Instruction | None:
    return new.inputs[0].inputs[0] if new.inputs[0].op == "neg" else None


def _negated_term(builder: Builder, new: Instruction) -> Instruction | None:
    """a + (−b) is a − b"""
    a, b = new.inputs
    if b.op == "neg":
        return builder.make("sub", a, b.inputs[0])
    return builder.make("sub", b, a.inputs[0]) if a.op == "neg" else None


RULES: dict[str, list[Rule]] = {
    "elementwise": [_fold, _implicit_broadcast, _common_reshape],
    "mul": [_identity],
    "div": [_identity, _exact_reciprocal],
    "sub": [_identity],
    "add": [_negated_term],
    "neg": [_double_negation],
    "cast": [_cast],
    "reshape": [_reshape],
    "permute": [_permute],
    "broadcast": [_broadcast],
    "slice": [_slice],
    "sum": [_sum_of_repeated, _reduction],
    "max": [_reduction],
    "min": [_reduction],
}


def simplify(program: Program) -> Program:
    """The program without arithmetic on constants, identities, and views of views."""
    return rewrite(program, RULES)
